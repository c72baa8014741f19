# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from typing import Any, NotRequired, TypedDict

import httpx
from attrs import define

from ... import errors
from ...calling import Operation
from ...client import AuthenticatedClient, Client
from ...models.error_response import ErrorResponse
from ...models.management_type import ManagementType
from ...models.permission_type import PermissionType
from ...models.principal_roles_response import PrincipalRolesResponse
from ...models.principal_type import PrincipalType
from ...models.scope_type import ScopeType
from ...types import HttpRequest, Response, decode, parameter, path_segment, query

OPERATION_ID = "getPrincipalRoles"
METHOD = "GET"
PATH = "/v2/accounts/{account_id}/permissions/principal_roles"


@define(kw_only=True, weakref_slot=False)
class GetPrincipalRolesRequest:
    """The query of get_principal_roles: List the roles of a principal."""

    principal_type: PrincipalType
    """What a principal is."""
    principal_id: str
    """The ID of the principal."""
    permission_type: PermissionType
    """Whether a role is global or for folders and collections (content)."""
    management_type: ManagementType | None = None
    """Whether a role is one of the system or one of the account's own (custom)."""
    scope_type: ScopeType | None = None
    """Whether a role applies to the account or to product environments (prodenv)."""
    scope_id: str | None = None
    """The ID of the product environment that the roles apply to."""
    folder_id: str | None = None
    """The ID of the folder that the roles apply to."""
    collection_id: str | None = None
    """The ID of the collection that the roles apply to."""


class GetPrincipalRolesRequestTypedDict(TypedDict):
    """GetPrincipalRolesRequest as a dict."""

    principal_type: PrincipalType
    principal_id: str
    permission_type: PermissionType
    management_type: NotRequired[ManagementType | None]
    scope_type: NotRequired[ScopeType | None]
    scope_id: NotRequired[str | None]
    folder_id: NotRequired[str | None]
    collection_id: NotRequired[str | None]


def build_request(
    account_id: str,
    *,
    principal_type: PrincipalType,
    principal_id: str,
    permission_type: PermissionType,
    management_type: ManagementType | None = None,
    scope_type: ScopeType | None = None,
    scope_id: str | None = None,
    folder_id: str | None = None,
    collection_id: str | None = None,
) -> HttpRequest:
    """List the roles of a principal

    Returns the roles that are assigned to a user, a group or a key.

    Args:
        account_id: The ID of the account.
        principal_type: What a principal is.
        principal_id: The ID of the principal.
        permission_type: Whether a role is global or for folders and collections (content).
        management_type: Whether a role is one of the system or one of the account's own
            (custom).
        scope_type: Whether a role applies to the account or to product environments
            (prodenv).
        scope_id: The ID of the product environment that the roles apply to.
        folder_id: The ID of the folder that the roles apply to.
        collection_id: The ID of the collection that the roles apply to.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.

    Returns:
        HttpRequest
    """

    parameters: list[tuple[str, Any]] = []
    parameters.append(
        ("principal_type", parameter("principal_type", principal_type, PrincipalType))
    )
    parameters.append(("principal_id", parameter("principal_id", principal_id, str)))
    parameters.append(
        ("permission_type", parameter("permission_type", permission_type, PermissionType))
    )
    if management_type is not None:
        parameters.append(
            ("management_type", parameter("management_type", management_type, ManagementType))
        )
    if scope_type is not None:
        parameters.append(("scope_type", parameter("scope_type", scope_type, ScopeType)))
    if scope_id is not None:
        parameters.append(("scope_id", parameter("scope_id", scope_id, str)))
    if folder_id is not None:
        parameters.append(("folder_id", parameter("folder_id", folder_id, str)))
    if collection_id is not None:
        parameters.append(("collection_id", parameter("collection_id", collection_id, str)))
    return HttpRequest(
        method=METHOD,
        target=PATH.format(
            account_id=path_segment("account_id", account_id),
        )
        + query(parameters),
        headers={},
    )


def decode_success(content: bytes) -> PrincipalRolesResponse:
    """Decode the body of a 200 response.

    Raises:
        msgspec.DecodeError: The body does not match the OpenAPI document.
    """
    return decode(content, PrincipalRolesResponse)


OPERATION: Operation[PrincipalRolesResponse, PrincipalRolesResponse] = Operation(
    OPERATION_ID, "read", decode_success
)


def decode_response(status_code: int, content: bytes) -> ErrorResponse | PrincipalRolesResponse:
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
) -> Response[ErrorResponse | PrincipalRolesResponse]:
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
    principal_type: PrincipalType,
    principal_id: str,
    permission_type: PermissionType,
    management_type: ManagementType | None = None,
    scope_type: ScopeType | None = None,
    scope_id: str | None = None,
    folder_id: str | None = None,
    collection_id: str | None = None,
) -> Response[ErrorResponse | PrincipalRolesResponse]:
    """List the roles of a principal

    Returns the roles that are assigned to a user, a group or a key.

    Args:
        account_id: The ID of the account.
        principal_type: What a principal is.
        principal_id: The ID of the principal.
        permission_type: Whether a role is global or for folders and collections (content).
        management_type: Whether a role is one of the system or one of the account's own
            (custom).
        scope_type: Whether a role applies to the account or to product environments
            (prodenv).
        scope_id: The ID of the product environment that the roles apply to.
        folder_id: The ID of the folder that the roles apply to.
        collection_id: The ID of the collection that the roles apply to.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Response[ErrorResponse | PrincipalRolesResponse]
    """

    request = build_request(
        account_id=account_id,
        principal_type=principal_type,
        principal_id=principal_id,
        permission_type=permission_type,
        management_type=management_type,
        scope_type=scope_type,
        scope_id=scope_id,
        folder_id=folder_id,
        collection_id=collection_id,
    )
    response = client.get_httpx_client().request(
        request.method, request.target, headers=request.headers, content=request.content
    )
    return _build_response(client=client, response=response)


def sync(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
    principal_type: PrincipalType,
    principal_id: str,
    permission_type: PermissionType,
    management_type: ManagementType | None = None,
    scope_type: ScopeType | None = None,
    scope_id: str | None = None,
    folder_id: str | None = None,
    collection_id: str | None = None,
) -> ErrorResponse | PrincipalRolesResponse | None:
    """List the roles of a principal

    Returns the roles that are assigned to a user, a group or a key.

    Args:
        account_id: The ID of the account.
        principal_type: What a principal is.
        principal_id: The ID of the principal.
        permission_type: Whether a role is global or for folders and collections (content).
        management_type: Whether a role is one of the system or one of the account's own
            (custom).
        scope_type: Whether a role applies to the account or to product environments
            (prodenv).
        scope_id: The ID of the product environment that the roles apply to.
        folder_id: The ID of the folder that the roles apply to.
        collection_id: The ID of the collection that the roles apply to.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        ErrorResponse | PrincipalRolesResponse | None
    """

    return sync_detailed(
        account_id=account_id,
        principal_type=principal_type,
        principal_id=principal_id,
        permission_type=permission_type,
        management_type=management_type,
        scope_type=scope_type,
        scope_id=scope_id,
        folder_id=folder_id,
        collection_id=collection_id,
        client=client,
    ).parsed


async def asyncio_detailed(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
    principal_type: PrincipalType,
    principal_id: str,
    permission_type: PermissionType,
    management_type: ManagementType | None = None,
    scope_type: ScopeType | None = None,
    scope_id: str | None = None,
    folder_id: str | None = None,
    collection_id: str | None = None,
) -> Response[ErrorResponse | PrincipalRolesResponse]:
    """List the roles of a principal

    Returns the roles that are assigned to a user, a group or a key.

    Args:
        account_id: The ID of the account.
        principal_type: What a principal is.
        principal_id: The ID of the principal.
        permission_type: Whether a role is global or for folders and collections (content).
        management_type: Whether a role is one of the system or one of the account's own
            (custom).
        scope_type: Whether a role applies to the account or to product environments
            (prodenv).
        scope_id: The ID of the product environment that the roles apply to.
        folder_id: The ID of the folder that the roles apply to.
        collection_id: The ID of the collection that the roles apply to.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        Response[ErrorResponse | PrincipalRolesResponse]
    """

    request = build_request(
        account_id=account_id,
        principal_type=principal_type,
        principal_id=principal_id,
        permission_type=permission_type,
        management_type=management_type,
        scope_type=scope_type,
        scope_id=scope_id,
        folder_id=folder_id,
        collection_id=collection_id,
    )
    response = await client.get_async_httpx_client().request(
        request.method, request.target, headers=request.headers, content=request.content
    )
    return _build_response(client=client, response=response)


async def asyncio(
    account_id: str,
    *,
    client: AuthenticatedClient | Client,
    principal_type: PrincipalType,
    principal_id: str,
    permission_type: PermissionType,
    management_type: ManagementType | None = None,
    scope_type: ScopeType | None = None,
    scope_id: str | None = None,
    folder_id: str | None = None,
    collection_id: str | None = None,
) -> ErrorResponse | PrincipalRolesResponse | None:
    """List the roles of a principal

    Returns the roles that are assigned to a user, a group or a key.

    Args:
        account_id: The ID of the account.
        principal_type: What a principal is.
        principal_id: The ID of the principal.
        permission_type: Whether a role is global or for folders and collections (content).
        management_type: Whether a role is one of the system or one of the account's own
            (custom).
        scope_type: Whether a role applies to the account or to product environments
            (prodenv).
        scope_id: The ID of the product environment that the roles apply to.
        folder_id: The ID of the folder that the roles apply to.
        collection_id: The ID of the collection that the roles apply to.

    Raises:
        TypeError: An argument is of the wrong type.
        InvalidId: An ID is not one segment of a path.
        msgspec.DecodeError: The response body does not match the OpenAPI document.
        errors.UnexpectedStatus: The status code is not documented, and
            Client.raise_on_unexpected_status is true.
        httpx.TransportError: There was no response.

    Returns:
        ErrorResponse | PrincipalRolesResponse | None
    """

    return (
        await asyncio_detailed(
            account_id=account_id,
            principal_type=principal_type,
            principal_id=principal_id,
            permission_type=permission_type,
            management_type=management_type,
            scope_type=scope_type,
            scope_id=scope_id,
            folder_id=folder_id,
            collection_id=collection_id,
            client=client,
        )
    ).parsed
