"""Execute the changes of a plan: their requests, the journal, and the outcomes. Sans-IO.

What a change needs is a generator, as the client's own pipeline: it yields a request, and is sent
its response or thrown its error. If a response is lost or unexpected, reading the account decides.
The drivers, `apply` and `apply_async`, send the requests; they differ only in where they wait.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from attrs import evolve, frozen

from cld_user_groups import RawResponse, maybe_applied
from cld_user_groups.errors import AlreadyExists, CloudinaryError, NotFound, RateLimited

from .checks import creators, no_longer_fits
from .identity import Directory
from .journal import End, Ended, Intent, Journal, JournalError
from .lease import Lease
from .model import Action, Change, Plan, Snapshot
from .outcome import Outcome, Progress, Result, Status, Stop, differences, settle
from .pace import Reply, ReplyKind
from .scheduler import Scheduler

OnProgress = Callable[[Progress], object]
Operation = Literal["list", "get", "list_users", "create", "update", "delete", "add_user",
                    "remove_user"]  # fmt: skip

#: Waits shorter than this, of which there may be hundreds, are not announced, in seconds.
SHORTEST_ANNOUNCED = 1.0
# After these, another request would fail as well.
_NOT_READ_AGAIN = (Stop.QUOTA, Stop.UNAUTHORIZED)


class ChangeRequest(NamedTuple):
    """A request that a change needs.

    Attributes:
        operation: The method of `user_groups`.
        arguments: Its arguments.
    """

    operation: Operation
    arguments: dict[str, Any]


@frozen(kw_only=True)
class ChangeResult:
    """The result of sending a change.

    Attributes:
        status: The status of the change so far; `NOT_STARTED` where it was throttled, `UNKNOWN`
            where it was throttled but an earlier attempt may have been applied.
        reply: How it affects the other changes.
        group_id: The ID of its group, or None where it is not known.
        request_id: The server's ID of the deciding request, or None.
        error: What went wrong, in a sentence, or "".
    """

    status: Status
    reply: Reply
    group_id: str | None = None
    request_id: str | None = None
    error: str = ""


Flow = Generator[ChangeRequest, RawResponse[Any], ChangeResult]


def execute(change: Change, group_id: str | None, *, was_sent: bool = False) -> Flow:
    """Execute one change.

    Args:
        change: The change.
        group_id: The ID of its group; None for a group that the change creates.
        was_sent: Whether an earlier attempt, which was throttled, may have been applied.
    """
    try:
        response = yield _write(change, group_id)
    except Exception as error:  # noqa: BLE001 - a hook's error, too, is the end of one change only
        return (yield from _after_error(change, group_id, error, was_sent=was_sent))
    if change.action is Action.CREATE_GROUP:
        group_id = response.parsed.id
    return ChangeResult(
        status=Status.DONE,
        reply=_reply(ReplyKind.IN_PLACE, response),
        group_id=group_id,
        request_id=response.request_id,
    )


def advance(flow: Flow, response: RawResponse[Any] | Exception) -> ChangeRequest | ChangeResult:
    """Send a flow the response to its request, or throw its error; return what it yields."""
    try:
        return flow.throw(response) if isinstance(response, Exception) else flow.send(response)
    except StopIteration as done:
        result: ChangeResult = done.value
        return result


def _write(change: Change, group_id: str | None) -> ChangeRequest:
    if change.action is Action.CREATE_GROUP:
        return ChangeRequest("create", {"name": change.group.name})
    if change.action is Action.RENAME_GROUP:
        return ChangeRequest("update", {"group_id": group_id, "name": change.group.name})
    if change.action is Action.DELETE_GROUP:
        return ChangeRequest("delete", {"group_id": group_id})
    assert change.user is not None
    arguments = {"group_id": group_id, "user_id": change.user.id}
    return ChangeRequest(
        "add_user" if change.action is Action.ADD_USER else "remove_user", arguments
    )


def _after_error(change: Change, group_id: str | None, error: Exception, *, was_sent: bool) -> Flow:
    may_hold = was_sent or maybe_applied(error) or _may_have_been_forwarded(error)
    seems_to_hold = _may_hold_already(change, error)
    failed = ChangeResult(
        status=Status.UNKNOWN if may_hold or seems_to_hold else Status.FAILED,
        reply=_reply(ReplyKind.FAILED, error),
        group_id=group_id,
        request_id=error.request_id if isinstance(error, CloudinaryError) else None,
        error=str(error) or type(error).__name__,
    )
    if isinstance(error, RateLimited):
        status = Status.UNKNOWN if may_hold else Status.NOT_STARTED
        return evolve(failed, status=status, reply=_reply(ReplyKind.THROTTLED, error))
    if not may_hold and not seems_to_hold:
        return failed
    try:
        found = yield from _verify(change, group_id)
    except Exception as unseen:  # noqa: BLE001 - the first error is what is reported
        return evolve(failed, error=f"{failed.error}; looking failed: {unseen}")
    if found is None:
        # A request whose response was lost may still be applied later: nobody knows yet. A name
        # that is taken, and not by this change, is another group's.
        is_taken = not may_hold and change.action in (Action.CREATE_GROUP, Action.RENAME_GROUP)
        return evolve(failed, status=Status.FAILED) if is_taken else failed
    if change.action is Action.CREATE_GROUP and not may_hold:
        return failed  # a group that has appeared in the meantime is never adopted
    return evolve(
        failed,
        status=Status.DONE if may_hold else Status.UNKNOWN,
        reply=evolve(failed.reply, kind=ReplyKind.IN_PLACE, status_code=None),
        group_id=found,
        error="" if may_hold else "in place; whether this run applied it is not known",
    )


def _may_have_been_forwarded(error: Exception) -> bool:
    """Return whether this is a 503, which some gateways send after forwarding the request."""
    return isinstance(error, CloudinaryError) and error.status_code == 503


def _may_hold_already(change: Change, error: Exception) -> bool:
    """Return whether an error of a first attempt means that the account has it already.

    Somebody else has applied it, or a proxy has delivered the request twice: nobody can tell.
    """
    if isinstance(error, AlreadyExists):
        return change.action in (Action.ADD_USER, Action.CREATE_GROUP, Action.RENAME_GROUP)
    return isinstance(error, NotFound) and change.action in (
        Action.REMOVE_USER,
        Action.DELETE_GROUP,
    )


def _verify(
    change: Change, group_id: str | None
) -> Generator[ChangeRequest, RawResponse[Any], str | None]:
    """Return the group's ID if the account has what the change asks for, else None."""
    if change.action is Action.CREATE_GROUP:
        return (yield from _verify_new_group(change.group.name))
    assert group_id is not None
    if change.action is Action.RENAME_GROUP:
        response = yield ChangeRequest("get", {"group_id": group_id})
        return group_id if response.parsed.name == change.group.name else None
    if change.action is Action.DELETE_GROUP:
        try:
            yield ChangeRequest("get", {"group_id": group_id})
        except NotFound:
            return group_id
        return None
    assert change.user is not None
    response = yield ChangeRequest("list_users", {"group_id": group_id})
    is_member = any(user.id == change.user.id for user in response.parsed.users or ())
    return group_id if is_member is (change.action is Action.ADD_USER) else None


def _verify_new_group(name: str) -> Generator[ChangeRequest, RawResponse[Any], str | None]:
    """Return the ID of the group of a name, if nobody is in it: else it is somebody else's."""
    response = yield ChangeRequest("list", {})
    ids = [group.id for group in response.parsed.user_groups or () if group.name == name]
    if len(ids) != 1 or ids[0] is None:
        return None
    members = yield ChangeRequest("list_users", {"group_id": ids[0]})
    found: str = ids[0]
    return None if members.parsed.users else found


def renewed_at(reset: datetime | None) -> float | None:
    """Return when the quota is renewed for certain, on the scheduler's clock.

    A second later than the header says: an HTTP date has no fraction of one, and clocks differ.
    """
    return None if reset is None else reset.timestamp() + 1


def reply_to_reading(source: Snapshot | Exception) -> Reply:
    """Return what reading the account, or what it ended in, means for the next changes."""
    if isinstance(source, Snapshot):
        return Reply(
            kind=ReplyKind.IN_PLACE,
            remaining=source.requests_left,
            reset_at=renewed_at(source.quota_reset_at),
        )
    is_throttled = isinstance(source, RateLimited)
    return _reply(ReplyKind.THROTTLED if is_throttled else ReplyKind.FAILED, source)


def _reply(kind: ReplyKind, source: RawResponse[Any] | Exception) -> Reply:
    if isinstance(source, RawResponse):
        reply = Reply(kind=kind, was_retried=source.retries > 0)
    elif isinstance(source, CloudinaryError):
        reply = Reply(
            kind=kind,
            status_code=source.status_code,
            was_sent=not isinstance(source, RateLimited) or source.was_sent,
            retry_after=source.retry_after,
        )
    else:
        return Reply(kind=kind)
    quota = source.rate_limit
    return evolve(reply, remaining=quota.remaining, reset_at=renewed_at(quota.reset))


class Executor:
    """The run of a plan in progress. It is used by one thread at a time.

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

    def begin(self) -> list[tuple[int, Flow]]:
        """Journal the changes that start now, and return them; execute them after `flush`.

        None starts once the lease is lost.
        """
        if self._scheduler.has_ready and (loss := self.lease_loss):
            self._scheduler.stop(Stop.LEASE, loss)
        positions = self._scheduler.start(self._now().timestamp())
        return [(position, self._announce(position)) for position in positions]

    def flush(self) -> None:
        """Write the journal to disk.

        Raises:
            JournalError: It cannot be written: report it to `journal_failed`.
        """
        if not self._has_journal_failed:
            self._journal.flush()

    def journal_failed(self, error: JournalError, starting: Sequence[int]) -> None:
        """Stop, because changes can no longer be recorded.

        Args:
            error: The reason.
            starting: The positions of what was about to be sent, and must not be.
        """
        self._has_journal_failed = True
        for position in starting:
            self._scheduler.put_back(position)
        self._scheduler.stop(Stop.JOURNAL, str(error))

    @property
    def must_read(self) -> bool:
        """Whether a wait is over, and the account must be read again before the next change."""
        scheduler = self._scheduler
        is_over = scheduler.paused_until is None and not scheduler.running
        return scheduler.pace.must_read and scheduler.stopped is None and is_over

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

    def end(self, position: int, result: ChangeResult) -> None:
        """Record the outcome of a change.

        Args:
            position: Its position in the plan.
            result: What came of its requests.
        """
        self._was_anything_sent = True
        outcome = evolve(
            self._outcomes[position],
            status=result.status,
            group_id=result.group_id,
            request_id=result.request_id,
            error=result.error,
            in_place=result.reply.kind is ReplyKind.IN_PLACE,
        )
        self._outcomes[position] = outcome
        self._record(outcome)
        self._scheduler.finish(position, result.reply, self._now().timestamp())
        if result.reply.kind is not ReplyKind.THROTTLED:
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

    def _announce(self, position: int) -> Flow:
        change = self._plan.changes[position]
        group_id = change.group.id
        if position in self._creators:
            group_id = self._outcomes[self._creators[position]].group_id
        self._outcomes[position] = evolve(self._outcomes[position], group_id=group_id)
        named = evolve(change, group=evolve(change.group, id=group_id))
        self._add(Intent(at=self._now(), position=position, change=named))
        was_sent = self._outcomes[position].status is Status.UNKNOWN
        return execute(change, group_id, was_sent=was_sent)

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
        is_out_of_quota = scheduler.stopped is Stop.QUOTA and scheduler.pace.reset_at is not None
        left = scheduler.pace.remaining if snapshot is None else snapshot.requests_left
        return Result(
            run=self._journal.run,
            outcomes=tuple(self._outcomes),
            stopped=scheduler.stopped,
            detail=scheduler.detail,
            verified=False if held_back else verified,
            differences=(*unmet, *held_back),
            requests_left=left,
            resume_at=_time(scheduler.pace.reset_at or 0) if is_out_of_quota else None,
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
