"""The account's hourly quota."""

import math
from datetime import datetime, timedelta
from email.utils import formatdate
from functools import lru_cache
from typing import Final

from .messages import RawHeaders, RejectedError

# More than one process can handle in an hour: no test runs into it by accident.
_GENEROUS: Final = 100_000_000


class Quota:
    """The number of requests left until the next full window, which is an hour."""

    def __init__(self, window: timedelta = timedelta(hours=1)) -> None:
        self._seconds = window.total_seconds()
        self._limit = self._remaining = _GENEROUS
        self._status = 420
        self._reset_at = 0.0

    def set(self, limit: int, remaining: int | None, status: int, now: datetime) -> None:
        """Set the quota; see ``Emulator.set_quota``."""
        if limit < 0:
            raise ValueError(f"limit must not be negative, not {limit}")
        if remaining is None:
            remaining = limit
        if not 0 <= remaining <= limit:
            raise ValueError(f"remaining must be between 0 and the limit {limit}, not {remaining}")
        if status not in (420, 429):
            raise ValueError(f"status must be 420 or 429, not {status}")
        self._limit, self._remaining, self._status = limit, remaining, status
        self._reset_at = math.inf  # what remains now lasts until the end of this window
        self._roll_over(now)

    def spend(self, now: datetime) -> None:
        """Count one request, or reject it if nothing is left."""
        self._roll_over(now)
        if self._remaining == 0:
            message = "Rate limit exceeded" if self._status == 420 else "Too many requests"
            limit = f"Limit of {self._limit} requests per hour"
            retry_after = b"%d" % max(1, math.ceil(self._reset_at - now.timestamp()))
            raise RejectedError(
                self._status, f"{message}. {limit}", [(b"retry-after", retry_after)]
            )
        self._remaining -= 1

    def headers(self, now: datetime) -> RawHeaders:
        """Return the three headers with the limit, what remains of it, and when it resets."""
        self._roll_over(now)
        return [
            (b"x-featureratelimit-limit", b"%d" % self._limit),
            (b"x-featureratelimit-remaining", b"%d" % self._remaining),
            (b"x-featureratelimit-reset", http_date(int(self._reset_at))),
        ]

    def _roll_over(self, now: datetime) -> None:
        if now.timestamp() >= self._reset_at:
            self._remaining = self._limit
        self._reset_at = (now.timestamp() // self._seconds + 1) * self._seconds


# Formatting a date costs more than the rest of a response.
@lru_cache(maxsize=8)
def http_date(second: int) -> bytes:
    """Return a POSIX time as an HTTP date."""
    return formatdate(second, usegmt=True).encode("ascii")
