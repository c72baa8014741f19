# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from typing import cast

import httpx

from ... import errors
from ...calling import Operation
from ...client import AuthenticatedClient, Client
from ...models.acknowledgement import Acknowledgement
from ...models.error_response import ErrorResponse
from ...models.success_response import SuccessResponse
from ...types import HttpRequest, Response, decode, decode_any_of, path_segment

OPERATION_ID = "deleteUserGroup"
METHOD = "DELETE"
PATH = "/v1_1/provisioning/accounts/{account_id}/user_groups/{group_id}"


def build_request(
    account_id: str,
    group_id: str,
) -> HttpRequest:
    """Delete a user group

    Deletes a user group, and with it the access that it granted to its users. The users
    themselves stay in the account.

    Args:
        account_id: The ID of the account.
        group_id: The ID of the user group.

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
            group_id=path_segment("group_id", group_id),
        ),
        headers={},
    )


def decode_success(content: bytes) -> Acknowledgement | SuccessResponse:
    """Decode the body of a 200 response.

    Raises:
        msgspec.DecodeError: The body does not match the OpenAPI document.
    """
    return cast(
        "Acknowledgement | SuccessResponse",
        decode_any_of(
            content,
            Acknowledgement,
            SuccessResponse,
        ),
    )


OPERATION: Operation[Acknowledgement | SuccessResponse, SuccessResponse] = Operation(
    OPERATION_ID, "delete", decode_success, is_converted=True
)


def decode_response(
    status_code: int, content: bytes
) -> Acknowledgement | SuccessResponse | ErrorResponse:
    """Decode the body of a response as the type that is documented for its status code.

    Raises:
        msgspec.DecodeError: The body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented.
    """
    if status_code == 200:
        return decode_success(content)
    if status_code == 400:
        return decode(content, ErrorResponse)
    if status_code == 401:
        return decode(content, ErrorResponse)
    if status_code == 403:
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
) -> Response[Acknowledgement | SuccessResponse | ErrorResponse]:
    try:
        parsed = decode_response(response.status_code, response.content)
    except errors.UnexpectedStatus:
        if client.raise_on_unexpected_status:
            raise
        parsed = None
    return Response(response.status_code, response.content, response.headers, parsed)


def sync_detailed(
    account_id: str,
    group_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Acknowledgement | SuccessResponse | ErrorResponse]:
    """Delete a user group

    Deletes a user group, and with it the access that it granted to its users. The users
    themselves stay in the account.

    Args:
        account_id: The ID of the account.
        group_id: The ID of the user group.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Response[Acknowledgement | SuccessResponse | ErrorResponse]
    """

    request = build_request(
        account_id=account_id,
        group_id=group_id,
    )
    response = client.get_httpx_client().request(
        request.method, request.target, headers=request.headers, content=request.content
    )
    return _build_response(client=client, response=response)


def sync(
    account_id: str,
    group_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Acknowledgement | SuccessResponse | ErrorResponse | None:
    """Delete a user group

    Deletes a user group, and with it the access that it granted to its users. The users
    themselves stay in the account.

    Args:
        account_id: The ID of the account.
        group_id: The ID of the user group.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Acknowledgement | SuccessResponse | ErrorResponse | None
    """

    return sync_detailed(account_id=account_id, group_id=group_id, client=client).parsed


async def asyncio_detailed(
    account_id: str,
    group_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Acknowledgement | SuccessResponse | ErrorResponse]:
    """Delete a user group

    Deletes a user group, and with it the access that it granted to its users. The users
    themselves stay in the account.

    Args:
        account_id: The ID of the account.
        group_id: The ID of the user group.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Response[Acknowledgement | SuccessResponse | ErrorResponse]
    """

    request = build_request(
        account_id=account_id,
        group_id=group_id,
    )
    response = await client.get_async_httpx_client().request(
        request.method, request.target, headers=request.headers, content=request.content
    )
    return _build_response(client=client, response=response)


async def asyncio(
    account_id: str,
    group_id: str,
    *,
    client: AuthenticatedClient | Client,
) -> Acknowledgement | SuccessResponse | ErrorResponse | None:
    """Delete a user group

    Deletes a user group, and with it the access that it granted to its users. The users
    themselves stay in the account.

    Args:
        account_id: The ID of the account.
        group_id: The ID of the user group.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Acknowledgement | SuccessResponse | ErrorResponse | None
    """

    return (await asyncio_detailed(account_id=account_id, group_id=group_id, client=client)).parsed
