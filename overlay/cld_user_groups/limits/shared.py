"""The limiter of all processes that use an account, on Redis or Valkey."""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final, Literal, Self

import httpx

from cld_user_groups.errors import LimiterUnavailable
from cld_user_groups.utils import clock as default_clock

from .local import LocalLimiter, check_reserve
from .protocol import Hold, Ticket
from .quota import left_of_quota, position_of
from .store import ScriptReply, Store, StoreError, wait_for

_LOGGER = logging.getLogger("cld_user_groups")
_REASONS: Final = {
    "refused": "the server has refused a request of a worker",
    "unknown": "another worker is asking the server what is left of the quota",
    "in flight": "requests in flight may use up the account's quota",
}
# Where nobody knows when: a worker asks again from time to time.
_POLLED: Final = ("unknown", "in flight")
# How long Redis is left alone after it failed, in seconds.
_REST: Final = 1.0
# So many fewer requests may be left than were expected before others must know of it at once.
_EXPECTED: Final = 32


class RedisLimiter(LocalLimiter):
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
        check_reserve(reserve)
        super().__init__(reserve=reserve, clock=clock)
        if priority not in ("interactive", "batch"):
            raise ValueError(f'priority must be "interactive" or "batch", not {priority!r}')
        if on_error not in ("local", "fail"):
            raise ValueError(f'on_error must be "local" or "fail", not {on_error!r}')
        if not 0 <= interactive_share < 1:
            raise ValueError(f"interactive_share must be from 0 to 1, not {interactive_share!r}")
        if not timeout > 0:
            raise ValueError(f"timeout must be above zero, not {timeout!r}")
        share = interactive_share if priority == "batch" else 0.0
        self._to_others = reserve, share
        self._fails = on_error == "fail"
        self._prefix, self._timeout = prefix, timeout
        self._store = Store(url, timeout)
        self._name = _new_name()
        self._away_until = 0.0

    def acquire(self, ticket: Ticket, /) -> Hold | None:
        """Return None if the attempt may be sent now, else how long to wait; see `Limiter`."""
        is_available = self._is_available()
        hold = super().acquire(ticket)
        if hold is None and is_available:
            with self._asking(ticket) as (reply, limit):
                return self._settle(ticket, reply.result(limit))
        return hold

    async def acquire_async(self, ticket: Ticket, /) -> Hold | None:
        """Do what `acquire` does."""
        is_available = self._is_available()
        hold = super().acquire(ticket)
        if hold is None and is_available:
            with self._asking(ticket) as (reply, limit):
                return self._settle(ticket, await wait_for(reply, limit))
        return hold

    def observe(self, ticket: Ticket, response: httpx.Response | None, /) -> None:
        """Learn from the response of an attempt; see `Limiter`."""
        super().observe(ticket, response)
        if self._is_urgent(ticket, response):
            with self._asking(ticket, response) as (reply, limit):
                reply.result(limit)

    async def observe_async(self, ticket: Ticket, response: httpx.Response, /) -> None:
        """Do what `observe` does."""
        super().observe(ticket, response)
        if self._is_urgent(ticket, response):
            with self._asking(ticket, response) as (reply, limit):
                await wait_for(reply, limit)

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

    def forget_parent(self) -> None:
        """Leave to the parent process, after a fork, its connection and what it has in flight."""
        super().forget_parent()
        self._name = _new_name()
        self._store.forget_parent()

    @contextmanager
    def _asking(
        self, ticket: Ticket, response: httpx.Response | None = None
    ) -> Generator[tuple[Future[ScriptReply], float]]:
        """Ask Redis for an attempt, or report a response; go on without it, or fail if told to."""
        limit = self._timeout if ticket.timeout is None else min(self._timeout, ticket.timeout)
        reply: Future[ScriptReply] = Future()
        try:
            key = f"{self._prefix}:quota:{ticket.account_id}"
            self._store.put(key, self._arguments(ticket, response), reply)
            yield reply, limit
        except BaseException as error:
            reply.cancel()
            is_away = isinstance(error, (StoreError, TimeoutError))
            fails = response is None and self._fails
            if fails or not is_away:
                super().observe(ticket, None)  # it is not sent
            if not is_away:
                raise
            why = str(error) or f"Redis cannot be asked (no reply within {limit:g} s)"
            self._rest(why)
            if fails:
                raise LimiterUnavailable(f"nothing was sent: {why}") from error

    def _arguments(self, ticket: Ticket, response: httpx.Response | None) -> list[str | float]:
        """Return the arguments of the script."""
        with self._lock:
            account, now = self._account(ticket.account_id), self._clock()
            remaining, limit = account.remaining, account.limit
            delay = account.not_before - now if _is_refusal(response) else 0.0
            return [
                *(self._name, account.in_flight, int(response is None), int(ticket.patience > 0)),
                *self._to_others,
                *(-1 if remaining is None else remaining, -1 if limit is None else limit),
                *(int(max(0.0, account.reset_at - now) * 1000), account.learned_at),
                *(int(delay * 1000), 0 if response is None else response.status_code),
            ]

    def _settle(self, ticket: Ticket, reply: ScriptReply) -> Hold | None:
        """Return what a reply means for an attempt that this process has admitted."""
        with self._lock:
            is_back, self._away_until = self._away_until > 0, 0.0
            account, now = self._account(ticket.account_id), self._clock()
            is_news = account.heed(now, now + reply.delay_ms / 1000, reply.delay_status)
        if is_back:
            _LOGGER.info("Redis is back: the quota is shared again")
        if is_news:  # its ramp-up is for this attempt as well
            super().observe(ticket, None)
            hold = super().acquire(ticket)
            if hold is not None:
                return hold
        if not reply.status:
            position = position_of(ticket)
            position.admitted_at, position.shared = reply.admitted_at, reply
            return None
        super().observe(ticket, None)
        seconds, reserve = reply.wait_ms / 1000, self._to_others[0]
        if reply.why in _POLLED:
            seconds *= random.uniform(1, 2)  # noqa: S311 - or all workers would ask at once
        reason = _REASONS.get(reply.why) or left_of_quota(reply.left, reserve)
        if reply.why == "used" and reply.left > reserve:
            reason = f"{reply.left} requests are left of the account's quota, for others"
        return Hold(seconds, reply.status, reason)

    def _is_urgent(self, ticket: Ticket, response: httpx.Response | None) -> bool:
        """Return whether the other workers must know of a response at once."""
        reply = position_of(ticket).shared
        if response is None or not isinstance(reply, ScriptReply) or self._away_until:
            return False
        remaining = self._account(ticket.account_id).remaining
        is_unexpected = remaining is not None and remaining < reply.left - _EXPECTED
        return bool(reply.must_report) or is_unexpected or _is_refusal(response)

    def _is_available(self) -> bool:
        """Return whether to ask Redis: after a failure, one call a second finds out."""
        if not self._away_until:
            return True
        now = self._clock()
        if now >= self._away_until:
            self._away_until = now + _REST
            return True
        if self._fails:
            raise LimiterUnavailable("nothing was sent: Redis is away")
        return False

    def _rest(self, why: str) -> None:
        with self._lock:
            was_away, self._away_until = self._away_until > 0, self._clock() + _REST
        if not was_away:
            consequence = "calls fail" if self._fails else "the quota is limited in process"
            _LOGGER.warning("%s: %s until it is back", why, consequence)


def _new_name() -> str:
    return f"worker-{secrets.token_hex(4)}"


def _is_refusal(response: httpx.Response | None) -> bool:
    return response is not None and response.status_code in (420, 429)
