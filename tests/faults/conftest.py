"""A fixture for tests that must leave nothing open."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture
def nothing_left_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails the test if a socket, a transport or a coroutine was left open."""
    gc.collect(1)
    gc.freeze()  # so that the look after the test takes as long as what it made is large
    complaints: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: complaints.append(repr(args.exc_value)))
    yield
    gc.collect()
    assert complaints == []
