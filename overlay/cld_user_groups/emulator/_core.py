"""The emulator's core: one request in, one answer out, with no I/O."""

import secrets
import threading
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Final
from urllib.parse import parse_qsl

import attrs
import msgspec

from ._account import Account
from ._auth import credentials_match
from ._calls import Call, CallLog
from ._clock import EmulatorClock
from ._faults import Fault, Faults
from ._messages import Drop, EmulatorRequest, EmulatorResponse, RawHeaders, RefusedError, Wire
from ._operations import Arguments, Operations
from ._quota import Quota
from ._routes import Route, find_route

_encode = msgspec.json.Encoder().encode

# These answers have no body by the rules of HTTP.
_BODILESS: Final = frozenset({204, 205, 304})


@attrs.frozen
class _Answer:
    """An answer before the headers that every answer has."""

    status: int
    body: bytes
    headers: RawHeaders = ()
    delay: float = 0.0
    drop: Drop | None = None


class Core:
    """Routing, authentication, faults, quota and operations, in that order.

    Args:
        account: The state to begin with.
        account_id: The account's id.
        credentials: The key and the secret, joined with a colon.
        wire: The shapes to answer in.
        clock: The time of day.

    Attributes:
        lock: Held while a request is handled; whoever else touches the parts must hold it.
    """

    def __init__(
        self,
        *,
        account: Account,
        account_id: str,
        credentials: bytes,
        wire: Wire,
        clock: EmulatorClock,
    ) -> None:
        self._account_id = account_id
        self._credentials = credentials
        self._wire: Wire = wire
        self._date = b""
        self._date_second: datetime | None = None
        self.lock = threading.Lock()
        self.clock = clock
        self.calls = CallLog()
        self.faults = Faults()
        self._begin(account)

    def start_over(self, account: Account) -> None:
        """Begin again with a new state; the clock, the quota, the faults and the log as well."""
        self.clock.reset()
        self.calls.clear()
        self.faults.clear()
        self._begin(account)

    def _begin(self, account: Account) -> None:
        self.account = account
        self.quota = Quota()
        self._operations = Operations(account, self._wire)

    def handle(self, request: EmulatorRequest) -> EmulatorResponse:
        """Answer one request, and record it."""
        route = find_route(request.method, request.raw_path)
        query = _parse_query(request.query)
        with self.lock:
            now = self.clock.now()
            answer = self._answer(request, route, query, now)
            response = self._finish(request, answer, now)
            self.calls.append(_record(request, route, query, response))
        return response

    def _answer(
        self,
        request: EmulatorRequest,
        route: Route | None,
        query: Mapping[str, str],
        now: datetime,
    ) -> _Answer:
        if route is None:
            return _error(404, "Not found")
        if route.operation_id is None:
            allowed = ", ".join(route.allowed).encode("ascii")
            return _error(405, "Method not allowed", [(b"allow", allowed)])
        return self._check_access(request, route) or self._call(
            route.operation_id, Arguments(route.path_params, query, request.body, now)
        )

    def _check_access(self, request: EmulatorRequest, route: Route) -> _Answer | None:
        if not credentials_match(request.header(b"authorization"), self._credentials):
            return _error(401, "Invalid credentials")
        if route.path_params["account_id"] != self._account_id:
            return _error(404, "Account not found")
        return None

    def _call(self, operation_id: str, arguments: Arguments) -> _Answer:
        fault = self.faults.take(operation_id)
        if fault is None:
            return self._perform(operation_id, arguments)
        if not fault.is_applied:
            return _spoil(None, fault)
        return _spoil(self._perform(operation_id, arguments), fault)

    def _perform(self, operation_id: str, arguments: Arguments) -> _Answer:
        try:
            self.quota.spend(arguments.now)
        except RefusedError as refusal:
            retry_after = self.quota.retry_after(arguments.now)
            return _error(refusal.status, refusal.message, retry_after)
        try:
            return _Answer(200, _encode(self._operations.perform(operation_id, arguments)))
        except RefusedError as refusal:
            return _error(refusal.status, refusal.message)

    def _finish(self, request: EmulatorRequest, answer: _Answer, now: datetime) -> EmulatorResponse:
        headers = {
            b"date": self._http_date(now),
            b"content-type": b"application/json",
            b"x-request-id": secrets.token_hex(16).encode("ascii"),
            **dict(self.quota.headers(now)),
            **dict(answer.headers),
        }
        body = answer.body
        if answer.status in _BODILESS:
            body = b""
        elif answer.status == 401:
            headers.setdefault(b"www-authenticate", b'Basic realm="Cloudinary provisioning"')
        if answer.status not in _BODILESS:
            headers[b"content-length"] = b"%d" % len(body)
        if request.method == "HEAD":
            body = b""
        return EmulatorResponse(
            answer.status, tuple(headers.items()), body, answer.delay, answer.drop
        )

    def _http_date(self, now: datetime) -> bytes:
        # Formatting a date costs more than all other headers together, so once a second will do.
        second = now.replace(microsecond=0)
        if second != self._date_second:
            self._date = format_datetime(second, usegmt=True).encode("ascii")
            self._date_second = second
        return self._date


def _error(status: int, message: str, headers: RawHeaders = ()) -> _Answer:
    return _Answer(status, _encode({"error": {"message": message}}), headers)


def _spoil(answer: _Answer | None, fault: Fault) -> _Answer:
    """Return what a fault makes of the operation's own answer, where it was performed."""
    if answer is None or (fault.status is not None and fault.drop is None):
        answer = _error(fault.status or 503, fault.message)
    return attrs.evolve(
        answer,
        headers=(*answer.headers, *fault.headers),
        body=answer.body if fault.body is None else fault.body,
        delay=fault.delay,
        drop=fault.drop,
    )


def _parse_query(query: bytes) -> dict[str, str]:
    if not query:
        return {}
    return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))


def _record(
    request: EmulatorRequest,
    route: Route | None,
    query: Mapping[str, str],
    response: EmulatorResponse,
) -> Call:
    return Call(
        operation_id=route.operation_id if route is not None else None,
        method=request.method,
        path=request.raw_path.decode("latin-1"),
        path_params=route.path_params if route is not None else {},
        query=query,
        headers={
            name.lower().decode("latin-1"): value.decode("latin-1")
            for name, value in request.headers
            if name.lower() != b"authorization"
        },
        body=request.body,
        status="dropped" if response.drop else response.status,
    )
