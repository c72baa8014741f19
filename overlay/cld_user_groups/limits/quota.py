"""One account's quota as a process knows it, and when its next request may be sent.

The algorithm of both limiters: a time before which nothing is sent, and slots after it. It neither
waits nor reads a clock; times are seconds on the caller's.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final, Literal

import httpx
from attrs import define

from cld_user_groups._engine.retry import (
    parse_limit,
    parse_remaining,
    seconds_until_reset,
    server_delay,
)

from .protocol import Hold, Ticket

# The longest that a refusal is believed, in seconds: the quota is one of an hour.
_LONGEST_DELAY: Final = 3600.0
# How long to wait after a refusal that does not say how long, in seconds. It doubles while the
# first request after it is refused as well: a 429 is about a moment, a 420 about an hour.
_FIRST_GUESS: Final = 0.5
_LONGEST_GUESS: Final[dict[int, float]] = {420: 60.0, 429: 8.0}
# The ramp-up: how many requests are released in a second after a delay, and in how many seconds
# that doubles. If one of them is refused, both follow what the server has accepted.
_FIRST_RATE, _FIRST_DOUBLING = 10.0, 1.0
_LOWEST_RATE, _NEXT_DOUBLING = 1.0, 32.0
# How many seconds after its last slot a ramp-up is over.
_AFTERWARDS: Final = 5.0
# Between the requests that are sent during a delay to see whether it still applies, in seconds.
_FIRST_PROBE_GAP, _LONGEST_PROBE_GAP = 1.0, 60.0
# How long to wait for the responses of requests that may use up what is left, in seconds.
_POLL: Final = 0.05
# Waits end a little early on some event loops; another process learns of a delay a little later.
_TOLERANCE, _NEWS = 0.002, 0.1

_REASONS: Final = {
    420: "the account's quota of requests is used up",
    429: "the server has asked for fewer requests at once",
}


@define(eq=False)
class Position:
    """What is remembered of a ticket."""

    number: int = 0  # how many were admitted before it, and it
    delay: int = 0  # the number of the delay in whose queue it is
    slot: float = 0.0  # when it is released from that queue
    is_probe: bool = False  # whether it is sent before, to see whether the delay still applies
    paced: float | None = None  # when it may start where only so many may in a second
    is_in_flight: bool = False
    admitted_at: int = 0  # when Redis admitted it, on its clock
    shared: object = None  # what Redis said then


def position_of(ticket: Ticket) -> Position:
    """Return what is remembered of a ticket, at first nothing."""
    if not isinstance(ticket.note, Position):
        ticket.note = Position()
    return ticket.note


@define(eq=False)
class AccountQuota:
    """The quota of one account, as far as this process knows.

    Args:
        reserve: How many requests to leave to others, or None to act on refusals only.
        per_second: How many requests may start in a second, or None.
    """

    reserve: int | None
    per_second: float | None
    in_flight: int = 0
    not_before: float = -math.inf  # when the last delay that the server asked for is over
    remaining: int | None = None  # as the latest response said
    limit: int | None = None
    reset_at: float = -math.inf
    learned_at: int = 0  # when Redis admitted the request of that response, on its clock
    _reset_text: str = ""
    _admitted: int = 0
    _since: int = 0  # `_admitted` when `remaining` was learned
    _delay: int = 0  # how many delays there were
    _last_slot: float = -math.inf
    _next_slot: float = -math.inf
    _next_paced: float = -math.inf
    _status_code: Literal[420, 429] = 429
    _guess: float = 0.0
    _is_guessed: bool = False  # whether the server has not said how long to wait
    _is_crowd: bool = False  # whether the refusals concern more than one caller
    _has_succeeded: bool = False  # whether the server has accepted one of the ramp-up
    _released: int = 0
    _rate: float = _FIRST_RATE
    _doubling: float = _FIRST_DOUBLING
    _next_probe: float = 0.0
    _probe_gap: float = 0.0

    def acquire(self, ticket: Ticket, now: float) -> Hold | None:
        """Return None if an attempt may be sent now, else how long to wait."""
        position = position_of(ticket)
        hold = (
            self._wait_for_delay(ticket, position, now)
            or self._wait_for_quota(now)
            or self._wait_for_pace(ticket.patience, position, now)
        )
        if hold is None:
            position.is_in_flight = True
            self.in_flight += 1
            self._admitted += 1
            position.number = self._admitted
        return hold

    def observe(self, ticket: Ticket, response: httpx.Response | None, now: float) -> None:
        """Learn from the end of an attempt."""
        position = position_of(ticket)
        if position.is_in_flight:
            position.is_in_flight = False
            self.in_flight = max(0, self.in_flight - 1)
        if response is None:
            position.is_probe = False
            return
        status, headers = response.status_code, response.headers
        if self.reserve is not None:
            self._learn(position, headers, now)
        if status in (420, 429):
            delay = server_delay(status, headers, datetime.now(UTC))
            self._refuse(position, now, delay, 420 if status == 420 else 429)
            return
        if self.remaining is None and status < 500:  # it does not say what is left
            self.learned_at = max(self.learned_at, position.admitted_at)
        if position.delay == self._delay:
            self._has_succeeded = True
            if position.is_probe and now < self.not_before:
                self._set_delay(now)

    def heed(self, now: float, until: float, status_code: Literal[420, 429]) -> bool:
        """Apply the delay that another process was told, and return whether it is news."""
        if until <= self.not_before + _NEWS or now >= until + _AFTERWARDS:
            return False
        self._refuse(Position(delay=self._delay), now, until - now, status_code)
        self._is_crowd = True
        return True

    def is_over(self, now: float) -> bool:
        """Return whether the last delay has no more effect."""
        return now >= self._last_slot + _AFTERWARDS

    def _learn(self, position: Position, headers: httpx.Headers, now: float) -> None:
        remaining, text = parse_remaining(headers), headers.get("x-featureratelimit-reset", "")
        if remaining is None or not text:
            return
        is_newer = position.number > self._since
        if text != self._reset_text:  # parsing it is slow
            seconds = seconds_until_reset(headers, datetime.now(UTC))
            reset_at = now + min(seconds or 0.0, _LONGEST_DELAY)
            if not seconds or not (is_newer or reset_at >= self.reset_at):
                return  # it is old
            self._reset_text, self.reset_at, self.remaining = text, reset_at, remaining
            self.limit = parse_limit(headers)
        elif self.remaining is None:  # it was over too early: the clock of the server is behind
            self.reset_at, self.remaining = now + 1, remaining
        elif is_newer or remaining < self.remaining:
            self.remaining = remaining
        self._since = self._admitted
        self.learned_at = max(self.learned_at, position.admitted_at)

    def _refuse(
        self, position: Position, now: float, delay: float | None, status_code: Literal[420, 429]
    ) -> None:
        is_probe = position.delay == self._delay and position.is_probe
        is_released = position.delay == self._delay and not is_probe
        is_repeated = is_probe or (not is_released and now < self.not_before)
        if self.is_over(now):
            self._rate, self._doubling = _FIRST_RATE, _FIRST_DOUBLING
            self._guess, self._is_crowd = 0.0, False
        elif is_released and self._has_succeeded:
            # What the server took; at least half of what it refused, for a delay is idle time.
            seconds = now - self.not_before
            reached = self._rate * 2 ** (seconds / self._doubling)
            self._rate = max(_LOWEST_RATE, self._released / max(seconds, 1.0), reached / 2)
            self._doubling = _NEXT_DOUBLING
        is_guessed = delay is None
        if delay is None:
            if is_released:
                self._guess = 0.0 if self._has_succeeded else 2 * self._guess
            delay = self._guess = min(max(self._guess, _FIRST_GUESS), _LONGEST_GUESS[status_code])
        until = now + min(delay, _LONGEST_DELAY)
        if is_repeated:
            # A probe says anew how long; what was in flight when the delay began, at least as long.
            if is_guessed or not is_probe:
                until = max(until, self.not_before)
            is_guessed = is_guessed and self._is_guessed
        else:
            self._has_succeeded, self._next_probe, self._probe_gap = False, now, 0.0
        self._status_code, self._is_guessed = status_code, is_guessed
        self._is_crowd = self._is_crowd or (is_repeated and not is_probe)
        self._set_delay(until)

    def _set_delay(self, until: float) -> None:
        """Begin a new queue: whoever is in the old one asks again, in order."""
        self._delay += 1
        self.not_before = self._last_slot = self._next_slot = until
        self._released = 0

    def _wait_for_delay(self, ticket: Ticket, position: Position, now: float) -> Hold | None:
        if self.is_over(now):
            return None
        patience, left = ticket.patience, self.not_before - now
        if ticket.is_paced and (self._is_guessed or left <= _TOLERANCE):
            return None  # the server has asked for no delay, or that is over: the caller knows
        if position.delay != self._delay:
            is_probe = self._may_probe(left, patience, now)
            is_alone = left <= _TOLERANCE and not self.in_flight and self._last_slot <= now
            slot = now if is_probe or is_alone else self._next_slot
            wait = left if left > max(patience, _TOLERANCE) else slot - now
            if not is_probe and wait > patience and (patience or left > _TOLERANCE):
                return self._hold(wait)
            position.delay, position.slot, position.is_probe = self._delay, slot, is_probe
            if not (is_probe or is_alone):
                growth = 2 ** ((slot - self.not_before) / self._doubling)
                growth += math.log(2) / (self._rate * self._doubling)
                self._last_slot = slot
                self._next_slot = self.not_before + self._doubling * math.log2(growth)
        wait = position.slot - now
        if wait > _TOLERANCE and (patience or left > 0):
            return self._hold(wait)
        self._released += 1
        return None

    def _hold(self, seconds: float) -> Hold:
        self._is_crowd = True
        return Hold(seconds, self._status_code, _REASONS[self._status_code])

    def _may_probe(self, left: float, patience: float, now: float) -> bool:
        """Return whether one may be sent during the delay, to see whether it still applies."""
        if left > 0 and self._is_guessed and not (self._is_crowd or self.in_flight):
            return True  # its own backoff is all that is known, and enough for one caller
        if self.reserve is not None or left <= max(patience, _TOLERANCE) or now < self._next_probe:
            return False
        self._probe_gap = min(max(_FIRST_PROBE_GAP, 2 * self._probe_gap), _LONGEST_PROBE_GAP)
        self._next_probe = now + self._probe_gap
        return True

    def _wait_for_quota(self, now: float) -> Hold | None:
        if self.reserve is None or self.remaining is None:
            return None
        left = self.reset_at - now
        if left <= 0:
            self.remaining, self.learned_at = None, 0
        elif self.remaining <= self.reserve:
            return Hold(left, 420, left_of_quota(self.remaining, self.reserve))
        elif self.remaining - self.in_flight <= self.reserve:
            return Hold(min(_POLL, left), 420, "requests in flight may use up the account's quota")
        return None

    def _wait_for_pace(self, patience: float, position: Position, now: float) -> Hold | None:
        if self.per_second is None:
            return None
        slot = position.paced
        if slot is None:
            slot = max(self._next_paced, now - 1.0 + 1.0 / self.per_second)
            if slot - now <= patience or not patience:
                position.paced, self._next_paced = slot, slot + 1.0 / self.per_second
        if slot - now <= _TOLERANCE or not patience:
            return None
        reason = f"at most {self.per_second:g} requests may start in a second"
        return Hold(slot - now, 429, reason)


def left_of_quota(remaining: int, reserve: int) -> str:
    """Return why nothing may be sent where so many requests are left, as a clause."""
    if remaining <= 0:
        return _REASONS[420]
    return f"{remaining} requests are left of the account's quota, and {reserve} are reserved"
