"""The resource `users`: generated from openapi.yaml, but for `find`, which makes several calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cld_provisioning_api.api import users as generated
from cld_provisioning_api.api.users import AsyncRawUsers, RawUsers
from cld_provisioning_api.calling import UNSET, Options, RetryConfig, Unset

from ._find_users import FoundUsers, find_users, send_each, send_each_async

__all__ = ["AsyncRawUsers", "AsyncUsers", "RawUsers", "Users"]


class Users(generated.Users):
    """The users of an account, read-only."""

    __slots__ = ()

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

        Case and surrounding spaces do not matter. One request is made for each 100 e-mails (fewer,
        where they are very long), in lower case, and another for those of them that are missing, as
        the caller spelled them. Where the server does not show that it applies the filter, all
        users are read, at one request for each 100 and one more.

            found = client.users.find(emails=["john@example.com", "harry@example.com"])
            print("nobody has:", *found.missing)
            (john,) = found.by_email["john@example.com"]  # fails where two users share it

        Args:
            emails: The e-mails.
            retries: The retries of each call, None for none. Default: the client's.
            server_url: The server of the calls. Default: the client's.
            timeout_ms: The time limit of each call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The users by e-mail, the e-mails that are missing, and whether this is certain.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        options = Options(retries, server_url, timeout_ms, http_headers)._asdict()
        return send_each(
            find_users(emails, dict[str, Any]), lambda query: self.list(**query, **options)
        )


class AsyncUsers(generated.AsyncUsers):
    """The users of an account, read-only."""

    __slots__ = ()

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

        Case and surrounding spaces do not matter. One request is made for each 100 e-mails (fewer,
        where they are very long), in lower case, and another for those of them that are missing, as
        the caller spelled them. Where the server does not show that it applies the filter, all
        users are read, at one request for each 100 and one more.

            found = await client.users.find(emails=["john@example.com", "harry@example.com"])
            print("nobody has:", *found.missing)
            (john,) = found.by_email["john@example.com"]  # fails where two users share it

        Args:
            emails: The e-mails.
            retries: The retries of each call, None for none. Default: the client's.
            server_url: The server of the calls. Default: the client's.
            timeout_ms: The time limit of each call, in milliseconds: for connecting, between any
                two parts of what is sent or received, and for the whole body. Default: the
                client's.
            http_headers: Headers to add, or to replace.

        Returns:
            The users by e-mail, the e-mails that are missing, and whether this is certain.

        Raises:
            TypeError, ValueError: An argument is not valid; nothing was sent.
            CloudinaryError: The server responded with an error.
            httpx.TransportError: No complete response was received.
        """
        options = Options(retries, server_url, timeout_ms, http_headers)._asdict()
        return await send_each_async(
            find_users(emails, dict[str, Any]), lambda query: self.list(**query, **options)
        )
