"""The script on Redis, and the connections to run it: all I/O of the shared limiter."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from .protocol import Ticket

_SCRIPT: Final = Path(__file__).with_name("quota.lua").read_text("utf-8")
# How many connections a process, or an event loop, has at most.
_CONNECTIONS: Final = 2
# A connection keeps its time limit, so those for calls with a short one are kept apart, in steps.
_SHORT_LIMITS: Final = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005)


class StoreError(Exception):
    """Redis could not be asked."""


class Reply(NamedTuple):
    """What the script returns.

    Attributes:
        status: 0 to send it, else the status code to expect.
        wait_ms: How long to wait before asking again, in milliseconds.
        why: Why, in a word.
        left: How many requests are left of the quota, less those in flight if it is to be sent; or
            -1.
        epoch: Which count this is: it changes when Redis loses it.
        number: The number of the ticket.
        minute: The minute of the ticket.
        must_report: Whether others wait for its outcome.
    """

    status: int
    wait_ms: int
    why: str
    left: int
    epoch: int
    number: int
    minute: int
    must_report: int


class _Settings(NamedTuple):
    url: str
    prefix: str
    timeout: float

    def __repr__(self) -> str:  # the URL may hold a password
        return f"_Settings(prefix={self.prefix!r}, timeout={self.timeout!r})"

    def limit(self, ticket: Ticket) -> float:
        """Return how many seconds asking may take for a call."""
        if ticket.timeout is None or ticket.timeout >= self.timeout:
            return self.timeout
        steps = (each for each in _SHORT_LIMITS if each <= ticket.timeout)
        return next(steps, _SHORT_LIMITS[-1])

    def key(self, ticket: Ticket) -> str:
        return f"{self.prefix}:quota:{ticket.account_id}"


class Store:
    """The script, for threads.

    Args:
        url: The server, as redis-py reads it.
        prefix: The beginning of the keys.
        timeout: The most seconds that asking may take.

    Raises:
        ImportError: redis is not installed.
        ValueError: The URL is not valid.
    """

    def __init__(self, url: str, prefix: str, timeout: float) -> None:
        _check_url(url)
        self._settings = _Settings(url, prefix, timeout)
        self._scripts: dict[float, Any] = {}

    def run(self, ticket: Ticket, arguments: list[float | int]) -> Reply:
        """Run the script on the key of the ticket's account.

        Raises:
            StoreError: Redis could not be asked in time.
        """
        import redis

        limit = self._settings.limit(ticket)
        try:
            script = self._scripts.get(limit)
            if script is None:
                # Two threads may both make one: nothing is opened by that.
                script = self._scripts.setdefault(limit, self._make(limit))
            return Reply(*script(keys=[self._settings.key(ticket)], args=arguments))
        except (redis.RedisError, OSError) as error:
            raise _unavailable(error) from error

    def close(self) -> None:
        """Close the connections."""
        scripts, self._scripts = self._scripts, {}
        for script in scripts.values():
            script.registered_client.connection_pool.disconnect()

    def _make(self, limit: float) -> Any:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        pool_class: Any = redis.BlockingConnectionPool  # its from_url is not fully typed
        pool = pool_class.from_url(
            self._settings.url, retry=Retry(NoBackoff(), 0), **_limits(limit)
        )
        return redis.Redis(connection_pool=pool).register_script(_SCRIPT)


class AsyncStore:
    """The script, for event loops: each has its own connections; see `Store`."""

    def __init__(self, url: str, prefix: str, timeout: float) -> None:
        _check_url(url)
        self._settings = _Settings(url, prefix, timeout)
        self._scripts: weakref.WeakKeyDictionary[Any, tuple[Any, AsyncGenerator[None]]] = (
            weakref.WeakKeyDictionary()
        )

    @cached_property
    def _in_thread(self) -> Store:
        # redis-py knows asyncio only; on trio the script runs in a thread.
        return Store(*self._settings)

    async def run(self, ticket: Ticket, arguments: list[float | int]) -> Reply:
        """Run the script on the key of the ticket's account; see `Store.run`."""
        import anyio.to_thread
        import redis

        if not _is_on_asyncio():
            run = partial(self._in_thread.run, ticket, arguments)
            return await anyio.to_thread.run_sync(run, abandon_on_cancel=True)
        try:
            async with asyncio.timeout(self._settings.limit(ticket)):
                script = await self._script()
                return Reply(*await script(keys=[self._settings.key(ticket)], args=arguments))
        except (redis.RedisError, OSError) as error:  # a TimeoutError is an OSError
            raise _unavailable(error) from error

    async def close(self) -> None:
        """Close the connections of this event loop."""
        if _is_on_asyncio():
            _, closer = self._scripts.pop(asyncio.get_running_loop(), (None, None))
            if closer is not None:
                await closer.aclose()
        else:
            self._in_thread.close()

    async def _script(self) -> Any:
        loop = asyncio.get_running_loop()
        known = self._scripts.get(loop)
        if known is not None:
            return known[0]
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        # The time limit of a call is around the whole of it.
        pool_class: Any = BlockingConnectionPool
        pool = pool_class.from_url(
            self._settings.url, retry=Retry(NoBackoff(), 0), **_limits(self._settings.timeout)
        )
        script = cast("Any", Redis(connection_pool=pool)).register_script(_SCRIPT)
        closer = _disconnect_with_loop(pool)
        self._scripts[loop] = script, closer
        await anext(closer)
        return script


async def _disconnect_with_loop(pool: Any) -> AsyncGenerator[None]:
    """Close the connections when the event loop shuts its async generators down."""
    try:
        yield
    finally:
        await pool.disconnect()


def _is_on_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _limits(limit: float) -> dict[str, Any]:
    # Connecting, waiting for a connection and waiting for the reply: at most two of them are slow.
    half = limit / 2
    return {
        "max_connections": _CONNECTIONS,
        "timeout": half,
        "socket_timeout": half,
        "socket_connect_timeout": half,
        "decode_responses": True,
    }


def _check_url(url: str) -> None:
    if not isinstance(url, str):
        raise TypeError(f"url must be a str, not {type(url).__name__}")
    try:
        import redis
    except ImportError as error:
        raise ImportError("RedisLimiter needs the extra: cld-user-groups[redis]") from error
    try:
        cast("Any", redis.ConnectionPool).from_url(url)
    except ValueError:
        # Without the URL, which may hold a password.
        raise ValueError("url must begin with redis://, rediss:// or unix://") from None


def _unavailable(error: Exception) -> StoreError:
    return StoreError(f"Redis cannot be asked ({type(error).__name__}: {error})")
