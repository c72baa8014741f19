"""The limiter of one process: what a refusal, the quota and a rate mean for its next requests.

The decisions, which `RedisLimiter` shares, neither wait nor read a clock; times are seconds on the
caller's.
"""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final, Literal

import httpx
from attrs import define, evolve, field

from cld_user_groups._engine.retry import (
    parse_limit,
    parse_remaining,
    seconds_until_reset,
    server_delay,
)
from cld_user_groups.utils import clock as default_clock

from .protocol import Hold, Ticket

# The longest that a refusal is believed, in seconds: the quota is one of an hour.
_LONGEST_DELAY: Final = 3600.0
# How long to wait after a refusal that does not say how long, in seconds. It doubles while the
# first request after it is refused as well: a 429 is about a moment, a 420 about an hour.
_FIRST_GUESS: Final = 0.5
_LONGEST_GUESS: Final = {420: 60.0, 429: 8.0}
# The ramp-up: how many requests are released in a second after a delay, and in how many seconds
# that doubles. If one of them is refused, both follow what the server has accepted.
_FIRST_RATE, _FIRST_DOUBLING = 10.0, 1.0
_LOWEST_RATE, _NEXT_DOUBLING = 1.0, 32.0
_AFTERWARDS: Final = 5.0  # how many seconds after its last slot a ramp-up is over
# Between the requests that are sent during a delay to see whether it still applies, in seconds.
_FIRST_PROBE_GAP, _LONGEST_PROBE_GAP = 1.0, 60.0
_POLL: Final = 0.05  # for the responses of requests that may use up what is left
# Waits end a little early on some event loops; another process learns of a delay a little later.
_TOLERANCE, _NEWS = 0.002, 0.1

_USED_UP: Final = "the account's quota of requests is used up"
_REASONS: Final = {420: _USED_UP, 429: "the server has asked for fewer requests at once"}
_Refusal = Literal[420, 429]


@define(eq=False)
class Delay:
    """A time before which nothing is sent, and the slots after it, ever closer to each other."""

    until: float = -math.inf
    status_code: _Refusal = 429
    is_guessed: bool = False  # whether the server has not said how long to wait
    rate: float = _FIRST_RATE
    doubling: float = _FIRST_DOUBLING
    has_succeeded: bool = False  # whether the server has accepted one of its queue
    queued: int = 0
    released: int = 0

    def slot(self, number: int) -> float:
        """Return when the request of this number, from 0, is released."""
        growth = 1 + number * math.log(2) / (self.rate * self.doubling)
        return self.until + self.doubling * math.log2(growth)

    @property
    def last_slot(self) -> float:
        """When the last request in the queue is released."""
        return self.slot(max(0, self.queued - 1))

    def is_over(self, now: float) -> bool:
        """Return whether it has no more effect."""
        return now >= self.last_slot + _AFTERWARDS


@define(eq=False)
class Position:
    """What is remembered of a ticket."""

    lessons: int = 0  # how often `remaining` had been learned when it was admitted
    delay: Delay | None = None  # the one in whose queue it is
    slot: float = 0.0  # when it is released from that queue; one before its end is a probe
    paced: float | None = None  # when it may start where only so many may in a second
    is_in_flight: bool = False
    admitted_at: int = 0  # when Redis admitted it, on its clock
    news_below: float = -math.inf  # whether the other processes must know at once what is left


def position_of(ticket: Ticket) -> Position:
    """Return what is remembered of a ticket, at first nothing."""
    if not isinstance(ticket.note, Position):
        ticket.note = Position()
    return ticket.note


@define(eq=False)
class AccountQuota:
    """The quota of one account, as far as this process knows; see `LocalLimiter`."""

    reserve: int | None
    per_second: float | None
    delay: Delay = field(factory=Delay)  # the last one that the server asked for
    in_flight: int = 0
    remaining: int | None = None  # as the latest response said
    limit: int | None = None
    reset_at: float = -math.inf
    learned_at: int = 0  # when Redis admitted the request of that response, on its clock
    _reset_text: str = ""
    _lessons: int = 0  # how often `remaining` was learned
    _next_paced: float = -math.inf
    _guess: float = 0.0
    _is_crowd: bool = False  # whether the refusals concern more than one caller
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
            position.lessons = self._lessons
        return hold

    def observe(self, ticket: Ticket, response: httpx.Response | None, now: float) -> None:
        """Learn from the end of an attempt."""
        position = position_of(ticket)
        if position.is_in_flight:
            position.is_in_flight = False
            self.in_flight = max(0, self.in_flight - 1)
        if response is None:
            return
        status, headers = response.status_code, response.headers
        if self.reserve is not None:
            self._learn(position, headers, now)
        if status in (420, 429):
            seconds = server_delay(status, headers, datetime.now(UTC))
            self._refuse(position, now, seconds, 420 if status == 420 else 429)
            return
        if self.remaining is None and status < 500:  # it does not say what is left
            self.learned_at = max(self.learned_at, position.admitted_at)
        if position.delay is self.delay:
            self.delay.has_succeeded, self._guess = True, 0.0
            if now < self.delay.until:
                self.delay = evolve(self.delay, until=now, queued=0, released=0)

    def heed(self, now: float, until: float, status_code: _Refusal) -> bool:
        """Apply the delay that another process was told, and return whether it is news."""
        if until <= self.delay.until + _NEWS or now >= until + _AFTERWARDS:
            return False
        released = Position(delay=self.delay, slot=max(now, self.delay.until))
        self._refuse(released, now, until - now, status_code)
        self._is_crowd = True
        return True

    def _learn(self, position: Position, headers: httpx.Headers, now: float) -> None:
        remaining, text = parse_remaining(headers), headers.get("x-featureratelimit-reset", "")
        if remaining is None or not text:
            return
        is_newer = position.lessons == self._lessons
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
        self._lessons += 1
        self.learned_at = max(self.learned_at, position.admitted_at)

    def _refuse(
        self, position: Position, now: float, seconds: float | None, status: _Refusal
    ) -> None:
        """Begin a new delay and queue: whoever is in the old one asks again, in order."""
        old, is_guessed = self.delay, seconds is None
        is_probe = position.delay is old and position.slot < old.until
        is_released = position.delay is old and not is_probe
        is_repeated = is_probe or (not is_released and now < old.until)
        rate, doubling = old.rate, old.doubling
        if old.is_over(now):
            rate, doubling = _FIRST_RATE, _FIRST_DOUBLING
            self._guess, self._is_crowd = 0.0, False
        elif is_released and old.has_succeeded:
            # What the server took; at least half of what it refused, for a delay is idle time.
            reached = rate * 2 ** ((now - old.until) / doubling)
            taken = old.released / max(now - old.until, 1.0)
            rate, doubling = max(_LOWEST_RATE, taken, reached / 2), _NEXT_DOUBLING
        if seconds is None:
            guess = self._guess * (2 if is_released else 1)
            seconds = self._guess = min(max(guess, _FIRST_GUESS), _LONGEST_GUESS[status])
        until = now + min(seconds, _LONGEST_DELAY)
        if is_repeated:
            # A probe says anew how long; what was in flight when the delay began, at least as long.
            if is_guessed or not is_probe:
                until = max(until, old.until)
            is_guessed = is_guessed and old.is_guessed
            self._is_crowd = self._is_crowd or not is_probe
        else:
            self._next_probe, self._probe_gap = now, 0.0
        self.delay = Delay(until, status, is_guessed, rate, doubling)

    def _wait_for_delay(self, ticket: Ticket, position: Position, now: float) -> Hold | None:
        delay, patience, left = self.delay, ticket.patience, self.delay.until - now
        if delay.is_over(now):
            return None
        if ticket.is_paced and (delay.is_guessed or left <= _TOLERANCE):
            return None  # the server has asked for no delay, or that is over: the caller knows
        if position.delay is not delay:
            if self._may_probe(left, patience, now):
                slot = now
            elif left <= _TOLERANCE and not self.in_flight and delay.last_slot <= now:
                slot = max(now, delay.until)  # it is alone
            else:
                slot = delay.slot(delay.queued)
                wait = left if left > max(patience, _TOLERANCE) else slot - now
                if wait > patience and (patience or left > _TOLERANCE):
                    return self._hold(wait)
                delay.queued += 1
            position.delay, position.slot = delay, slot
        wait = position.slot - now
        if wait > _TOLERANCE and (patience or left > 0):
            return self._hold(wait)
        delay.released += 1
        return None

    def _hold(self, seconds: float) -> Hold:
        self._is_crowd = True
        return Hold(seconds, self.delay.status_code, _REASONS[self.delay.status_code])

    def _may_probe(self, left: float, patience: float, now: float) -> bool:
        """Return whether one may be sent during the delay, to see whether it still applies."""
        if left > 0 and self.delay.is_guessed and not (self._is_crowd or self.in_flight):
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
            reason = "requests in flight may use up the account's quota"
            return Hold(min(_POLL, left), 420, reason)
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


def check_reserve(reserve: object) -> None:
    """Raise TypeError or ValueError where this is no number of requests."""
    if isinstance(reserve, bool) or not isinstance(reserve, int):
        raise TypeError(f"reserve must be an int, not {type(reserve).__name__}")
    if reserve < 0:
        raise ValueError(f"reserve must not be negative, not {reserve}")


def left_of_quota(remaining: int, reserve: int) -> str:
    """Return why nothing may be sent where so many requests are left, as a clause."""
    if remaining <= 0:
        return _USED_UP
    return f"{remaining} requests are left of the account's quota, and {reserve} are reserved"


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
        self._is_gentle = reserve is None and per_second is None
        self._clock = clock
        self._accounts = defaultdict[str, AccountQuota](partial(AccountQuota, reserve, per_second))
        self._lock = threading.Lock()
        _limiters.add(self)

    def acquire(self, ticket: Ticket, /) -> Hold | None:
        """Return None if the attempt may be sent now, else how long to wait; see `Limiter`."""
        if self._is_gentle and ticket.account_id not in self._accounts:
            return None
        with self._lock:
            account, now = self._accounts[ticket.account_id], self._clock()
            if self._is_gentle and account.delay.is_over(now):
                del self._accounts[ticket.account_id]
                return None
            return account.acquire(ticket, now)

    def observe(self, ticket: Ticket, response: httpx.Response | None, /) -> None:
        """Learn from the response of an attempt; see `Limiter`."""
        is_refused = response is not None and response.status_code in (420, 429)
        if self._is_gentle and not is_refused and ticket.account_id not in self._accounts:
            return
        with self._lock:
            self._accounts[ticket.account_id].observe(ticket, response, self._clock())

    def forget_parent(self) -> None:
        """Leave to the parent process, after a fork, what its other threads are at."""
        self._lock = threading.Lock()  # the other may be held by a thread that is not here
        for account in self._accounts.values():
            account.in_flight = 0


_limiters: weakref.WeakSet[LocalLimiter] = weakref.WeakSet()


def _forget_parent() -> None:
    for limiter in list(_limiters):
        limiter.forget_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)
