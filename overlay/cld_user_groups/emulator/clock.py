"""The clock, which a test can move, and the hourly quota that it resets."""

import math
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import lru_cache
from typing import Final

import attrs

from .messages import RejectedError

# More than one process can handle in an hour: no test runs into it by accident.
_GENEROUS: Final = 100_000_000


class EmulatorClock:
    """The emulator's time of day: the real time until a test changes it.

    Args:
        start: The time, with a time zone, at which the clock stands still; None for real time.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._start = self._stopped_at = None if start is None else _as_utc(start)
        self._offset = timedelta()

    def __repr__(self) -> str:
        return f"<EmulatorClock {self.now().isoformat()}>"

    def now(self) -> datetime:
        """Return the emulator's current time, in UTC."""
        return (self._stopped_at or datetime.now(UTC)) + self._offset

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> None:
        """Move the clock forward, or back with negative values. A stopped clock stays stopped."""
        self._offset += timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Stop the clock at a time, so that a test can compare times exactly.

        Args:
            moment: The time, with a time zone.

        Raises:
            ValueError: The moment has no time zone.
        """
        self._stopped_at, self._offset = _as_utc(moment), timedelta()

    def reset(self) -> None:
        """Restore the initial state."""
        self._stopped_at, self._offset = self._start, timedelta()


def _as_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone: add tzinfo=UTC")
    return moment.astimezone(UTC)


@attrs.define
class Quota:
    """The number of requests left until the next full window of so many seconds."""

    _window: float = 3600.0
    _limit: int = _GENEROUS
    _remaining: int = _GENEROUS
    _status: int = 420
    _reset_at: float = 0.0

    def set(self, limit: int, remaining: int | None, status: int, now: datetime) -> None:
        """Set the quota; see ``Emulator.set_quota``."""
        remaining = limit if remaining is None else remaining
        if limit < 0:
            raise ValueError(f"limit must not be negative, not {limit}")
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
            message = f"{message}. Limit of {self._limit} requests per hour"
            wait = max(1, math.ceil(self._reset_at - now.timestamp()))
            raise RejectedError(self._status, message, headers=[(b"retry-after", b"%d" % wait)])
        self._remaining -= 1

    def headers(self, now: datetime) -> dict[bytes, bytes]:
        """Return the limit, what remains of it, and when it resets."""
        self._roll_over(now)
        return {
            b"x-featureratelimit-limit": b"%d" % self._limit,
            b"x-featureratelimit-remaining": b"%d" % self._remaining,
            b"x-featureratelimit-reset": http_date(int(self._reset_at)),
        }

    def _roll_over(self, now: datetime) -> None:
        time = now.timestamp()
        if time >= self._reset_at:
            self._remaining = self._limit
        self._reset_at = (time // self._window + 1) * self._window


# Formatting a date costs more than the rest of a response.
@lru_cache(maxsize=8)
def http_date(second: int) -> bytes:
    """Return a POSIX time as an HTTP date."""
    return formatdate(second, usegmt=True).encode("ascii")
