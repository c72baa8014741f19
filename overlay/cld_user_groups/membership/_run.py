"""One run of a plan: the changes to send, the journal, and the outcomes. No request is sent here.

The drivers, `apply` and `apply_async`, send the tasks and report the results; they differ only in
where they wait.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from attrs import evolve, frozen

from cld_user_groups import AsyncCldProvisioning, CldProvisioning

from .checks import creators, no_longer_fits
from .identity import Directory
from .journal import End, Ended, Intent, Journal, JournalError
from .lease import Lease
from .model import Change, Plan, Snapshot
from .outcome import Outcome, Progress, Result, Status, Stop, differences, settle
from .perform import Performed, reply_to_reading
from .scheduler import Scheduler, Verdict

C = TypeVar("C", CldProvisioning, AsyncCldProvisioning)
OnProgress = Callable[[Progress], object]

#: Waits shorter than this, of which there may be hundreds, are not announced, in seconds.
SHORTEST_ANNOUNCED = 1.0
# After these, another request would fail as well.
_NOT_READ_AGAIN = (Stop.QUOTA, Stop.UNAUTHORIZED)


def client_for_changes(client: C, concurrency: int) -> C:
    """Return the client for a run's changes: it leaves throttled requests to the scheduler.

    The scheduler slows the whole run down; each of many calls would only try again by itself.
    """
    retries = client.retry_config
    if retries is not None:
        retries = evolve(retries, retry_throttled=False)
    return client.with_options(retries=retries, concurrency=concurrency)


@frozen(kw_only=True)
class Task:
    """A change to send now.

    Attributes:
        position: The position of the change in the plan.
        change: The change.
        group_id: The ID of its group, that of a group created by this run too.
        was_sent: Whether an earlier attempt may have been applied.
    """

    position: int
    change: Change
    group_id: str | None
    was_sent: bool


class Run:
    """A run in progress. It is used by one thread at a time.

    Args:
        plan: The plan, which has been checked.
        snapshot: The account, just read.
        journal: Where to record the changes.
        scheduler: The order of the changes.
        now: Returns the time, aware, in UTC.
        on_progress: Called after each change, and before each wait for the quota.
        lease: What keeps others off the account, or None.
    """

    def __init__(
        self,
        plan: Plan,
        snapshot: Snapshot,
        journal: Journal,
        scheduler: Scheduler,
        now: Callable[[], datetime],
        on_progress: OnProgress | None,
        lease: Lease | None = None,
    ) -> None:
        self._plan = plan
        self._snapshot = snapshot
        self._journal = journal
        self._scheduler = scheduler
        self._now = now
        self._on_progress = on_progress
        self._lease = lease
        self._creators = creators(plan)
        self._outcomes = [
            Outcome(
                position=position,
                change=change,
                status=Status.NOT_STARTED,
                group_id=change.group.id,
            )
            for position, change in enumerate(plan.changes)
        ]
        self._ended: set[int] = set()
        self._was_anything_sent = False
        self._has_journal_failed = False

    @property
    def is_over(self) -> bool:
        """Whether nothing runs and nothing more will start."""
        return self._scheduler.is_over

    @property
    def is_anything_running(self) -> bool:
        """Whether a change is being sent."""
        return bool(self._scheduler.running)

    @property
    def lease_loss(self) -> str:
        """Why the lease is not held; "" while it is, or where the run needs none."""
        return "" if self._lease is None else self._lease.loss

    @property
    def needs_account(self) -> bool:
        """Whether the account should be read again now that the run is over."""
        return self._was_anything_sent and self._scheduler.stopped not in _NOT_READ_AGAIN

    def begin(self) -> list[Task]:
        """Journal the changes that start now, and return them; send them after `flush`.

        None starts once the lease is lost.
        """
        if self._scheduler.has_ready and (loss := self.lease_loss):
            self._scheduler.stop(Stop.LEASE, loss)
        positions = self._scheduler.start(self._now().timestamp())
        return [self._announce(position) for position in positions]

    def flush(self) -> None:
        """Write the journal to disk. This alone may be called in another thread.

        Raises:
            JournalError: It cannot be written: report it to `journal_failed`.
        """
        if not self._has_journal_failed:
            self._journal.flush()

    def journal_failed(self, error: JournalError, tasks: Sequence[Task]) -> None:
        """Stop, because changes can no longer be recorded.

        Args:
            error: The reason.
            tasks: What was about to be sent, and must not be.
        """
        self._has_journal_failed = True
        for task in tasks:
            self._scheduler.put_back(task.position)
        self._scheduler.stop(Stop.JOURNAL, str(error))

    @property
    def must_read(self) -> bool:
        """Whether a wait is over, and the account must be read again before the next change."""
        scheduler = self._scheduler
        is_over = scheduler.paused_until is None and not scheduler.running
        return scheduler.must_read and scheduler.stopped is None and is_over

    def account_read(self, found: Snapshot | Exception) -> None:
        """Hold back the changes that the account no longer fits after a wait.

        Args:
            found: The account, or why it could not be read.
        """
        now = self._now()
        self._scheduler.account_read(reply_to_reading(found), now.timestamp())
        if isinstance(found, Exception):
            return
        held_back = no_longer_fits(
            self._plan, self._outcomes, self._ended, self._snapshot, found, now
        )
        self._scheduler.hold_back(held_back)
        for position, why in held_back.items():
            self._outcomes[position] = evolve(self._outcomes[position], error=f"held back: {why}")

    def seconds_to_wait(self) -> float:
        """Return how long to wait for the quota, where nothing runs; announce the wait."""
        until = self._scheduler.paused_until
        now = self._now()
        if until is None or self.is_anything_running:
            return 0.0
        # Whole milliseconds: a clock of microseconds may never end the fraction of one.
        seconds = max(0, math.ceil((until - now.timestamp()) * 1000)) / 1000
        if seconds >= SHORTEST_ANNOUNCED:
            self._report(None, _time(until))
        return seconds

    def end(self, position: int, performed: Performed) -> None:
        """Record the outcome of a change.

        Args:
            position: Its position in the plan.
            performed: Its outcome.
        """
        self._was_anything_sent = True
        outcome = evolve(
            self._outcomes[position],
            status=performed.status,
            group_id=performed.group_id,
            request_id=performed.request_id,
            error=performed.error,
            in_place=performed.reply.verdict is Verdict.HOLDS,
        )
        self._outcomes[position] = outcome
        self._record(outcome)
        self._scheduler.finish(position, performed.reply, self._now().timestamp())
        if performed.reply.verdict is not Verdict.TURNED_AWAY:
            self._ended.add(position)
            self._report(outcome, None)

    def request_stop(self) -> None:
        """Start nothing more."""
        self._scheduler.stop(Stop.REQUESTED, "the run was interrupted")

    def abandon(self) -> None:
        """Record what is known if the run ends with changes in flight."""
        for position in sorted(self._scheduler.running):
            outcome = evolve(
                self._outcomes[position],
                status=Status.UNKNOWN,
                error="the run ended before the response came",
            )
            self._outcomes[position] = outcome
            self._record(outcome)
        self._scheduler.stop(Stop.ABANDONED, "the run was abandoned")
        self._close(self._result(None))

    def finish(self, snapshot: Snapshot | None) -> Result:
        """Compare the account with the plan, close the journal, and return the result.

        Args:
            snapshot: The account, read after the last change, or None if it was not read.
        """
        if snapshot is not None:
            account = Directory(snapshot)
            settled = settle(self._outcomes, account)
            for before, after in zip(self._outcomes, settled, strict=True):
                if after is not before:
                    self._record(after)
            self._outcomes = list(settled)
        return self._close(self._result(snapshot))

    def _announce(self, position: int) -> Task:
        change = self._plan.changes[position]
        group_id = change.group.id
        if position in self._creators:
            group_id = self._outcomes[self._creators[position]].group_id
        self._outcomes[position] = evolve(self._outcomes[position], group_id=group_id)
        named = evolve(change, group=evolve(change.group, id=group_id))
        self._add(Intent(at=self._now(), position=position, change=named))
        was_sent = self._outcomes[position].status is Status.UNKNOWN
        return Task(position=position, change=change, group_id=group_id, was_sent=was_sent)

    def _record(self, outcome: Outcome) -> None:
        self._add(
            Ended(
                at=self._now(),
                position=outcome.position,
                status=outcome.status,
                group_id=outcome.group_id,
                request_id=outcome.request_id,
                error=outcome.error,
            )
        )

    def _add(self, line: Intent | Ended | End) -> None:
        if not self._has_journal_failed:
            self._journal.add(line)

    def _report(self, outcome: Outcome | None, waiting_until: datetime | None) -> None:
        if self._on_progress is not None:
            self._on_progress(
                Progress(
                    outcome=outcome,
                    ended=len(self._ended),
                    total=len(self._outcomes),
                    waiting_until=waiting_until,
                )
            )

    def _result(self, snapshot: Snapshot | None) -> Result:
        scheduler = self._scheduler
        unmet: tuple[str, ...] = ()
        verified = None if self._outcomes else True
        held_back = self._plan.held_back
        if snapshot is not None:
            unmet = differences(self._outcomes, Directory(snapshot))
            verified = not unmet
        is_out_of_quota = scheduler.stopped is Stop.QUOTA and scheduler.reset_at is not None
        left = scheduler.remaining if snapshot is None else snapshot.requests_left
        return Result(
            run=self._journal.run,
            outcomes=tuple(self._outcomes),
            stopped=scheduler.stopped,
            detail=scheduler.detail,
            verified=False if held_back else verified,
            differences=(*unmet, *held_back),
            requests_left=left,
            resume_at=_time(scheduler.reset_at or 0) if is_out_of_quota else None,
            snapshot=snapshot,
        )

    def _close(self, result: Result) -> Result:
        """Write the last line; a journal that cannot be written does not change the result."""
        self._add(
            End(
                at=self._now(),
                summary=result.counts(),
                stopped=result.stopped,
                detail=result.detail,
                verified=result.verified,
                differences=result.differences,
            )
        )
        try:
            self.flush()
        except JournalError as error:
            if result.stopped is None:
                result = evolve(result, stopped=Stop.JOURNAL, detail=str(error))
        finally:
            self._journal.close()
        return result


def _time(timestamp: float) -> datetime:
    """Return a time; the last one that there is for what a server puts behind the year 9999."""
    try:
        return datetime.fromtimestamp(timestamp, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC)
