"""The user groups of an account, and the users in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

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
from cld_provisioning_api.models import (
    SuccessResponse,
    UserGroup,
    UserGroupRequest,
    UserGroupsResponse,
    UserGroupUser,
    UserGroupUsersResponse,
)
from cld_provisioning_api.models.user_group_request import UserGroupRequestTypedDict
from cld_user_groups._engine.request import ApiCall, check_id
from cld_user_groups._engine.request_forms import one_request
from cld_user_groups._engine.retry import Effect
from cld_user_groups.identity import forbidden_character

T = TypeVar("T")


def list_(account_id: str, *, extended_details: bool | None = None) -> ApiCall[UserGroupsResponse]:
    """List all user groups of the account.

        for group in client.user_groups.list(extended_details=True).user_groups:
            print(group.name, len(group.users or ()))

    Args:
        extended_details: Whether to return users and dates too. Default: only IDs and names.

    Returns:
        The groups, in `user_groups`.
    """
    return ApiCall(
        get_user_groups.OPERATION_ID,
        Effect.READ,
        get_user_groups.build_request(account_id, extended_details=extended_details),
        get_user_groups.decode_success,
    )


def create(
    account_id: str,
    *,
    request: UserGroupRequest | UserGroupRequestTypedDict | None = None,
    name: str | None = None,
    extended_details: bool | None = None,
) -> ApiCall[UserGroup]:
    """Create a user group.

    Retried only if the group was not created as far as can be known, since a second request may
    create a second group. Otherwise the error has `maybe_applied`: list the groups before you
    repeat the call.

        retouchers = client.user_groups.create(name="Retouchers")

    Args:
        request: The group, as a model or a dict; or, instead of it, its fields:
        name: The group's name.
        extended_details: Whether to return users and dates too. Default: only ID and name.

    Returns:
        The new group.

    Raises:
        AlreadyExists: A group of that name exists.
    """
    body = one_request(
        "request", request, UserGroupRequest, name=name, extended_details=extended_details
    )
    built = create_user_group.build_request(account_id, body=body)
    if not body.name.isprintable():
        _check_name(body.name)
    return ApiCall(
        create_user_group.OPERATION_ID,
        Effect.CREATE,
        built,
        create_user_group.decode_success,
        verify=lambda: ApiCall(
            get_user_groups.OPERATION_ID,
            Effect.READ,
            get_user_groups.build_request(account_id),
            lambda content: _named(get_user_groups.decode_success(content), body.name),
        ),
        contradicts="no group has that name",
        leaves_open="a group of that name exists, which somebody else may have created",
    )


def _check_name(name: str) -> None:
    """Reject a name that would not be shown as it is; the encoder has checked its type."""
    if said := forbidden_character(name):
        raise ValueError(f"name must not have {said}: {name!r}")


def get(
    account_id: str, *, group_id: str, extended_details: bool | None = None
) -> ApiCall[UserGroup]:
    """Read a user group.

        group = client.user_groups.get(group_id=GROUP_ID, extended_details=True)

    Args:
        group_id: The group's ID.
        extended_details: Whether to return users and dates too. Default: only ID and name.

    Returns:
        The group.

    Raises:
        NotFound: There is no such group.
    """
    return ApiCall(
        get_user_group.OPERATION_ID,
        Effect.READ,
        get_user_group.build_request(account_id, group_id, extended_details=extended_details),
        get_user_group.decode_success,
        {"group_id": group_id},
        about="group_id",
    )


def update(
    account_id: str,
    *,
    group_id: str,
    user_group_request: UserGroupRequest | UserGroupRequestTypedDict | None = None,
    name: str | None = None,
    extended_details: bool | None = None,
) -> ApiCall[UserGroup]:
    """Rename a user group. Its users stay.

        client.user_groups.update(group_id=GROUP_ID, name="Designers and Creatives")

    Args:
        group_id: The group's ID.
        user_group_request: What to change, as a model or a dict; or, instead of it, its fields:
        name: The new name.
        extended_details: Whether to return users and dates too. Default: only ID and name.

    Returns:
        The group as it is now.

    Raises:
        NotFound: There is no such group.
        AlreadyExists: Another group has that name.
    """
    body = one_request(
        "user_group_request",
        user_group_request,
        UserGroupRequest,
        name=name,
        extended_details=extended_details,
    )
    built = update_user_group.build_request(account_id, group_id, body=body)
    if not body.name.isprintable():
        _check_name(body.name)
    return ApiCall(
        update_user_group.OPERATION_ID,
        Effect.REPLACE,
        built,
        update_user_group.decode_success,
        {"group_id": group_id},
        about="group_id",
    )


def delete(account_id: str, *, group_id: str) -> ApiCall[SuccessResponse]:
    """Delete a user group, and the access that it granted. Its users stay.

        client.user_groups.delete(group_id=GROUP_ID)

    Args:
        group_id: The group's ID.

    Returns:
        A response whose `message` is "ok".

    Raises:
        NotFound: There is no such group.
    """
    return ApiCall(
        delete_user_group.OPERATION_ID,
        Effect.REMOVE,
        delete_user_group.build_request(account_id, group_id),
        _group_deleted,
        {"group_id": group_id},
        leaves_open="the group is gone, which somebody else may have deleted",
        applied=_deleted,
    )


def list_users(account_id: str, *, group_id: str) -> ApiCall[UserGroupUsersResponse]:
    """List all users in a user group.

        for user in client.user_groups.list_users(group_id=GROUP_ID).users:
            print(user.name, user.email)

    Args:
        group_id: The group's ID.

    Returns:
        The users, in `users`.

    Raises:
        NotFound: There is no such group.
    """
    return _read_members(account_id, group_id, get_users_in_user_group.decode_success)


def add_user(account_id: str, *, group_id: str, user_id: str) -> ApiCall[UserGroupUser]:
    """Add a user to a user group.

        try:
            client.user_groups.add_user(group_id=GROUP_ID, user_id=USER_ID)
        except models.AlreadyExists:
            print("the user was in the group already")

    Args:
        group_id: The group's ID.
        user_id: The user's ID.

    Returns:
        The user that was added.

    Raises:
        NotFound: There is no such group or user.
        AlreadyExists: The user is in the group already.
    """
    return ApiCall(
        add_user_to_user_group.OPERATION_ID,
        Effect.ADD,
        add_user_to_user_group.build_request(account_id, group_id, user_id),
        lambda content: _user_added(add_user_to_user_group.decode_success(content), user_id),
        {"group_id": group_id, "user_id": user_id},
        verify=lambda: _read_members(
            account_id,
            group_id,
            lambda content: _find(get_users_in_user_group.decode_success(content).users, user_id),
        ),
        contradicts="the user is not in the group",
    )


def remove_user(account_id: str, *, group_id: str, user_id: str) -> ApiCall[UserGroupUsersResponse]:
    """Remove a user from a user group.

        left = client.user_groups.remove_user(group_id=GROUP_ID, user_id=USER_ID).users

    Args:
        group_id: The group's ID.
        user_id: The user's ID.

    Returns:
        The users that are left in the group, in `users`.

    Raises:
        NotFound: There is no such group, or the user is not in it.
    """

    def remaining(content: bytes) -> UserGroupUsersResponse | None:
        response = get_users_in_user_group.decode_success(content)
        return None if _find(response.users, user_id) else response

    def removed(content: bytes) -> UserGroupUsersResponse:
        response = remove_user_from_user_group.decode_success(content)
        if _find(response.users, user_id):
            raise msgspec.ValidationError(
                f"The user {user_id!r} is still in the group - at `$.users`"
            )
        return response

    return ApiCall(
        remove_user_from_user_group.OPERATION_ID,
        Effect.REMOVE,
        remove_user_from_user_group.build_request(account_id, group_id, user_id),
        removed,
        {"group_id": group_id, "user_id": user_id},
        verify=lambda: _read_members(account_id, group_id, remaining),
        contradicts="the user is still in the group",
    )


def _read_members(account_id: str, group_id: str, decode: Callable[[bytes], T]) -> ApiCall[T]:
    return ApiCall(
        get_users_in_user_group.OPERATION_ID,
        Effect.READ,
        get_users_in_user_group.build_request(account_id, group_id),
        decode,
        {"group_id": group_id},
    )


def _user_added(body: UserGroupUser | UserGroupUsersResponse, user_id: str) -> UserGroupUser:
    """Return the user that was added, from either shape of the response.

    Raises:
        msgspec.ValidationError: The user is not in it.
    """
    if isinstance(body, UserGroupUser):
        check_id(body, user_id)
        return body
    user = _find(body.users, user_id)
    if user is None:
        raise msgspec.ValidationError(f"The user {user_id!r} is not in the group - at `$.users`")
    return user


def _find(users: list[UserGroupUser], user_id: str) -> UserGroupUser | None:
    return next((user for user in users if user.id == user_id), None)


def _named(response: UserGroupsResponse, name: str) -> UserGroup | None:
    """Return a group of a name, or None; a server may fold case and trim spaces."""
    folded = name.strip().casefold()
    groups = response.user_groups
    return next((group for group in groups if group.name.strip().casefold() == folded), None)


def _deleted() -> SuccessResponse:
    return SuccessResponse(message="ok")


def _group_deleted(content: bytes) -> SuccessResponse:
    """Decode the response to deleting a group, from either of its shapes.

    Raises:
        msgspec.ValidationError: The response does not confirm the deletion.
    """
    body = delete_user_group.decode_success(content)
    if isinstance(body, SuccessResponse):
        return body
    if body.ok is not True:
        raise msgspec.ValidationError("Expected `true` - at `$.ok`")
    return _deleted()
