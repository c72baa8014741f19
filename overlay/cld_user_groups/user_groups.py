"""The resource `user_groups`: its operations, each written once, and its four classes.

The first argument of an operation is the account; the classes at the end fill it in, and turn the
rest into methods of the sync and the async client, each also `with_raw_response`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

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

from ._engine.call import Call, CallOptions, check_options
from ._engine.methods import (
    AsyncResource,
    SyncResource,
    async_method,
    async_raw_method,
    sync_method,
    sync_raw_method,
)
from ._engine.retry import Effect


def _list(
    account_id: str,
    /,
    *,
    extended_details: bool | None = None,
    **options: Unpack[CallOptions],
) -> Call[UserGroupsResponse]:
    """List all user groups of the account.

        for group in client.user_groups.list(extended_details=True).user_groups:
            print(group.name, len(group.users or ()))

    Args:
        extended_details: Whether to return users and dates too. Default: only IDs and names.
        **options: Per-request options: see `CallOptions`.

    Returns:
        The groups, in `user_groups`.

    Raises:
        TypeError, ValueError: An argument is not valid; nothing was sent.
        CloudinaryError: The server responded with an error.
        httpx.TransportError: No complete response was received.
    """
    return Call(
        get_user_groups.OPERATION_ID,
        Effect.READ,
        get_user_groups.build_request(account_id, extended_details=extended_details),
        get_user_groups.decode_success,
        check_options(**options),
    )


def _create(
    account_id: str,
    /,
    *,
    request: UserGroupRequest | UserGroupRequestTypedDict | None = None,
    name: str | None = None,
    extended_details: bool | None = None,
    **options: Unpack[CallOptions],
) -> Call[UserGroup]:
    """Create a user group.

    Retried only if the group was certainly not created, since a second request may create a second
    group. Otherwise the error has `maybe_applied`: list the groups before you repeat the call.

        retouchers = client.user_groups.create(name="Retouchers")

    Args:
        request: The group, as a model or a dict; or, instead of it, its fields:
        name: The group's name.
        extended_details: Whether to return users and dates too. Default: only ID and name.
        **options: Per-request options: see `CallOptions`.

    Returns:
        The new group.

    Raises:
        TypeError, ValueError: An argument is not valid; nothing was sent.
        AlreadyExists: A group of that name exists.
        CloudinaryError: The server responded with another error.
        httpx.TransportError: No complete response was received.
    """
    body = _group_request("request", request, name, extended_details)
    return Call(
        create_user_group.OPERATION_ID,
        Effect.CREATE,
        create_user_group.build_request(account_id, body=body),
        create_user_group.decode_success,
        check_options(**options),
    )


def _get(
    account_id: str,
    /,
    *,
    group_id: str,
    extended_details: bool | None = None,
    **options: Unpack[CallOptions],
) -> Call[UserGroup]:
    """Read a user group.

        group = client.user_groups.get(group_id=GROUP_ID, extended_details=True)

    Args:
        group_id: The group's ID.
        extended_details: Whether to return users and dates too. Default: only ID and name.
        **options: Per-request options: see `CallOptions`.

    Returns:
        The group.

    Raises:
        TypeError, ValueError: An argument is not valid; nothing was sent.
        NotFound: There is no such group.
        CloudinaryError: The server responded with another error.
        httpx.TransportError: No complete response was received.
    """
    return Call(
        get_user_group.OPERATION_ID,
        Effect.READ,
        get_user_group.build_request(account_id, group_id, extended_details=extended_details),
        get_user_group.decode_success,
        check_options(**options),
        {"group_id": group_id},
    )


def _update(
    account_id: str,
    /,
    *,
    group_id: str,
    user_group_request: UserGroupRequest | UserGroupRequestTypedDict | None = None,
    name: str | None = None,
    extended_details: bool | None = None,
    **options: Unpack[CallOptions],
) -> Call[UserGroup]:
    """Rename a user group. Its users stay.

        client.user_groups.update(group_id=GROUP_ID, name="Designers and Creatives")

    Args:
        group_id: The group's ID.
        user_group_request: What to change, as a model or a dict; or, instead of it, its fields:
        name: The new name.
        extended_details: Whether to return users and dates too. Default: only ID and name.
        **options: Per-request options: see `CallOptions`.

    Returns:
        The group as it is now.

    Raises:
        TypeError, ValueError: An argument is not valid; nothing was sent.
        NotFound: There is no such group.
        AlreadyExists: Another group has that name.
        CloudinaryError: The server responded with another error.
        httpx.TransportError: No complete response was received.
    """
    body = _group_request("user_group_request", user_group_request, name, extended_details)
    return Call(
        update_user_group.OPERATION_ID,
        Effect.REPLACE,
        update_user_group.build_request(account_id, group_id, body=body),
        update_user_group.decode_success,
        check_options(**options),
        {"group_id": group_id},
    )


def _delete(
    account_id: str,
    /,
    *,
    group_id: str,
    **options: Unpack[CallOptions],
) -> Call[SuccessResponse]:
    """Delete a user group, and the access that it granted. Its users stay.

        client.user_groups.delete(group_id=GROUP_ID)

    Args:
        group_id: The group's ID.
        **options: Per-request options: see `CallOptions`.

    Returns:
        A response whose `message` is "ok".

    Raises:
        TypeError, ValueError: An argument is not valid; nothing was sent.
        NotFound: There is no such group.
        CloudinaryError: The server responded with another error.
        httpx.TransportError: No complete response was received.
    """
    return Call(
        delete_user_group.OPERATION_ID,
        Effect.REMOVE,
        delete_user_group.build_request(account_id, group_id),
        _group_deleted,
        check_options(**options),
        {"group_id": group_id},
        applied=_deleted,
    )


def _list_users(
    account_id: str,
    /,
    *,
    group_id: str,
    **options: Unpack[CallOptions],
) -> Call[UserGroupUsersResponse]:
    """List all users in a user group.

        for user in client.user_groups.list_users(group_id=GROUP_ID).users:
            print(user.name, user.email)

    Args:
        group_id: The group's ID.
        **options: Per-request options: see `CallOptions`.

    Returns:
        The users, in `users`.

    Raises:
        TypeError, ValueError: An argument is not valid; nothing was sent.
        NotFound: There is no such group.
        CloudinaryError: The server responded with another error.
        httpx.TransportError: No complete response was received.
    """
    return Call(
        get_users_in_user_group.OPERATION_ID,
        Effect.READ,
        get_users_in_user_group.build_request(account_id, group_id),
        get_users_in_user_group.decode_success,
        check_options(**options),
        {"group_id": group_id},
    )


def _add_user(
    account_id: str,
    /,
    *,
    group_id: str,
    user_id: str,
    **options: Unpack[CallOptions],
) -> Call[UserGroupUser]:
    """Add a user to a user group.

        try:
            client.user_groups.add_user(group_id=GROUP_ID, user_id=USER_ID)
        except models.AlreadyExists:
            print("the user was in the group already")

    Args:
        group_id: The group's ID.
        user_id: The user's ID.
        **options: Per-request options: see `CallOptions`.

    Returns:
        The user that was added.

    Raises:
        TypeError, ValueError: An argument is not valid; nothing was sent.
        NotFound: There is no such group or user.
        AlreadyExists: The user is in the group already.
        CloudinaryError: The server responded with another error.
        httpx.TransportError: No complete response was received.
    """
    checked = check_options(**options)
    return Call(
        add_user_to_user_group.OPERATION_ID,
        Effect.ADD,
        add_user_to_user_group.build_request(account_id, group_id, user_id),
        lambda content: _user_added(add_user_to_user_group.decode_success(content), user_id),
        checked,
        {"group_id": group_id, "user_id": user_id},
        look=lambda: Call(
            get_users_in_user_group.OPERATION_ID,
            Effect.READ,
            get_users_in_user_group.build_request(account_id, group_id),
            lambda content: _find(get_users_in_user_group.decode_success(content).users, user_id),
            checked,
            {"group_id": group_id},
        ),
        denies="the user is not in the group",
    )


def _remove_user(
    account_id: str,
    /,
    *,
    group_id: str,
    user_id: str,
    **options: Unpack[CallOptions],
) -> Call[UserGroupUsersResponse]:
    """Remove a user from a user group.

        left = client.user_groups.remove_user(group_id=GROUP_ID, user_id=USER_ID).users

    Args:
        group_id: The group's ID.
        user_id: The user's ID.
        **options: Per-request options: see `CallOptions`.

    Returns:
        The users that are left in the group, in `users`.

    Raises:
        TypeError, ValueError: An argument is not valid; nothing was sent.
        NotFound: There is no such group, or the user is not in it.
        CloudinaryError: The server responded with another error.
        httpx.TransportError: No complete response was received.
    """
    checked = check_options(**options)

    def remaining(content: bytes) -> UserGroupUsersResponse | None:
        response = get_users_in_user_group.decode_success(content)
        return None if _find(response.users, user_id) else response

    return Call(
        remove_user_from_user_group.OPERATION_ID,
        Effect.REMOVE,
        remove_user_from_user_group.build_request(account_id, group_id, user_id),
        remove_user_from_user_group.decode_success,
        checked,
        {"group_id": group_id, "user_id": user_id},
        look=lambda: Call(
            get_users_in_user_group.OPERATION_ID,
            Effect.READ,
            get_users_in_user_group.build_request(account_id, group_id),
            remaining,
            checked,
            {"group_id": group_id},
        ),
        denies="the user is still in the group",
    )


def _group_request(
    argument: str,
    request: UserGroupRequest | UserGroupRequestTypedDict | None,
    name: str | None,
    extended_details: bool | None,
) -> UserGroupRequest:
    """Return a request's body from either form of its arguments.

    Raises:
        TypeError: Both forms or neither are passed, or a field is unknown, missing, or of the
            wrong type.
    """
    if request is None:
        if name is None:
            raise TypeError(f"name is missing: pass {argument}=, or name=")
        return UserGroupRequest(name=name, extended_details=extended_details)
    if name is not None or extended_details is not None:
        raise TypeError(f"{argument} has all fields: pass it alone, or name= without it")
    if isinstance(request, UserGroupRequest):
        return request
    if not isinstance(request, Mapping):
        raise TypeError(
            f"{argument} must be a UserGroupRequest or a dict, not {type(request).__name__}"
        )
    unknown = [key for key in request if key not in UserGroupRequestTypedDict.__annotations__]
    if unknown:
        raise TypeError(f"{argument} has no field {unknown[0]!r}")
    try:
        return UserGroupRequest.from_dict(request)
    except msgspec.ValidationError as error:
        raise TypeError(f"{argument}: {error}") from None


def _user_added(body: UserGroupUser | UserGroupUsersResponse, user_id: str) -> UserGroupUser:
    """Return the user that was added, from either shape of the response.

    Raises:
        msgspec.ValidationError: The user is not in it.
    """
    if isinstance(body, UserGroupUser):
        return body
    user = _find(body.users, user_id)
    if user is None:
        raise msgspec.ValidationError(f"The user {user_id!r} is not in the group - at `$.users`")
    return user


def _find(users: list[UserGroupUser], user_id: str) -> UserGroupUser | None:
    return next((user for user in users if user.id == user_id), None)


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


class RawUserGroups(SyncResource):
    """The user groups, each result as a RawResponse."""

    __slots__ = ()

    list = sync_raw_method(_list)
    create = sync_raw_method(_create)
    get = sync_raw_method(_get)
    update = sync_raw_method(_update)
    delete = sync_raw_method(_delete)
    list_users = sync_raw_method(_list_users)
    add_user = sync_raw_method(_add_user)
    remove_user = sync_raw_method(_remove_user)


class UserGroups(SyncResource):
    """The user groups of an account, and the users in them."""

    __slots__ = ()

    list = sync_method(_list)
    create = sync_method(_create)
    get = sync_method(_get)
    update = sync_method(_update)
    delete = sync_method(_delete)
    list_users = sync_method(_list_users)
    add_user = sync_method(_add_user)
    remove_user = sync_method(_remove_user)

    @property
    def with_raw_response(self) -> RawUserGroups:
        """The same methods; each returns its result with status, headers and retries."""
        return RawUserGroups(self.account_id, self._send)


class AsyncRawUserGroups(AsyncResource):
    """The user groups, each result as a RawResponse."""

    __slots__ = ()

    list = async_raw_method(_list)
    create = async_raw_method(_create)
    get = async_raw_method(_get)
    update = async_raw_method(_update)
    delete = async_raw_method(_delete)
    list_users = async_raw_method(_list_users)
    add_user = async_raw_method(_add_user)
    remove_user = async_raw_method(_remove_user)


class AsyncUserGroups(AsyncResource):
    """The user groups of an account, and the users in them."""

    __slots__ = ()

    list = async_method(_list)
    create = async_method(_create)
    get = async_method(_get)
    update = async_method(_update)
    delete = async_method(_delete)
    list_users = async_method(_list_users)
    add_user = async_method(_add_user)
    remove_user = async_method(_remove_user)

    @property
    def with_raw_response(self) -> AsyncRawUserGroups:
        """The same methods; each returns its result with status, headers and retries."""
        return AsyncRawUserGroups(self.account_id, self._send)
