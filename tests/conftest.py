"""What all tests share: no credentials from outside, and no real waiting between attempts."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from tests.support.redis_server import NOT_INSTALLED, RedisServer, find_redis

from cld_user_groups.utils import waiting_disabled

# How long an example takes depends on what else the machine does.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

# A shell ignores SIGINT in what it starts in the background, and processes inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_credentials_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("CLOUDINARY_"):
            monkeypatch.delenv(name)


@pytest.fixture
def waits() -> Iterator[list[float]]:
    """The waits between attempts, in seconds, as they are asked for and not waited."""
    with waiting_disabled() as recorded:
        yield recorded


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server of the test's own."""
    if find_redis() is None:
        pytest.skip(NOT_INSTALLED)
    with RedisServer(tmp_path) as server:
        yield server
