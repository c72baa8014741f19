"""The two clients. They differ only in where they wait."""

from __future__ import annotations

import logging
import platform
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Generic, Literal, Self, TypeVar

import httpx

from ._engine.call import Call, RawResponse, make_timeout
from ._engine.config import find_account_id, find_server_url, security_provider
from ._engine.http_client import DEFAULT_TIMEOUT, HttpClient
from ._engine.io import drive, drive_async
from ._engine.pipeline import run
from ._engine.request import Session
from ._version import __version__
from .hooks import LOGGER, DebugLogger, Hooks, LoggingHook, show_debug_log
from .security import Authorizer, SecuritySource
from .user_groups import AsyncUserGroups, UserGroups
from .users import AsyncUsers, Users
from .utils import UNSET, RetryConfig, Unset, check_retries

T = TypeVar("T")
C = TypeVar("C", httpx.Client, httpx.AsyncClient)

# Plain http:// goes to a loopback address or nowhere: never to a proxy of the environment, which
# would be sent the credentials in the clear.
_NO_PROXY: dict[str, None] = {"http://": None}
_USER_AGENT = f"cld-user-groups/{__version__} python/{platform.python_version()}"


class _Client(Generic[C]):
    """What both clients have."""

    _httpx_client: type[C]

    @staticmethod
    @abstractmethod
    def _make_httpx_client() -> C: ...

    def __init__(
        self,
        security: SecuritySource | None = None,
        account_id: str | None = None,
        region: Literal["api", "api-eu", "api-ap"] | None = None,
        host: str | None = None,
        server_idx: int | None = None,
        url_params: Mapping[str, str] | None = None,
        server_url: str | None = None,
        client: C | None = None,
        retry_config: RetryConfig | Unset | None = UNSET,
        timeout_ms: float | None = None,
        debug_logger: DebugLogger | None = None,
        *,
        hooks: Iterable[object] = (),
    ) -> None:
        """Make a client; nothing is sent.

        Args:
            security: The credentials, or a callable that returns them, asked anew for every call.
                Default: those in CLOUDINARY_PROVISIONING_API_KEY and _SECRET, else those in
                CLOUDINARY_ACCOUNT_URL.
            account_id: The account. Default: CLOUDINARY_ACCOUNT_ID, else that in
                CLOUDINARY_ACCOUNT_URL.
            region: The endpoint: "api" (the default), "api-eu" or "api-ap".
            host: Instead of a region, the host name of the account's own.
            server_idx: Which of the description's servers: 0, with a region, or 1, with a host.
            url_params: Values for the variables of the server's URL.
            server_url: The server's URL, instead of all these. Plain http:// only to loopback.
            client: The httpx client to use, with its own settings. It is not closed. Default: one
                of our own, made when first needed.
            retry_config: The retries, or None for none.
            timeout_ms: The time limit for connecting, and between any two parts of what is sent or
                received, in milliseconds. Default: 10 s and 30 s; that of `client` if one is given.
            debug_logger: Where to write a debug log instead of the logger
                "cld_user_groups".
            hooks: Objects that are told what is sent and what comes of it; see the module hooks.

        Raises:
            TypeError: An argument is of the wrong type.
            ValueError: An argument or a variable is not valid, or something is missing.
        """
        provide = security_provider(security)
        del security  # it may be of a type that does not mask what it holds
        if isinstance(provide, Exception):
            raise provide
        if client is not None and not isinstance(client, self._httpx_client):
            raise TypeError(
                f"client must be an httpx.{self._httpx_client.__name__}, "
                f"not {type(client).__name__}"
            )
        show_debug_log()
        timeout = make_timeout(timeout_ms)
        if timeout is None and client is None:
            timeout = DEFAULT_TIMEOUT
        self._http: HttpClient[C] = HttpClient(client, self._make_httpx_client)
        self._session = Session(
            account_id=find_account_id(account_id),
            server_url=find_server_url(
                server_url=server_url,
                server_idx=server_idx,
                region=region,
                host=host,
                url_params=url_params,
            ),
            authorize=Authorizer(provide),
            retries=check_retries("retry_config", retry_config),
            timeout=timeout,
            hooks=_hooks_of_each_call(tuple(hooks), debug_logger),
            user_agent=_USER_AGENT,
        )

    @property
    def account_id(self) -> str:
        """The account that all calls are about."""
        return self._session.account_id

    @property
    def server_url(self) -> str:
        """The server that calls go to."""
        return self._session.server_url

    def __repr__(self) -> str:
        name = type(self).__name__
        if not hasattr(self, "_session"):  # in a traceback out of the constructor
            return f"<{name}, not built>"
        return f"{name}(account_id={self.account_id!r}, server_url={self.server_url!r})"


def _hooks_of_each_call(
    hooks: tuple[object, ...], debug_logger: DebugLogger | None
) -> Callable[[], Hooks]:
    """Return what gives the hooks for a call: the debug log is one only while it is written."""
    with_log = Hooks((*hooks, LoggingHook(debug_logger or LOGGER)))
    if debug_logger is not None:
        return lambda: with_log
    without = Hooks(hooks)
    return lambda: with_log if LOGGER.isEnabledFor(logging.DEBUG) else without


class CldProvisioning(_Client[httpx.Client]):
    """A client of the Account Provisioning API, for threads.

    Safe to share between threads, and, unless it was given an httpx client, to use in a process
    that was forked since. Use it in a `with` block, or close it:

        with CldProvisioning(account_id="...", security=Security(...)) as client:
            groups = client.user_groups.list().user_groups
    """

    _httpx_client = httpx.Client

    @staticmethod
    def _make_httpx_client() -> httpx.Client:
        return httpx.Client(mounts=_NO_PROXY)

    @cached_property
    def user_groups(self) -> UserGroups:
        """The user groups of the account."""
        return UserGroups(self.account_id, self._send)

    @cached_property
    def users(self) -> Users:
        """The users of the account, read-only."""
        return Users(self.account_id, self._send)

    def _send(self, call: Call[T], /) -> RawResponse[T]:
        client = self._http.get()
        return drive(client, run(self._session, client, call))

    def close(self) -> None:
        """Close the connections, unless the httpx client is the caller's own."""
        client = self._http.take_to_close()
        if client is not None:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class AsyncCldProvisioning(_Client[httpx.AsyncClient]):
    """A client of the Account Provisioning API, for asyncio or trio.

    Safe to share between the tasks of one event loop. Use it in an `async with` block, or close it:

        async with AsyncCldProvisioning(account_id="...", security=Security(...)) as client:
            groups = (await client.user_groups.list()).user_groups
    """

    _httpx_client = httpx.AsyncClient

    @staticmethod
    def _make_httpx_client() -> httpx.AsyncClient:
        return httpx.AsyncClient(mounts=_NO_PROXY)

    @cached_property
    def user_groups(self) -> AsyncUserGroups:
        """The user groups of the account."""
        return AsyncUserGroups(self.account_id, self._send)

    @cached_property
    def users(self) -> AsyncUsers:
        """The users of the account, read-only."""
        return AsyncUsers(self.account_id, self._send)

    async def _send(self, call: Call[T], /) -> RawResponse[T]:
        client = self._http.get()
        return await drive_async(client, run(self._session, client, call))

    async def close(self) -> None:
        """Close the connections, unless the httpx client is the caller's own."""
        client = self._http.take_to_close()
        if client is not None:
            await client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()
