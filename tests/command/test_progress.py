"""Progress where standard error is not a terminal."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime

from cld_user_groups.command.results import progress_of
from cld_user_groups.membership import Progress

WAIT = Progress(outcome=None, ended=0, total=1, waiting_until=datetime(2026, 1, 1, tzinfo=UTC))


class Closed(io.StringIO):
    """A pipe that nobody reads any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_wait_is_announced(capsys):
    with progress_of(1, quiet=False) as show:
        show(WAIT)
    assert capsys.readouterr().err == "Waiting for the quota until 00:00:00 UTC.\n"


def test_a_wait_that_nobody_reads_of_does_not_end_a_run(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Closed())
    with progress_of(1, quiet=False) as show:
        show(WAIT)
