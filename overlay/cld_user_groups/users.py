# Generated from _operations/users.py by tools/resources.py (`make generate`).
# Do not edit: change the operations instead.

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from datetime import date

from cld_provisioning_api.api.users.get_users import GetUsersRequest, GetUsersRequestTypedDict
from cld_provisioning_api.models import (
    GetUsersSortBy,
    GetUsersSortOrder,
    GetUsersUnionType,
    GroupsOfUserResponse,
    User,
    UsersResponse,
    UserSubAccountsResponse,
)
from cld_user_groups._engine.request import RawResponse, check_options
from cld_user_groups._engine.resource import AsyncResource, SyncResource
from cld_user_groups._find_users import FoundUsers
from cld_user_groups._operations import users as operations
from cld_user_groups.utils import UNSET, RetryConfig, Unset


class RawUsers(SyncResource):
    """The users of an account, read-only; each result as a RawResponse."""

    __slots__ = ()

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
        from_: date | str | None = None,
        to: date | str | None = None,
        union_type: GetUsersUnionType | None = None,
        sort_order: GetUsersSortOrder | None = None,
        sort_by: GetUsersSortBy | None = None,
        page: int | None = None,
        page_size: int | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> RawResponse[UsersResponse]:
        """List users of the account.

        No page size is published, and filters may be ignored: check the users that come back, and do
        not rely on a response to hold every user. To find people by their e-mails, use `find`.

        Args:
            request: The query, as a model or a dict; or, instead of it, its parameters:
            pending: Whether to return pending users only. Disputed: False is published to mean all
                users, but was seen to mean users that are not pending.
            ids: The IDs of the users, at most 100. Disputed: with it, the other filters are published
                to be ignored, but were seen to apply as well.
            emails: The e-mails of the users, at most 100. With it, the other filters are published to
                be ignored.
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
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            A RawResponse, with this as its `parsed`: the users, in `users`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            operations.list_(
                self.account_id,
                request=request,
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
            ),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        )

    def get(
        self,
        *,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> RawResponse[User]:
        """Read a user.

        Args:
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            A RawResponse, with this as its `parsed`: the user.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            operations.get(self.account_id, user_id=user_id),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        )

    def get_groups(
        self,
        *,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> RawResponse[GroupsOfUserResponse]:
        """List the user groups that a user is in.

        Args:
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            A RawResponse, with this as its `parsed`: the groups, in `groups`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            operations.get_groups(self.account_id, user_id=user_id),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        )

    def list_sub_accounts(
        self,
        *,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> RawResponse[UserSubAccountsResponse]:
        """List the product environments that a user can enter.

        Args:
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            A RawResponse, with this as its `parsed`: the product environments, in `sub_accounts`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            operations.list_sub_accounts(self.account_id, user_id=user_id),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        )


class Users(SyncResource):
    """The users of an account, read-only."""

    __slots__ = ()

    @property
    def with_raw_response(self) -> RawUsers:
        """The same methods, except `find`; each returns a RawResponse: the result with its response."""
        return RawUsers(self.account_id, self._send)

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
        from_: date | str | None = None,
        to: date | str | None = None,
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

        No page size is published, and filters may be ignored: check the users that come back, and do
        not rely on a response to hold every user. To find people by their e-mails, use `find`.

            admins = client.users.list(prefix="jo", sort_by="name").users

        Args:
            request: The query, as a model or a dict; or, instead of it, its parameters:
            pending: Whether to return pending users only. Disputed: False is published to mean all
                users, but was seen to mean users that are not pending.
            ids: The IDs of the users, at most 100. Disputed: with it, the other filters are published
                to be ignored, but were seen to apply as well.
            emails: The e-mails of the users, at most 100. With it, the other filters are published to
                be ignored.
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
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The users, in `users`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        return self._send(
            operations.list_(
                self.account_id,
                request=request,
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
            ),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        ).parsed

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
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
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
            operations.get(self.account_id, user_id=user_id),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        ).parsed

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
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
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
            operations.get_groups(self.account_id, user_id=user_id),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        ).parsed

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
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
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
            operations.list_sub_accounts(self.account_id, user_id=user_id),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        ).parsed

    def find(
        self,
        *,
        emails: Iterable[str],
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> FoundUsers:
        """Find users by their e-mails, however many, and check the responses.

        Case and surrounding spaces do not matter, and an e-mail that occurs twice is requested once.
        One request is made for each 100 e-mails (fewer, where they are very long), in lower case, and
        another for those of them that are missing, also as the caller spelled them. Where the server
        does not show that it applies the filter, all users are read page by page, at one request for
        each 100 users and one more.

            found = client.users.find(emails=["john@example.com", "harry@example.com"])
            for email in found.missing:
                print(f"nobody has the e-mail {email}")
            (john,) = found.by_email["john@example.com"]  # fails where two users share it

        Args:
            emails: The e-mails.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The users by e-mail, the e-mails that are missing, and whether this is certain.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        return self._send_all(
            operations.find(self.account_id, emails=emails),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        )


class AsyncRawUsers(AsyncResource):
    """The users of an account, read-only; each result as a RawResponse."""

    __slots__ = ()

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
        from_: date | str | None = None,
        to: date | str | None = None,
        union_type: GetUsersUnionType | None = None,
        sort_order: GetUsersSortOrder | None = None,
        sort_by: GetUsersSortBy | None = None,
        page: int | None = None,
        page_size: int | None = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> RawResponse[UsersResponse]:
        """List users of the account.

        No page size is published, and filters may be ignored: check the users that come back, and do
        not rely on a response to hold every user. To find people by their e-mails, use `find`.

        Args:
            request: The query, as a model or a dict; or, instead of it, its parameters:
            pending: Whether to return pending users only. Disputed: False is published to mean all
                users, but was seen to mean users that are not pending.
            ids: The IDs of the users, at most 100. Disputed: with it, the other filters are published
                to be ignored, but were seen to apply as well.
            emails: The e-mails of the users, at most 100. With it, the other filters are published to
                be ignored.
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
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            A RawResponse, with this as its `parsed`: the users, in `users`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            operations.list_(
                self.account_id,
                request=request,
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
            ),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        )

    async def get(
        self,
        *,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> RawResponse[User]:
        """Read a user.

        Args:
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            A RawResponse, with this as its `parsed`: the user.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            operations.get(self.account_id, user_id=user_id),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        )

    async def get_groups(
        self,
        *,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> RawResponse[GroupsOfUserResponse]:
        """List the user groups that a user is in.

        Args:
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            A RawResponse, with this as its `parsed`: the groups, in `groups`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            operations.get_groups(self.account_id, user_id=user_id),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        )

    async def list_sub_accounts(
        self,
        *,
        user_id: str,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> RawResponse[UserSubAccountsResponse]:
        """List the product environments that a user can enter.

        Args:
            user_id: The user's ID.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            A RawResponse, with this as its `parsed`: the product environments, in `sub_accounts`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send(
            operations.list_sub_accounts(self.account_id, user_id=user_id),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        )


class AsyncUsers(AsyncResource):
    """The users of an account, read-only."""

    __slots__ = ()

    @property
    def with_raw_response(self) -> AsyncRawUsers:
        """The same methods, except `find`; each returns a RawResponse: the result with its response."""
        return AsyncRawUsers(self.account_id, self._send)

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
        from_: date | str | None = None,
        to: date | str | None = None,
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

        No page size is published, and filters may be ignored: check the users that come back, and do
        not rely on a response to hold every user. To find people by their e-mails, use `find`.

            admins = (await client.users.list(prefix="jo", sort_by="name")).users

        Args:
            request: The query, as a model or a dict; or, instead of it, its parameters:
            pending: Whether to return pending users only. Disputed: False is published to mean all
                users, but was seen to mean users that are not pending.
            ids: The IDs of the users, at most 100. Disputed: with it, the other filters are published
                to be ignored, but were seen to apply as well.
            emails: The e-mails of the users, at most 100. With it, the other filters are published to
                be ignored.
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
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The users, in `users`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        return (
            await self._send(
                operations.list_(
                    self.account_id,
                    request=request,
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
                ),
                check_options(
                    retries=retries,
                    server_url=server_url,
                    timeout_ms=timeout_ms,
                    http_headers=http_headers,
                ),
            )
        ).parsed

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
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The user.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return (
            await self._send(
                operations.get(self.account_id, user_id=user_id),
                check_options(
                    retries=retries,
                    server_url=server_url,
                    timeout_ms=timeout_ms,
                    http_headers=http_headers,
                ),
            )
        ).parsed

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
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The groups, in `groups`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return (
            await self._send(
                operations.get_groups(self.account_id, user_id=user_id),
                check_options(
                    retries=retries,
                    server_url=server_url,
                    timeout_ms=timeout_ms,
                    http_headers=http_headers,
                ),
            )
        ).parsed

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
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The product environments, in `sub_accounts`.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            NotFound: There is no such user.
            CloudinaryError: The server responded with another error.
            httpx.TransportError: No complete response was received.
        """
        return (
            await self._send(
                operations.list_sub_accounts(self.account_id, user_id=user_id),
                check_options(
                    retries=retries,
                    server_url=server_url,
                    timeout_ms=timeout_ms,
                    http_headers=http_headers,
                ),
            )
        ).parsed

    async def find(
        self,
        *,
        emails: Iterable[str],
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> FoundUsers:
        """Find users by their e-mails, however many, and check the responses.

        Case and surrounding spaces do not matter, and an e-mail that occurs twice is requested once.
        One request is made for each 100 e-mails (fewer, where they are very long), in lower case, and
        another for those of them that are missing, also as the caller spelled them. Where the server
        does not show that it applies the filter, all users are read page by page, at one request for
        each 100 users and one more.

            found = await client.users.find(emails=["john@example.com", "harry@example.com"])
            for email in found.missing:
                print(f"nobody has the e-mail {email}")
            (john,) = found.by_email["john@example.com"]  # fails where two users share it

        Args:
            emails: The e-mails.
            retries: The retries of this call, None for none. Default: the client's.
            server_url: The server of this call. Default: the client's.
            timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
                parts of what is sent or received, and for the whole body. Default: the client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The users by e-mail, the e-mails that are missing, and whether this is certain.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        return await self._send_all(
            operations.find(self.account_id, emails=emails),
            check_options(
                retries=retries,
                server_url=server_url,
                timeout_ms=timeout_ms,
                http_headers=http_headers,
            ),
        )
