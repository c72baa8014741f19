# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from typing import Any

import httpx

from ... import errors
from ...calling import Operation
from ...client import AuthenticatedClient, Client
from ...models.error_response import ErrorResponse
from ...models.user_groups_response import UserGroupsResponse
from ...types import HttpRequest, Response, decode, parameter, path_segment, query

OPERATION_ID = "getUserGroups"
METHOD = "GET"
PATH = "/v1_1/provisioning/accounts/{account_id}/user_groups"


def build_request(
    account_id: str,
    *,
    extended_details: bool | None = None,
) -> HttpRequest:
    """List the user groups

    Returns every user group of the account, in one response.

    Args:
        account_id: The ID of the account.
        extended_details: Whether to return a group's users and dates (true) or only its ID
            and name (false, the default).

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.

    Returns:
        HttpRequest
    """

    parameters: list[tuple[str, Any]] = []
    if extended_details is not None:
        parameters.append(
            ("extended_details", parameter("extended_details", extended_details, bool))
        )
    return HttpRequest(
        method=METHOD,
        target=PATH.format(
            account_id=path_segment("account_id", account_id),
        )
        + query(parameters),
        headers={},
    )


def decode_success(content: bytes) -> UserGroupsResponse:
    """Decode the body of a 200 response.

    Raises:
        msgspec.DecodeError: The body does not match the OpenAPI document.
    """
    return decode(content, UserGroupsResponse)


OPERATION: Operation[UserGroupsResponse, UserGroupsResponse] = Operation(
    OPERATION_ID, "read", decode_success
)


def decode_response(status_code: int, content: bytes) -> ErrorResponse | UserGroupsResponse:
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
) -> Response[ErrorResponse | UserGroupsResponse]:
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
    extended_details: bool | None = None,
) -> Response[ErrorResponse | UserGroupsResponse]:
    """List the user groups

    Returns every user group of the account, in one response.

    Args:
        account_id: The ID of the account.
        extended_details: Whether to return a group's users and dates (true) or only its ID
            and name (false, the default).

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Response[ErrorResponse | UserGroupsResponse]
    """

    request = build_request(
        account_id=account_id,
        extended_details=extended_details,
    )
    response = client.get_httpx_client().request(
        request.method, request.target, headers=request.headers, content=request.content
    )
    return _build_response(client=client, response=response)


def sync(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
    extended_details: bool | None = None,
) -> ErrorResponse | UserGroupsResponse | None:
    """List the user groups

    Returns every user group of the account, in one response.

    Args:
        account_id: The ID of the account.
        extended_details: Whether to return a group's users and dates (true) or only its ID
            and name (false, the default).

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        ErrorResponse | UserGroupsResponse | None
    """

    return sync_detailed(
        account_id=account_id, extended_details=extended_details, client=client
    ).parsed


async def asyncio_detailed(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
    extended_details: bool | None = None,
) -> Response[ErrorResponse | UserGroupsResponse]:
    """List the user groups

    Returns every user group of the account, in one response.

    Args:
        account_id: The ID of the account.
        extended_details: Whether to return a group's users and dates (true) or only its ID
            and name (false, the default).

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Response[ErrorResponse | UserGroupsResponse]
    """

    request = build_request(
        account_id=account_id,
        extended_details=extended_details,
    )
    response = await client.get_async_httpx_client().request(
        request.method, request.target, headers=request.headers, content=request.content
    )
    return _build_response(client=client, response=response)


async def asyncio(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
    extended_details: bool | None = None,
) -> ErrorResponse | UserGroupsResponse | None:
    """List the user groups

    Returns every user group of the account, in one response.

    Args:
        account_id: The ID of the account.
        extended_details: Whether to return a group's users and dates (true) or only its ID
            and name (false, the default).

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        ErrorResponse | UserGroupsResponse | None
    """

    return (
        await asyncio_detailed(
            account_id=account_id, extended_details=extended_details, client=client
        )
    ).parsed
