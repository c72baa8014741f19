# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

"""The users of the account, read-only, to look up the IDs of people."""

from __future__ import annotations

import builtins
import datetime
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
    query_parameters,
)
from ...calling import (
    RawResponse as RawResponse,
)
from ...models.get_users_sort_by import GetUsersSortBy
from ...models.get_users_sort_order import GetUsersSortOrder
from ...models.get_users_union_type import GetUsersUnionType
from ...models.groups_of_user_response import GroupsOfUserResponse
from ...models.user import User
from ...models.user_sub_accounts_response import UserSubAccountsResponse
from ...models.users_response import UsersResponse
from . import get_groups_for_user, get_sub_accounts_for_user, get_user, get_users
from .get_users import GetUsersRequest, GetUsersRequestTypedDict

__all__ = [
    "AsyncUsers",
    "AsyncRawUsers",
    "RawUsers",
    "Users",
]


class Users(SyncResource):
    """The users of the account, read-only, to look up the IDs of people."""

    __slots__ = ()

    @property
    def with_raw_response(self) -> RawUsers:
        """The same methods; each returns a RawResponse: the result with its response."""
        return RawUsers(self.account_id, self._send_raw, self._send_raw)

    def list(
        self,
        *,
        request: GetUsersRequest | GetUsersRequestTypedDict | None = None,
        pending: bool | None = None,
        ids: builtins.list[str] | None = None,
        emails: builtins.list[str] | None = None,
        prefix: str | None = None,
        sub_account_id: str | None = None,
        last_login: bool | None = None,
        from_: datetime.date | str | None = None,
        to: datetime.date | str | None = None,
        union_type: GetUsersUnionType | None = None,
        sort_order: GetUsersSortOrder | None = None,
        sort_by: GetUsersSortBy | None = None,
        page: int | None = None,
        page_size: int | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UsersResponse:
        """List users of the account.

        No page size is published, and filters may be ignored: check the users that come back, and
        do not rely on a response to hold every user. To find people by their e-mails, use `find`.

            admins = client.users.list(prefix="jo", sort_by="name").users

        Args:
            request: The query, as a model or a dict; or, instead of it, its parameters:
            pending: Whether to return pending users only. Disputed: False is published to mean all
                users, but was seen to mean users that are not pending.
            ids: The IDs of the users, at most 100. Disputed: with it, the other filters are
                published to be ignored, but were seen to apply as well.
            emails: The e-mails of the users, at most 100. With it, the other filters are published
                to be ignored.
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
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
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
        return self._send(
            get_users.OPERATION,
            get_users.build_request(
                self.account_id,
                **query_parameters(
                    query,
                    {
                        "ids": 100,
                        "emails": 100,
                    },
                ),
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )

    def get(
        self,
        *,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> User:
        """Read a user.

            john = client.users.get(user_id=USER_ID)

        Args:
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The user.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            get_user.OPERATION,
            get_user.build_request(
                self.account_id,
                user_id,
            ),
            {
                "user_id": user_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    def get_groups(
        self,
        *,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> GroupsOfUserResponse:
        """List the user groups that a user is in.

            groups = client.users.get_groups(user_id=USER_ID).groups

        Args:
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The groups, in `groups`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            get_groups_for_user.OPERATION,
            get_groups_for_user.build_request(
                self.account_id,
                user_id,
            ),
            {
                "user_id": user_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    def list_sub_accounts(
        self,
        *,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserSubAccountsResponse:
        """List the product environments that a user can enter.

            environments = client.users.list_sub_accounts(user_id=USER_ID).sub_accounts

        Args:
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The product environments, in `sub_accounts`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            get_sub_accounts_for_user.OPERATION,
            get_sub_accounts_for_user.build_request(
                self.account_id,
                user_id,
            ),
            {
                "user_id": user_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )


class RawUsers(SyncResource):
    """The users of the account, read-only, to look up the IDs of people; each result as a RawResponse."""

    __slots__ = ()

    list = Raw(Users.list)
    get = Raw(Users.get)
    get_groups = Raw(Users.get_groups)
    list_sub_accounts = Raw(Users.list_sub_accounts)


class AsyncUsers(AsyncResource):
    """The users of the account, read-only, to look up the IDs of people."""

    __slots__ = ()

    @property
    def with_raw_response(self) -> AsyncRawUsers:
        """The same methods; each returns a RawResponse: the result with its response."""
        return AsyncRawUsers(self.account_id, self._send_raw, self._send_raw)

    async def list(
        self,
        *,
        request: GetUsersRequest | GetUsersRequestTypedDict | None = None,
        pending: bool | None = None,
        ids: builtins.list[str] | None = None,
        emails: builtins.list[str] | None = None,
        prefix: str | None = None,
        sub_account_id: str | None = None,
        last_login: bool | None = None,
        from_: datetime.date | str | None = None,
        to: datetime.date | str | None = None,
        union_type: GetUsersUnionType | None = None,
        sort_order: GetUsersSortOrder | None = None,
        sort_by: GetUsersSortBy | None = None,
        page: int | None = None,
        page_size: int | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UsersResponse:
        """List users of the account.

        No page size is published, and filters may be ignored: check the users that come back, and
        do not rely on a response to hold every user. To find people by their e-mails, use `find`.

            admins = (await client.users.list(prefix="jo", sort_by="name")).users

        Args:
            request: The query, as a model or a dict; or, instead of it, its parameters:
            pending: Whether to return pending users only. Disputed: False is published to mean all
                users, but was seen to mean users that are not pending.
            ids: The IDs of the users, at most 100. Disputed: with it, the other filters are
                published to be ignored, but were seen to apply as well.
            emails: The e-mails of the users, at most 100. With it, the other filters are published
                to be ignored.
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
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
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
        return await self._send(
            get_users.OPERATION,
            get_users.build_request(
                self.account_id,
                **query_parameters(
                    query,
                    {
                        "ids": 100,
                        "emails": 100,
                    },
                ),
            ),
            {},
            Options(retries, server_url, timeout_ms, http_headers),
        )

    async def get(
        self,
        *,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> User:
        """Read a user.

            john = await client.users.get(user_id=USER_ID)

        Args:
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The user.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            get_user.OPERATION,
            get_user.build_request(
                self.account_id,
                user_id,
            ),
            {
                "user_id": user_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    async def get_groups(
        self,
        *,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> GroupsOfUserResponse:
        """List the user groups that a user is in.

            groups = (await client.users.get_groups(user_id=USER_ID)).groups

        Args:
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The groups, in `groups`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            get_groups_for_user.OPERATION,
            get_groups_for_user.build_request(
                self.account_id,
                user_id,
            ),
            {
                "user_id": user_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )

    async def list_sub_accounts(
        self,
        *,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> UserSubAccountsResponse:
        """List the product environments that a user can enter.

            environments = (await client.users.list_sub_accounts(user_id=USER_ID)).sub_accounts

        Args:
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The product environments, in `sub_accounts`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            get_sub_accounts_for_user.OPERATION,
            get_sub_accounts_for_user.build_request(
                self.account_id,
                user_id,
            ),
            {
                "user_id": user_id,
            },
            Options(retries, server_url, timeout_ms, http_headers),
        )


class AsyncRawUsers(AsyncResource):
    """The users of the account, read-only, to look up the IDs of people; each result as a RawResponse."""

    __slots__ = ()

    list = AsyncRaw(AsyncUsers.list)
    get = AsyncRaw(AsyncUsers.get)
    get_groups = AsyncRaw(AsyncUsers.get_groups)
    list_sub_accounts = AsyncRaw(AsyncUsers.list_sub_accounts)
