"""What all tests of faults stand on: no settings from this machine, no waiting between attempts."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator

import pytest

from cld_user_groups.utils import waiting_disabled

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper() in _PROXIES or name.startswith("CLOUDINARY_"):
            monkeypatch.delenv(name)


@pytest.fixture
def waits() -> Iterator[list[float]]:
    """The waits between attempts, in seconds: noted, not waited."""
    with waiting_disabled() as noted:
        yield noted


@pytest.fixture
def nothing_left_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails the test if a socket, a transport or a coroutine was left open."""
    gc.collect()
    complaints: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: complaints.append(repr(args.exc_value)))
    yield
    gc.collect()
    assert complaints == []
