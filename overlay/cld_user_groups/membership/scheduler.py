"""Decide which changes of a plan start when, and how each reply affects the rest.

Pure: it neither sends, waits, nor reads a clock. A driver asks `start` what to send, sends it, and
reports each reply to `finish`, until `is_over`. Times are seconds on one clock, the caller's.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence

from .model import Action, Change
from .pace import Pace, Reply, ReplyKind
from .result import Stop

_MAX_FAILURES = 5  # in a row
#: How many requests it takes to record what a group grants, or to check a role before and after.
READS_OF_ROLES = 2


class Scheduler:
    """The order and the pace of a run.

    A change starts in the plan's order once all that it depends on holds. A failure stops only
    what depends on it, directly or not; 401 and five failures in a row, which a 4xx is none of,
    stop everything. So does a 403 before any write was accepted, once another write, about
    somebody else and of another kind where there is one, is refused too: a person whom the API
    refuses is not a key without permission. A removal that waits for somebody new in its group is
    content with any addition to it. The limits are those of `apply`.
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
