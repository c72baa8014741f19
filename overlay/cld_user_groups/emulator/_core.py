"""The emulator's core: from a request to a response, with no I/O."""

import secrets
import threading
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Final

import attrs
import msgspec

from ._account import Account
from ._auth import credentials_match
from ._calls import Call, CallLog
from ._clock import EmulatorClock
from ._faults import Fault, Faults
from ._messages import Behavior, Drop, EmulatorRequest, EmulatorResponse, RawHeaders, RejectedError
from ._operations import Arguments, Operations
from ._query import Query
from ._quota import Quota
from ._routes import ROUTER, Route

_encode = msgspec.json.Encoder().encode

# RFC 9110: responses with these status codes have no content.
_BODILESS: Final = frozenset({204, 205, 304})


@attrs.frozen
class _Result:
    """A response without the headers that all responses have."""

    status: int
    body: bytes
    headers: RawHeaders = ()
    delay: float = 0.0
    drop: Drop | None = None


class Core:
    """Routing, authentication, faults, quota and operations, in that order.

    Args:
        account: The initial state.
        account_id: The account's ID.
        credentials: The key and the secret, joined with a colon.
        behavior: The alternatives to emulate.
        clock: The time of day.

    Attributes:
        lock: Held while a request is handled, and to be held by all other access to the parts.
    """

    def __init__(
        self,
        *,
        account: Account,
        account_id: str,
        credentials: bytes,
        behavior: Behavior,
        clock: EmulatorClock,
    ) -> None:
        self._account_id = account_id
        self._credentials = credentials
        self._behavior = behavior
        self._date = b""
        self._date_second: datetime | None = None
        self.lock = threading.Lock()
        self.clock = clock
        self.calls = CallLog()
        self.faults = Faults()
        self._begin(account)

    def start_over(self, account: Account) -> None:
        """Begin again with a new state, and reset the clock, the quota, the faults and the log."""
        self.clock.reset()
        self.calls.clear()
        self.faults.clear()
        self._begin(account)

    def _begin(self, account: Account) -> None:
        self.account = account
        self.quota = Quota()
        self._operations = Operations(account, self._behavior)

    def handle(self, request: EmulatorRequest) -> EmulatorResponse:
        """Handle one request, and record it."""
        route = ROUTER.find(request.method, request.raw_path)
        query = Query.parse(request.query)
        authorization = request.header(b"authorization")
        is_authenticated = credentials_match(authorization, self._credentials)
        with self.lock:
            now = self.clock.now()
            result = self._check(route, is_authenticated=is_authenticated)
            if isinstance(result, Route):
                result = self._call(request, result, query, now)
            response = self._finish(request, result, now)
            self.calls.append(
                _record(request, route, query, response, is_authenticated=is_authenticated)
            )
        return response

    def _check(self, route: Route | None, *, is_authenticated: bool) -> Route | _Result:
        """Return the route of a call that may be performed, or the error."""
        if route is None:
            return _error(404, "Not found")
        if route.operation_id is None:
            allowed = ", ".join(route.allowed).encode("ascii")
            return _error(405, "Method not allowed", [(b"allow", allowed)])
        if not is_authenticated:
            return _error(401, "Invalid credentials")
        if route.path_params["account_id"] != self._account_id:
            return _error(404, "Account not found")
        return route

    def _call(self, request: EmulatorRequest, route: Route, query: Query, now: datetime) -> _Result:
        operation_id = route.operation_id
        assert operation_id is not None
        content_type = request.header(b"content-type")
        arguments = Arguments(route.path_params, query, request.body, content_type, now)
        fault = self.faults.take(operation_id, route.path_params)
        if fault is None:
            return self._perform(operation_id, arguments)
        result = self._perform(operation_id, arguments) if fault.is_applied else None
        return _with_fault(result, fault)

    def _perform(self, operation_id: str, arguments: Arguments) -> _Result:
        try:
            self.quota.spend(arguments.now)
        except RejectedError as rejection:
            retry_after = self.quota.retry_after(arguments.now)
            return _error(rejection.status, rejection.message, retry_after)
        try:
            return _Result(200, _encode(self._operations.perform(operation_id, arguments)))
        except RejectedError as rejection:
            return _error(rejection.status, rejection.message)

    def _finish(self, request: EmulatorRequest, result: _Result, now: datetime) -> EmulatorResponse:
        headers = {
            b"date": self._http_date(now),
            b"content-type": b"application/json",
            b"x-request-id": secrets.token_hex(16).encode("ascii"),
            **dict(self.quota.headers(now)),
            **dict(result.headers),
        }
        body = result.body
        if result.status in _BODILESS:
            body = b""
        elif result.status == 401:
            headers.setdefault(b"www-authenticate", b'Basic realm="Cloudinary provisioning"')
        if result.status not in _BODILESS:
            headers[b"content-length"] = b"%d" % len(body)
        if request.method == "HEAD":
            body = b""
        return EmulatorResponse(
            result.status, tuple(headers.items()), body, result.delay, result.drop
        )

    def _http_date(self, now: datetime) -> bytes:
        # Formatting a date costs more than all other headers together: do it once a second.
        second = now.replace(microsecond=0)
        if second != self._date_second:
            self._date = format_datetime(second, usegmt=True).encode("ascii")
            self._date_second = second
        return self._date


def _error(status: int, message: str, headers: RawHeaders = ()) -> _Result:
    return _Result(status, _encode({"error": {"message": message}}), headers)


def _with_fault(result: _Result | None, fault: Fault) -> _Result:
    """Return the result with a fault applied; None is an operation that was not performed."""
    if result is None or (fault.status is not None and fault.drop is None):
        result = _error(fault.status or 503, fault.message)
    return attrs.evolve(
        result,
        headers=(*result.headers, *fault.headers),
        body=result.body if fault.body is None else fault.body,
        delay=fault.delay,
        drop=fault.drop,
    )


def _record(
    request: EmulatorRequest,
    route: Route | None,
    query: Query,
    response: EmulatorResponse,
    *,
    is_authenticated: bool,
) -> Call:
    path_params: Mapping[str, str] = route.path_params if route is not None else {}
    return Call(
        operation_id=route.operation_id if route is not None else None,
        method=request.method,
        path=request.raw_path.decode("latin-1"),
        path_params=path_params,
        query=query.as_dict(),
        query_items=query.pairs,
        headers={
            name.lower().decode("latin-1"): value.decode("latin-1")
            for name, value in request.headers
            if name.lower() != b"authorization"
        },
        # Whoever has no credentials must not decide what a server keeps in memory.
        body=request.body if is_authenticated else b"",
        status="dropped" if response.drop else response.status,
    )
