"""A clock that a test can move."""

from datetime import UTC, datetime, timedelta


class EmulatorClock:
    """The emulator's time of day: the real time until a test changes it.

    Args:
        start: The time, with a time zone, at which the clock stands still; None for real time.

    Example::

        emulator.clock.set(datetime(2024, 5, 1, 12, tzinfo=UTC))
        emulator.clock.advance(hours=1)
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._start = None if start is None else _as_utc(start)
        self._stopped_at = self._start
        self._offset = timedelta()

    def __repr__(self) -> str:
        return f"<EmulatorClock {self.now().isoformat()}>"

    def now(self) -> datetime:
        """Return the emulator's current time, in UTC."""
        if self._stopped_at is not None:
            return self._stopped_at
        return datetime.now(UTC) + self._offset

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> None:
        """Move the clock forward, or back with negative values. A stopped clock stays stopped."""
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if self._stopped_at is not None:
            self._stopped_at += step
        else:
            self._offset += step

    def set(self, moment: datetime) -> None:
        """Stop the clock at a given time, so that a test can compare times exactly.

        Args:
            moment: The time, with a time zone.

        Raises:
            ValueError: The moment has no time zone.
        """
        self._stopped_at = _as_utc(moment)

    def reset(self) -> None:
        """Restore the initial state."""
        self._stopped_at = self._start
        self._offset = timedelta()


def _as_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone: add tzinfo=UTC")
    return moment.astimezone(UTC)
