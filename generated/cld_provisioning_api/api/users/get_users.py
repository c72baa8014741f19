# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

import datetime
from typing import Any, NotRequired, TypedDict

import httpx
from attrs import define

from ... import errors
from ...calling import Operation
from ...client import AuthenticatedClient, Client
from ...models.error_response import ErrorResponse
from ...models.get_users_sort_by import GetUsersSortBy
from ...models.get_users_sort_order import GetUsersSortOrder
from ...models.get_users_union_type import GetUsersUnionType
from ...models.users_response import UsersResponse
from ...types import HttpRequest, Response, decode, parameter, path_segment, query

OPERATION_ID = "getUsers"
METHOD = "GET"
PATH = "/v1_1/provisioning/accounts/{account_id}/users"


@define(kw_only=True, weakref_slot=False)
class GetUsersRequest:
    """The query of get_users: List the users."""

    pending: bool | None = None
    """Whether to return pending users only (true). Disputed: false is published to mean all
    users, but was seen to mean users that are not pending."""
    ids: list[str] | None = None
    """The IDs of the users to return, at most 100, each as a parameter of its own (ids=a&ids=b).
    Disputed: with it, the other filters are published to be ignored, but were seen to apply
    as well."""
    emails: list[str] | None = None
    """The e-mail addresses of the users to return, at most 100, each as a parameter of its own
    (emails=a&emails=b). With it, the other filters are published to be ignored."""
    prefix: str | None = None
    """The beginning of the names of the users to return, in any case. Disputed: older clients
    document that it is compared with e-mail addresses too."""
    sub_account_id: str | None = None
    """The ID of the product environment whose users to return."""
    last_login: bool | None = None
    """Whether to return users by the date of their last login, between from and to."""
    from_: datetime.date | str | None = None
    """The day after which the last logins lie, as yyyy-mm-dd. Older clients send dd-mm-yyyy."""
    to: datetime.date | str | None = None
    """The day before which the last logins lie, as yyyy-mm-dd. Older clients send dd-mm-yyyy."""
    union_type: GetUsersUnionType | None = None
    """Whether to return the users who logged in between from and to (include, the default), or
    those who did not (exclude)."""
    sort_order: GetUsersSortOrder | None = None
    """The direction of the order: desc by default."""
    sort_by: GetUsersSortBy | None = None
    """The field to order by."""
    page: int | None = None
    """The page to return. No default and no number of pages are published."""
    page_size: int | None = None
    """How many users a page holds. No default and no maximum are published."""


class GetUsersRequestTypedDict(TypedDict):
    """GetUsersRequest as a dict."""

    pending: NotRequired[bool | None]
    ids: NotRequired[list[str] | None]
    emails: NotRequired[list[str] | None]
    prefix: NotRequired[str | None]
    sub_account_id: NotRequired[str | None]
    last_login: NotRequired[bool | None]
    from_: NotRequired[datetime.date | str | None]
    to: NotRequired[datetime.date | str | None]
    union_type: NotRequired[GetUsersUnionType | None]
    sort_order: NotRequired[GetUsersSortOrder | None]
    sort_by: NotRequired[GetUsersSortBy | None]
    page: NotRequired[int | None]
    page_size: NotRequired[int | None]


def build_request(
    account_id: str,
    *,
    pending: bool | None = None,
    ids: list[str] | None = None,
    emails: list[str] | None = None,
    prefix: str | None = None,
    sub_account_id: str | None = None,
    last_login: bool | None = None,
    from_: datetime.date | None = None,
    to: datetime.date | None = None,
    union_type: GetUsersUnionType | None = None,
    sort_order: GetUsersSortOrder | None = None,
    sort_by: GetUsersSortBy | None = None,
    page: int | None = None,
    page_size: int | None = None,
) -> HttpRequest:
    """List the users

    Returns the users of the account that match the filters. Neither a default page size nor a
    total is published, and filters may be ignored: a client should check the users that are
    returned, and not rely on a response to hold every user.

    Args:
        account_id: The ID of the account.
        pending: Whether to return pending users only (true). Disputed: false is published
            to mean all users, but was seen to mean users that are not pending.
        ids: The IDs of the users to return, at most 100, each as a parameter of its own
            (ids=a&ids=b). Disputed: with it, the other filters are published to be ignored, but
            were seen to apply as well.
        emails: The e-mail addresses of the users to return, at most 100, each as a
            parameter of its own (emails=a&emails=b). With it, the other filters are published
            to be ignored.
        prefix: The beginning of the names of the users to return, in any case. Disputed:
            older clients document that it is compared with e-mail addresses too.
        sub_account_id: The ID of the product environment whose users to return.
        last_login: Whether to return users by the date of their last login, between from
            and to.
        from_: The day after which the last logins lie, as yyyy-mm-dd. Older clients send
            dd-mm-yyyy.
        to: The day before which the last logins lie, as yyyy-mm-dd. Older clients send dd-
            mm-yyyy.
        union_type: Whether to return the users who logged in between from and to (include,
            the default), or those who did not (exclude).
        sort_order: The direction of the order: desc by default.
        sort_by: The field to order by.
        page: The page to return. No default and no number of pages are published.
        page_size: How many users a page holds. No default and no maximum are published.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.

    Returns:
        HttpRequest
    """

    parameters: list[tuple[str, Any]] = []
    if pending is not None:
        parameters.append(("pending", parameter("pending", pending, bool)))
    if ids is not None:
        parameters.append(("ids", parameter("ids", ids, list[str])))
    if emails is not None:
        parameters.append(("emails", parameter("emails", emails, list[str])))
    if prefix is not None:
        parameters.append(("prefix", parameter("prefix", prefix, str)))
    if sub_account_id is not None:
        parameters.append(("sub_account_id", parameter("sub_account_id", sub_account_id, str)))
    if last_login is not None:
        parameters.append(("last_login", parameter("last_login", last_login, bool)))
    if from_ is not None:
        parameters.append(("from", parameter("from_", from_, datetime.date)))
    if to is not None:
        parameters.append(("to", parameter("to", to, datetime.date)))
    if union_type is not None:
        parameters.append(("union_type", parameter("union_type", union_type, GetUsersUnionType)))
    if sort_order is not None:
        parameters.append(("sort_order", parameter("sort_order", sort_order, GetUsersSortOrder)))
    if sort_by is not None:
        parameters.append(("sort_by", parameter("sort_by", sort_by, GetUsersSortBy)))
    if page is not None:
        parameters.append(("page", parameter("page", page, int)))
    if page_size is not None:
        parameters.append(("page_size", parameter("page_size", page_size, int)))
    return HttpRequest(
        method=METHOD,
        target=PATH.format(
            account_id=path_segment("account_id", account_id),
        )
        + query(parameters),
        headers={},
    )


def decode_success(content: bytes) -> UsersResponse:
    """Decode the body of a 200 response.

    Raises:
        msgspec.DecodeError: The body does not match the OpenAPI document.
    """
    return decode(content, UsersResponse)


OPERATION: Operation[UsersResponse, UsersResponse] = Operation(OPERATION_ID, "read", decode_success)


def decode_response(status_code: int, content: bytes) -> ErrorResponse | UsersResponse:
    """Decode the body of a response as the type that is documented for its status code.

    Raises:
        msgspec.DecodeError: The body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented.
    """
    if status_code == 200:
        return decode_success(content)
    if status_code == 401:
        return decode(content, ErrorResponse)
    if status_code == 404:
        return decode(content, ErrorResponse)
    if status_code == 420:
        return decode(content, ErrorResponse)
    if status_code == 429:
        return decode(content, ErrorResponse)
    raise errors.UnexpectedStatus(status_code, content)


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorResponse | UsersResponse]:
    try:
        parsed = decode_response(response.status_code, response.content)
    except errors.UnexpectedStatus:
        if client.raise_on_unexpected_status:
            raise
        parsed = None
    return Response(response.status_code, response.content, response.headers, parsed)


def sync_detailed(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
    pending: bool | None = None,
    ids: list[str] | None = None,
    emails: list[str] | None = None,
    prefix: str | None = None,
    sub_account_id: str | None = None,
    last_login: bool | None = None,
    from_: datetime.date | None = None,
    to: datetime.date | None = None,
    union_type: GetUsersUnionType | None = None,
    sort_order: GetUsersSortOrder | None = None,
    sort_by: GetUsersSortBy | None = None,
    page: int | None = None,
    page_size: int | None = None,
) -> Response[ErrorResponse | UsersResponse]:
    """List the users

    Returns the users of the account that match the filters. Neither a default page size nor a
    total is published, and filters may be ignored: a client should check the users that are
    returned, and not rely on a response to hold every user.

    Args:
        account_id: The ID of the account.
        pending: Whether to return pending users only (true). Disputed: false is published
            to mean all users, but was seen to mean users that are not pending.
        ids: The IDs of the users to return, at most 100, each as a parameter of its own
            (ids=a&ids=b). Disputed: with it, the other filters are published to be ignored, but
            were seen to apply as well.
        emails: The e-mail addresses of the users to return, at most 100, each as a
            parameter of its own (emails=a&emails=b). With it, the other filters are published
            to be ignored.
        prefix: The beginning of the names of the users to return, in any case. Disputed:
            older clients document that it is compared with e-mail addresses too.
        sub_account_id: The ID of the product environment whose users to return.
        last_login: Whether to return users by the date of their last login, between from
            and to.
        from_: The day after which the last logins lie, as yyyy-mm-dd. Older clients send
            dd-mm-yyyy.
        to: The day before which the last logins lie, as yyyy-mm-dd. Older clients send dd-
            mm-yyyy.
        union_type: Whether to return the users who logged in between from and to (include,
            the default), or those who did not (exclude).
        sort_order: The direction of the order: desc by default.
        sort_by: The field to order by.
        page: The page to return. No default and no number of pages are published.
        page_size: How many users a page holds. No default and no maximum are published.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Response[ErrorResponse | UsersResponse]
    """

    request = build_request(
        account_id=account_id,
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
    response = client.get_httpx_client().request(
        request.method, request.target, headers=request.headers, content=request.content
    )
    return _build_response(client=client, response=response)


def sync(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
    pending: bool | None = None,
    ids: list[str] | None = None,
    emails: list[str] | None = None,
    prefix: str | None = None,
    sub_account_id: str | None = None,
    last_login: bool | None = None,
    from_: datetime.date | None = None,
    to: datetime.date | None = None,
    union_type: GetUsersUnionType | None = None,
    sort_order: GetUsersSortOrder | None = None,
    sort_by: GetUsersSortBy | None = None,
    page: int | None = None,
    page_size: int | None = None,
) -> ErrorResponse | UsersResponse | None:
    """List the users

    Returns the users of the account that match the filters. Neither a default page size nor a
    total is published, and filters may be ignored: a client should check the users that are
    returned, and not rely on a response to hold every user.

    Args:
        account_id: The ID of the account.
        pending: Whether to return pending users only (true). Disputed: false is published
            to mean all users, but was seen to mean users that are not pending.
        ids: The IDs of the users to return, at most 100, each as a parameter of its own
            (ids=a&ids=b). Disputed: with it, the other filters are published to be ignored, but
            were seen to apply as well.
        emails: The e-mail addresses of the users to return, at most 100, each as a
            parameter of its own (emails=a&emails=b). With it, the other filters are published
            to be ignored.
        prefix: The beginning of the names of the users to return, in any case. Disputed:
            older clients document that it is compared with e-mail addresses too.
        sub_account_id: The ID of the product environment whose users to return.
        last_login: Whether to return users by the date of their last login, between from
            and to.
        from_: The day after which the last logins lie, as yyyy-mm-dd. Older clients send
            dd-mm-yyyy.
        to: The day before which the last logins lie, as yyyy-mm-dd. Older clients send dd-
            mm-yyyy.
        union_type: Whether to return the users who logged in between from and to (include,
            the default), or those who did not (exclude).
        sort_order: The direction of the order: desc by default.
        sort_by: The field to order by.
        page: The page to return. No default and no number of pages are published.
        page_size: How many users a page holds. No default and no maximum are published.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        ErrorResponse | UsersResponse | None
    """

    return sync_detailed(
        account_id=account_id,
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
        client=client,
    ).parsed


async def asyncio_detailed(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
    pending: bool | None = None,
    ids: list[str] | None = None,
    emails: list[str] | None = None,
    prefix: str | None = None,
    sub_account_id: str | None = None,
    last_login: bool | None = None,
    from_: datetime.date | None = None,
    to: datetime.date | None = None,
    union_type: GetUsersUnionType | None = None,
    sort_order: GetUsersSortOrder | None = None,
    sort_by: GetUsersSortBy | None = None,
    page: int | None = None,
    page_size: int | None = None,
) -> Response[ErrorResponse | UsersResponse]:
    """List the users

    Returns the users of the account that match the filters. Neither a default page size nor a
    total is published, and filters may be ignored: a client should check the users that are
    returned, and not rely on a response to hold every user.

    Args:
        account_id: The ID of the account.
        pending: Whether to return pending users only (true). Disputed: false is published
            to mean all users, but was seen to mean users that are not pending.
        ids: The IDs of the users to return, at most 100, each as a parameter of its own
            (ids=a&ids=b). Disputed: with it, the other filters are published to be ignored, but
            were seen to apply as well.
        emails: The e-mail addresses of the users to return, at most 100, each as a
            parameter of its own (emails=a&emails=b). With it, the other filters are published
            to be ignored.
        prefix: The beginning of the names of the users to return, in any case. Disputed:
            older clients document that it is compared with e-mail addresses too.
        sub_account_id: The ID of the product environment whose users to return.
        last_login: Whether to return users by the date of their last login, between from
            and to.
        from_: The day after which the last logins lie, as yyyy-mm-dd. Older clients send
            dd-mm-yyyy.
        to: The day before which the last logins lie, as yyyy-mm-dd. Older clients send dd-
            mm-yyyy.
        union_type: Whether to return the users who logged in between from and to (include,
            the default), or those who did not (exclude).
        sort_order: The direction of the order: desc by default.
        sort_by: The field to order by.
        page: The page to return. No default and no number of pages are published.
        page_size: How many users a page holds. No default and no maximum are published.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Response[ErrorResponse | UsersResponse]
    """

    request = build_request(
        account_id=account_id,
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
    response = await client.get_async_httpx_client().request(
        request.method, request.target, headers=request.headers, content=request.content
    )
    return _build_response(client=client, response=response)


async def asyncio(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
    pending: bool | None = None,
    ids: list[str] | None = None,
    emails: list[str] | None = None,
    prefix: str | None = None,
    sub_account_id: str | None = None,
    last_login: bool | None = None,
    from_: datetime.date | None = None,
    to: datetime.date | None = None,
    union_type: GetUsersUnionType | None = None,
    sort_order: GetUsersSortOrder | None = None,
    sort_by: GetUsersSortBy | None = None,
    page: int | None = None,
    page_size: int | None = None,
) -> ErrorResponse | UsersResponse | None:
    """List the users

    Returns the users of the account that match the filters. Neither a default page size nor a
    total is published, and filters may be ignored: a client should check the users that are
    returned, and not rely on a response to hold every user.

    Args:
        account_id: The ID of the account.
        pending: Whether to return pending users only (true). Disputed: false is published
            to mean all users, but was seen to mean users that are not pending.
        ids: The IDs of the users to return, at most 100, each as a parameter of its own
            (ids=a&ids=b). Disputed: with it, the other filters are published to be ignored, but
            were seen to apply as well.
        emails: The e-mail addresses of the users to return, at most 100, each as a
            parameter of its own (emails=a&emails=b). With it, the other filters are published
            to be ignored.
        prefix: The beginning of the names of the users to return, in any case. Disputed:
            older clients document that it is compared with e-mail addresses too.
        sub_account_id: The ID of the product environment whose users to return.
        last_login: Whether to return users by the date of their last login, between from
            and to.
        from_: The day after which the last logins lie, as yyyy-mm-dd. Older clients send
            dd-mm-yyyy.
        to: The day before which the last logins lie, as yyyy-mm-dd. Older clients send dd-
            mm-yyyy.
        union_type: Whether to return the users who logged in between from and to (include,
            the default), or those who did not (exclude).
        sort_order: The direction of the order: desc by default.
        sort_by: The field to order by.
        page: The page to return. No default and no number of pages are published.
        page_size: How many users a page holds. No default and no maximum are published.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        ErrorResponse | UsersResponse | None
    """

    return (
        await asyncio_detailed(
            account_id=account_id,
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
            client=client,
        )
    ).parsed
