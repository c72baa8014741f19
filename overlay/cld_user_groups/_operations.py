"""What the OpenAPI document cannot say of an operation: a table by operation.

How a write is verified whose response was lost, which of two shapes a success has, and which ID it
must be about. An operation without a row is complete too, unless its result is of another
type than the body of its success (`x-result`): a test demands a row of those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from cld_provisioning_api.api.user_groups import (
    add_user_to_user_group,
    create_user_group,
    delete_user_group,
    get_user_group,
    get_user_groups,
    get_users_in_user_group,
    remove_user_from_user_group,
    update_user_group,
)
from cld_provisioning_api.api.users import get_user
from cld_provisioning_api.calling import Operation
from cld_provisioning_api.models import (
    Acknowledgement,
    SuccessResponse,
    UserGroup,
    UserGroupRequest,
    UserGroupUser,
    UserGroupUsersResponse,
)
from cld_provisioning_api.types import HttpRequest

from ._engine.request import ApiCall, check_id
from ._engine.retry import Effect
from .identity import forbidden_character

_NOT_IN: Final = "The user {!r} is not in the group - at `$.users`"
_STILL_IN: Final = "The user {!r} is still in the group - at `$.users`"
T = TypeVar("T")
D = TypeVar("D")
R = TypeVar("R")
Row = Callable[[ApiCall[D], str], ApiCall[R]]

_EFFECTS: Final = {
    "read": Effect.READ,
    "create": Effect.CREATE,
    "update": Effect.REPLACE,
    "delete": Effect.REMOVE,
    "add": Effect.ADD,
    "remove": Effect.REMOVE,
}


def call_of(
    operation: Operation[Any, R], account_id: str, request: HttpRequest, ids: Mapping[str, str]
) -> ApiCall[R]:
    """Return the call of an operation, or raise ValueError for a name that would not be shown."""
    effect = _EFFECTS[operation.effect]
    call: ApiCall[Any] = ApiCall(operation.id, effect, request, operation.decode, ids)
    row = ROWS.get(operation.id)
    return call if row is None else row(call, account_id)


def _about(parameter: str) -> Row[T, T]:
    def row(call: ApiCall[T], _: str) -> ApiCall[T]:
        call.about = parameter
        return call

    return row


def _parts(call: ApiCall[Any]) -> tuple[str, Effect, HttpRequest]:
    """Return what stays of a call whose success is read in another way."""
    return call.operation_id, call.effect, call.request


def _created(call: ApiCall[UserGroup], account_id: str) -> ApiCall[UserGroup]:
    _check_name(call.request)

    def verified(content: bytes) -> UserGroup | None:
        name = _name(call.request).strip().casefold()  # a server may fold case and trim spaces
        groups = get_user_groups.decode_success(content).user_groups
        return next((group for group in groups if group.name.strip().casefold() == name), None)

    call.verify = lambda: ApiCall(
        get_user_groups.OPERATION_ID,
        Effect.READ,
        get_user_groups.build_request(account_id),
        verified,
    )
    call.contradicts = "no group has that name"
    call.leaves_open = "a group of that name exists, which somebody else may have created"
    return call


def _renamed(call: ApiCall[UserGroup], _: str) -> ApiCall[UserGroup]:
    _check_name(call.request)
    call.about = "group_id"
    return call


def _check_name(request: HttpRequest) -> None:
    """Reject a name that would not be shown as it is; JSON escapes most of what that can be."""
    content = request.content or b""
    if content.isascii() and b"\\" not in content and b"\x7f" not in content:
        return
    name = _name(request)
    if not name.isprintable() and (said := forbidden_character(name)):
        raise ValueError(f"name must not have {said}: {name!r}")


def _name(request: HttpRequest) -> str:
    return msgspec.json.decode(request.content or b"", type=UserGroupRequest).name


def _deleted(call: ApiCall[Acknowledgement | SuccessResponse], _: str) -> ApiCall[SuccessResponse]:
    def decode(content: bytes) -> SuccessResponse:
        body = call.decode(content)
        if isinstance(body, SuccessResponse):
            return body
        if body.ok is not True:
            raise msgspec.ValidationError("Expected `true` - at `$.ok`")
        return SuccessResponse(message="ok")

    return ApiCall(
        *_parts(call),
        decode,
        call.path_parameters,
        leaves_open="the group is gone, which somebody else may have deleted",
        applied=lambda: SuccessResponse(message="ok"),
    )


def _added(
    call: ApiCall[UserGroupUsersResponse | UserGroupUser], account_id: str
) -> ApiCall[UserGroupUser]:
    user_id = call.path_parameters["user_id"]

    def decode(content: bytes) -> UserGroupUser:
        body = call.decode(content)
        if isinstance(body, UserGroupUser):
            check_id(body, user_id)
            return body
        user = _find(body, user_id)
        if user is None:
            raise msgspec.ValidationError(_NOT_IN.format(user_id))
        return user

    return ApiCall(
        *_parts(call),
        decode,
        call.path_parameters,
        verify=_members(call, account_id, lambda members: _find(members, user_id)),
        contradicts="the user is not in the group",
    )


def _removed(
    call: ApiCall[UserGroupUsersResponse], account_id: str
) -> ApiCall[UserGroupUsersResponse]:
    user_id = call.path_parameters["user_id"]

    def decode(content: bytes) -> UserGroupUsersResponse:
        members = call.decode(content)
        if _find(members, user_id):
            raise msgspec.ValidationError(_STILL_IN.format(user_id))
        return members

    return ApiCall(
        *_parts(call),
        decode,
        call.path_parameters,
        verify=_members(
            call, account_id, lambda members: None if _find(members, user_id) else members
        ),
        contradicts="the user is still in the group",
    )


def _members(
    call: ApiCall[Any], account_id: str, found: Callable[[UserGroupUsersResponse], T | None]
) -> Callable[[], ApiCall[T | None]]:
    """Return a function that returns the call that reads the group's members."""
    group_id = call.path_parameters["group_id"]
    return lambda: ApiCall(
        get_users_in_user_group.OPERATION_ID,
        Effect.READ,
        get_users_in_user_group.build_request(account_id, group_id),
        lambda content: found(get_users_in_user_group.decode_success(content)),
        {"group_id": group_id},
    )


def _find(members: UserGroupUsersResponse, user_id: str) -> UserGroupUser | None:
    return next((user for user in members.users if user.id == user_id), None)


def _row(operation: Operation[D, R], row: Row[D, R]) -> tuple[str, Row[Any, Any]]:
    """Return a row; its types must be those of the operation."""
    return operation.id, row


ROWS: Final = dict(
    (
        _row(create_user_group.OPERATION, _created),
        _row(get_user_group.OPERATION, _about("group_id")),
        _row(update_user_group.OPERATION, _renamed),
        _row(delete_user_group.OPERATION, _deleted),
        _row(add_user_to_user_group.OPERATION, _added),
        _row(remove_user_from_user_group.OPERATION, _removed),
        _row(get_user.OPERATION, _about("user_id")),
    )
)
"""The rows, by the operation's ID."""
