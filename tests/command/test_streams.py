"""Standard streams that are closed, full, or of another encoding take nothing from a command."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cld_user_groups.command.results import progress_of
from cld_user_groups.membership import Progress

from .shell import process, unread_pipe

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the shell is POSIX")

CREATE = "create Interns --yes"


def run(words: str, redirected: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a shell, with its streams redirected."""
    return subprocess.run(
        ["sh", "-c", f"{sys.executable} -m cld_user_groups {words} {redirected}"],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"], ids=["stdout", "stderr", "stdin", "all"]
)
def test_where_a_stream_is_closed_a_change_is_made_as_the_exit_code_says(shell, closed):
    done = run(CREATE, closed)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert "Interns" in shell.members()


@pytest.mark.parametrize(
    ("words", "code"), [("list", 0), ("frobnicate", 64), ("create Interns", 64), ("--version", 0)]
)
def test_where_all_streams_are_closed_the_exit_codes_are_the_same(shell, words, code):
    assert run(words, "<&- >&- 2>&-").returncode == code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_where_standard_error_is_full_the_change_is_made(shell, log_format):
    assert run(f"{CREATE} --log-format {log_format}", "2>/dev/full").returncode == 0
    assert "Interns" in shell.members()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_where_standard_error_is_full_an_error_is_a_document_all_the_same(shell):
    done = run("frobnicate --format json", "2>/dev/full")
    assert done.returncode == 64
    assert json.loads(done.stdout)["exit_code"] == 64


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("list", 0),
        ("plan groups.yaml --detailed-exitcode", 2),
        (CREATE, 0),
    ],
)
def test_who_stops_reading_changes_neither_exit_code_nor_what_is_done(shell, words, code):
    shell.write("version: 1\ngroups: {Interns: {members: [john@example.com]}}\n")
    with unread_pipe() as pipe:
        assert process(*words.split(), stdout=pipe, stderr=pipe).returncode == code
    assert ("Interns" in shell.members()) is (words == CREATE)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
def test_a_pipe_gets_utf_8_whatever_the_encoding_of_the_machine(shell, encoding):
    shell.emulator.add_group("日本語グループ")
    done = run("list", "", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "日本語グループ" in done.stdout.decode()
    done = run("create 日本語", "", PYTHONIOENCODING=encoding)
    assert done.returncode == 64
    assert "日本語" in done.stderr.decode()


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
