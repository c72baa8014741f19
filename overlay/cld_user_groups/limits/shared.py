"""The limiter of all processes that use an account, on Redis or Valkey."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, Literal, Self

import httpx

from cld_user_groups.errors import LimiterUnavailable
from cld_user_groups.utils import clock as default_clock

from .local import LocalLimiter, check_reserve, left_of_quota, position_of
from .protocol import Hold, Ticket
from .redis_thread import ScriptRun, Store

_LOGGER = logging.getLogger("cld_user_groups")
# How long Redis is left alone after it failed, in seconds.
_REST: Final = 1.0


class RedisLimiter(LocalLimiter):
    """Keep all processes that use an account within its quota, through Redis or Valkey.

    They share one count of the remaining requests: that of the latest response to any of them,
    minus the requests in flight. A 420 or 429 to one process holds back the others. Each request
    takes one round trip to Redis, which also reports what the process has observed since. The key
    names the account; no credentials are stored. One limiter can serve several clients, sync and
    async, in any thread and event loop.

        limiter = RedisLimiter("redis://localhost:6379/0", priority="batch")
        with CldProvisioning(limiter=limiter) as client:
            ...

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
        TypeError, ValueError: An argument is not valid.
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
        self._reserve = reserve
        self._share = interactive_share if priority == "batch" else 0.0
        self._fails = on_error == "fail"
        self._prefix, self._timeout = prefix, timeout
        self._store = Store(url, timeout)
        self._name = f"worker-{secrets.token_hex(4)}"
        self._away_until = 0.0

    def acquire(self, ticket: Ticket, /) -> Hold | None:
        """Return None if the attempt may be sent now, else how long to wait; see `Limiter`."""
        with self._run(ticket) as run:
            run.wait()
        return run.hold

    async def acquire_async(self, ticket: Ticket, /) -> Hold | None:
        """Do what `acquire` does."""
        with self._run(ticket) as run:
            await run.wait_async()
        return run.hold

    def observe(self, ticket: Ticket, response: httpx.Response | None, /) -> None:
        """Learn from the response of an attempt; see `Limiter`."""
        if response is None:
            super().observe(ticket, None)
        else:
            with self._run(ticket, response) as run:
                run.wait()

    async def observe_async(self, ticket: Ticket, response: httpx.Response, /) -> None:
        """Do what `observe` does."""
        with self._run(ticket, response) as run:
            await run.wait_async()

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
        self._name = f"worker-{secrets.token_hex(4)}"
        self._store.forget_parent()

    @contextmanager
    def _run(self, ticket: Ticket, response: httpx.Response | None = None) -> Generator[ScriptRun]:
        """Ask Redis for an attempt, or report its response if the other workers must know of it."""
        limit = self._timeout if ticket.timeout is None else min(self._timeout, ticket.timeout)
        run = ScriptRun(limit)
        if response is None:
            is_needed = self._is_available()
            run.hold = super().acquire(ticket)
            is_needed = is_needed and run.hold is None
        else:
            super().observe(ticket, response)
            remaining = self._accounts[ticket.account_id].remaining
            left = -1 if remaining is None else remaining
            is_news = left < position_of(ticket).news_below or response.status_code in (420, 429)
            is_needed = is_news and not self._away_until
        if not is_needed:
            run.future.set_result([])
            yield run
            return
        run.arguments = self._arguments(ticket, response)
        try:
            self._store.start(run)
            yield run
        except BaseException:
            run.future.cancel()
            super().observe(ticket, None)  # it is not sent
            raise
        if failure := run.failure():
            self._rest(why := f"Redis cannot be asked ({failure})")
            if self._fails and response is None:
                super().observe(ticket, None)
                raise LimiterUnavailable(f"nothing was sent: {why}")
        elif response is None:
            run.hold = self._settle(ticket, run.future.result())

    def _arguments(self, ticket: Ticket, response: httpx.Response | None) -> list[str | float]:
        """Return the arguments of the script."""
        with self._lock:
            account, now = self._accounts[ticket.account_id], self._clock()
            is_refused = response is not None and response.status_code in (420, 429)
            delay = account.delay.until - now if is_refused else 0.0
            return [
                *(1, f"{self._prefix}:quota:{ticket.account_id}", self._name, account.in_flight),
                *(int(response is None), int(ticket.patience > 0), self._reserve, self._share),
                *(-1 if each is None else each for each in (account.remaining, account.limit)),
                *(int(max(0.0, account.reset_at - now) * 1000), account.learned_at),
                *(int(delay * 1000), account.delay.status_code),
            ]

    def _settle(self, ticket: Ticket, reply: list[Any]) -> Hold | None:
        """Return what a reply means for an attempt that this process has admitted."""
        status, wait_ms, reason, left, admitted_at, news_below, delay_ms, delay_status = reply
        with self._lock:
            is_back, self._away_until = self._away_until > 0, 0.0
            account, now = self._accounts[ticket.account_id], self._clock()
            is_news = account.heed(now, now + delay_ms / 1000, delay_status)
        if is_back:
            _LOGGER.info("Redis is back: the quota is shared again")
        if is_news:  # its ramp-up is for this attempt as well
            super().observe(ticket, None)
            hold = super().acquire(ticket)
            if hold is not None:
                return hold
        if not status:
            position = position_of(ticket)
            position.admitted_at, position.news_below = admitted_at, news_below
            return None
        super().observe(ticket, None)
        if not reason and left > self._reserve:
            reason = f"{left} requests are left of the account's quota, for others"
        return Hold(wait_ms / 1000, status, reason or left_of_quota(left, self._reserve))

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
