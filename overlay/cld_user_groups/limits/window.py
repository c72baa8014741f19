"""What a process knows of one account's quota, and who may be sent when.

Pure: it neither waits nor reads a clock. Times are seconds on one clock, the caller's.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final, Literal

import httpx
from attrs import define

from cld_user_groups._engine.rate_limit import parse_remaining, seconds_until_reset

from .pace import Pace
from .protocol import Hold, Ticket

# The longest that a refusal is believed, in seconds: the quota is one of an hour.
LONGEST_HOLD: Final = 3600.0
# How long to hold after a refusal that does not say how long, in seconds. It doubles while the
# first that is sent after it is refused as well: a 429 is about a moment, a 420 about an hour.
_FIRST_GUESS: Final = 0.5
_LONGEST_GUESS: Final[dict[int, float]] = {420: 60.0, 429: 8.0}
# How many seconds after the last of a line was let out the hold has no more effect.
_AFTERWARDS: Final = 5.0
# How long to wait for the responses of requests that may use up what is left, in seconds.
POLL: Final = 0.05
# Waits end a little early on some event loops.
TOLERANCE: Final = 0.002
# Between calls that are sent, during a hold, to see whether it still stands, in seconds.
_FIRST_PROBE_GAP: Final = 1.0
_LONGEST_PROBE_GAP: Final = 60.0

_REASONS: Final = {
    420: "the account's quota of requests is used up",
    429: "the server has asked for fewer requests at once",
}


@define(eq=False)
class _Place:
    """What is remembered of a ticket.

    Attributes:
        hold: The number of the hold in whose line it stands.
        position: Its position in that line.
        is_let_out: Whether it has left that line.
        is_probe: Whether it was sent during the hold, to see whether that still stands.
        slot: When it may start where requests are paced, or None.
        is_in_flight: Whether it was admitted and has not ended.
    """

    hold: int = 0
    position: int = 0
    is_let_out: bool = False
    is_probe: bool = False
    slot: float | None = None
    is_in_flight: bool = False


class Window:
    """The quota of one account, as far as this process knows.

    Args:
        reserve: How many requests to leave to others, or None to act on refusals only.
        per_second: How many requests may start in a second, or None.
    """

    def __init__(self, reserve: int | None, per_second: float | None) -> None:
        self._reserve = reserve
        self._per_second = per_second
        self._hold = 0  # how many holds there were
        self._held_until = -math.inf
        self._status_code: Literal[420, 429] = 429
        self._is_guessed = False  # whether the server has not said how long the hold lasts
        self._guess = 0.0
        self._is_crowd = False  # whether the refusals concern more than one caller
        self._has_served = False  # whether one of the line was not refused
        self._line = 0  # how many stand, or stood, in the line of the hold
        self._let_out = 0  # how many of them were let out
        self._pace = Pace()
        self._next_probe = 0.0
        self._probe_gap = 0.0
        self._next_slot = -math.inf
        self._remaining: int | None = None
        self._reset_text = ""
        self._reset_at = -math.inf
        self._in_flight = 0

    def is_over(self, now: float) -> bool:
        """Return whether the last hold has no more effect."""
        return now >= self._held_until + self._pace.offset(self._line) + _AFTERWARDS

    def acquire(self, ticket: Ticket, now: float) -> Hold | None:
        """Return None if an attempt may be sent now, else how long to wait."""
        if not self.is_over(now):
            hold = self._wait_for_hold(ticket, now)
            if hold is not None:
                self._is_crowd = True
                return hold
        if self._reserve is not None:
            hold = self._wait_for_quota(self._reserve, now)
            if hold is not None:
                return hold
        if self._per_second is not None:
            hold = self._wait_for_slot(self._per_second, ticket, now)
            if hold is not None:
                return hold
        _place_of(ticket).is_in_flight = True
        self._in_flight += 1
        return None

    def end(self, ticket: Ticket) -> None:
        """Record that an attempt has ended."""
        place = ticket.note
        if isinstance(place, _Place) and place.is_in_flight:
            place.is_in_flight = False
            self._in_flight = max(0, self._in_flight - 1)

    def succeed(self, ticket: Ticket, now: float) -> None:
        """Record that an attempt was not refused: if it was a probe, the hold is over."""
        place = ticket.note
        if not isinstance(place, _Place) or place.hold != self._hold:
            return
        self._has_served = True
        if place.is_probe and now < self._held_until:
            self._held_until = now

    def refuse(
        self, ticket: Ticket, now: float, delay: float | None, status_code: Literal[420, 429]
    ) -> None:
        """Record a refusal.

        Args:
            ticket: The attempt.
            now: The time.
            delay: The seconds that the server asks to wait, or None if it does not say.
            status_code: The status code of the response.
        """
        place = ticket.note
        is_of_line = isinstance(place, _Place) and place.hold == self._hold
        is_probe = is_of_line and isinstance(place, _Place) and place.is_probe
        if self.is_over(now):
            self._pace, self._guess, self._is_crowd = Pace(), 0.0, False
        elif is_of_line and not is_probe and self._has_served:
            # Where it refuses the first of the line already, the hold was too short.
            self._pace = self._pace.after_refusal(self._let_out, now - self._held_until)
        is_guessed = delay is None
        if delay is None:
            if self._has_served:
                self._guess = 0.0
            elif is_of_line and not is_probe:
                self._guess *= 2
            delay = self._guess = min(max(self._guess, _FIRST_GUESS), _LONGEST_GUESS[status_code])
        until = now + min(delay, LONGEST_HOLD)
        self._status_code = status_code
        if is_probe or (not is_of_line and now < self._held_until):
            # A probe says anew how long; what was in flight when the hold began, the same again.
            self._is_crowd = self._is_crowd or not is_probe
            if not is_probe or is_guessed:
                until = max(until, self._held_until)
            self._held_until, self._is_guessed = until, self._is_guessed and is_guessed
            return
        self._hold += 1
        self._held_until, self._is_guessed, self._has_served = until, is_guessed, False
        self._line = self._let_out = 0
        self._next_probe, self._probe_gap = now, 0.0

    def forget_flights(self) -> None:
        """Record, in a process that was forked, that what is in flight is not its own."""
        self._in_flight = 0

    def learn(self, headers: httpx.Headers, now: float) -> None:
        """Read what is left of the quota. An old response never raises it.

        Args:
            headers: The headers of a response.
            now: The time.
        """
        remaining = parse_remaining(headers)
        reset_text = headers.get("x-featureratelimit-reset", "")
        if remaining is None or not reset_text:
            return
        if reset_text == self._reset_text:
            if self._remaining is None:
                # It was over too early: the clock of the server is behind.
                self._remaining, self._reset_at = remaining, now + 1
            self._remaining = min(self._remaining, remaining)
            return
        seconds = seconds_until_reset(headers, datetime.now(UTC))
        if seconds is None or seconds <= 0 or now + seconds < self._reset_at:
            return
        self._reset_text, self._reset_at = reset_text, now + min(seconds, LONGEST_HOLD)
        self._remaining = remaining

    def _wait_for_hold(self, ticket: Ticket, now: float) -> Hold | None:
        left = self._held_until - now
        reason = _REASONS[self._status_code]
        place = ticket.note
        if not isinstance(place, _Place) or place.hold != self._hold:
            if self._is_guessed and left > 0 and not (self._is_crowd or self._in_flight):
                # Its own delay is all that is known, and enough for one caller.
                ticket.note = _Place(hold=self._hold, is_probe=True)
                return None
            if left > max(ticket.patience, TOLERANCE):
                if self._reserve is None and now >= self._next_probe:
                    self._probe_gap = min(
                        max(_FIRST_PROBE_GAP, 2 * self._probe_gap), _LONGEST_PROBE_GAP
                    )
                    self._next_probe = now + self._probe_gap
                    ticket.note = _Place(hold=self._hold, is_probe=True)
                    return None
                return Hold(left, self._status_code, reason)
            if left <= TOLERANCE and self._is_nobody_else_here():
                place = _place_of(ticket)
                place.hold, place.is_let_out = self._hold, True
                return None
            wait = left + self._pace.offset(self._line)
            if wait > ticket.patience > 0:
                return Hold(wait, self._status_code, reason)
            place = _place_of(ticket)
            place.hold, place.position, place.is_let_out = self._hold, self._line, False
            self._line += 1
        wait = left + self._pace.offset(place.position)
        if wait > TOLERANCE and (left > 0 or ticket.patience):
            return Hold(wait, self._status_code, reason)
        if not place.is_let_out:
            place.is_let_out = True
            self._let_out += 1
        return None

    def _is_nobody_else_here(self) -> bool:
        return self._line == self._let_out and not self._in_flight

    def _wait_for_quota(self, reserve: int, now: float) -> Hold | None:
        if self._remaining is None:
            return None
        left = self._reset_at - now
        if left <= 0:
            self._remaining = None
            return None
        if self._remaining <= reserve:
            return Hold(left, 420, left_of_quota(self._remaining, reserve))
        if self._remaining - self._in_flight <= reserve:
            return Hold(min(POLL, left), 420, "requests in flight may use up the account's quota")
        return None

    def _wait_for_slot(self, per_second: float, ticket: Ticket, now: float) -> Hold | None:
        place = _place_of(ticket)
        slot = place.slot
        if slot is None:
            slot = max(self._next_slot, now - 1.0 + 1.0 / per_second)
        wait = slot - now
        if place.slot is None and (wait <= ticket.patience or not ticket.patience):
            self._next_slot = slot + 1.0 / per_second
            place.slot = slot
        if wait <= TOLERANCE or not ticket.patience:
            return None
        return Hold(wait, 429, f"at most {per_second:g} requests may start in a second")


def left_of_quota(remaining: int, reserve: int) -> str:
    """Return why nothing may be sent where so many requests are left, as a clause."""
    if remaining <= 0:
        return _REASONS[420]
    return f"{remaining} requests are left of the account's quota, and {reserve} are reserved"


def _place_of(ticket: Ticket) -> _Place:
    if not isinstance(ticket.note, _Place):
        ticket.note = _Place()
    return ticket.note
