"""What a process has observed of the quota and not yet reported."""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

import httpx

from cld_user_groups._engine.rate_limit import (
    parse_limit,
    parse_remaining,
    seconds_until_reset,
    server_delay,
)

from .store import Reply

# At most so many are reported at once, and so many kept for an account.
_AT_ONCE: Final = 32
_KEPT: Final = 256
# So many fewer requests may be left than were expected before others must know of it at once.
_EXPECTED: Final = 32


class _Observation(NamedTuple):
    """The outcome of one attempt. Times are on this process's clock.

    Attributes:
        ticket: What Redis said when it admitted the attempt.
        status: The status code, 0 if no response came, or -1 if it was never sent.
        remaining: How many requests are left, or -1.
        limit: How many the account has an hour, or -1.
        reset_at: When the quota resets, or None.
        held_until: Until when the server asks to wait, or None.
    """

    ticket: Reply
    status: int = 0
    remaining: int = -1
    limit: int = -1
    reset_at: float | None = None
    held_until: float | None = None


class Observations:
    """The outcomes of attempts, in their order, for each account.

    Args:
        clock: Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pid = os.getpid()
        self._waiting: defaultdict[str, deque[_Observation]] = defaultdict(
            lambda: deque(maxlen=_KEPT)
        )
        # The header's text and what it means: it changes once an hour, and parsing it is slow.
        self._resets: dict[str, tuple[str, float]] = {}

    def add(self, account_id: str, ticket: Reply, response: httpx.Response | None) -> bool:
        """Add the outcome of an attempt, and return whether others must know of it at once.

        Args:
            account_id: The account.
            ticket: What Redis said when it admitted the attempt.
            response: The response, or None if none came.
        """
        if response is None:
            self._waiting[account_id].append(_Observation(ticket))
            return False
        now = self._clock()
        status, headers = response.status_code, response.headers
        delay = None
        if status in (420, 429):
            delay = server_delay(status, headers, datetime.now(UTC))
        remaining = parse_remaining(headers)
        limit = parse_limit(headers)
        self._waiting[account_id].append(
            _Observation(
                ticket,
                status,
                -1 if remaining is None else remaining,
                -1 if limit is None else limit,
                None if remaining is None else self._reset_at(account_id, headers, now),
                None if delay is None else now + delay,
            )
        )
        if remaining is None:
            return status in (420, 429)
        return status in (420, 429) or ticket.left < 0 or remaining < ticket.left - _EXPECTED

    def add_unused(self, account_id: str, ticket: Reply, may_be_sent: bool) -> None:
        """Add a ticket that came too late for its attempt.

        Args:
            account_id: The account.
            ticket: What Redis said when it admitted the attempt.
            may_be_sent: Whether the attempt goes on without it.
        """
        self._waiting[account_id].append(_Observation(ticket, 0 if may_be_sent else -1))

    def take(self, account_id: str) -> list[float | int]:
        """Take the oldest observations of an account, as the script's arguments."""
        if self._pid != os.getpid():  # after a fork, the parent reports what it has observed
            self._waiting.clear()
            self._pid = os.getpid()
        waiting = self._waiting.get(account_id)
        arguments: list[float | int] = []
        if not waiting:
            return arguments
        now = self._clock()
        for _ in range(_AT_ONCE):
            try:
                seen = waiting.popleft()
            except IndexError:
                break
            ticket = seen.ticket
            arguments += [ticket.epoch, ticket.number, ticket.minute]
            arguments += [seen.status, seen.remaining, seen.limit]
            arguments += [
                _milliseconds(seen.reset_at, now, -1),
                _milliseconds(seen.held_until, now, 0),
            ]
        return arguments

    def _reset_at(self, account_id: str, headers: httpx.Headers, now: float) -> float | None:
        text = headers.get("x-featureratelimit-reset", "")
        known = self._resets.get(account_id)
        if known is not None and known[0] == text:
            return known[1]
        seconds = seconds_until_reset(headers, datetime.now(UTC))
        if seconds is None:
            return None
        self._resets[account_id] = (text, now + seconds)
        return now + seconds


def _milliseconds(moment: float | None, now: float, missing: int) -> int:
    return missing if moment is None else int((moment - now) * 1000)
