"""The pace of a run: how many changes may be in flight, pauses, and the quota. Pure.

Times are seconds on one clock, the caller's.
"""

from __future__ import annotations

from enum import Enum

from attrs import frozen

# How often in a row, no write accepted between, the server may throttle (429), or say that the
# quota is used up although it was renewed (420), before the run stops: it does not recover.
_MAX_THROTTLED = 12
_MAX_OUT_OF_QUOTA = 5
# The first and the longest wait after a 429 without a delay of the server's. All changes of the one
# run on the account wait together: there is nobody to spread them from, so no jitter.
_BACKOFF, _MAX_BACKOFF = 0.25, 8.0
# How long waits after a 429 may take until a write is accepted, where max_wait is shorter.
_BRIEF_WAITS = 60.0
#: A wait of so many seconds makes what was read before it old.
LONG_PAUSE = 5.0
# How long the client's limiter holds a call back at most where the quota has been renewed, and it
# only lets the calls out gradually. One that is held for longer waits for the quota itself.
_GRADUALLY = 10.0


class ReplyKind(Enum):
    """The meaning of a reply for its change."""

    IN_PLACE = "in place"  # the account has what the change asks for
    FAILED = "failed"  # it has not, or nobody knows: dependents must not start
    THROTTLED = "throttled"  # 420 or 429: not done, to be tried again


@frozen(kw_only=True)
class Reply:
    """The result of sending a change, as far as it affects the others."""

    kind: ReplyKind
    status_code: int | None = None  # that ended it; None for a success or a lost response
    was_sent: bool = True  # the client's limiter may have held it back
    was_retried: bool = False  # the client had to send it again, which is a sign of load
    retry_after: float | None = None  # the seconds that the server asks to wait
    remaining: int | None = None  # how many requests are left of the quota
    reset_at: float | None = None  # when the quota is renewed


class Pace:
    """The pace of a run: a limit on what is in flight, pauses, and the quota.

    A 429, or a request that the client had to repeat, halves how many run at once, which then
    grows by one with each round that goes well. What starts in one round shares its sign of load.
    """

    def __init__(
        self,
        concurrency: int,
        keep_quota: int,
        max_wait: float,
        remaining: int | None,
        reset_at: float | None,
    ) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {concurrency}")
        if keep_quota < 0:
            raise ValueError(f"keep_quota must not be negative, not {keep_quota}")
        if not max_wait >= 0:
            raise ValueError(f"max_wait must not be negative, not {max_wait}")
        self.remaining = remaining
        self.reset_at = reset_at
        self.must_read = False  # the account, before the next start, after a pause
        self.paused_until: float | None = None
        self.round = 0
        self._concurrency = concurrency
        self._limit = float(concurrency)
        # One more than `keep_quota`: the account is read again at the end.
        self._reserve = keep_quota + 1 if keep_quota else 0
        self._wait_left = max_wait
        self._brief_waits = self._brief_wait_left = max(_BRIEF_WAITS, max_wait)
        self._must_probe = False
        self._throttled_in_a_row = 0

    @property
    def at_once(self) -> int:
        """How many changes may run at once now."""
        return int(self._limit)

    def free(self, running: int, now: float) -> int:
        """Return how many changes may start beside those in flight, their quota aside."""
        if self.paused_until is not None and now >= self.paused_until:
            self.paused_until = None
        if self.paused_until is not None or self.must_read:
            return 0
        self._renew(now)
        return (1 if self._must_probe else self.at_once) - running

    def note(self, reply: Reply, now: float, started_in: int | None = None) -> str:
        """Learn from a reply to a change of a round, or to reading; return why to stop, or ""."""
        if started_in is None:
            self._renew(now)
        self._learn_quota(reply, now)
        was_throttled = reply.kind is ReplyKind.THROTTLED and reply.was_sent
        # Concurrent changes are throttled together: that is one sign of load, not sixteen.
        if started_in is None:
            self._throttled_in_a_row += was_throttled
        elif (reply.was_retried or was_throttled) and started_in == self.round:
            self._limit = max(1.0, self._limit / 2)
            self.round += 1
            self._throttled_in_a_row += was_throttled
        if reply.kind is ReplyKind.THROTTLED:
            return self._throttle(reply, now)
        if reply.kind is ReplyKind.IN_PLACE and started_in is None:
            self.must_read = False
        elif reply.kind is ReplyKind.IN_PLACE:
            self._throttled_in_a_row = 0
            self._brief_wait_left = self._brief_waits
            if not reply.was_retried:
                self._limit = min(self._concurrency, self._limit + 1 / self._limit)
        return ""

    def spend(self, requests: int) -> None:
        """Take requests that are about to be sent from what is left of the quota."""
        if self.remaining is not None:
            self.remaining = max(0, self.remaining - requests)

    def has_quota(self, running: int) -> bool:
        """Return whether the quota allows one more request beside those in flight."""
        if self.remaining is None:
            return True
        # Those in flight may not be counted yet in what the server last said.
        return self.remaining - running > self._reserve

    def await_quota(self, now: float) -> str:
        """Pause until the quota is renewed, or return why the run must stop."""
        why = f"{self.remaining} requests are left of the quota"
        delay = None if self.reset_at is None else max(0.0, self.reset_at - now)
        return self._pause(now, delay, why, is_brief=False)

    def _throttle(self, reply: Reply, now: float) -> str:
        # A delay of the client's limiter says when to resume, not that the server is overloaded.
        is_brief = reply.retry_after is not None and reply.retry_after <= _GRADUALLY
        is_out_of_quota = reply.status_code == 420 and (reply.was_sent or not is_brief)
        times = self._throttled_in_a_row
        if times > (_MAX_OUT_OF_QUOTA if is_out_of_quota else _MAX_THROTTLED):
            return f"the API throttled {times} times in a row"
        if is_out_of_quota:
            if reply.was_sent:
                self.remaining = 0
            delay = self._until_reset(reply, now)
            return self._pause(now, delay, "the quota of requests is used up", is_brief=False)
        delay = reply.retry_after
        if reply.was_sent:  # also where that is no time at all, again and again
            delay = max(delay or 0.0, min(_MAX_BACKOFF, _BACKOFF * 2.0 ** max(0, times - 1)))
        return self._pause(now, delay, "the API allows no more requests for now", is_brief=True)

    def _until_reset(self, reply: Reply, now: float) -> float | None:
        if reply.retry_after or not reply.was_sent:
            return reply.retry_after
        if self.reset_at is not None:
            return max(0.0, self.reset_at - now)
        # The reset has just passed, and the server does not know it yet: clocks differ, and an HTTP
        # date has no fraction of a second.
        times = self._throttled_in_a_row
        return None if reply.reset_at is None else 2.0 ** max(0, times - 1)

    def _pause(self, now: float, delay: float | None, why: str, *, is_brief: bool) -> str:
        """Pause, or return why the run must stop, where it may not wait that long."""
        until = None if delay is None else now + delay
        if until is not None and until <= (self.paused_until or now):
            if self.reset_at is None and not is_brief:
                self.reset_at = self.paused_until
            return ""  # a pause that is as long has begun
        began = max(now, self.paused_until or now)
        left = self._brief_wait_left if is_brief else self._wait_left
        if until is None or until - began > left:
            if until is not None and (self.reset_at is None or not is_brief):
                self.reset_at = until
            return why
        if is_brief:
            self._brief_wait_left -= until - began
        else:
            self._wait_left -= until - began
            self.reset_at = until
        self.paused_until = until
        self.must_read = self.must_read or not is_brief or until - now >= LONG_PAUSE
        return ""

    def _renew(self, now: float) -> None:
        """Reset a quota that has been renewed since."""
        if self.reset_at is not None and now >= self.reset_at:
            self.remaining = self.reset_at = None
            self._must_probe = self._reserve > 0

    def _learn_quota(self, reply: Reply, now: float) -> None:
        self._must_probe = False  # there is nothing to wait for if the server reports nothing
        if reply.remaining is None:
            return
        # A reset in the past means that the server's clock is behind: it says nothing then.
        reset_at = None if reply.reset_at is None or reply.reset_at <= now else reply.reset_at
        is_renewed = self.reset_at is None or reset_at is None or reset_at > self.reset_at
        if self.remaining is None or is_renewed:
            self.remaining = reply.remaining
        else:
            self.remaining = min(self.remaining, reply.remaining)  # responses overtake each other
        self.reset_at = reset_at
