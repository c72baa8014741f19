"""The run of a plan: what is to be done next, until its result. Sans-IO.

`ApplySession.steps` yields a step at a time, which the drivers in `applying` take, with threads or
on an event loop; it is sent the result of the step, or thrown its error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from attrs import define, evolve, field

from cld_user_groups.errors import CloudinaryError, http_errors

from . import staleness
from .directory import Directory
from .executor import IN_PLACE, ChangeResult, Flow, execute, renewed_at, reply_of
from .grants import RoleRecord
from .journal import End, Ended, FileJournal, Intent, Journal, JournalError, NoJournal
from .lock import AlreadyRunning, Lease, account_lock
from .model import Action, Desired, Plan, Snapshot
from .pace import LONG_PAUSE, ReplyKind
from .problems import AccountError
from .result import Outcome, Progress, Result, Status, Stop
from .scheduler import Scheduler
from .state import state_directory

#: How long an interrupt, or anything else that must be noticed, can go unnoticed, in seconds.
SLICE = 0.5
#: Waits shorter than this, of which there may be hundreds, are not announced, in seconds.
SHORTEST_ANNOUNCED = 1.0
# How often the lock of another run is asked for, in seconds.
_POLL = 0.05
# After these, another request would fail as well.
_NOT_READ_AGAIN = (Stop.QUOTA, Stop.UNAUTHORIZED)


class Read(NamedTuple):
    """Read the account, with people to look up, and send what was read."""

    people: Desired | None
    keep_quota: int


class Save(NamedTuple):
    """Call a function that waits for the disk."""

    write: Callable[[], None]


class Wait(NamedTuple):
    """Wait for some seconds."""

    seconds: float


class ReadRoles(NamedTuple):
    """Read what a group grants."""

    group_id: str


Task: TypeAlias = Flow | ReadRoles | Read


class Start(NamedTuple):
    """Start tasks: send what a change needs, read roles, or the account."""

    tasks: Sequence[tuple[int, Task]]


class Receive(NamedTuple):
    """Wait until tasks have ended, or for `SLICE` seconds, and send their ends."""


Step: TypeAlias = Read | Save | Wait | Start | Receive
#: The position of a change that has ended, and its result; for a reading, what was read.
TaskEnd: TypeAlias = tuple[int, ChangeResult | Snapshot | RoleRecord | BaseException]
# Returns how many interrupts there were.
Interrupts = Callable[[], int]
OnProgress = Callable[[Progress], object]


@define(kw_only=True)
class ApplySession:
    """The run of a plan in progress, used by one thread at a time; see `apply`."""

    account_id: str
    plan: Plan
    snapshot: Snapshot | None = None
    state_dir: Path | None = None
    journal: Journal | None = None
    lock_wait: float = 0.0
    lease: Lease | None = None
    concurrency: int = 16
    keep_quota: int = 0
    max_wait: float = 0.0
    on_progress: OnProgress | None = None
    now: Callable[[], datetime]
    counted: Callable[[], AbstractContextManager[Interrupts]]
    _read: Snapshot = field(init=False)
    _record: Journal = field(init=False)
    _scheduler: Scheduler = field(init=False)
    _interrupts: Interrupts = field(init=False)
    _creators: dict[int, int] = field(init=False)
    _outcomes: list[Outcome] = field(init=False)
    _ended: set[int] = field(init=False, factory=set[int])
    _deletions: frozenset[int] = field(init=False, default=frozenset[int]())  # to be recorded
    _roles_asked_at: dict[int, datetime] = field(init=False, factory=dict[int, datetime])
    _was_anything_sent: bool = field(init=False, default=False)

    def steps(self) -> Generator[Step, Any, Result]:
        """Yield the steps of the run; return its result."""
        plan = self.plan
        staleness.check_plan(plan, self.account_id, self.now())
        directory = state_directory(plan.account_id, self.state_dir)
        with ExitStack() as stack:
            has_waited = self.journal is None and (yield from self._lock(stack, directory))
            given = None if has_waited else self.snapshot
            people = (staleness.people_of if plan.is_saved else staleness.roles_for)(plan)
            self._read = (yield Read(people, self.keep_quota)) if given is None else given
            staleness.check_plan(plan, self.account_id, self.now())
            (staleness.check_saved if plan.is_saved else staleness.check_account)(plan, self._read)
            self._scheduler = Scheduler(
                plan.changes,
                concurrency=self.concurrency,
                keep_quota=self.keep_quota,
                max_wait=self.max_wait,
                remaining=self._read.requests_left,
                reset_at=renewed_at(self._read.quota_reset_at),
            )
            self._creators = staleness.creators(plan)
            self._outcomes = [
                Outcome(position=at, change=each, status=Status.NOT_STARTED, group_id=each.group.id)
                for at, each in enumerate(plan.changes)
            ]
            self._record = NoJournal() if self.journal is None else self.journal
            if self.journal is None and plan.changes:
                self._record = FileJournal(directory, plan, self.now())
            if not isinstance(self._record, NoJournal):
                self._deletions = frozenset(
                    at for at, each in enumerate(plan.changes) if each.action is Action.DELETE_GROUP
                )
                self._scheduler.unread |= self._deletions
            self._interrupts = stack.enter_context(self.counted())
            try:
                after = yield from self._apply()
            except BaseException:
                self._abandon()
                raise
            return self._conclude(after)

    def _lock(self, stack: ExitStack, directory: Path) -> Generator[Step, Any, bool]:
        """Hold the account's lock; return whether another run had to be waited for."""
        left = self.lock_wait
        while True:
            try:
                stack.enter_context(account_lock(directory, self.account_id))
                return left < self.lock_wait
            except AlreadyRunning:
                if not left > 0:  # nor is NaN
                    raise
            yield Wait(_POLL)
            left -= _POLL

    def _apply(self) -> Generator[Step, Any, Snapshot | None]:
        """Send the changes; return the account, if it can be read again afterwards."""
        scheduler = self._scheduler
        self._heed()
        while not scheduler.is_over:
            if scheduler.has_ready and (loss := self._lease_loss):
                scheduler.stop(Stop.LEASE, loss)
            starting = scheduler.start(self.now().timestamp())
            tasks = [(position, self._task(position)) for position in starting]
            if (yield from self._flush(starting)) and tasks:
                yield Start(tasks)
            if scheduler.must_read:
                roles = staleness.roles_for(self.plan)
                self._note_account((yield from self._read_again(roles)))
            elif scheduler.running:
                for position, result in (yield Receive()):
                    self._end(position, result)
            else:
                yield from self._pause()
            self._heed()
        yield from self._flush()  # the last outcomes, before the account is read again
        if not self._was_anything_sent or scheduler.stopped in _NOT_READ_AGAIN:
            return None
        found = yield from self._read_again()
        self._heed()
        return found if isinstance(found, Snapshot) else None

    def _read_again(
        self, people: Desired | None = None
    ) -> Generator[Step, Any, Snapshot | Exception]:
        """Read the account in a task, so that an interrupt need not wait for its end."""
        yield Start([(0, Read(people, self.keep_quota))])
        ends: list[tuple[int, Any]]
        while not (ends := (yield Receive())):
            self._heed()
        ((_, found),) = ends
        account: Snapshot | Exception = found
        if not isinstance(account, (Snapshot, CloudinaryError, AccountError, *http_errors())):
            raise found
        return account

    def _heed(self) -> None:
        if (count := self._interrupts()) > 1:
            raise KeyboardInterrupt
        if count:
            self._scheduler.stop(Stop.REQUESTED, "the run was interrupted")

    @property
    def _lease_loss(self) -> str:
        return "" if self.lease is None else self.lease.loss

    def _task(self, position: int) -> Task:
        """Return what is to be sent for a change; first, what tells what a deletion ends."""
        if position not in self._scheduler.unread:
            return self._announce(position)
        self._roles_asked_at[position] = self.now()
        return ReadRoles(self._outcomes[position].group_id or "")

    def _announce(self, position: int) -> Flow:
        outcome = self._outcomes[position]
        if position in self._creators:
            group_id = self._outcomes[self._creators[position]].group_id
            outcome = self._outcomes[position] = evolve(outcome, group_id=group_id)
        change = outcome.change
        named = evolve(change, group=evolve(change.group, id=outcome.group_id))
        intent = Intent(at=self.now(), position=position, change=named, roles=outcome.roles)
        self._record.add(intent)
        self._scheduler.unread |= self._deletions & {position}  # if it has to be sent again
        return execute(outcome)

    def _flush(self, starting: Sequence[int] = ()) -> Generator[Step, Any, bool]:
        """Write the journal to disk; return whether it was written, and changes may be sent."""
        try:
            yield Save(self._record.flush)
            return True
        except JournalError as error:
            for position in starting:
                self._scheduler.put_back(position)
            self._scheduler.stop(Stop.JOURNAL, str(error))
            self._record.close()
            self._record = NoJournal(self._record.run)
            return False

    def _note_account(self, found: Snapshot | Exception) -> None:
        """Hold back the changes that the account no longer fits after a wait."""
        now, outcomes = self.now(), self._outcomes
        self._scheduler.account_read(reply_of(found), now.timestamp())
        if isinstance(found, Exception):
            return
        held = staleness.no_longer_fits(self.plan, outcomes, self._ended, self._read, found, now)
        self._scheduler.hold_back(held)
        for position, why in held.items():
            outcomes[position] = evolve(outcomes[position], error=f"held back: {why}")

    def _pause(self) -> Generator[Step, Any, None]:
        """Wait for the quota, where the run has to."""
        until, now = self._scheduler.paused_until, self.now()
        if until is None:
            return
        # Whole milliseconds: a clock of microseconds may never end the fraction of one.
        seconds = math.ceil((until - now.timestamp()) * 1000) / 1000
        if seconds >= SHORTEST_ANNOUNCED:
            self._report(None, _time(until))
        self._scheduler.unread |= self._deletions  # what was read before is old
        while seconds > 0 and not self._scheduler.is_over and not self._lease_loss:
            yield Wait(min(seconds, SLICE))
            seconds -= SLICE
            self._heed()

    def _end(
        self, position: int, result: ChangeResult | Snapshot | RoleRecord | BaseException
    ) -> None:
        """Record the outcome of a change, or what a group grants that is to be deleted."""
        if isinstance(result, BaseException):
            raise result
        if isinstance(result, RoleRecord):
            self._note_roles(position, result)
            return
        assert isinstance(result, ChangeResult)
        self._was_anything_sent = True
        outcome, reply = result
        outcome = evolve(outcome, in_place=reply.kind is ReplyKind.IN_PLACE)
        self._settle(outcome)
        self._scheduler.finish(position, reply, self.now().timestamp())
        if reply.kind is not ReplyKind.THROTTLED:
            self._ended.add(position)
            self._report(outcome)

    def _note_roles(self, position: int, found: RoleRecord) -> None:
        outcome = self._outcomes[position]
        before = outcome.roles
        # A request that was throttled may have deleted the group: then it has no roles any more.
        may_be_gone = outcome.status is Status.UNKNOWN
        if before is None or not (may_be_gone or (found.unknown and not before.unknown)):
            self._outcomes[position] = evolve(outcome, roles=found)
        waited = self.now() - self._roles_asked_at.pop(position)
        self._scheduler.roles_read(position, is_slow=waited.total_seconds() >= LONG_PAUSE)

    def _settle(self, outcome: Outcome) -> None:
        self._outcomes[outcome.position] = outcome
        self._record.add(
            Ended(
                at=self.now(),
                position=outcome.position,
                status=outcome.status,
                group_id=outcome.group_id,
                request_id=outcome.request_id,
                error=outcome.error,
            )
        )

    def _report(self, outcome: Outcome | None, until: datetime | None = None) -> None:
        if self.on_progress is not None:
            ended, total = len(self._ended), len(self._outcomes)
            self.on_progress(
                Progress(outcome=outcome, ended=ended, total=total, waiting_until=until)
            )

    def _abandon(self) -> None:
        """Record what is known if the run ends with changes in flight."""
        error = "the run ended before the response came"
        for position in sorted(set(self._scheduler.running).difference(self._roles_asked_at)):
            self._settle(evolve(self._outcomes[position], status=Status.UNKNOWN, error=error))
        self._scheduler.stop(Stop.ABANDONED, "the run was abandoned")
        self._conclude(None)

    def _conclude(self, snapshot: Snapshot | None) -> Result:
        """Compare the account with the plan, close the journal, and return the result."""
        scheduler, pace = self._scheduler, self._scheduler.pace
        unmet: list[str] = []
        if snapshot is not None:
            account = Directory(snapshot)
            for outcome in self._outcomes:
                if difference := staleness.difference_of(outcome, account):
                    unmet.append(difference)
                elif outcome.status is Status.UNKNOWN and not outcome.in_place:
                    self._settle(evolve(outcome, status=Status.DONE, error=""))
                elif outcome.status is Status.FAILED:
                    # A proxy may have replaced the response, or somebody else have made the change.
                    error = f"{outcome.error}; {IN_PLACE}"
                    self._settle(evolve(outcome, status=Status.UNKNOWN, in_place=True, error=error))
        verified = not unmet if snapshot is not None or not self._outcomes else None
        is_out_of_quota = scheduler.stopped is Stop.QUOTA and pace.reset_at is not None
        held_back = self.plan.held_back
        result = Result(
            run=self._record.run,
            outcomes=tuple(self._outcomes),
            stopped=scheduler.stopped,
            detail=scheduler.detail,
            verified=False if held_back else verified,
            differences=(*unmet, *held_back),
            requests_left=pace.remaining if snapshot is None else snapshot.requests_left,
            resume_at=_time(pace.reset_at or 0) if is_out_of_quota else None,
            snapshot=snapshot,
        )
        end = End(
            at=self.now(),
            summary=result.counts(),
            stopped=result.stopped,
            detail=result.detail,
            verified=result.verified,
            differences=result.differences,
        )
        self._record.add(end)
        try:
            self._record.flush()
        except JournalError as error:  # which changes nothing of what was done
            if result.stopped is None:
                result = evolve(result, stopped=Stop.JOURNAL, detail=str(error))
        finally:
            self._record.close()
        return result


def _time(timestamp: float) -> datetime:
    """Return a time; the last one that there is for what a server puts behind the year 9999."""
    try:
        return datetime.fromtimestamp(timestamp, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC)
