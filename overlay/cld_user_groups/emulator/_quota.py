"""The account's hourly quota."""

import math
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Final

from ._messages import RawHeaders, RejectedError

# More than one process can handle in an hour: no test runs into it by accident.
_GENEROUS: Final = 100_000_000
_WINDOW: Final = timedelta(hours=1)


class Quota:
    """The number of requests left until the next full hour."""

    def __init__(self) -> None:
        self._limit = _GENEROUS
        self._remaining = _GENEROUS
        self._status = 420
        self._reset_at: datetime | None = None
        self._reset_text = b""

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
        self._limit = limit
        self._remaining = remaining
        self._status = status
        self._reset_at = None
        self._roll_over(now)

    def spend(self, now: datetime) -> None:
        """Count one request.

        Raises:
            RejectedError: Nothing is left in this hour.
        """
        self._roll_over(now)
        if self._remaining == 0:
            message = "Rate limit exceeded" if self._status == 420 else "Too many requests"
            raise RejectedError(
                self._status, f"{message}. Limit of {self._limit} requests per hour"
            )
        self._remaining -= 1

    def headers(self, now: datetime) -> list[tuple[bytes, bytes]]:
        """Return the three headers with the limit, what remains of it, and when it resets."""
        self._roll_over(now)
        return [
            (b"x-featureratelimit-limit", b"%d" % self._limit),
            (b"x-featureratelimit-remaining", b"%d" % self._remaining),
            (b"x-featureratelimit-reset", self._reset_text),
        ]

    def retry_after(self, now: datetime) -> RawHeaders:
        """Return the header with the seconds until the quota resets."""
        reset_at = self._roll_over(now)
        return [(b"retry-after", b"%d" % max(1, math.ceil((reset_at - now).total_seconds())))]

    def _roll_over(self, now: datetime) -> datetime:
        if self._reset_at is not None:
            if self._reset_at - _WINDOW <= now < self._reset_at:
                return self._reset_at
            if now >= self._reset_at:
                self._remaining = self._limit
        self._reset_at = now.replace(minute=0, second=0, microsecond=0) + _WINDOW
        self._reset_text = format_datetime(self._reset_at, usegmt=True).encode("ascii")
        return self._reset_at
