# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

import httpx

from ... import errors
from ...calling import Operation
from ...client import AuthenticatedClient, Client
from ...models.error_response import ErrorResponse
from ...models.roles_response import RolesResponse
from ...types import HttpRequest, Response, decode, path_segment

OPERATION_ID = "getRoles"
METHOD = "GET"
PATH = "/v2/accounts/{account_id}/permissions/roles"


def build_request(
    account_id: str,
) -> HttpRequest:
    """List the roles

    Returns the roles that the account has, those of the system and its own.

    Args:
        account_id: The ID of the account.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.

    Returns:
        HttpRequest
    """

    return HttpRequest(
        method=METHOD,
        target=PATH.format(
            account_id=path_segment("account_id", account_id),
        ),
        headers={},
    )


def decode_success(content: bytes) -> RolesResponse:
    """Decode the body of a 200 response.

    Raises:
        msgspec.DecodeError: The body does not match the OpenAPI document.
    """
    return decode(content, RolesResponse)


OPERATION: Operation[RolesResponse, RolesResponse] = Operation(OPERATION_ID, "read", decode_success)


def decode_response(status_code: int, content: bytes) -> ErrorResponse | RolesResponse:
    """Decode the body of a response as the type that is documented for its status code.

    Raises:
        msgspec.DecodeError: The body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented.
    """
    if status_code == 200:
        return decode_success(content)
    if status_code == 401:
        return decode(content, ErrorResponse)
    if status_code == 403:
        return decode(content, ErrorResponse)
    if status_code == 500:
        return decode(content, ErrorResponse)
    raise errors.UnexpectedStatus(status_code, content)


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorResponse | RolesResponse]:
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
) -> Response[ErrorResponse | RolesResponse]:
    """List the roles

    Returns the roles that the account has, those of the system and its own.

    Args:
        account_id: The ID of the account.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Response[ErrorResponse | RolesResponse]
    """

    request = build_request(
        account_id=account_id,
    )
    response = client.get_httpx_client().request(
        request.method, request.target, headers=request.headers, content=request.content
    )
    return _build_response(client=client, response=response)


def sync(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> ErrorResponse | RolesResponse | None:
    """List the roles

    Returns the roles that the account has, those of the system and its own.

    Args:
        account_id: The ID of the account.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        ErrorResponse | RolesResponse | None
    """

    return sync_detailed(account_id=account_id, client=client).parsed


async def asyncio_detailed(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[ErrorResponse | RolesResponse]:
    """List the roles

    Returns the roles that the account has, those of the system and its own.

    Args:
        account_id: The ID of the account.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Response[ErrorResponse | RolesResponse]
    """

    request = build_request(
        account_id=account_id,
    )
    response = await client.get_async_httpx_client().request(
        request.method, request.target, headers=request.headers, content=request.content
    )
    return _build_response(client=client, response=response)


async def asyncio(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> ErrorResponse | RolesResponse | None:
    """List the roles

    Returns the roles that the account has, those of the system and its own.

    Args:
        account_id: The ID of the account.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        ErrorResponse | RolesResponse | None
    """

    return (await asyncio_detailed(account_id=account_id, client=client)).parsed
