"""Apply one change: the request to send, and how to interpret its response or its loss.

Sans-IO, as the client's own pipeline: a generator yields a request, and is sent its response or
thrown its error. If a response is lost or unexpected, reading the account decides.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any, Literal, NamedTuple

from attrs import evolve, frozen

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, RawResponse, maybe_applied
from cld_user_groups.errors import AlreadyExists, CloudinaryError, NotFound, RateLimited

from .model import Action, Change, Snapshot
from .outcome import Status
from .scheduler import Reply, Verdict

Operation = Literal["list", "get", "list_users", "create", "update", "delete", "add_user",
                    "remove_user"]  # fmt: skip


class Request(NamedTuple):
    """A request that a change needs.

    Attributes:
        operation: The method of `user_groups`.
        arguments: Its arguments.
    """

    operation: Operation
    arguments: dict[str, Any]


@frozen(kw_only=True)
class Performed:
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


Flow = Generator[Request, RawResponse[Any], Performed]


def perform(change: Change, group_id: str | None, *, was_sent: bool = False) -> Flow:
    """Apply one change.

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
    return Performed(
        status=Status.DONE,
        reply=_reply(Verdict.HOLDS, response),
        group_id=group_id,
        request_id=response.request_id,
    )


def perform_now(client: CldProvisioning, flow: Flow) -> Performed:
    """Perform the requests of a flow.

    Args:
        client: The client.
        flow: What `perform` returned.
    """
    groups = client.user_groups.with_raw_response
    step: Request | Performed = next(flow)
    while isinstance(step, Request):
        try:
            outcome = getattr(groups, step.operation)(**step.arguments)
        except Exception as error:  # noqa: BLE001 - the flow decides
            outcome = error
        step = _advance(flow, outcome)
    return step


async def perform_async(client: AsyncCldProvisioning, flow: Flow) -> Performed:
    """Perform the requests of a flow; see `perform_now`."""
    groups = client.user_groups.with_raw_response
    step: Request | Performed = next(flow)
    while isinstance(step, Request):
        try:
            outcome = await getattr(groups, step.operation)(**step.arguments)
        except Exception as error:  # noqa: BLE001 - the flow decides
            outcome = error
        step = _advance(flow, outcome)
    return step


def _advance(flow: Flow, outcome: RawResponse[Any] | Exception) -> Request | Performed:
    try:
        return flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)
    except StopIteration as done:
        performed: Performed = done.value
        return performed


def _write(change: Change, group_id: str | None) -> Request:
    if change.action is Action.CREATE_GROUP:
        return Request("create", {"name": change.group.name})
    if change.action is Action.RENAME_GROUP:
        return Request("update", {"group_id": group_id, "name": change.group.name})
    if change.action is Action.DELETE_GROUP:
        return Request("delete", {"group_id": group_id})
    assert change.user is not None
    arguments = {"group_id": group_id, "user_id": change.user.id}
    return Request("add_user" if change.action is Action.ADD_USER else "remove_user", arguments)


def _after_error(change: Change, group_id: str | None, error: Exception, *, was_sent: bool) -> Flow:
    may_hold = was_sent or maybe_applied(error) or _may_have_been_forwarded(error)
    seems_to_hold = _may_hold_already(change, error)
    failed = Performed(
        status=Status.UNKNOWN if may_hold or seems_to_hold else Status.FAILED,
        reply=_reply(Verdict.FAILED, error),
        group_id=group_id,
        request_id=error.request_id if isinstance(error, CloudinaryError) else None,
        error=str(error) or type(error).__name__,
    )
    if isinstance(error, RateLimited):
        status = Status.UNKNOWN if may_hold else Status.NOT_STARTED
        return evolve(failed, status=status, reply=_reply(Verdict.TURNED_AWAY, error))
    if not may_hold and not seems_to_hold:
        return failed
    try:
        found = yield from _look(change, group_id)
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
        reply=evolve(failed.reply, verdict=Verdict.HOLDS, status_code=None),
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


def _look(change: Change, group_id: str | None) -> Generator[Request, RawResponse[Any], str | None]:
    """Return the group's ID if the account has what the change asks for, else None."""
    if change.action is Action.CREATE_GROUP:
        return (yield from _look_for_new_group(change.group.name))
    assert group_id is not None
    if change.action is Action.RENAME_GROUP:
        response = yield Request("get", {"group_id": group_id})
        return group_id if response.parsed.name == change.group.name else None
    if change.action is Action.DELETE_GROUP:
        try:
            yield Request("get", {"group_id": group_id})
        except NotFound:
            return group_id
        return None
    assert change.user is not None
    response = yield Request("list_users", {"group_id": group_id})
    is_member = any(user.id == change.user.id for user in response.parsed.users or ())
    return group_id if is_member is (change.action is Action.ADD_USER) else None


def _look_for_new_group(name: str) -> Generator[Request, RawResponse[Any], str | None]:
    """Return the ID of the group of a name, if nobody is in it: else it is somebody else's."""
    response = yield Request("list", {})
    ids = [group.id for group in response.parsed.user_groups or () if group.name == name]
    if len(ids) != 1 or ids[0] is None:
        return None
    members = yield Request("list_users", {"group_id": ids[0]})
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
            verdict=Verdict.HOLDS,
            remaining=source.requests_left,
            reset_at=renewed_at(source.quota_reset_at),
        )
    is_throttled = isinstance(source, RateLimited)
    return _reply(Verdict.TURNED_AWAY if is_throttled else Verdict.FAILED, source)


def _reply(verdict: Verdict, source: RawResponse[Any] | Exception) -> Reply:
    if isinstance(source, RawResponse):
        reply = Reply(verdict=verdict, was_retried=source.retries > 0)
    elif isinstance(source, CloudinaryError):
        reply = Reply(
            verdict=verdict,
            status_code=source.status_code,
            was_sent=not isinstance(source, RateLimited) or source.was_sent,
            retry_after=source.retry_after,
        )
    else:
        return Reply(verdict=verdict)
    quota = source.rate_limit
    return evolve(reply, remaining=quota.remaining, reset_at=renewed_at(quota.reset))
