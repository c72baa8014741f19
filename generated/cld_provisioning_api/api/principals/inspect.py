# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from typing import Any, NotRequired, TypedDict

import httpx
from attrs import define

from ... import errors
from ...calling import Operation
from ...client import AuthenticatedClient, Client
from ...models.error_response import ErrorResponse
from ...models.inspect_response import InspectResponse
from ...models.principal_type import PrincipalType
from ...models.scope_type import ScopeType
from ...types import HttpRequest, Response, decode, parameter, path_segment, query

OPERATION_ID = "inspect"
METHOD = "GET"
PATH = "/v2/accounts/{account_id}/permissions/principal_roles/inspect"


@define(kw_only=True, weakref_slot=False)
class InspectRequest:
    """The query of inspect: List principals with their roles."""

    scope_type: ScopeType
    """Whether a role applies to the account or to product environments (prodenv)."""
    scope_id: str | None = None
    """The ID of the product environment that the roles apply to."""
    principal_type: PrincipalType | None = None
    """What a principal is."""
    principal_id: str | None = None
    """The ID of the principal."""
    folder_id: str | None = None
    """The ID of the folder that the roles apply to."""
    collection_id: str | None = None
    """The ID of the collection that the roles apply to."""
    cursor: str | None = None
    """The `next_cursor` of the page before, for the page after it."""


class InspectRequestTypedDict(TypedDict):
    """InspectRequest as a dict."""

    scope_type: ScopeType
    scope_id: NotRequired[str | None]
    principal_type: NotRequired[PrincipalType | None]
    principal_id: NotRequired[str | None]
    folder_id: NotRequired[str | None]
    collection_id: NotRequired[str | None]
    cursor: NotRequired[str | None]


def build_request(
    account_id: str,
    *,
    scope_type: ScopeType,
    scope_id: str | None = None,
    principal_type: PrincipalType | None = None,
    principal_id: str | None = None,
    folder_id: str | None = None,
    collection_id: str | None = None,
    cursor: str | None = None,
) -> HttpRequest:
    """List principals with their roles

    Returns the principals that have roles in a scope, each with its roles, a page at a time.
    Where a principal_type is passed, the principal_id is required.

    Args:
        account_id: The ID of the account.
        scope_type: Whether a role applies to the account or to product environments
            (prodenv).
        scope_id: The ID of the product environment that the roles apply to.
        principal_type: What a principal is.
        principal_id: The ID of the principal.
        folder_id: The ID of the folder that the roles apply to.
        collection_id: The ID of the collection that the roles apply to.
        cursor: The `next_cursor` of the page before, for the page after it.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.

    Returns:
        HttpRequest
    """

    parameters: list[tuple[str, Any]] = []
    parameters.append(("scope_type", parameter("scope_type", scope_type, ScopeType)))
    if scope_id is not None:
        parameters.append(("scope_id", parameter("scope_id", scope_id, str)))
    if principal_type is not None:
        parameters.append(
            ("principal_type", parameter("principal_type", principal_type, PrincipalType))
        )
    if principal_id is not None:
        parameters.append(("principal_id", parameter("principal_id", principal_id, str)))
    if folder_id is not None:
        parameters.append(("folder_id", parameter("folder_id", folder_id, str)))
    if collection_id is not None:
        parameters.append(("collection_id", parameter("collection_id", collection_id, str)))
    if cursor is not None:
        parameters.append(("cursor", parameter("cursor", cursor, str)))
    return HttpRequest(
        method=METHOD,
        target=PATH.format(
            account_id=path_segment("account_id", account_id),
        )
        + query(parameters),
        headers={},
    )


def decode_success(content: bytes) -> InspectResponse:
    """Decode the body of a 200 response.

    Raises:
        msgspec.DecodeError: The body does not match the OpenAPI document.
    """
    return decode(content, InspectResponse)


OPERATION: Operation[InspectResponse, InspectResponse] = Operation(
    OPERATION_ID, "read", decode_success
)


def decode_response(status_code: int, content: bytes) -> ErrorResponse | InspectResponse:
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
    if status_code == 404:
        return decode(content, ErrorResponse)
    if status_code == 500:
        return decode(content, ErrorResponse)
    raise errors.UnexpectedStatus(status_code, content)


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorResponse | InspectResponse]:
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
    scope_type: ScopeType,
    scope_id: str | None = None,
    principal_type: PrincipalType | None = None,
    principal_id: str | None = None,
    folder_id: str | None = None,
    collection_id: str | None = None,
    cursor: str | None = None,
) -> Response[ErrorResponse | InspectResponse]:
    """List principals with their roles

    Returns the principals that have roles in a scope, each with its roles, a page at a time.
    Where a principal_type is passed, the principal_id is required.

    Args:
        account_id: The ID of the account.
        scope_type: Whether a role applies to the account or to product environments
            (prodenv).
        scope_id: The ID of the product environment that the roles apply to.
        principal_type: What a principal is.
        principal_id: The ID of the principal.
        folder_id: The ID of the folder that the roles apply to.
        collection_id: The ID of the collection that the roles apply to.
        cursor: The `next_cursor` of the page before, for the page after it.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Response[ErrorResponse | InspectResponse]
    """

    request = build_request(
        account_id=account_id,
        scope_type=scope_type,
        scope_id=scope_id,
        principal_type=principal_type,
        principal_id=principal_id,
        folder_id=folder_id,
        collection_id=collection_id,
        cursor=cursor,
    )
    response = client.get_httpx_client().request(
        request.method, request.target, headers=request.headers, content=request.content
    )
    return _build_response(client=client, response=response)


def sync(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
    scope_type: ScopeType,
    scope_id: str | None = None,
    principal_type: PrincipalType | None = None,
    principal_id: str | None = None,
    folder_id: str | None = None,
    collection_id: str | None = None,
    cursor: str | None = None,
) -> ErrorResponse | InspectResponse | None:
    """List principals with their roles

    Returns the principals that have roles in a scope, each with its roles, a page at a time.
    Where a principal_type is passed, the principal_id is required.

    Args:
        account_id: The ID of the account.
        scope_type: Whether a role applies to the account or to product environments
            (prodenv).
        scope_id: The ID of the product environment that the roles apply to.
        principal_type: What a principal is.
        principal_id: The ID of the principal.
        folder_id: The ID of the folder that the roles apply to.
        collection_id: The ID of the collection that the roles apply to.
        cursor: The `next_cursor` of the page before, for the page after it.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        ErrorResponse | InspectResponse | None
    """

    return sync_detailed(
        account_id=account_id,
        scope_type=scope_type,
        scope_id=scope_id,
        principal_type=principal_type,
        principal_id=principal_id,
        folder_id=folder_id,
        collection_id=collection_id,
        cursor=cursor,
        client=client,
    ).parsed


async def asyncio_detailed(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
    scope_type: ScopeType,
    scope_id: str | None = None,
    principal_type: PrincipalType | None = None,
    principal_id: str | None = None,
    folder_id: str | None = None,
    collection_id: str | None = None,
    cursor: str | None = None,
) -> Response[ErrorResponse | InspectResponse]:
    """List principals with their roles

    Returns the principals that have roles in a scope, each with its roles, a page at a time.
    Where a principal_type is passed, the principal_id is required.

    Args:
        account_id: The ID of the account.
        scope_type: Whether a role applies to the account or to product environments
            (prodenv).
        scope_id: The ID of the product environment that the roles apply to.
        principal_type: What a principal is.
        principal_id: The ID of the principal.
        folder_id: The ID of the folder that the roles apply to.
        collection_id: The ID of the collection that the roles apply to.
        cursor: The `next_cursor` of the page before, for the page after it.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Response[ErrorResponse | InspectResponse]
    """

    request = build_request(
        account_id=account_id,
        scope_type=scope_type,
        scope_id=scope_id,
        principal_type=principal_type,
        principal_id=principal_id,
        folder_id=folder_id,
        collection_id=collection_id,
        cursor=cursor,
    )
    response = await client.get_async_httpx_client().request(
        request.method, request.target, headers=request.headers, content=request.content
    )
    return _build_response(client=client, response=response)


async def asyncio(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
    scope_type: ScopeType,
    scope_id: str | None = None,
    principal_type: PrincipalType | None = None,
    principal_id: str | None = None,
    folder_id: str | None = None,
    collection_id: str | None = None,
    cursor: str | None = None,
) -> ErrorResponse | InspectResponse | None:
    """List principals with their roles

    Returns the principals that have roles in a scope, each with its roles, a page at a time.
    Where a principal_type is passed, the principal_id is required.

    Args:
        account_id: The ID of the account.
        scope_type: Whether a role applies to the account or to product environments
            (prodenv).
        scope_id: The ID of the product environment that the roles apply to.
        principal_type: What a principal is.
        principal_id: The ID of the principal.
        folder_id: The ID of the folder that the roles apply to.
        collection_id: The ID of the collection that the roles apply to.
        cursor: The `next_cursor` of the page before, for the page after it.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        ErrorResponse | InspectResponse | None
    """

    return (
        await asyncio_detailed(
            account_id=account_id,
            scope_type=scope_type,
            scope_id=scope_id,
            principal_type=principal_type,
            principal_id=principal_id,
            folder_id=folder_id,
            collection_id=collection_id,
            cursor=cursor,
            client=client,
        )
    ).parsed
