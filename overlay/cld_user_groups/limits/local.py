"""The limiter of one process."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable

import httpx

from cld_user_groups.utils import clock as default_clock

from .protocol import Hold, Ticket
from .quota import AccountQuota


class LocalLimiter:
    """Keep the calls of one process within the account's quota.

    By default, as every client has it, it does nothing until the API refuses a request. A 420 or
    429 then holds back the other calls as well, for half a second or more if it does not say how
    long. When the delay is over, they are released gradually: 10 in the first second, twice as many
    in each further one. A call that cannot wait that long raises `RateLimited` without being sent,
    except for one from time to time, which is sent to find out whether the refusal still holds.

        shared = LocalLimiter(reserve=50)
        clients = [CldProvisioning(limiter=shared), AsyncCldProvisioning(limiter=shared)]

    Args:
        reserve: How many requests of the quota to leave to others. With a number, which may be 0,
            the limiter also reads the remaining quota from each response, and stops before a
            refusal.
        per_second: How many requests may start per second on average; a burst of that many may
            start at once. Default: no limit.
        clock: Returns the time in seconds, for tests.

    Raises:
        TypeError: An argument is not a number.
        ValueError: An argument is out of range.
    """

    def __init__(
        self,
        *,
        reserve: int | None = None,
        per_second: float | None = None,
        clock: Callable[[], float] = default_clock,
    ) -> None:
        if reserve is not None:
            check_reserve(reserve)
        if per_second is not None and not per_second > 0:
            raise ValueError(f"per_second must be above zero, not {per_second!r}")
        self._reserve = reserve
        self._per_second = per_second
        self._is_gentle = reserve is None and per_second is None
        self._clock = clock
        self._accounts: dict[str, AccountQuota] = {}
        self._lock = threading.Lock()
        _limiters.add(self)

    def acquire(self, ticket: Ticket, /) -> Hold | None:
        """Return None if the attempt may be sent now, else how long to wait; see `Limiter`."""
        if self._is_gentle and ticket.account_id not in self._accounts:
            return None
        with self._lock:
            account, now = self._account(ticket.account_id), self._clock()
            if self._is_gentle and account.is_over(now):
                del self._accounts[ticket.account_id]
                return None
            return account.acquire(ticket, now)

    def observe(self, ticket: Ticket, response: httpx.Response | None, /) -> None:
        """Learn from the response of an attempt; see `Limiter`."""
        is_refused = response is not None and response.status_code in (420, 429)
        if self._is_gentle and not is_refused and ticket.account_id not in self._accounts:
            return
        with self._lock:
            self._account(ticket.account_id).observe(ticket, response, self._clock())

    def forget_parent(self) -> None:
        """Leave to the parent process, after a fork, what its other threads are at."""
        self._lock = threading.Lock()  # the other may be held by a thread that is not here
        for account in self._accounts.values():
            account.in_flight = 0

    def _account(self, account_id: str) -> AccountQuota:
        if account_id not in self._accounts:
            self._accounts[account_id] = AccountQuota(self._reserve, self._per_second)
        return self._accounts[account_id]


_limiters: weakref.WeakSet[LocalLimiter] = weakref.WeakSet()


def _forget_parent() -> None:
    for limiter in list(_limiters):
        limiter.forget_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)


def check_reserve(reserve: object) -> None:
    """Raise TypeError or ValueError where this is no number of requests."""
    if isinstance(reserve, bool) or not isinstance(reserve, int):
        raise TypeError(f"reserve must be an int, not {type(reserve).__name__}")
    if reserve < 0:
        raise ValueError(f"reserve must not be negative, not {reserve}")
