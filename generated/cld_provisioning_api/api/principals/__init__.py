# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

"""The roles of users, groups and keys (Permissions API, beta)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...calling import (
    UNSET,
    AsyncRaw,
    AsyncResource,
    Options,
    Raw,
    RetryConfig,
    SyncResource,
    Unset,
    one_request,
    query_parameters,
)
from ...calling import (
    RawResponse as RawResponse,
)
from ...models.inspect_multiple_request import (
    InspectMultipleRequest,
    InspectMultipleRequestTypedDict,
)
from ...models.inspect_response import InspectResponse
from ...models.management_type import ManagementType
from ...models.permission_type import PermissionType
from ...models.policy_parameters import PolicyParameters
from ...models.principal import Principal, PrincipalTypedDict
from ...models.principal_roles_response import PrincipalRolesResponse
from ...models.principal_type import PrincipalType
from ...models.role_assignment import RoleAssignment, RoleAssignmentTypedDict
from ...models.scope_type import ScopeType
from ...models.success_response import SuccessResponse
from ...models.update_principal_roles_request import (
    UpdatePrincipalRolesRequest,
    UpdatePrincipalRolesRequestTypedDict,
)
from ...models.update_principal_roles_request_operation import (
    UpdatePrincipalRolesRequestOperation,
)
from . import get_principal_roles, inspect, inspect_multiple, update_principal_roles
from .get_principal_roles import (
    GetPrincipalRolesRequest,
    GetPrincipalRolesRequestTypedDict,
)
from .inspect import InspectRequest, InspectRequestTypedDict

__all__ = [
    "AsyncPrincipals",
    "AsyncRawPrincipals",
    "RawPrincipals",
    "Principals",
]


class Principals(SyncResource):
    """The roles of users, groups and keys (Permissions API, beta)."""

    __slots__ = ()

    @property
    def with_raw_response(self) -> RawPrincipals:
        """The same methods; each returns a RawResponse: the result with its response."""
        return RawPrincipals(self.account_id, self._send_raw, self._send_raw)

    def list_roles(
        self,
        *,
        request: GetPrincipalRolesRequest | GetPrincipalRolesRequestTypedDict | None = None,
        principal_type: PrincipalType | None = None,
        principal_id: str | None = None,
        permission_type: PermissionType | None = None,
        management_type: ManagementType | None = None,
        scope_type: ScopeType | None = None,
        scope_id: str | None = None,
        folder_id: str | None = None,
        collection_id: str | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> PrincipalRolesResponse:
        """List the roles of one principal.

        Only the roles that are assigned to the principal itself: not those that a user has through
        a group.

            granted = client.principals.list_roles(
                principal_type="group", principal_id=GROUP_ID, permission_type="global"
            )
            for role in granted.data:
                print(role.name, role.scope_id or "the account")

        Args:
            request: The query, as a model or a dict; or, instead of it, its parameters:
            principal_type: What the principal is.
            principal_id: The ID of the principal.
            permission_type: Whether to return global roles or those for folders and collections
                (content).
            management_type: Whether to return the roles of the system or the account's own
                (custom).
            scope_type: Whether to return roles in the account or in product environments (prodenv).
            scope_id: The ID of the product environment that the roles apply to.
            folder_id: The ID of the folder that the roles apply to.
            collection_id: The ID of the collection that the roles apply to.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The roles, in `data`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such principal, or the account has no Permissions API.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        query = one_request(
            "request",
            request,
            GetPrincipalRolesRequest,
            principal_type=principal_type,
            principal_id=principal_id,
            permission_type=permission_type,
            management_type=management_type,
            scope_type=scope_type,
            scope_id=scope_id,
            folder_id=folder_id,
            collection_id=collection_id,
        )
        return self._send(
            get_principal_roles.OPERATION,
            get_principal_roles.build_request(
                self.account_id,
                **query_parameters(query, {}),
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )

    def update_roles(
        self,
        *,
        request: UpdatePrincipalRolesRequest | UpdatePrincipalRolesRequestTypedDict | None = None,
        operation: UpdatePrincipalRolesRequestOperation | None = None,
        principal: Principal | PrincipalTypedDict | None = None,
        roles: Sequence[RoleAssignment | RoleAssignmentTypedDict] | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> SuccessResponse:
        """Assign roles to a principal, or end their assignment.

        Sent again after a lost response, as any change that is the same when it is made twice.
        Where the second request is refused because the first was applied, the roles of the
        principal are read, and decide.

            client.principals.update_roles(
                operation="add",
                principal={"type": "group", "id": GROUP_ID},
                roles=[{"id": "cld::role::prodenv::reports_viewer", "scope_id": "all"}],
            )

        Args:
            request: The change, as a model or a dict; or, instead of it, its fields:
            operation: Whether to assign the roles or to end their assignment.
            principal: A user, a group or a key.
            roles: The roles.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            A response whose `message` is "ok".

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such principal or role.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        body = one_request(
            "request",
            request,
            UpdatePrincipalRolesRequest,
            operation=operation,
            principal=principal,
            roles=roles,
        )
        return self._send(
            update_principal_roles.OPERATION,
            update_principal_roles.build_request(
                self.account_id,
                body=body,
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )

    def inspect(
        self,
        *,
        request: InspectRequest | InspectRequestTypedDict | None = None,
        scope_type: ScopeType | None = None,
        scope_id: str | None = None,
        principal_type: PrincipalType | None = None,
        principal_id: str | None = None,
        folder_id: str | None = None,
        collection_id: str | None = None,
        cursor: str | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> InspectResponse:
        """List the principals that have roles, each with its roles.

        One page, of a size that is not published; `paging.pages` reads all of them. Whether roles
        for folders and collections are returned without `folder_id` or `collection_id` is not
        published.

            page = client.principals.inspect(scope_type="account")
            for principal in page.data.principals:
                print(principal.type, principal.id, [role.name for role in principal.roles])

        Args:
            request: The query, as a model or a dict; or, instead of it, its parameters:
            scope_type: Whether to return roles in the account or in product environments (prodenv).
            scope_id: The ID of the product environment that the roles apply to.
            principal_type: What the principal is.
            principal_id: The ID of the principal.
            folder_id: The ID of the folder that the roles apply to.
            collection_id: The ID of the collection that the roles apply to.
            cursor: The `next_cursor` of the page before, for the page after it.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The principals, in `data.principals`, and the cursor of the next page, in `next_cursor`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        query = one_request(
            "request",
            request,
            InspectRequest,
            scope_type=scope_type,
            scope_id=scope_id,
            principal_type=principal_type,
            principal_id=principal_id,
            folder_id=folder_id,
            collection_id=collection_id,
            cursor=cursor,
        )
        return self._send(
            inspect.OPERATION,
            inspect.build_request(
                self.account_id,
                **query_parameters(query, {}),
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )

    def inspect_multiple(
        self,
        *,
        request: InspectMultipleRequest | InspectMultipleRequestTypedDict | None = None,
        scope_type: ScopeType | None = None,
        principals: Sequence[Principal | PrincipalTypedDict] | None = None,
        scope_id: str | None = None,
        policy_parameters: PolicyParameters | None = None,
        cursor: str | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> InspectResponse:
        """List the roles of exactly the given principals.

        One page, of a size that is not published; `paging.pages` reads all of them. Whether roles
        for folders and collections are returned without `folder_id` or `collection_id` is not
        published.

            page = client.principals.inspect_multiple(
                scope_type="prodenv", principals=[{"type": "group", "id": GROUP_ID}]
            )

        Args:
            request: The principals, as a model or a dict; or, instead of it, its fields:
            scope_type: Whether a role applies to the account or to product environments (prodenv).
            principals: The principals. No maximum is published.
            scope_id: The ID of the product environment that the roles apply to.
            policy_parameters: What a role for content is restricted to - `folder_id` or
                `collection_id`.
            cursor: The `next_cursor` of the page before, for the page after it.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The principals, in `data.principals`, and the cursor of the next page, in `next_cursor`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        body = one_request(
            "request",
            request,
            InspectMultipleRequest,
            scope_type=scope_type,
            principals=principals,
            scope_id=scope_id,
            policy_parameters=policy_parameters,
            cursor=cursor,
        )
        return self._send(
            inspect_multiple.OPERATION,
            inspect_multiple.build_request(
                self.account_id,
                body=body,
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )


class RawPrincipals(SyncResource):
    """The roles of users, groups and keys (Permissions API, beta); each result as a RawResponse."""

    __slots__ = ()

    list_roles = Raw(Principals.list_roles)
    update_roles = Raw(Principals.update_roles)
    inspect = Raw(Principals.inspect)
    inspect_multiple = Raw(Principals.inspect_multiple)


class AsyncPrincipals(AsyncResource):
    """The roles of users, groups and keys (Permissions API, beta)."""

    __slots__ = ()

    @property
    def with_raw_response(self) -> AsyncRawPrincipals:
        """The same methods; each returns a RawResponse: the result with its response."""
        return AsyncRawPrincipals(self.account_id, self._send_raw, self._send_raw)

    async def list_roles(
        self,
        *,
        request: GetPrincipalRolesRequest | GetPrincipalRolesRequestTypedDict | None = None,
        principal_type: PrincipalType | None = None,
        principal_id: str | None = None,
        permission_type: PermissionType | None = None,
        management_type: ManagementType | None = None,
        scope_type: ScopeType | None = None,
        scope_id: str | None = None,
        folder_id: str | None = None,
        collection_id: str | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> PrincipalRolesResponse:
        """List the roles of one principal.

        Only the roles that are assigned to the principal itself: not those that a user has through
        a group.

            granted = await client.principals.list_roles(
                principal_type="group", principal_id=GROUP_ID, permission_type="global"
            )
            for role in granted.data:
                print(role.name, role.scope_id or "the account")

        Args:
            request: The query, as a model or a dict; or, instead of it, its parameters:
            principal_type: What the principal is.
            principal_id: The ID of the principal.
            permission_type: Whether to return global roles or those for folders and collections
                (content).
            management_type: Whether to return the roles of the system or the account's own
                (custom).
            scope_type: Whether to return roles in the account or in product environments (prodenv).
            scope_id: The ID of the product environment that the roles apply to.
            folder_id: The ID of the folder that the roles apply to.
            collection_id: The ID of the collection that the roles apply to.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The roles, in `data`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such principal, or the account has no Permissions API.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        query = one_request(
            "request",
            request,
            GetPrincipalRolesRequest,
            principal_type=principal_type,
            principal_id=principal_id,
            permission_type=permission_type,
            management_type=management_type,
            scope_type=scope_type,
            scope_id=scope_id,
            folder_id=folder_id,
            collection_id=collection_id,
        )
        return await self._send(
            get_principal_roles.OPERATION,
            get_principal_roles.build_request(
                self.account_id,
                **query_parameters(query, {}),
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )

    async def update_roles(
        self,
        *,
        request: UpdatePrincipalRolesRequest | UpdatePrincipalRolesRequestTypedDict | None = None,
        operation: UpdatePrincipalRolesRequestOperation | None = None,
        principal: Principal | PrincipalTypedDict | None = None,
        roles: Sequence[RoleAssignment | RoleAssignmentTypedDict] | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> SuccessResponse:
        """Assign roles to a principal, or end their assignment.

        Sent again after a lost response, as any change that is the same when it is made twice.
        Where the second request is refused because the first was applied, the roles of the
        principal are read, and decide.

            await client.principals.update_roles(
                operation="add",
                principal={"type": "group", "id": GROUP_ID},
                roles=[{"id": "cld::role::prodenv::reports_viewer", "scope_id": "all"}],
            )

        Args:
            request: The change, as a model or a dict; or, instead of it, its fields:
            operation: Whether to assign the roles or to end their assignment.
            principal: A user, a group or a key.
            roles: The roles.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            A response whose `message` is "ok".

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such principal or role.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        body = one_request(
            "request",
            request,
            UpdatePrincipalRolesRequest,
            operation=operation,
            principal=principal,
            roles=roles,
        )
        return await self._send(
            update_principal_roles.OPERATION,
            update_principal_roles.build_request(
                self.account_id,
                body=body,
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )

    async def inspect(
        self,
        *,
        request: InspectRequest | InspectRequestTypedDict | None = None,
        scope_type: ScopeType | None = None,
        scope_id: str | None = None,
        principal_type: PrincipalType | None = None,
        principal_id: str | None = None,
        folder_id: str | None = None,
        collection_id: str | None = None,
        cursor: str | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> InspectResponse:
        """List the principals that have roles, each with its roles.

        One page, of a size that is not published; `paging.pages` reads all of them. Whether roles
        for folders and collections are returned without `folder_id` or `collection_id` is not
        published.

            page = await client.principals.inspect(scope_type="account")
            for principal in page.data.principals:
                print(principal.type, principal.id, [role.name for role in principal.roles])

        Args:
            request: The query, as a model or a dict; or, instead of it, its parameters:
            scope_type: Whether to return roles in the account or in product environments (prodenv).
            scope_id: The ID of the product environment that the roles apply to.
            principal_type: What the principal is.
            principal_id: The ID of the principal.
            folder_id: The ID of the folder that the roles apply to.
            collection_id: The ID of the collection that the roles apply to.
            cursor: The `next_cursor` of the page before, for the page after it.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The principals, in `data.principals`, and the cursor of the next page, in `next_cursor`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        query = one_request(
            "request",
            request,
            InspectRequest,
            scope_type=scope_type,
            scope_id=scope_id,
            principal_type=principal_type,
            principal_id=principal_id,
            folder_id=folder_id,
            collection_id=collection_id,
            cursor=cursor,
        )
        return await self._send(
            inspect.OPERATION,
            inspect.build_request(
                self.account_id,
                **query_parameters(query, {}),
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )

    async def inspect_multiple(
        self,
        *,
        request: InspectMultipleRequest | InspectMultipleRequestTypedDict | None = None,
        scope_type: ScopeType | None = None,
        principals: Sequence[Principal | PrincipalTypedDict] | None = None,
        scope_id: str | None = None,
        policy_parameters: PolicyParameters | None = None,
        cursor: str | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> InspectResponse:
        """List the roles of exactly the given principals.

        One page, of a size that is not published; `paging.pages` reads all of them. Whether roles
        for folders and collections are returned without `folder_id` or `collection_id` is not
        published.

            page = await client.principals.inspect_multiple(
                scope_type="prodenv", principals=[{"type": "group", "id": GROUP_ID}]
            )

        Args:
            request: The principals, as a model or a dict; or, instead of it, its fields:
            scope_type: Whether a role applies to the account or to product environments (prodenv).
            principals: The principals. No maximum is published.
            scope_id: The ID of the product environment that the roles apply to.
            policy_parameters: What a role for content is restricted to - `folder_id` or
                `collection_id`.
            cursor: The `next_cursor` of the page before, for the page after it.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The principals, in `data.principals`, and the cursor of the next page, in `next_cursor`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        body = one_request(
            "request",
            request,
            InspectMultipleRequest,
            scope_type=scope_type,
            principals=principals,
            scope_id=scope_id,
            policy_parameters=policy_parameters,
            cursor=cursor,
        )
        return await self._send(
            inspect_multiple.OPERATION,
            inspect_multiple.build_request(
                self.account_id,
                body=body,
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )


class AsyncRawPrincipals(AsyncResource):
    """The roles of users, groups and keys (Permissions API, beta); each result as a RawResponse."""

    __slots__ = ()

    list_roles = AsyncRaw(AsyncPrincipals.list_roles)
    update_roles = AsyncRaw(AsyncPrincipals.update_roles)
    inspect = AsyncRaw(AsyncPrincipals.inspect)
    inspect_multiple = AsyncRaw(AsyncPrincipals.inspect_multiple)
