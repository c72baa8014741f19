"""The limiter of all processes that use an account, on Redis or Valkey."""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable
from typing import Literal, Self

import httpx
from attrs import define

from cld_user_groups._engine.sleep import clock as default_clock
from cld_user_groups.errors import LimiterUnavailable

from .local import LocalLimiter, check_count
from .observations import Observations
from .protocol import Hold, Ticket
from .store import Reply, Store, StoreError
from .window import left_of_quota

_LOGGER = logging.getLogger("cld_user_groups")
_REASONS = {
    "refused": "the server has refused a request of a worker",
    "pace": "the server has asked for fewer requests at once",
    "unknown": "another worker is asking the server what is left of the quota",
    "in flight": "requests in flight may use up the account's quota",
}
# Where nobody knows when: a worker asks again from time to time.
_POLLED = ("pace", "unknown", "in flight")
# How long Redis is left alone after it failed, in seconds.
_REST = 1.0


@define(eq=False)
class _Note:
    """What is remembered of a ticket.

    Attributes:
        local: The ticket of the in-process limiter.
        reply: What Redis said when it admitted it, or None if it could not be asked.
    """

    local: Ticket
    reply: Reply | None = None


class RedisLimiter:
    """Keep all processes that use an account within its quota, through Redis or Valkey.

    They share one count of the remaining requests: that of the latest response to any of them,
    minus the requests in flight. A 420 or 429 to one process holds back the others. Each request
    takes one round trip to Redis, which also reports what the process has observed since. The key
    names the account; no credentials are stored.

        limiter = RedisLimiter("redis://localhost:6379/0", priority="batch")
        with CldProvisioning(limiter=limiter) as client:
            ...

    One limiter can serve several clients, sync and async, in any thread and event loop.

    Args:
        url: The server, as redis-py reads it: redis://, rediss:// or unix://.
        reserve: How many requests of the quota to leave to those that do not use this limiter.
        priority: "batch" leaves a share of the quota to the "interactive" limiters.
        interactive_share: That share, from 0 to 1.
        on_error: What to do while Redis is not available: "local" to limit in process, and log one
            warning; "fail" to raise `LimiterUnavailable`.
        timeout: The timeout for Redis, in seconds; less if the call's own timeout is shorter.
        prefix: The beginning of the keys.
        clock: Returns the time in seconds, for tests.

    Raises:
        ImportError: redis, of the extra `redis`, is not installed.
        TypeError: An argument is of the wrong type.
        ValueError: An argument is not valid.
    """

    def __init__(
        self,
        url: str,
        *,
        reserve: int = 0,
        priority: Literal["interactive", "batch"] = "interactive",
        interactive_share: float = 0.2,
        on_error: Literal["local", "fail"] = "local",
        timeout: float = 0.5,
        prefix: str = "cld-user-groups",
        clock: Callable[[], float] = default_clock,
    ) -> None:
        check_count("reserve", reserve)
        if priority not in ("interactive", "batch"):
            raise ValueError(f'priority must be "interactive" or "batch", not {priority!r}')
        if on_error not in ("local", "fail"):
            raise ValueError(f'on_error must be "local" or "fail", not {on_error!r}')
        if not 0 <= interactive_share < 1:
            raise ValueError(f"interactive_share must be from 0 to 1, not {interactive_share!r}")
        if not timeout > 0:
            raise ValueError(f"timeout must be above zero, not {timeout!r}")
        self._reserve = reserve
        self._share = interactive_share if priority == "batch" else 0.0
        self._fails = on_error == "fail"
        self._clock = clock
        self._local = LocalLimiter(reserve=reserve, clock=clock)
        self._observations = Observations(clock)
        self._store = Store(url, prefix, timeout, self._observations.add_unused)
        self._away_until = 0.0
        self._warnings = deque([1])  # taken by the first to fail, put back by the first to succeed

    def acquire(self, ticket: Ticket, /) -> Hold | None:
        """Return None if the attempt may be sent now, else how long to wait; see `Limiter`."""
        if not self._is_worth_asking():
            return self._acquire_locally(ticket)
        try:
            reply = self._store.run(ticket, self._arguments(ticket))
        except StoreError as error:
            return self._acquire_after(error, ticket)
        return self._reply(ticket, reply)

    async def acquire_async(self, ticket: Ticket, /) -> Hold | None:
        """Do what `acquire` does."""
        if not self._is_worth_asking():
            return self._acquire_locally(ticket)
        try:
            reply = await self._store.run_async(ticket, self._arguments(ticket))
        except StoreError as error:
            return self._acquire_after(error, ticket)
        return self._reply(ticket, reply)

    def observe(self, ticket: Ticket, response: httpx.Response | None, /) -> None:
        """Learn from the response of an attempt; see `Limiter`."""
        if self._note(ticket, response):
            try:
                self._store.run(ticket, self._report(ticket))
            except StoreError as error:
                self._rest(error)

    async def observe_async(self, ticket: Ticket, response: httpx.Response, /) -> None:
        """Do what `observe` does."""
        if self._note(ticket, response):
            try:
                await self._store.run_async(ticket, self._report(ticket))
            except StoreError as error:
                self._rest(error)

    def close(self) -> None:
        """Close the connection; a later call opens another one."""
        self._store.close()

    async def aclose(self) -> None:
        """Do what `close` does."""
        import anyio.to_thread

        await anyio.to_thread.run_sync(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    def _arguments(self, ticket: Ticket) -> list[float | int]:
        can_wait = int(ticket.patience > 0)
        head = [1, self._reserve, self._share, can_wait]
        return [*head, *self._observations.take(ticket.account_id)]

    def _report(self, ticket: Ticket) -> list[float | int]:
        return [0, 0, 0, 0, *self._observations.take(ticket.account_id)]

    def _reply(self, ticket: Ticket, reply: Reply) -> Hold | None:
        if self._away_until:
            self._away_until = 0.0
            self._warnings.append(1)
            _LOGGER.info("Redis is back: the quota is shared again")
        if not reply.status:
            ticket.note = _Note(Ticket(ticket.account_id, 0.0, None), reply)
            return None
        if reply.why == "used":
            reason = left_of_quota(reply.left, self._reserve)
            if reply.left > self._reserve:
                reason = f"{reply.left} requests are left of the account's quota, for others"
        else:
            reason = _REASONS[reply.why]
        seconds = reply.wait_ms / 1000
        if reply.why in _POLLED:
            seconds *= random.uniform(1, 2)  # noqa: S311 - or all workers would ask at once
        return Hold(seconds, 420 if reply.status == 420 else 429, reason)

    def _note(self, ticket: Ticket, response: httpx.Response | None) -> bool:
        """Record what became of an attempt, and return whether Redis must know at once."""
        note = ticket.note
        assert isinstance(note, _Note)
        self._local.observe(note.local, response)
        if note.reply is None:
            return False
        is_news = self._observations.add(ticket.account_id, note.reply, response)
        is_urgent = is_news or (bool(note.reply.must_report) and response is not None)
        return self._away_until == 0 and is_urgent

    def _is_worth_asking(self) -> bool:
        if not self._away_until:
            return True
        now = self._clock()
        if now < self._away_until:
            return False
        self._away_until = now + _REST  # one call finds out whether it is back
        return True

    def _acquire_after(self, error: StoreError, ticket: Ticket) -> Hold | None:
        self._rest(error)
        return self._acquire_locally(ticket, error)

    def _acquire_locally(self, ticket: Ticket, error: StoreError | None = None) -> Hold | None:
        if self._fails:
            raise LimiterUnavailable(f"nothing was sent: {error or 'Redis is away'}") from error
        note = ticket.note if isinstance(ticket.note, _Note) else None
        if note is None:
            note = ticket.note = _Note(Ticket(ticket.account_id, ticket.patience, None))
        note.local.patience = ticket.patience
        return self._local.acquire(note.local)

    def _rest(self, error: StoreError) -> None:
        self._away_until = self._clock() + _REST
        try:
            self._warnings.pop()
        except IndexError:
            return
        consequence = "calls fail" if self._fails else "the quota is limited in process"
        _LOGGER.warning("%s: %s until it is back", error, consequence)
