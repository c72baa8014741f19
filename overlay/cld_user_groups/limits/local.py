"""The limiter of one process."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from cld_user_groups._engine.rate_limit import server_delay
from cld_user_groups._engine.sleep import clock as default_clock

from .protocol import Hold, Ticket
from .window import Window

_REFUSALS = (420, 429)


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
            check_count("reserve", reserve)
        if per_second is not None and not per_second > 0:
            raise ValueError(f"per_second must be above zero, not {per_second!r}")
        self._reserve = reserve
        self._per_second = per_second
        self._is_gentle = reserve is None and per_second is None
        self._clock = clock
        self._windows: dict[str, Window] = {}
        self._lock = threading.Lock()
        _limiters.add(self)

    def acquire(self, ticket: Ticket, /) -> Hold | None:
        """Return None if the attempt may be sent now, else how long to wait; see `Limiter`."""
        if self._is_gentle and ticket.account_id not in self._windows:
            return None
        with self._lock:
            window = self._window(ticket.account_id)
            now = self._clock()
            if self._is_gentle and window.is_over(now):
                del self._windows[ticket.account_id]
                return None
            return window.acquire(ticket, now)

    def observe(self, ticket: Ticket, response: httpx.Response | None, /) -> None:
        """Learn from the response of an attempt; see `Limiter`."""
        is_refusal = response is not None and response.status_code in _REFUSALS
        if self._is_gentle and not is_refusal and ticket.account_id not in self._windows:
            return
        with self._lock:
            window = self._window(ticket.account_id)
            now = self._clock()
            window.end(ticket)
            if response is None:
                return
            if self._reserve is not None:
                window.learn(response.headers, now)
            if not is_refusal:
                window.succeed(ticket, now)
                return
            delay = server_delay(response.status_code, response.headers, datetime.now(UTC))
            window.refuse(ticket, now, delay, 420 if response.status_code == 420 else 429)

    def _window(self, account_id: str) -> Window:
        window = self._windows.get(account_id)
        if window is None:
            window = self._windows[account_id] = Window(self._reserve, self._per_second)
        return window

    def forget_parent(self) -> None:
        """Leave to the parent process, after a fork, what its other threads are at."""
        self._lock = threading.Lock()  # the other may be held by a thread that is not here
        for window in self._windows.values():
            window.forget_flights()


_limiters: weakref.WeakSet[LocalLimiter] = weakref.WeakSet()


def _forget_parent() -> None:
    for limiter in list(_limiters):
        limiter.forget_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)


def check_count(name: str, value: object) -> None:
    """Validate a number of requests.

    Raises:
        TypeError: It is not an int.
        ValueError: It is negative.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < 0:
        raise ValueError(f"{name} must not be negative, not {value}")
