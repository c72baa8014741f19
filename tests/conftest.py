"""Fixtures of all tests: no credentials or proxies from outside, no waiting between attempts."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from tests.support.redis_server import NOT_INSTALLED, RedisServer, find_redis

from cld_user_groups.utils import waiting_disabled

if TYPE_CHECKING:  # where there is none of it, its tests are skipped
    from redis import Redis

# How long an example takes, or drawing one, depends on what else the machine does.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

# Container images set it, and then each of the processes that the tests start compiles all anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell ignores SIGINT in what it starts in the background, and processes inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


# Nearly all that collection makes is kept, so looking for garbage in it takes time for nothing:
# a second while it is made, and 0.2 s in each later look.
gc.disable()


def pytest_collection_finish() -> None:
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Use one worker more than there are cores: all in all, tests wait for 50 s."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None  # xdist reads it
    return (os.cpu_count() or 1) + 1


_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_FROM_OUTSIDE = [
    name for name in os.environ if name.upper() in _PROXIES or name.startswith("CLOUDINARY_")
]


# Tests of other services than those that the tests themselves start.
_REMOTE = ("browser", "interop", "live")


@pytest.fixture(autouse=True)
def _nothing_from_outside(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _FROM_OUTSIDE:
        monkeypatch.delenv(name, raising=False)
    if not any(request.node.get_closest_marker(name) for name in _REMOTE):
        # Parsing all the certificates that the world trusts takes 20 ms for each HTTP client, and
        # none of them is needed on the loopback interface: here is a folder that has none.
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        monkeypatch.setenv("SSL_CERT_DIR", str(Path(__file__).parent))
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "support/light"))


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


@pytest.fixture
def store(redis_server: RedisServer) -> Iterator[Redis]:
    """A client of the test's own Redis server, to look at what is in it."""
    from redis import Redis

    with Redis.from_url(redis_server.url) as client:
        yield client
