"""A clock that only tests move, and a Redis server for all tests that leave it running."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from tests.support.redis_server import NOT_INSTALLED, RedisServer, find_redis

from cld_user_groups.limits import RedisLimiter

_numbers = count()


class Clock:
    """A clock in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The limiter's clock."""
    return Clock()


@pytest.fixture(scope="session")
def running_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server of this process's tests."""
    if find_redis() is None:
        pytest.skip(NOT_INSTALLED)
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


class Workers:
    """Limiters that share one quota, as many processes would.

    Args:
        url: Their Redis server.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.prefix = f"test-{next(_numbers)}"
        self._limiters: list[RedisLimiter] = []

    def new(self, **options: Any) -> RedisLimiter:
        """Return one more limiter."""
        settings: dict[str, Any] = {"prefix": self.prefix, "timeout": 5.0}
        limiter = RedisLimiter(**{"url": self.url, **settings, **options})
        self._limiters.append(limiter)
        return limiter

    def close(self) -> None:
        """Close their connections."""
        for limiter in self._limiters:
            limiter.close()


@pytest.fixture
def workers(running_redis: RedisServer) -> Iterator[Workers]:
    """Limiters that share one quota of their own."""
    made = Workers(running_redis.url)
    yield made
    made.close()
