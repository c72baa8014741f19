# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

"""The roles that can be assigned (Permissions API, beta)."""

from __future__ import annotations

from collections.abc import Mapping

from ...calling import (
    UNSET,
    AsyncRaw,
    AsyncResource,
    Options,
    Raw,
    RetryConfig,
    SyncResource,
    Unset,
)
from ...calling import (
    RawResponse as RawResponse,
)
from ...models.roles_response import RolesResponse
from . import get_roles

__all__ = [
    "AsyncRoles",
    "AsyncRawRoles",
    "RawRoles",
    "Roles",
]


class Roles(SyncResource):
    """The roles that can be assigned (Permissions API, beta)."""

    __slots__ = ()

    @property
    def with_raw_response(self) -> RawRoles:
        """The same methods; each returns a RawResponse: the result with its response."""
        return RawRoles(self.account_id, self._send_raw, self._send_raw)

    def list(
        self,
        *,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> RolesResponse:
        """List the roles that can be assigned, the system's and the account's own.

            for role in client.roles.list().data:
                print(role.id, role.name)

        Args:
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
            NotAllowed: The account or the key does not have the Permissions API.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            get_roles.OPERATION,
            get_roles.build_request(
                self.account_id,
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )


class RawRoles(SyncResource):
    """The roles that can be assigned (Permissions API, beta); each result as a RawResponse."""

    __slots__ = ()

    list = Raw(Roles.list)


class AsyncRoles(AsyncResource):
    """The roles that can be assigned (Permissions API, beta)."""

    __slots__ = ()

    @property
    def with_raw_response(self) -> AsyncRawRoles:
        """The same methods; each returns a RawResponse: the result with its response."""
        return AsyncRawRoles(self.account_id, self._send_raw, self._send_raw)

    async def list(
        self,
        *,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> RolesResponse:
        """List the roles that can be assigned, the system's and the account's own.

            for role in (await client.roles.list()).data:
                print(role.id, role.name)

        Args:
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
            NotAllowed: The account or the key does not have the Permissions API.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            get_roles.OPERATION,
            get_roles.build_request(
                self.account_id,
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )


class AsyncRawRoles(AsyncResource):
    """The roles that can be assigned (Permissions API, beta); each result as a RawResponse."""

    __slots__ = ()

    list = AsyncRaw(AsyncRoles.list)
