"""The emulator: its settings, its switches, and the ways to connect to it."""

import os
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final, Self, get_args

from .account import SAMPLE_GROUPS, SAMPLE_USERS, EmulatorGroup, EmulatorUser
from .calls import Call, CallLog
from .clock import EmulatorClock, Quota, http_date
from .faults import Fault, take_fault
from .messages import (
    Drop,
    EmulatorRequest,
    EmulatorResponse,
    Operation,
    RejectedError,
    credentials_match,
    encode,
)
from .operations import HANDLERS, EmulatedApi, UsersFilters, UsersPaging, Wire
from .roles import EmulatedRoles
from .routes import ROUTER, Route
from .transport import EmulatorASGI, EmulatorTransport

if TYPE_CHECKING:
    from .server import EmulatorServer

# RFC 9110: responses with these status codes have no content.
_BODILESS: Final = frozenset({204, 205, 304})


class Emulator(EmulatedApi):
    """A stateful emulator of user groups, users and roles of the Account Provisioning API.

    It starts with a sample account: the group "Designers" with two users, the group "Marketing"
    with one, and two users in no group. All methods may be called from any thread.

    Args:
        account_id: The account that the credentials belong to; any other is a 404.
        api_key: The provisioning API key.
        api_secret: Its secret.
        wire: "observed" for the live API's observed behavior, "documented" for the published one.
        clock: The time of day; the real one by default.
        users: The account's users, instead of the sample account.
        groups: The account's groups, instead of the sample account.
        roles: The roles, and who has them, instead of the sample account's.
        users_filters: "ignored" to return the list of users as if without filters.
        users_paging: "on_request" to return all users unless a page is requested, "always" to
            return at most 100 in any case, "ignored" to return all of them in any case.

    Attributes:
        account_id: The ID of the emulated account.
        api_key: The provisioning API key that the emulator accepts.
        api_secret: The provisioning API secret that the emulator accepts.
        clock: The emulator's time of day, which a test can change.
        calls: The requests that the emulator received.
        roles: The roles of the account, and who has them: the Permissions API.

    Raises:
        ValueError: An argument is invalid.
    """

    def __init__(
        self,
        account_id: str = "acc",
        api_key: str = "k",
        api_secret: str = "s",
        wire: Wire = "observed",
        *,
        clock: EmulatorClock | None = None,
        users: Iterable[EmulatorUser] | None = None,
        groups: Iterable[EmulatorGroup] | None = None,
        roles: EmulatedRoles | None = None,
        users_filters: UsersFilters = "applied",
        users_paging: UsersPaging = "on_request",
    ) -> None:
        _check_identity(account_id, api_key, api_secret)
        given = {"wire": wire, "users_filters": users_filters, "users_paging": users_paging}
        types = (Wire, UsersFilters, UsersPaging)
        for (name, value), choices in zip(given.items(), map(get_args, types), strict=True):
            if value not in choices:
                known = ", ".join(map(repr, choices))
                raise ValueError(f"invalid {name} {value!r}: use one of {known}")
        self.account_id = account_id
        self.api_key = api_key
        self.api_secret = api_secret
        self._wire: Wire = wire
        self.calls = CallLog()
        self._users_filters, self._users_paging = users_filters, users_paging
        self._faults: list[Fault] = []
        self._quota = Quota()
        if users is None and groups is None:
            users, groups, roles = SAMPLE_USERS, SAMPLE_GROUPS, roles or EmulatedRoles()
        roles = roles or EmulatedRoles(assignments={})
        super().__init__(users or (), groups or (), roles, clock or EmulatorClock())

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        account_id: str | None = None,
        api_key: str = "k",
        api_secret: str = "s",
        wire: Wire = "observed",
        *,
        clock: EmulatorClock | None = None,
    ) -> Self:
        """Return an emulator of the account that a file of groups describes, such as an export.

        Users and groups have the IDs of the file, or else IDs that are the same in every run.

        Args:
            path: The file, in any format that ``membership.read_file`` reads.
            account_id: The account; by default that of the file, or "acc" if it names none.
            api_key: The provisioning API key.
            api_secret: Its secret.
            wire: As of ``Emulator``.
            clock: The time of day; it decides which memberships of the file have ended.

        Raises:
            membership.FileError: The file cannot be read, or is not valid.
            ValueError: Another argument is invalid.
            ImportError: The file is YAML, and PyYAML, of the extra ``cli``, is not installed.
        """
        from .account_file import read_account_file

        clock = clock or EmulatorClock()
        named, users, groups, roles = read_account_file(path, clock.now().date())
        settings = (named or "acc" if account_id is None else account_id, api_key, api_secret, wire)
        return cls(*settings, clock=clock, users=users, groups=groups, roles=roles)

    def __repr__(self) -> str:
        return f"<Emulator account_id={self.account_id!r} wire={self.wire!r}>"

    @property
    def wire(self) -> Wire:
        """Whether the emulator behaves as observed or as documented."""
        return self._wire

    @property
    def asgi(self) -> EmulatorASGI:
        """The emulator as an ASGI application."""
        return EmulatorASGI(self.handle)

    def fail(
        self,
        operation_id: str,
        *,
        status: int | None = 503,
        message: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        delay: float = 0.0,
        drop: Drop | None = None,
        apply: bool = False,
        times: int | None = 1,
        group_id: str | None = None,
        user_id: str | None = None,
        probability: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Make the next calls of an operation go wrong.

        A call with the right credentials meets the oldest fault that is for it. One that does not
        apply the operation uses up no quota.

        Args:
            operation_id: The operation, or "*" for any.
            status: The status code; None performs the operation and returns its response, for a
                fault that only delays it, or changes its headers or its body.
            message: The error's message.
            headers: Headers to add to the response, or to replace in it.
            body: The raw body of the response, instead of the JSON error.
            delay: Seconds to wait before the response.
            drop: Close the connection "before" or "after" the operation is performed, without a
                response, or "during" the response, halfway through its body.
            apply: Perform the operation, and still return the error.
            times: The number of calls that go wrong; None for all, until ``clear_faults``.
            group_id: Only calls with this group ID in the path.
            user_id: Only calls with this user ID in the path.
            probability: The probability of each of these calls to go wrong.
            seed: The seed of the random numbers, which are the same in every run.

        Raises:
            ValueError: An argument is invalid, or two contradict each other.
        """
        ids = {"group_id": group_id, "user_id": user_id}
        aim = {name: value for name, value in ids.items() if value is not None}
        content = body.encode() if isinstance(body, str) else body
        what = (status, message, headers, content, delay, drop, apply)
        fault = Fault(operation_id, aim, *what, times, probability, seed)
        with self._lock:
            self._faults.append(fault)

    def clear_faults(self) -> None:
        """Forget the faults that have not happened yet."""
        with self._lock:
            self._faults.clear()

    def set_quota(self, limit: int, remaining: int | None = None, *, status: int = 420) -> None:
        """Set the number of requests that the account has until each full hour of the clock.

        Args:
            limit: Requests in an hour.
            remaining: Requests left in this hour; the whole limit by default.
            status: The status code when none are left, 420 or 429.

        Raises:
            ValueError: An argument is out of range.
        """
        with self._lock:
            self._quota.set(limit, remaining, status, self.clock.now())

    def reset(self) -> None:
        """Restore the initial state, clock and quota, and clear the faults and the call log."""
        with self._lock:
            self.clock.reset()
            self.calls.clear()
            self._faults.clear()
            self._quota = Quota()
            self._restore()

    def transport(
        self,
        *,
        sleep: Callable[[float], None] = time.sleep,
        async_sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> EmulatorTransport:
        """Return an ``httpx`` transport, sync and async in one, to the emulator in process.

        Args:
            sleep: Called for the delays of faults in a sync client.
            async_sleep: Awaited for them in an async client; ``anyio.sleep`` by default.
        """
        return EmulatorTransport(self.handle, sleep=sleep, async_sleep=async_sleep)

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> "EmulatorServer":
        """Return a server for a ``with`` statement, which listens on a real socket.

        Args:
            host: The address to bind to.
            port: The port, 0 for a free one.

        Raises:
            ImportError: uvicorn, of the extra ``emulator``, is not installed.
        """
        from .server import EmulatorServer

        return EmulatorServer(self, host, port)

    def handle(self, request: EmulatorRequest) -> EmulatorResponse:
        """Handle one request, and record it. No request makes this raise."""
        route = ROUTER.find(request.method, request.raw_path)
        call = Operation(request, route.path_params)
        credentials = f"{self.api_key}:{self.api_secret}".encode("utf-8", "surrogateescape")
        is_authenticated = credentials_match(request, credentials)
        with self._lock:
            now = self.clock.now()
            try:
                operation_id = self._operation_of(route, is_authenticated=is_authenticated)
                response = self._respond(operation_id, call, now)
            except RejectedError as rejection:
                response = rejection.response(request)
            response = self._finish(request, response, now)
            pairs = ((k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in request.headers)
            self.calls.append(
                Call(
                    operation_id=route.operation_id,
                    method=request.method,
                    path=request.raw_path.decode("latin-1"),
                    path_params=route.path_params,
                    query=call.query,
                    query_items=call.pairs,
                    headers={k: v for k, v in pairs if k != "authorization"},
                    # Without credentials, nobody decides what a server keeps in memory.
                    body=request.body if is_authenticated else b"",
                    status="dropped" if response.drop else response.status,
                )
            )
        return response

    def _operation_of(self, route: Route, *, is_authenticated: bool) -> str:
        """Return the operation, or reject the request."""
        if not route.allowed:
            raise RejectedError(404, "Not found")
        if route.operation_id is None:
            allowed = ", ".join(route.allowed).encode("ascii")
            raise RejectedError(405, "Method not allowed", headers=[(b"allow", allowed)])
        if not is_authenticated:
            raise RejectedError(401, "Invalid credentials")
        if route.path_params["account_id"] != self.account_id:
            # The list of roles documents no 404.
            is_roles = route.operation_id == "getRoles"
            raise RejectedError(401 if is_roles else 404, "Account not found")
        return route.operation_id

    def _respond(self, operation_id: str, call: Operation, now: datetime) -> EmulatorResponse:
        """Return the response of an operation, or of the fault that it meets."""
        fault = take_fault(self._faults, operation_id, call.path)
        if fault is None:
            return self._perform(operation_id, call, now)
        response = RejectedError(fault.status or 503, fault.message or "").response(call.request)
        if fault.is_applied:
            applied = self._perform(operation_id, call, now)
            if fault.status is None or fault.drop is not None:
                response = applied
        headers = (*response.headers, *fault.headers)
        body = response.body if fault.body is None else fault.body
        return EmulatorResponse(response.status, headers, body, fault.delay, fault.drop)

    def _perform(self, operation_id: str, call: Operation, now: datetime) -> EmulatorResponse:
        try:
            self._quota.spend(now)
            if operation_id not in HANDLERS:
                raise RejectedError(501, f"The emulator does not implement {operation_id}")
            refused = self.roles.refused_with
            if refused is not None and ROUTER.endpoints[operation_id].path.startswith("/v2/"):
                raise RejectedError(refused, "the Permissions API is not available")
            result = HANDLERS[operation_id](self, call)
            return EmulatorResponse(200, (), b"" if result is None else encode(result))
        except RejectedError as rejection:
            return rejection.response(call.request)

    def _finish(
        self, request: EmulatorRequest, response: EmulatorResponse, now: datetime
    ) -> EmulatorResponse:
        """Add the headers that all responses have, and leave out a body that must not be sent."""
        headers = {
            b"date": http_date(int(now.timestamp())),
            b"content-type": b"application/json",
            b"x-request-id": secrets.token_hex(16).encode("ascii"),
            **self._quota.headers(now),
            **dict(response.headers),
        }
        has_body = response.status not in _BODILESS
        if has_body:
            headers[b"content-length"] = b"%d" % len(response.body)
        if response.status == 401:
            headers.setdefault(b"www-authenticate", b'Basic realm="Cloudinary provisioning"')
        body = response.body if has_body and request.method != "HEAD" else b""
        pairs = tuple(headers.items())
        return EmulatorResponse(response.status, pairs, body, response.delay, response.drop)


def _check_identity(account_id: str, api_key: str, api_secret: str) -> None:
    names = {"account_id": account_id.strip(), "api_key": api_key, "api_secret": api_secret}
    for name, value in names.items():
        if not value:
            raise ValueError(f"{name} must not be empty")
        # RFC 7617: the user-id ends at the first colon.
        if name == "api_key" and ":" in value:
            raise ValueError("api_key must not contain a colon: pass the secret on its own")
