"""What the OpenAPI document cannot say of an operation: a table by operation.

How a write is verified whose response was lost, which of two shapes a success has, and which ID it
must be about. An operation without a row is complete too, unless its result is of another
type than the body of its success (`x-result`): a test demands a row of those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Generic, TypeVar

import msgspec
from attrs import frozen

from cld_provisioning_api.api.principals import get_principal_roles, update_principal_roles
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
    PrincipalRole,
    RoleAssignment,
    SuccessResponse,
    UpdatePrincipalRolesRequest,
    UserGroup,
    UserGroupRequest,
    UserGroupUser,
    UserGroupUsersResponse,
)
from cld_provisioning_api.types import HttpRequest

from ._engine.request import ApiCall, check_id
from ._engine.retry import Effect
from .identity import forbidden_character

T = TypeVar("T")
D = TypeVar("D")
R = TypeVar("R")
Ids = Mapping[str, str]

_EFFECTS: Final = {
    "read": Effect.READ,
    "create": Effect.CREATE,
    "update": Effect.REPLACE,
    "delete": Effect.REMOVE,
    "add": Effect.ADD,
    "remove": Effect.REMOVE,
}


@frozen
class Row(Generic[D, R]):
    """What is known of an operation; see `ApiCall` for what its names mean."""

    operation: Operation[D, R]
    convert: Callable[[D, Ids], R]  # returns the result of the decoded body of a success
    about: str | None = None
    check: Callable[[HttpRequest], None] | None = None  # rejects a request
    effect: Callable[[HttpRequest], Effect] | None = None  # where it depends on the request
    verify: Callable[[str, HttpRequest, Ids], ApiCall[R | None]] | None = None
    contradicts: str = ""
    leaves_open: str = ""
    applied: Callable[[], R] | None = None


def call_of(
    operation: Operation[Any, R], account_id: str, request: HttpRequest, ids: Ids
) -> ApiCall[R]:
    """Return the call of an operation, or raise ValueError for a name that would not be shown."""
    effect = _EFFECTS[operation.effect]
    call: ApiCall[Any] = ApiCall(operation.id, effect, request, operation.decode, ids)
    row = ROWS.get(operation.id)
    if row is None:
        return call
    if row.check is not None:
        row.check(request)
    if row.effect is not None:
        call.effect = row.effect(request)
    if row.convert is not _as_it_is:
        call.decode = lambda content: row.convert(operation.decode(content), ids)
    if row.verify is not None:
        call.verify = partial(row.verify, account_id, request, ids)
    call.about, call.applied = row.about, row.applied
    call.contradicts, call.leaves_open = row.contradicts, row.leaves_open
    return call


def _as_it_is(body: T, _: Ids) -> T:
    return body


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


def _find_group(account_id: str, sent: HttpRequest, _: Ids) -> ApiCall[UserGroup | None]:
    def found(content: bytes) -> UserGroup | None:
        name = _name(sent).strip().casefold()  # a server may fold case and trim spaces
        groups = get_user_groups.decode_success(content).user_groups
        return next((group for group in groups if group.name.strip().casefold() == name), None)

    request = get_user_groups.build_request(account_id)
    return ApiCall(get_user_groups.OPERATION_ID, Effect.READ, request, found)


def _deleted(body: Acknowledgement | SuccessResponse, _: Ids) -> SuccessResponse:
    if isinstance(body, SuccessResponse):
        return body
    if body.ok is not True:
        raise msgspec.ValidationError("Expected `true` - at `$.ok`")
    return SuccessResponse(message="ok")


def _added(body: UserGroupUsersResponse | UserGroupUser, ids: Ids) -> UserGroupUser:
    if isinstance(body, UserGroupUser):
        check_id(body, ids["user_id"])
        return body
    user = _member(body, ids)
    if user is None:
        message = f"The user {ids['user_id']!r} is not in the group - at `$.users`"
        raise msgspec.ValidationError(message)
    return user


def _removed(body: UserGroupUsersResponse, ids: Ids) -> UserGroupUsersResponse:
    if _member(body, ids):
        message = f"The user {ids['user_id']!r} is still in the group - at `$.users`"
        raise msgspec.ValidationError(message)
    return body


def _member(members: UserGroupUsersResponse, ids: Ids) -> UserGroupUser | None:
    return next((user for user in members.users if user.id == ids["user_id"]), None)


def _without(members: UserGroupUsersResponse, ids: Ids) -> UserGroupUsersResponse | None:
    return None if _member(members, ids) else members


def _members(
    found: Callable[[UserGroupUsersResponse, Ids], T | None],
) -> Callable[[str, HttpRequest, Ids], ApiCall[T | None]]:
    """Return what verifies a change by the group's members."""

    def verify(account_id: str, _: HttpRequest, ids: Ids) -> ApiCall[T | None]:
        return ApiCall(
            get_users_in_user_group.OPERATION_ID,
            Effect.READ,
            get_users_in_user_group.build_request(account_id, ids["group_id"]),
            lambda content: found(get_users_in_user_group.decode_success(content), ids),
            {"group_id": ids["group_id"]},
        )

    return verify


def _effect_on_roles(request: HttpRequest) -> Effect:
    """Return what a second request does: where one read cannot verify the first, it replaces."""
    change = _change_of_roles(request)
    if len({bool(each.policy_parameters) for each in change.roles}) != 1:
        return Effect.REPLACE
    return Effect.ADD if change.operation == "add" else Effect.REMOVE


def _find_roles(account_id: str, sent: HttpRequest, _: Ids) -> ApiCall[SuccessResponse | None]:
    change = _change_of_roles(sent)

    def found(content: bytes) -> SuccessResponse | None:
        assigned = [_assignment(each) for each in get_principal_roles.decode_success(content).data]
        are_assigned = {_assignment(each) in assigned for each in change.roles}
        if len(are_assigned) > 1:
            raise msgspec.ValidationError("Expected all of the roles, or none - at `$.data`")
        is_done = are_assigned == {change.operation == "add"}
        return SuccessResponse(message="ok") if is_done else None

    request = get_principal_roles.build_request(
        account_id,
        principal_type=change.principal.type,
        principal_id=change.principal.id,
        permission_type="content" if change.roles[0].policy_parameters else "global",
    )
    return ApiCall(get_principal_roles.OPERATION_ID, Effect.READ, request, found)


def _change_of_roles(request: HttpRequest) -> UpdatePrincipalRolesRequest:
    return msgspec.json.decode(request.content or b"", type=UpdatePrincipalRolesRequest)


def _assignment(role: RoleAssignment | PrincipalRole) -> tuple[str, str, dict[str, Any]]:
    return role.id, role.scope_id or "all", role.policy_parameters or {}


def _roles_updated(body: None, _: Ids) -> SuccessResponse:
    return SuccessResponse(message="ok")


# Not annotated: the types of each row must be those of its operation.
_ROWS = (
    Row(
        create_user_group.OPERATION,
        _as_it_is,
        check=_check_name,
        verify=_find_group,
        contradicts="no group has that name",
        leaves_open="a group of that name exists, which somebody else may have created",
    ),
    Row(get_user_group.OPERATION, _as_it_is, about="group_id"),
    Row(update_user_group.OPERATION, _as_it_is, about="group_id", check=_check_name),
    Row(
        delete_user_group.OPERATION,
        _deleted,
        leaves_open="the group is gone, which somebody else may have deleted",
        applied=partial(SuccessResponse, message="ok"),
    ),
    Row(
        add_user_to_user_group.OPERATION,
        _added,
        verify=_members(_member),
        contradicts="the user is not in the group",
    ),
    Row(
        remove_user_from_user_group.OPERATION,
        _removed,
        verify=_members(_without),
        contradicts="the user is still in the group",
    ),
    Row(get_user.OPERATION, _as_it_is, about="user_id"),
    Row(
        update_principal_roles.OPERATION,
        _roles_updated,
        effect=_effect_on_roles,
        verify=_find_roles,
        contradicts="the roles of the principal are not as requested",
    ),
)
ROWS: Final[Mapping[str, Row[Any, Any]]] = {row.operation.id: row for row in _ROWS}
