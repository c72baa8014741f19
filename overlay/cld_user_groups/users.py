"""The resource `users`, read-only: its operations, each written once, and its four classes.

The first argument of an operation is the account; the classes at the end fill it in, and turn the
rest into methods of the sync and the async client.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import partial
from typing import Any, Unpack, cast

import msgspec
from attrs import asdict

from cld_provisioning_api.api.users import get_groups_for_user, get_user, get_users
from cld_provisioning_api.api.users.get_users import GetUsersRequest, GetUsersRequestTypedDict
from cld_provisioning_api.models import (
    GetUsersSortBy,
    GetUsersSortOrder,
    GetUsersUnionType,
    GroupsOfUserResponse,
    User,
    UsersResponse,
)

from ._engine.call import Call, CallOptions, check_options
from ._engine.methods import (
    AsyncResource,
    Calls,
    SyncResource,
    async_calls_method,
    async_method,
    async_raw_method,
    sync_calls_method,
    sync_method,
    sync_raw_method,
)
from ._engine.retry import Effect
from ._find_users import MAX_ITEMS, FoundUsers, find_users


def _list(
    account_id: str,
    /,
    *,
    request: GetUsersRequest | GetUsersRequestTypedDict | None = None,
    pending: bool | None = None,
    ids: list[str] | None = None,
    emails: list[str] | None = None,
    prefix: str | None = None,
    sub_account_id: str | None = None,
    last_login: bool | None = None,
    from_: date | str | None = None,
    to: date | str | None = None,
    union_type: GetUsersUnionType | None = None,
    sort_order: GetUsersSortOrder | None = None,
    sort_by: GetUsersSortBy | None = None,
    page: int | None = None,
    page_size: int | None = None,
    **options: Unpack[CallOptions],
) -> Call[UsersResponse]:
    """List users of the account.

    No page size is published, and filters may be ignored: check the users that come back, and do
    not rely on a response to hold every user. To find people by their e-mails, use `find`.

        admins = client.users.list(prefix="jo", sort_by="name").users

    Args:
        request: The query, as a model or a dict; or, instead of it, its parameters:
        pending: Whether to return pending users only. Disputed: False is published to mean all
            users, but was seen to mean users that are not pending.
        ids: The IDs of the users, at most 100. Disputed: with it, the other filters are published
            to be ignored, but were seen to apply as well.
        emails: The e-mails of the users, at most 100.
        prefix: The beginning of the users' names, in any case. Disputed: older clients document
            that it is compared with e-mails too.
        sub_account_id: The ID of the product environment of the users.
        last_login: Whether to return users by their last login, between `from_` and `to`.
        from_: The first day of last logins: a date, or a str in the form yyyy-mm-dd.
        to: The last day of last logins.
        union_type: Whether to "include" or "exclude" users who logged in between the two.
        sort_order: "asc" or "desc".
        sort_by: "name", "role", "status", "activity" or "created_at".
        page: The page.
        page_size: How many users a page holds.
        **options: Per-request options: see `CallOptions`.

    Returns:
        The users, in `users`.

    Raises:
        TypeError, ValueError: An argument is not valid; nothing was sent.
        CloudinaryError: The server responded with an error.
        httpx.TransportError: No complete response was received.
    """
    query = _query(
        request,
        pending=pending,
        ids=ids,
        emails=emails,
        prefix=prefix,
        sub_account_id=sub_account_id,
        last_login=last_login,
        from_=from_,
        to=to,
        union_type=union_type,
        sort_order=sort_order,
        sort_by=sort_by,
        page=page,
        page_size=page_size,
    )
    return Call(
        get_users.OPERATION_ID,
        Effect.READ,
        get_users.build_request(account_id, **_parameters(query)),
        get_users.decode_success,
        check_options(**options),
    )


def _get(account_id: str, /, *, user_id: str, **options: Unpack[CallOptions]) -> Call[User]:
    """Read a user.

        john = client.users.get(user_id=USER_ID)

    Args:
        user_id: The user's ID.
        **options: Per-request options: see `CallOptions`.

    Returns:
        The user.

    Raises:
        TypeError, ValueError: An argument is not valid; nothing was sent.
        NotFound: There is no such user.
        CloudinaryError: The server responded with another error.
        httpx.TransportError: No complete response was received.
    """
    return Call(
        get_user.OPERATION_ID,
        Effect.READ,
        get_user.build_request(account_id, user_id),
        get_user.decode_success,
        check_options(**options),
        {"user_id": user_id},
    )


def _get_groups(
    account_id: str, /, *, user_id: str, **options: Unpack[CallOptions]
) -> Call[GroupsOfUserResponse]:
    """List the user groups that a user is in.

        groups = client.users.get_groups(user_id=USER_ID).groups

    Args:
        user_id: The user's ID.
        **options: Per-request options: see `CallOptions`.

    Returns:
        The groups, in `groups`.

    Raises:
        TypeError, ValueError: An argument is not valid; nothing was sent.
        NotFound: There is no such user.
        CloudinaryError: The server responded with another error.
        httpx.TransportError: No complete response was received.
    """
    return Call(
        get_groups_for_user.OPERATION_ID,
        Effect.READ,
        get_groups_for_user.build_request(account_id, user_id),
        get_groups_for_user.decode_success,
        check_options(**options),
        {"user_id": user_id},
    )


def _find(
    account_id: str, /, *, emails: Iterable[str], **options: Unpack[CallOptions]
) -> Calls[UsersResponse, FoundUsers]:
    """Find users by their e-mails, however many, and check the responses.

    Case and surrounding spaces do not matter, and an e-mail that occurs twice is requested once.
    One request is made for each 100 e-mails (fewer, where they are very long), and another for
    those of them that are missing. Where the server does not show that it applies the filter, all
    users are read page by page, at one request for each 100 users and one more.

        found = client.users.find(emails=["john@example.com", "harry@example.com"])
        for email in found.missing:
            print(f"nobody has the e-mail {email}")
        (john,) = found.by_email["john@example.com"]  # fails where two users share it

    Args:
        emails: The e-mails.
        **options: Per-request options of each request: see `CallOptions`.

    Returns:
        The users by e-mail, the e-mails that are missing, and whether this is certain.

    Raises:
        TypeError, ValueError: An argument is not valid; nothing was sent.
        CloudinaryError: The server responded with an error.
        httpx.TransportError: No complete response was received.
    """
    return find_users(emails, partial(_list, account_id, **options))


def _query(
    request: GetUsersRequest | GetUsersRequestTypedDict | None, **parameters: Any
) -> GetUsersRequest:
    """Return the query of `list` from either form of its arguments.

    Raises:
        TypeError: Both forms are passed, or there is no such parameter.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    if request is None:
        return GetUsersRequest(**given)
    if given:
        raise TypeError(f"request has all parameters: pass it alone, or {min(given)}= without it")
    if isinstance(request, GetUsersRequest):
        return request
    if not isinstance(request, Mapping):
        raise TypeError(f"request must be a GetUsersRequest or a dict, not {_type_of(request)}")
    unknown = [name for name in request if name not in parameters]
    if unknown:
        raise TypeError(f"request has no parameter {unknown[0]!r}: it can have {list(parameters)}")
    return GetUsersRequest(**request)


def _parameters(query: GetUsersRequest) -> dict[str, Any]:
    """Return the parameters of a query; the endpoint module checks the types of all others.

    Raises:
        TypeError: A value is of the wrong type.
        ValueError: A list is empty or too long, holds a blank, or a date is not one.
    """
    parameters = asdict(query, recurse=False)
    for name in ("ids", "emails"):
        if parameters[name] is not None:
            _check_items(name, parameters[name])
    for name in ("from_", "to"):
        if isinstance(parameters[name], str):
            parameters[name] = _date(name, parameters[name])
    return parameters


def _check_items(name: str, items: object) -> None:
    """Check a list to filter by. An empty one cannot be sent: it would filter nothing."""
    if not isinstance(items, list | tuple | set | frozenset):
        raise TypeError(f"{name} must be a list of str, not {_type_of(items)}")
    items = cast("Collection[object]", items)
    if not items:
        raise ValueError(f"{name} must not be empty: without a filter, every user is returned")
    if len(items) > MAX_ITEMS:
        raise ValueError(f"{name} must have at most {MAX_ITEMS} items, but has {len(items)}")
    if any(isinstance(item, str) and not item.strip() for item in items):
        raise ValueError(f"{name} must not hold an empty or blank str")


def _date(name: str, text: str) -> date:
    try:
        return msgspec.convert(text, date)
    except msgspec.ValidationError:
        raise ValueError(f"{name} must be a date as yyyy-mm-dd, but is {text!r}") from None


def _type_of(value: object) -> str:
    return type(value).__name__


class RawUsers(SyncResource):
    """The users, each result as a RawResponse."""

    __slots__ = ()

    list = sync_raw_method(_list)
    get = sync_raw_method(_get)
    get_groups = sync_raw_method(_get_groups)


class Users(SyncResource):
    """The users of an account, read-only."""

    __slots__ = ()

    list = sync_method(_list)
    get = sync_method(_get)
    get_groups = sync_method(_get_groups)
    find = sync_calls_method(_find)

    @property
    def with_raw_response(self) -> RawUsers:
        """The same methods, except `find`; each returns its result with status and headers."""
        return RawUsers(self.account_id, self._send)


class AsyncRawUsers(AsyncResource):
    """The users, each result as a RawResponse."""

    __slots__ = ()

    list = async_raw_method(_list)
    get = async_raw_method(_get)
    get_groups = async_raw_method(_get_groups)


class AsyncUsers(AsyncResource):
    """The users of an account, read-only."""

    __slots__ = ()

    list = async_method(_list)
    get = async_method(_get)
    get_groups = async_method(_get_groups)
    find = async_calls_method(_find)

    @property
    def with_raw_response(self) -> AsyncRawUsers:
        """The same methods, except `find`; each returns its result with status and headers."""
        return AsyncRawUsers(self.account_id, self._send)
