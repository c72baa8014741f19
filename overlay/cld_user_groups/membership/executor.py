"""Execute one change: its requests, and what its responses mean. Sans-IO.

A flow is a generator, as the client's own pipeline: it yields a request, and is sent its response
or thrown its error. If a response is lost or unexpected, reading the account decides.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any, NamedTuple

from attrs import evolve

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, RawResponse, maybe_applied
from cld_user_groups._find_users import send_each, send_each_async
from cld_user_groups.errors import AlreadyExists, CloudinaryError, NotFound, RateLimited

from .grants import Grant, grant_of
from .model import Action, Change, Snapshot
from .pace import Reply, ReplyKind
from .restoring import obstacle
from .result import Outcome, Status

#: Of a change that the account shows, though its response was an error.
IN_PLACE = "in place; whether this run applied it is not known"


class ChangeRequest(NamedTuple):
    """A request that a change needs: the method of a resource, and its arguments."""

    operation: str
    arguments: dict[str, Any]
    resource: str = "user_groups"


class ChangeResult(NamedTuple):
    """The outcome of a change so far, and how it affects the other changes.

    The status is `NOT_STARTED` where it was throttled, `UNKNOWN` where it was throttled but an
    earlier attempt may have been applied.
    """

    outcome: Outcome
    reply: Reply


Flow = Generator[ChangeRequest, RawResponse[Any], ChangeResult]
_Check = Generator[ChangeRequest, RawResponse[Any], ChangeResult | None]
_Look = Generator[ChangeRequest, RawResponse[Any], str | None]


def execute(before: Outcome) -> Flow:
    """Execute one change, of which it is known before what its group is.

    It is `UNKNOWN` where an earlier attempt, which was throttled, may have been applied.
    """
    change = before.change
    if change.role is not None and (refused := (yield from _check(before, change.role))):
        return refused
    try:
        response = yield _write(change, before.group_id)
    except Exception as error:  # noqa: BLE001 - a hook's error, too, is the end of one change only
        return (yield from _after_error(before, error))
    done = evolve(before, status=Status.DONE, request_id=response.request_id, error="")
    if change.action is Action.CREATE_GROUP:
        done = evolve(done, group_id=response.parsed.id)
    if change.role is not None:
        return (yield from _confirm(done, response))
    return ChangeResult(done, reply_of(response))


def execute_now(client: CldProvisioning, flow: Flow) -> ChangeResult:
    """Send the requests of a change, and return its result."""
    return send_each(flow, lambda step: _send(client, step))


async def execute_async(client: AsyncCldProvisioning, flow: Flow) -> ChangeResult:
    """Send the requests of a change, as `execute_now` does."""
    return await send_each_async(flow, lambda step: _send(client, step))


def _send(client: CldProvisioning | AsyncCldProvisioning, step: ChangeRequest) -> Any:
    methods = getattr(client, step.resource).with_raw_response
    return getattr(methods, step.operation)(**step.arguments)


def _write(change: Change, group_id: str | None) -> ChangeRequest:
    group = {"group_id": group_id}
    match change.action:
        case Action.CREATE_GROUP:
            return ChangeRequest("create", {"name": change.group.name})
        case Action.RENAME_GROUP:
            return ChangeRequest("update", {**group, "name": change.group.name})
        case Action.DELETE_GROUP:
            return ChangeRequest("delete", group)
        case Action.ADD_USER | Action.REMOVE_USER:
            assert change.user is not None
            return ChangeRequest(change.action.value, {**group, "user_id": change.user.id})
        case Action.ASSIGN_ROLE:
            assert change.role is not None
            added = {"operation": "add", "roles": [change.role.assignment]}
            principal = {"type": "group", "id": group_id}
            return ChangeRequest("update_roles", {**added, "principal": principal}, "principals")


def _check(before: Outcome, role: Grant) -> _Check:
    """Return why a role is not assigned, or None: it must be as it was recorded, right now."""
    status = Status.FAILED
    try:
        listed = yield ChangeRequest("list", {}, "roles")
    except Exception as error:  # noqa: BLE001 - the end of one change only
        reply, why = reply_of(error), f"the roles that can be assigned are not known: {error}"
        if reply.kind is ReplyKind.THROTTLED:
            status, why = Status.NOT_STARTED, str(error)
    else:
        reply, why = (
            evolve(reply_of(listed), kind=ReplyKind.FAILED),
            obstacle(role, listed.parsed.data),
        )
        if not why:
            return None
    was_sent = before.status is Status.UNKNOWN
    return ChangeResult(
        evolve(before, status=before.status if was_sent else status, error=why), reply
    )


def _confirm(done: Outcome, response: RawResponse[Any]) -> Flow:
    """Look at the roles of a group after one was assigned: the response says nothing of them."""
    reply = reply_of(response)
    if reply.remaining:
        reply = evolve(reply, remaining=reply.remaining - 1)  # looking takes one
    try:
        found = yield from _verify(done.change, done.group_id)
    except Exception as unseen:  # noqa: BLE001 - the role may be assigned
        error = f"the API accepted it, and whether it is assigned is not known: {unseen}"
    else:
        if found is not None:
            return ChangeResult(done, reply)
        error = "the API accepted it, and the roles of the group do not show it"
    unconfirmed = evolve(done, status=Status.UNKNOWN, error=error)
    return ChangeResult(unconfirmed, evolve(reply, kind=ReplyKind.FAILED))


def _after_error(before: Outcome, error: Exception) -> Flow:
    change, reply = before.change, reply_of(error)
    # Some gateways send a 503 after forwarding the request.
    may_hold = before.status is Status.UNKNOWN or maybe_applied(error) or reply.status_code == 503
    not_done = Status.NOT_STARTED if reply.kind is ReplyKind.THROTTLED else Status.FAILED
    is_doubtful = may_hold or _seems_to_hold(change, error)
    failed = evolve(
        before,
        status=Status.UNKNOWN if is_doubtful else not_done,
        request_id=error.request_id if isinstance(error, CloudinaryError) else None,
        error=str(error) or type(error).__name__,
    )
    if reply.kind is ReplyKind.THROTTLED or not is_doubtful:
        return ChangeResult(failed, reply)
    try:
        found = yield from _verify(change, before.group_id)
    except Exception as unseen:  # noqa: BLE001 - the first error is what is reported
        failed = evolve(failed, error=f"{failed.error}; looking failed: {unseen}")
        return ChangeResult(failed, reply)
    if found is None:
        # A request whose response was lost may still be applied later: nobody knows yet. A name
        # that is taken, and not by this change, is another group's.
        is_taken = change.action in (Action.CREATE_GROUP, Action.RENAME_GROUP) and not may_hold
        return ChangeResult(evolve(failed, status=Status.FAILED) if is_taken else failed, reply)
    if change.action is Action.CREATE_GROUP and not may_hold:
        return ChangeResult(failed, reply)  # a group that has appeared meanwhile is never adopted
    in_place = evolve(
        failed,
        status=Status.DONE if may_hold else Status.UNKNOWN,
        group_id=found,
        error="" if may_hold else IN_PLACE,
    )
    return ChangeResult(in_place, evolve(reply, kind=ReplyKind.IN_PLACE, status_code=None))


def _seems_to_hold(change: Change, error: Exception) -> bool:
    """Return whether an error of a first attempt means that the account has it already."""
    # By somebody else, or as a proxy has delivered the request twice: nobody can tell.
    takes = change.action in (Action.REMOVE_USER, Action.DELETE_GROUP)
    return isinstance(error, AlreadyExists) or (takes and isinstance(error, NotFound))


def _verify(change: Change, group_id: str | None) -> _Look:
    """Return the group's ID if the account has what the change asks for, else None."""
    group = {"group_id": group_id}
    match change.action:
        case Action.CREATE_GROUP:
            return (yield from _verify_new_group(change.group.name))
        case Action.RENAME_GROUP:
            response = yield ChangeRequest("get", group)
            return group_id if response.parsed.name == change.group.name else None
        case Action.DELETE_GROUP:
            try:
                yield ChangeRequest("get", group)
            except NotFound:
                return group_id
            return None
        case Action.ADD_USER | Action.REMOVE_USER:
            assert change.user is not None
            response = yield ChangeRequest("list_users", group)
            is_member = any(user.id == change.user.id for user in response.parsed.users or ())
            return group_id if is_member is (change.action is Action.ADD_USER) else None
        case Action.ASSIGN_ROLE:
            assert change.role is not None
            kind = "content" if change.role.is_content else "global"
            named = {"principal_type": "group", "principal_id": group_id, "permission_type": kind}
            response = yield ChangeRequest("list_roles", named, "principals")
            found = [grant_of(each).assignment for each in response.parsed.data]
            return group_id if change.role.assignment in found else None


def _verify_new_group(name: str) -> _Look:
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


def reply_of(source: RawResponse[Any] | Snapshot | Exception) -> Reply:
    """Return what a response, the account as it was read, or an error means for other changes."""
    if isinstance(source, Snapshot):
        reset_at = renewed_at(source.quota_reset_at)
        return Reply(kind=ReplyKind.IN_PLACE, remaining=source.requests_left, reset_at=reset_at)
    if isinstance(source, RawResponse):
        reply = Reply(kind=ReplyKind.IN_PLACE, was_retried=source.retries > 0)
    elif isinstance(source, CloudinaryError):
        is_throttled = isinstance(source, RateLimited)
        reply = Reply(
            kind=ReplyKind.THROTTLED if is_throttled else ReplyKind.FAILED,
            status_code=source.status_code,
            was_sent=not isinstance(source, RateLimited) or source.was_sent,
            retry_after=source.retry_after,
        )
    else:
        return Reply(kind=ReplyKind.FAILED)
    quota = source.rate_limit
    return evolve(reply, remaining=quota.remaining, reset_at=renewed_at(quota.reset))
