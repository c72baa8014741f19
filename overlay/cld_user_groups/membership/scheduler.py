"""Decide which changes of a plan start when, and how each reply affects the rest.

Pure: it neither sends, waits, nor reads a clock. A driver asks `start` what to send, sends it, and
reports each reply to `finish`, until `is_over`. Times are seconds on one clock, the caller's.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from enum import Enum

from attrs import frozen

from .model import Action, Change, Stop

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
_MAX_FAILURES = 5  # in a row
#: How many requests it takes to record what a group grants, or to check a role before and after.
READS_OF_ROLES = 2


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


class Scheduler:
    """The order and the pace of a run.

    A change starts in the plan's order once all that it depends on holds. A failure stops only
    what depends on it, directly or not; 401 and five failures in a row, which a 4xx is none of,
    stop everything. So does a 403 before any write was accepted, once another write, about
    somebody else and of another kind where there is one, is refused too: a person whom the API
    refuses is not a key without permission. A removal that waits for somebody new in its group is
    content with any addition to it. How many run at once is up to the pace. The limits are those of
    `apply`; `remaining` and `reset_at` are what is known of the quota.

    Raises:
        ValueError: A limit is out of range, or a change depends on one that does not precede it.
    """

    def __init__(
        self,
        changes: Sequence[Change],
        *,
        concurrency: int = 16,
        keep_quota: int = 0,
        max_wait: float = 0.0,
        remaining: int | None = None,
        reset_at: float | None = None,
    ) -> None:
        self.stopped: Stop | None = None
        self.detail = ""
        # Positions of deletions before which the roles of the group have to be read.
        self.unread: set[int] = set()
        self.pace = Pace(concurrency, keep_quota, max_wait, remaining, reset_at)
        self._failures_in_a_row = 0
        self._is_accepted = False
        self._refused: list[Change] = []
        self._changes = changes
        self._running: dict[int, int] = {}
        self._held_back: frozenset[int] = frozenset()
        self._missing = [0] * len(changes)
        self._dependents: list[list[int]] = [[] for _ in changes]
        self._awaiting_anybody: dict[str | None, set[int]] = {}
        for at, change in enumerate(changes):
            for needed in set(change.depends_on):
                if not 0 <= needed < at:
                    raise ValueError(f"change {at} depends on {needed}, which does not precede it")
                if _awaits_anybody(change, changes[needed]):
                    self._awaiting_anybody.setdefault(change.group.id, set()).add(at)
                else:
                    self._missing[at] += 1
                    self._dependents[needed].append(at)
        for positions in self._awaiting_anybody.values():
            for position in positions:
                self._missing[position] += 1
        self._ready = [at for at, count in enumerate(self._missing) if not count]

    @property
    def is_over(self) -> bool:
        """Whether nothing runs and nothing more will start."""
        return not self._running and (self.stopped is not None or not self._ready)

    @property
    def has_ready(self) -> bool:
        """Whether a change would start now or after a pause."""
        return self.stopped is None and bool(self._ready)

    @property
    def running(self) -> Collection[int]:
        """The positions of the changes that have started and not ended."""
        return self._running.keys()

    @property
    def paused_until(self) -> float | None:
        """When to call `start` again although no change has ended, or None."""
        return self.pace.paused_until if self.stopped is None else None

    @property
    def must_read(self) -> bool:
        """Whether a wait is over, and the account must be read again before the next change."""
        is_waiting = self.stopped is not None or self.paused_until is not None or self._running
        return self.pace.must_read and not is_waiting

    def start(self, now: float) -> list[int]:
        """Return the positions of the changes that start now, in the plan's order."""
        if self.stopped is not None:
            return []
        free = self.pace.free(len(self._running), now)
        if self._is_suspect:
            free = min(free, 1 - len(self._running))
        starting: list[int] = []
        while self._ready and len(starting) < free:
            if not self.pace.has_quota(len(self._running) + self._reads(self._ready[0])):
                # While some run, their responses say more.
                if not self._running and (why := self.pace.await_quota(now)):
                    self.stop(Stop.QUOTA, why)
                break
            position = self._probe() if self._is_suspect else heapq.heappop(self._ready)
            if position is None:
                break
            self.pace.spend(self._reads(position))
            self._running[position] = self.pace.round
            starting.append(position)
        return starting

    def _reads(self, position: int) -> int:
        """Return how many requests it takes to start a change, besides its own."""
        is_role = self._changes[position].action is Action.ASSIGN_ROLE
        return READS_OF_ROLES if is_role or position in self.unread else 0

    def finish(self, position: int, reply: Reply, now: float) -> None:
        """Record the reply to a change that has started."""
        if why := self.pace.note(reply, now, self._running.pop(position)):
            self.stop(Stop.QUOTA, why)
        if reply.kind is ReplyKind.THROTTLED:
            heapq.heappush(self._ready, position)
        elif reply.kind is ReplyKind.IN_PLACE:
            self._release_dependents(position)
            self._failures_in_a_row = 0
            self._is_accepted = True
        else:
            self._note_failure(position, reply)

    def _release_dependents(self, position: int) -> None:
        change, dependents = self._changes[position], self._dependents[position]
        if change.action is Action.ADD_USER:
            dependents = [*dependents, *self._awaiting_anybody.pop(change.group.id, ())]
        for dependent in dependents:
            self._missing[dependent] -= 1
            if not self._missing[dependent] and dependent not in self._held_back:
                heapq.heappush(self._ready, dependent)

    def _note_failure(self, position: int, reply: Reply) -> None:
        if self._changes[position].action is Action.ASSIGN_ROLE:
            # The account may not have that API: nothing waits for its success.
            self._release_dependents(position)
            return
        if reply.status_code == 401:
            self.stop(Stop.UNAUTHORIZED, "the API responded with 401")
        elif reply.status_code == 403:
            self._refused.append(self._changes[position])
        if 400 <= (reply.status_code or 0) < 500:
            return  # the API responds, and says what is wrong with this change
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= _MAX_FAILURES:
            self.stop(Stop.FAILURES, f"{self._failures_in_a_row} changes failed in a row")

    def hold_back(self, positions: Collection[int]) -> None:
        """Never start some changes that have not started, nor what depends on them."""
        self._held_back |= frozenset(positions)
        self._ready = [position for position in self._ready if position not in self._held_back]
        heapq.heapify(self._ready)

    def account_read(self, reply: Reply, now: float) -> None:
        """Record that the account was read again, or why it was not."""
        if why := self.pace.note(reply, now):
            self.stop(Stop.QUOTA, why)
        if reply.kind is ReplyKind.FAILED:
            stop = Stop.UNAUTHORIZED if reply.status_code in (401, 403) else Stop.FAILURES
            self.stop(stop, "the account could not be read again after a wait")

    def put_back(self, position: int) -> None:
        """Take back a start: the change was not sent."""
        del self._running[position]
        heapq.heappush(self._ready, position)

    def roles_read(self, position: int, *, is_slow: bool) -> None:
        """Take back a start, for which roles were read; read the account again if slowly."""
        self.put_back(position)
        self.unread.discard(position)
        self.pace.must_read = self.pace.must_read or is_slow

    def stop(self, why: Stop, detail: str) -> None:
        """Start nothing more; the detail is a sentence. The first reason stands."""
        if self.stopped is None:
            self.stopped, self.detail = why, detail

    @property
    def _is_suspect(self) -> bool:
        """Whether the key may have no permission to write."""
        return bool(self._refused) and not self._is_accepted

    def _probe(self) -> int | None:
        """Take the change that is the least like those refused; stop if all are like them."""
        actions = {change.action for change in self._refused}
        subjects = {_subject(change) for change in self._refused}

        def likeness(position: int) -> tuple[bool, bool, int]:
            change = self._changes[position]
            return change.action in actions, _subject(change) in subjects, position

        probe = min(self._ready, key=likeness)
        is_same_kind, is_same_subject, _ = likeness(probe)
        if is_same_kind and (is_same_subject or len(subjects) > 1):
            self.stop(Stop.UNAUTHORIZED, "the API responded with 403")
            return None
        self._ready.remove(probe)
        heapq.heapify(self._ready)
        return probe


def _awaits_anybody(change: Change, needed: Change) -> bool:
    """Return whether a removal waits for an addition only so that its group is not empty."""
    return (
        change.action is Action.REMOVE_USER
        and needed.action is Action.ADD_USER
        and change.group.id == needed.group.id
        and _subject(change) != _subject(needed)
    )


def _subject(change: Change) -> str:
    return change.group.name if change.user is None else change.user.id
