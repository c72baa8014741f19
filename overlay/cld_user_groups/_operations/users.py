"""The users of an account, read-only."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from functools import partial
from typing import Any, cast

import msgspec
from attrs import asdict

from cld_provisioning_api.api.users import (
    get_groups_for_user,
    get_sub_accounts_for_user,
    get_user,
    get_users,
)
from cld_provisioning_api.api.users.get_users import GetUsersRequest, GetUsersRequestTypedDict
from cld_provisioning_api.models import (
    GetUsersSortBy,
    GetUsersSortOrder,
    GetUsersUnionType,
    GroupsOfUserResponse,
    User,
    UsersResponse,
    UserSubAccountsResponse,
)
from cld_user_groups._engine.request import ApiCall
from cld_user_groups._engine.request_forms import one_request
from cld_user_groups._engine.resource import Calls
from cld_user_groups._engine.retry import Effect
from cld_user_groups._find_users import MAX_ITEMS, FoundUsers, find_users


def list_(
    account_id: str,
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
) -> ApiCall[UsersResponse]:
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
        emails: The e-mails of the users, at most 100. With it, the other filters are published to
            be ignored.
        prefix: The beginning of the users' names, in any case. Disputed: older clients document
            that it is compared with e-mails too.
        sub_account_id: The ID of the product environment of the users.
        last_login: Whether to return users by their last login, between `from_` and `to`.
        from_: The day after which the last logins lie: a date, or a str in the form yyyy-mm-dd.
        to: The day before which they lie.
        union_type: Whether to "include" or "exclude" users who logged in between the two. The
            server's default: "include".
        sort_order: "asc" or "desc". The server's default: "desc".
        sort_by: "name", "role", "status", "activity" or "created_at".
        page: The page.
        page_size: How many users a page holds.

    Returns:
        The users, in `users`.
    """
    query = one_request(
        "request",
        request,
        GetUsersRequest,
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
    return ApiCall(
        get_users.OPERATION_ID,
        Effect.READ,
        get_users.build_request(account_id, **_parameters(query)),
        get_users.decode_success,
    )


def get(account_id: str, *, user_id: str) -> ApiCall[User]:
    """Read a user.

        john = client.users.get(user_id=USER_ID)

    Args:
        user_id: The user's ID.

    Returns:
        The user.

    Raises:
        NotFound: There is no such user.
    """
    return ApiCall(
        get_user.OPERATION_ID,
        Effect.READ,
        get_user.build_request(account_id, user_id),
        get_user.decode_success,
        {"user_id": user_id},
        about="user_id",
    )


def get_groups(account_id: str, *, user_id: str) -> ApiCall[GroupsOfUserResponse]:
    """List the user groups that a user is in.

        groups = client.users.get_groups(user_id=USER_ID).groups

    Args:
        user_id: The user's ID.

    Returns:
        The groups, in `groups`.

    Raises:
        NotFound: There is no such user.
    """
    return ApiCall(
        get_groups_for_user.OPERATION_ID,
        Effect.READ,
        get_groups_for_user.build_request(account_id, user_id),
        get_groups_for_user.decode_success,
        {"user_id": user_id},
    )


def list_sub_accounts(account_id: str, *, user_id: str) -> ApiCall[UserSubAccountsResponse]:
    """List the product environments that a user can enter.

        environments = client.users.list_sub_accounts(user_id=USER_ID).sub_accounts

    Args:
        user_id: The user's ID.

    Returns:
        The product environments, in `sub_accounts`.

    Raises:
        NotFound: There is no such user.
    """
    return ApiCall(
        get_sub_accounts_for_user.OPERATION_ID,
        Effect.READ,
        get_sub_accounts_for_user.build_request(account_id, user_id),
        get_sub_accounts_for_user.decode_success,
        {"user_id": user_id},
    )


def find(account_id: str, *, emails: Iterable[str]) -> Calls[UsersResponse, FoundUsers]:
    """Find users by their e-mails, however many, and check the responses.

    Case and surrounding spaces do not matter, and an e-mail that occurs twice is requested once.
    One request is made for each 100 e-mails (fewer, where they are very long), in lower case, and
    another for those of them that are missing, also as the caller spelled them. Where the server
    does not show that it applies the filter, all users are read page by page, at one request for
    each 100 users and one more.

        found = client.users.find(emails=["john@example.com", "harry@example.com"])
        for email in found.missing:
            print(f"nobody has the e-mail {email}")
        (john,) = found.by_email["john@example.com"]  # fails where two users share it

    Args:
        emails: The e-mails.

    Returns:
        The users by e-mail, the e-mails that are missing, and whether this is certain.
    """
    return find_users(emails, partial(list_, account_id))


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
        raise TypeError(f"{name} must be a list of str, not {type(items).__name__}")
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
