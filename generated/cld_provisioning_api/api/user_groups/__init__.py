# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

"""The user groups of an account, and the users in them."""

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
    one_request,
)
from ...calling import (
    RawResponse as RawResponse,
)
from ...models.success_response import SuccessResponse
from ...models.user_group import UserGroup
from ...models.user_group_request import UserGroupRequest, UserGroupRequestTypedDict
from ...models.user_group_user import UserGroupUser
from ...models.user_group_users_response import UserGroupUsersResponse
from ...models.user_groups_response import UserGroupsResponse
from . import (
    add_user_to_user_group,
    create_user_group,
    delete_user_group,
    get_user_group,
    get_user_groups,
    get_users_in_user_group,
    remove_user_from_user_group,
    update_user_group,
)

__all__ = [
    "AsyncUserGroups",
    "AsyncRawUserGroups",
    "RawUserGroups",
    "UserGroups",
]


class UserGroups(SyncResource):
    """The user groups of an account, and the users in them."""

    __slots__ = ()

    @property
    def with_raw_response(self) -> RawUserGroups:
        """The same methods; each returns a RawResponse: the result with its response."""
        return RawUserGroups(self.account_id, self._send_raw, self._send_raw)

    def list(
        self,
        *,
        extended_details: bool | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroupsResponse:
        """List all user groups of the account.

            for group in client.user_groups.list(extended_details=True).user_groups:
                print(group.name, len(group.users or ()))

        Args:
            extended_details: Whether to return users and dates too. Default: only IDs and names.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The groups, in `user_groups`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            get_user_groups.OPERATION,
            get_user_groups.build_request(
                self.account_id,
                extended_details=extended_details,
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )

    def create(
        self,
        *,
        request: UserGroupRequest | UserGroupRequestTypedDict | None = None,
        name: str | None = None,
        extended_details: bool | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroup:
        """Create a user group.

        Retried only if the group was not created as far as can be known, since a second request may
        create a second group. Otherwise the error has `maybe_applied`: list the groups before you
        repeat the call.

            retouchers = client.user_groups.create(name="Retouchers")

        Args:
            request: The group, as a model or a dict; or, instead of it, its fields:
            name: The group's name.
            extended_details: Whether to return users and dates too. Default: only ID and name.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The new group.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            AlreadyExists: A group of that name exists.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        body = one_request(
            "request",
            request,
            UserGroupRequest,
            name=name,
            extended_details=extended_details,
        )
        return self._send(
            create_user_group.OPERATION,
            create_user_group.build_request(
                self.account_id,
                body=body,
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )

    def get(
        self,
        *,
        group_id: str,
        extended_details: bool | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroup:
        """Read a user group.

            group = client.user_groups.get(group_id=GROUP_ID, extended_details=True)

        Args:
            group_id: The group's ID.
            extended_details: Whether to return users and dates too. Default: only ID and name.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The group.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such group.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            get_user_group.OPERATION,
            get_user_group.build_request(
                self.account_id,
                group_id,
                extended_details=extended_details,
            ),
            {
                "group_id": group_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    def update(
        self,
        *,
        group_id: str,
        user_group_request: UserGroupRequest | UserGroupRequestTypedDict | None = None,
        name: str | None = None,
        extended_details: bool | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroup:
        """Rename a user group. Its users stay.

            client.user_groups.update(group_id=GROUP_ID, name="Designers and Creatives")

        Args:
            group_id: The group's ID.
            user_group_request: What to change, as a model or a dict; or, instead of it, its fields:
            name: The new name.
            extended_details: Whether to return users and dates too. Default: only ID and name.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The group as it is now.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such group.
            AlreadyExists: Another group has that name.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        body = one_request(
            "user_group_request",
            user_group_request,
            UserGroupRequest,
            name=name,
            extended_details=extended_details,
        )
        return self._send(
            update_user_group.OPERATION,
            update_user_group.build_request(
                self.account_id,
                group_id,
                body=body,
            ),
            {
                "group_id": group_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    def delete(
        self,
        *,
        group_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> SuccessResponse:
        """Delete a user group, and the access that it granted. Its users stay.

            client.user_groups.delete(group_id=GROUP_ID)

        Args:
            group_id: The group's ID.
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
            NotFound: There is no such group.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            delete_user_group.OPERATION,
            delete_user_group.build_request(
                self.account_id,
                group_id,
            ),
            {
                "group_id": group_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    def list_users(
        self,
        *,
        group_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroupUsersResponse:
        """List all users in a user group.

            for user in client.user_groups.list_users(group_id=GROUP_ID).users:
                print(user.name, user.email)

        Args:
            group_id: The group's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The users, in `users`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such group.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            get_users_in_user_group.OPERATION,
            get_users_in_user_group.build_request(
                self.account_id,
                group_id,
            ),
            {
                "group_id": group_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    def add_user(
        self,
        *,
        group_id: str,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroupUser:
        """Add a user to a user group.

            try:
                client.user_groups.add_user(group_id=GROUP_ID, user_id=USER_ID)
            except models.AlreadyExists:
                print("the user was in the group already")

        Args:
            group_id: The group's ID.
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The user that was added.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such group or user.
            AlreadyExists: The user is in the group already.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            add_user_to_user_group.OPERATION,
            add_user_to_user_group.build_request(
                self.account_id,
                group_id,
                user_id,
            ),
            {
                "group_id": group_id,
                "user_id": user_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    def remove_user(
        self,
        *,
        group_id: str,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroupUsersResponse:
        """Remove a user from a user group.

            left = client.user_groups.remove_user(group_id=GROUP_ID, user_id=USER_ID).users

        Args:
            group_id: The group's ID.
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The users that are left in the group, in `users`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such group, or the user is not in it.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            remove_user_from_user_group.OPERATION,
            remove_user_from_user_group.build_request(
                self.account_id,
                group_id,
                user_id,
            ),
            {
                "group_id": group_id,
                "user_id": user_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )


class RawUserGroups(SyncResource):
    """The user groups of an account, and the users in them; each result as a RawResponse."""

    __slots__ = ()

    list = Raw(UserGroups.list)
    create = Raw(UserGroups.create)
    get = Raw(UserGroups.get)
    update = Raw(UserGroups.update)
    delete = Raw(UserGroups.delete)
    list_users = Raw(UserGroups.list_users)
    add_user = Raw(UserGroups.add_user)
    remove_user = Raw(UserGroups.remove_user)


class AsyncUserGroups(AsyncResource):
    """The user groups of an account, and the users in them."""

    __slots__ = ()

    @property
    def with_raw_response(self) -> AsyncRawUserGroups:
        """The same methods; each returns a RawResponse: the result with its response."""
        return AsyncRawUserGroups(self.account_id, self._send_raw, self._send_raw)

    async def list(
        self,
        *,
        extended_details: bool | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroupsResponse:
        """List all user groups of the account.

            for group in (await client.user_groups.list(extended_details=True)).user_groups:
                print(group.name, len(group.users or ()))

        Args:
            extended_details: Whether to return users and dates too. Default: only IDs and names.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The groups, in `user_groups`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            get_user_groups.OPERATION,
            get_user_groups.build_request(
                self.account_id,
                extended_details=extended_details,
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )

    async def create(
        self,
        *,
        request: UserGroupRequest | UserGroupRequestTypedDict | None = None,
        name: str | None = None,
        extended_details: bool | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroup:
        """Create a user group.

        Retried only if the group was not created as far as can be known, since a second request may
        create a second group. Otherwise the error has `maybe_applied`: list the groups before you
        repeat the call.

            retouchers = await client.user_groups.create(name="Retouchers")

        Args:
            request: The group, as a model or a dict; or, instead of it, its fields:
            name: The group's name.
            extended_details: Whether to return users and dates too. Default: only ID and name.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The new group.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            AlreadyExists: A group of that name exists.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        body = one_request(
            "request",
            request,
            UserGroupRequest,
            name=name,
            extended_details=extended_details,
        )
        return await self._send(
            create_user_group.OPERATION,
            create_user_group.build_request(
                self.account_id,
                body=body,
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )

    async def get(
        self,
        *,
        group_id: str,
        extended_details: bool | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroup:
        """Read a user group.

            group = await client.user_groups.get(group_id=GROUP_ID, extended_details=True)

        Args:
            group_id: The group's ID.
            extended_details: Whether to return users and dates too. Default: only ID and name.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The group.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such group.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            get_user_group.OPERATION,
            get_user_group.build_request(
                self.account_id,
                group_id,
                extended_details=extended_details,
            ),
            {
                "group_id": group_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    async def update(
        self,
        *,
        group_id: str,
        user_group_request: UserGroupRequest | UserGroupRequestTypedDict | None = None,
        name: str | None = None,
        extended_details: bool | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroup:
        """Rename a user group. Its users stay.

            await client.user_groups.update(group_id=GROUP_ID, name="Designers and Creatives")

        Args:
            group_id: The group's ID.
            user_group_request: What to change, as a model or a dict; or, instead of it, its fields:
            name: The new name.
            extended_details: Whether to return users and dates too. Default: only ID and name.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The group as it is now.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such group.
            AlreadyExists: Another group has that name.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        body = one_request(
            "user_group_request",
            user_group_request,
            UserGroupRequest,
            name=name,
            extended_details=extended_details,
        )
        return await self._send(
            update_user_group.OPERATION,
            update_user_group.build_request(
                self.account_id,
                group_id,
                body=body,
            ),
            {
                "group_id": group_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    async def delete(
        self,
        *,
        group_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> SuccessResponse:
        """Delete a user group, and the access that it granted. Its users stay.

            await client.user_groups.delete(group_id=GROUP_ID)

        Args:
            group_id: The group's ID.
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
            NotFound: There is no such group.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            delete_user_group.OPERATION,
            delete_user_group.build_request(
                self.account_id,
                group_id,
            ),
            {
                "group_id": group_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    async def list_users(
        self,
        *,
        group_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroupUsersResponse:
        """List all users in a user group.

            for user in (await client.user_groups.list_users(group_id=GROUP_ID)).users:
                print(user.name, user.email)

        Args:
            group_id: The group's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The users, in `users`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such group.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            get_users_in_user_group.OPERATION,
            get_users_in_user_group.build_request(
                self.account_id,
                group_id,
            ),
            {
                "group_id": group_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    async def add_user(
        self,
        *,
        group_id: str,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroupUser:
        """Add a user to a user group.

            try:
                await client.user_groups.add_user(group_id=GROUP_ID, user_id=USER_ID)
            except models.AlreadyExists:
                print("the user was in the group already")

        Args:
            group_id: The group's ID.
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The user that was added.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such group or user.
            AlreadyExists: The user is in the group already.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            add_user_to_user_group.OPERATION,
            add_user_to_user_group.build_request(
                self.account_id,
                group_id,
                user_id,
            ),
            {
                "group_id": group_id,
                "user_id": user_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    async def remove_user(
        self,
        *,
        group_id: str,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserGroupUsersResponse:
        """Remove a user from a user group.

            left = (await client.user_groups.remove_user(group_id=GROUP_ID, user_id=USER_ID)).users

        Args:
            group_id: The group's ID.
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The users that are left in the group, in `users`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such group, or the user is not in it.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            remove_user_from_user_group.OPERATION,
            remove_user_from_user_group.build_request(
                self.account_id,
                group_id,
                user_id,
            ),
            {
                "group_id": group_id,
                "user_id": user_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )


class AsyncRawUserGroups(AsyncResource):
    """The user groups of an account, and the users in them; each result as a RawResponse."""

    __slots__ = ()

    list = AsyncRaw(AsyncUserGroups.list)
    create = AsyncRaw(AsyncUserGroups.create)
    get = AsyncRaw(AsyncUserGroups.get)
    update = AsyncRaw(AsyncUserGroups.update)
    delete = AsyncRaw(AsyncUserGroups.delete)
    list_users = AsyncRaw(AsyncUserGroups.list_users)
    add_user = AsyncRaw(AsyncUserGroups.add_user)
    remove_user = AsyncRaw(AsyncUserGroups.remove_user)
