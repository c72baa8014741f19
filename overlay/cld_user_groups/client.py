"""The two clients, sync and async. They differ only in where they wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeAlias, TypeVar

from attrs import evolve

from cld_provisioning_api.calling import Operation, Options
from cld_provisioning_api.types import HttpRequest

from ._engine.body import DEFAULT_MAX_BYTES
from ._engine.config import (
    check_library,
    check_max_bytes,
    check_server_url,
    find_account_id,
    find_security,
    find_server_url,
    make_timeout,
    maker_of_clients,
    user_agent,
)
from ._engine.http_client import DEFAULT_TIMEOUT, AsyncHttpClient, HttpClient
from ._engine.io import drive, drive_async
from ._engine.library import Name, library, library_of
from ._engine.pipeline import run
from ._engine.request import ApiCall, CheckedOptions, Session, check_headers, check_options
from ._operations import call_of
from .hooks import DebugLogger, make_hooks, show_debug_log
from .limits import Limiter, limiter_of
from .principals import AsyncPrincipals, Principals
from .roles import AsyncRoles, Roles
from .security import Authorizer, SecuritySource
from .user_groups import AsyncUserGroups, UserGroups
from .users import AsyncUsers, Users
from .utils import UNSET, RetryConfig, Unset, check_retries

if TYPE_CHECKING:
    import httpx
    import httpx2

    Given: TypeAlias = httpx.Client | httpx2.Client
    AsyncGiven: TypeAlias = httpx.AsyncClient | httpx2.AsyncClient

T = TypeVar("T")
C = TypeVar("C")
H = TypeVar("H", HttpClient, AsyncHttpClient)


class _Client(Generic[C, H]):
    """The constructor and the settings of both clients."""

    _prefix: Literal["", "Async"]  # of the names of the HTTP library's classes
    _connections: Callable[[Any, Callable[[], Any]], H]
    _http: H
    _session: Session
    _library: Name
    _is_owner: bool

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
        max_response_bytes: int = DEFAULT_MAX_BYTES,
        app_info: str | None = None,
        limiter: Limiter | Unset | None = UNSET,
        http_library: Literal["httpx", "httpx2"] | None = None,
    ) -> None:
        """Create a client; nothing is sent.

        Args:
            security: The credentials, or a callable that returns them, called for every call.
                Default: those in CLOUDINARY_PROVISIONING_API_KEY and _SECRET, else those in
                CLOUDINARY_ACCOUNT_URL.
            account_id: The account. Default: CLOUDINARY_ACCOUNT_ID, else that in
                CLOUDINARY_ACCOUNT_URL.
            region: The endpoint: "api", "api-eu" or "api-ap". Default:
                CLOUDINARY_PROVISIONING_REGION, else "api".
            host: Instead of a region, the host name of the account's own.
            server_idx: The index of the server in the OpenAPI document: 0, with a region, or 1,
                with a host.
            url_params: Values for the variables of the server's URL.
            server_url: The server's URL, instead of all these. Plain http:// only to loopback.
                Default: CLOUDINARY_PROVISIONING_SERVER_URL, if no argument chooses a server.
            client: The client of httpx or httpx2 to use, with its own settings. It is not closed.
                Default: one that is lazily created, with at most 20 requests in flight; further
                calls wait for their turn, which no time limit counts.
            retry_config: The retries, or None for none.
            timeout_ms: The time limit for connecting, between any two parts of what is sent or
                received, and for the whole body, in milliseconds. Default: 10 s, and 30 s for the
                others; that of `client` if one is given.
            debug_logger: Where to write a debug log instead of the logger "cld_user_groups".
            hooks: Objects that observe requests, responses and errors; see the module hooks.
            max_response_bytes: The maximum size of a decoded response body, in bytes.
            app_info: The calling application, as "name" or "name/version", for the User-Agent.
            limiter: Decides when a request may be sent; see the module limits. None for no limiter.
                Default: a `LocalLimiter`, whose calls wait for each other's 420 and 429.
            http_library: The library of the lazily created client: "httpx", or "httpx2", of the
                extra httpx2, which trusts the certificates of the system. Default:
                CLOUDINARY_PROVISIONING_HTTP_LIBRARY, else "httpx".

        Raises:
            TypeError: An argument is of the wrong type.
            ValueError: An argument or a variable is not valid, or something is missing.
        """
        source = find_security(security)
        del security  # it may be of a type that does not mask what it holds
        if isinstance(source, Exception):
            raise source
        kind = f"{self._prefix}Client"
        if client is not None and not isinstance(client, getattr(library_of(client), kind)):
            raise TypeError(
                f"client must be an httpx.{kind} or an httpx2.{kind}, not {type(client).__name__}"
            )
        self._library = check_library(http_library)
        library(self._library)  # imported now, but not kept: a module has no pickle of its own
        show_debug_log()
        timeout = make_timeout(timeout_ms)
        if timeout is None and client is None:
            timeout = DEFAULT_TIMEOUT
        without_log, with_log = make_hooks(tuple(hooks), debug_logger, bool(self._prefix))
        self._session = Session(
            account_id=find_account_id(account_id),
            server_url=find_server_url(
                server_url=server_url,
                server_idx=server_idx,
                region=region,
                host=host,
                url_params=url_params,
            ),
            authorize=Authorizer(source),
            retries=check_retries("retry_config", retry_config),
            timeout=timeout,
            hooks=without_log,
            debug_hooks=with_log,
            user_agent=user_agent(app_info),
            is_closed=lambda: self._http.is_closed,
            max_response_bytes=check_max_bytes(max_response_bytes),
            limiter=limiter_of(limiter),
        )
        self._maker: Callable[[], Any] | None = None
        self._http = self._connections(client, self._make_httpx_client)
        self._is_owner = True

    def _make_httpx_client(self) -> Any:
        # No cached_property: a process that is forked meanwhile would wait for its lock for ever.
        if self._maker is None:
            self._maker = maker_of_clients(library(self._library), self.server_url, self._prefix)
        return self._maker()

    def _prepare(
        self,
        operation: Operation[Any, T],
        request: HttpRequest,
        ids: Mapping[str, str],
        options: Options,
    ) -> tuple[ApiCall[T], CheckedOptions]:
        call = call_of(operation, self._session.account_id, request, ids)
        return call, check_options(*options)

    def with_options(
        self,
        *,
        retries: RetryConfig | Unset | None = UNSET,
        timeout_ms: float | None = None,
        http_headers: Mapping[str, str] | None = None,
        server_url: str | None = None,
        concurrency: int | None = None,
        limiter: Limiter | Unset | None = UNSET,
    ) -> Self:
        """Return a client with other defaults that shares this one's connections.

        Closing it does nothing: the connections are this client's.

            patient = client.with_options(timeout_ms=120_000)
            patient.user_groups.list(extended_details=True)

        Args:
            retries: The retries, or None for none. Default: this client's.
            timeout_ms: The time limit, in milliseconds. Default: this client's.
            http_headers: Headers to add to every request, or to replace.
            server_url: The server's URL. Default: this client's.
            concurrency: How many requests may be in flight at once, at least, over the connections
                that both share (20). A caller-supplied httpx client has its own limit.
            limiter: Decides when a request may be sent, or None for no limiter: what is refused
                then holds back none of this client's calls. Default: this client's.

        Raises:
            TypeError: An argument is of the wrong type.
            ValueError: An argument is not valid.
        """
        session = self._session
        changes: dict[str, Any] = {}
        if not isinstance(retries, Unset):
            changes["retries"] = check_retries("retries", retries)
        if timeout_ms is not None:
            changes["timeout"] = make_timeout(timeout_ms)
        if http_headers is not None:
            changes["http_headers"] = {**session.http_headers, **check_headers(http_headers)}
        if server_url is not None:
            changes["server_url"] = check_server_url(server_url)
        if not isinstance(limiter, Unset):
            changes["limiter"] = limiter_of(limiter)
        if concurrency is not None:
            self._http.most_in_flight = max(self._http.most_in_flight, concurrency)
        derived = object.__new__(type(self))
        derived._session = evolve(session, **changes)
        derived._http = self._http
        derived._is_owner = False
        return derived

    @property
    def account_id(self) -> str:
        """The account ID of all calls."""
        return self._session.account_id

    @property
    def server_url(self) -> str:
        """The URL of the server."""
        return self._session.server_url

    @property
    def shown_key(self) -> str:
        """The masked key of the next call, with its last characters: what a report may show."""
        return self._session.authorize().shown_key

    @property
    def retry_config(self) -> RetryConfig | None:
        """The retries of a call that sets none of its own, or None for none."""
        return self._session.retries

    def __repr__(self) -> str:
        name = type(self).__name__
        if not hasattr(self, "_session"):  # in a traceback out of the constructor
            return f"<{name}, not built>"
        return f"{name}(account_id={self.account_id!r}, server_url={self.server_url!r})"


class CldProvisioning(_Client["Given", HttpClient]):
    """A synchronous client of the Account Provisioning API.

    Safe to share between threads and, unless it was passed an httpx client, to use after a
    fork. Use it in a `with` block, or close it:

        with CldProvisioning(account_id="...", security=Security(...)) as client:
            groups = client.user_groups.list().user_groups
    """

    _prefix = ""
    _connections = HttpClient

    @cached_property
    def user_groups(self) -> UserGroups:
        """The user groups of the account."""
        return UserGroups(self.account_id, self._send, self._send_raw)

    @cached_property
    def users(self) -> Users:
        """The users of the account, read-only."""
        return Users(self.account_id, self._send, self._send_raw)

    @cached_property
    def principals(self) -> Principals:
        """The roles of users, groups and keys."""
        return Principals(self.account_id, self._send, self._send_raw)

    @cached_property
    def roles(self) -> Roles:
        """The roles that can be assigned."""
        return Roles(self.account_id, self._send, self._send_raw)

    def _send(self, *call: Any) -> Any:
        return self._send_raw(*call).parsed

    def _send_raw(self, *call: Any) -> Any:
        prepared = self._prepare(*call)
        connections = self._http.get()
        return drive(self._http, connections, run(self._session, connections, *prepared))

    def close(self) -> None:
        """Close the connections, unless the httpx client is caller-supplied.

        A call that is in flight ends, now or at its time limit, in an error that says whether the
        change may have been applied.
        """
        if self._is_owner:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class AsyncCldProvisioning(_Client["AsyncGiven", AsyncHttpClient]):
    """An asynchronous client of the Account Provisioning API, for asyncio and trio.

    Safe to share between tasks and, unless it was passed an httpx client, between event loops: a
    client at module level can be used in one `asyncio.run` after another. Use it in an
    `async with` block, or close it:

        async with AsyncCldProvisioning(account_id="...", security=Security(...)) as client:
            groups = (await client.user_groups.list()).user_groups
    """

    _prefix = "Async"
    _connections = AsyncHttpClient

    @cached_property
    def user_groups(self) -> AsyncUserGroups:
        """The user groups of the account."""
        return AsyncUserGroups(self.account_id, self._send, self._send_raw)

    @cached_property
    def users(self) -> AsyncUsers:
        """The users of the account, read-only."""
        return AsyncUsers(self.account_id, self._send, self._send_raw)

    @cached_property
    def principals(self) -> AsyncPrincipals:
        """The roles of users, groups and keys."""
        return AsyncPrincipals(self.account_id, self._send, self._send_raw)

    @cached_property
    def roles(self) -> AsyncRoles:
        """The roles that can be assigned."""
        return AsyncRoles(self.account_id, self._send, self._send_raw)

    async def _send(self, *call: Any) -> Any:
        return (await self._send_raw(*call)).parsed

    async def _send_raw(self, *call: Any) -> Any:
        prepared = self._prepare(*call)
        connections = await self._http.get()
        flow = run(self._session, connections, *prepared)
        return await drive_async(self._http, connections, flow)

    async def close(self) -> None:
        """Close the connections, unless the httpx client is caller-supplied.

        A call that is in flight ends in an error that says whether the change may have been
        applied.
        """
        if self._is_owner:
            await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()
