"""The call log: the requests that the emulator received, and assertions about them."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, Literal, overload

import attrs
import msgspec

from .routes import OPERATION_IDS

# A server that runs for days must not grow with every request.
_MAX_CALLS: Final = 10_000
_MAX_BYTES: Final = 64 * 1024 * 1024
_MAX_BODY_BYTES: Final = 1024 * 1024

_ANYTHING: Final = object()


def _cut_off(body: bytes) -> bytes:
    return body[:_MAX_BODY_BYTES]


@attrs.frozen(kw_only=True)
class Call:
    """One request that the emulator received, and its outcome.

    Attributes:
        operation_id: The operation, or None if method and path match none.
        method: The HTTP method.
        path: The path as sent, still percent-encoded.
        path_params: The decoded path parameters by name.
        query: The query parameters by name; the last of several values of a name.
        query_items: All names and values of the query, in order.
        headers: The headers by lower-case name, without ``authorization``.
        body: The body as sent, cut off after 1 MiB; empty if the credentials were wrong.
        status: The status code of the response, or "dropped" if the connection was broken.
    """

    operation_id: str | None
    method: str
    path: str
    path_params: Mapping[str, str]
    query: Mapping[str, str]
    query_items: Sequence[tuple[str, str]] = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(converter=_cut_off)
    status: int | Literal["dropped"]

    @property
    def account_id(self) -> str | None:
        """The account ID of the path."""
        return self.path_params.get("account_id")

    @property
    def group_id(self) -> str | None:
        """The group ID of the path."""
        return self.path_params.get("group_id")

    @property
    def user_id(self) -> str | None:
        """The user ID of the path."""
        return self.path_params.get("user_id")

    @property
    def json(self) -> object:
        """The decoded JSON body, or None if there is no body or it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (ValueError, RecursionError):
            return None

    def __str__(self) -> str:
        body = f" {self.body[:200].decode('utf-8', 'replace')}" if self.body else ""
        query = "?" + "&".join(f"{k}={v}" for k, v in self.query_items) if self.query_items else ""
        name = self.operation_id or "(no operation)"
        return f"{name}: {self.method} {self.path}{query}{body} -> {self.status}"


class CallLog(Sequence[Call]):
    """The latest calls, oldest first: up to 10,000, and up to 64 MiB."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque()
        self._size = 0

    @overload
    def __getitem__(self, index: int) -> Call: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Call]: ...

    def __getitem__(self, index: int | slice) -> Call | Sequence[Call]:
        return self._snapshot()[index]

    def __len__(self) -> int:
        return len(self._calls)

    def __repr__(self) -> str:
        return f"<CallLog with {_count(len(self), 'call')}>"

    def append(self, call: Call) -> None:
        """Record a call."""
        with self._lock:
            self._calls.append(call)
            self._size += _size(call)
            while len(self._calls) > _MAX_CALLS or self._size > _MAX_BYTES:
                self._size -= _size(self._calls.popleft())

    def clear(self) -> None:
        """Forget every call."""
        with self._lock:
            self._calls.clear()
            self._size = 0

    def of(self, operation_id: str) -> list[Call]:
        """Return the calls of one operation, oldest first."""
        # A misspelt ID would otherwise make assert_not_called pass for ever.
        if operation_id not in OPERATION_IDS:
            known = ", ".join(OPERATION_IDS)
            raise ValueError(f"unknown operation id {operation_id!r}: use one of {known}")
        return [call for call in self._snapshot() if call.operation_id == operation_id]

    def assert_called(
        self,
        operation_id: str,
        *,
        times: int | None = None,
        json: object = _ANYTHING,
        group_id: str | None = None,
        user_id: str | None = None,
        query: Mapping[str, str] | None = None,
        status: int | Literal["dropped"] | None = None,
    ) -> list[Call]:
        """Assert that an operation was called, and return the calls that match.

        Args:
            operation_id: The operation.
            times: The exact number of calls, retries included; None for at least one.
            json: The JSON value that the body must be equal to.
            group_id: The group ID of the path, decoded.
            user_id: The user ID of the path, decoded.
            query: All query parameters.
            status: The status code of the response, or "dropped".

        Raises:
            AssertionError: No call, or not the right number of calls, matches.
        """
        __tracebackhide__ = True
        given = {"group_id": group_id, "user_id": user_id, "query": query, "status": status}
        wanted: dict[str, object] = {k: v for k, v in given.items() if v is not None}
        if json is not _ANYTHING:
            wanted["json"] = json
        calls = self.of(operation_id)
        matching = [c for c in calls if all(getattr(c, k) == v for k, v in wanted.items())]
        if len(matching) == times or (times is None and matching):
            return matching
        expected = "at least once" if times is None else f"exactly {_count(times, 'time')}"
        if wanted:
            expected += " with" + "".join(f" {name}={value!r}" for name, value in wanted.items())
        raise AssertionError(
            f"expected {operation_id} to be called {expected}, but"
            f" {_count(len(matching), 'call')} of {len(calls)} to it matched.\n{self._describe()}"
        )

    def assert_not_called(self, operation_id: str) -> None:
        """Assert that an operation was not called; otherwise raise ``AssertionError``."""
        __tracebackhide__ = True
        if calls := self.of(operation_id):
            raise AssertionError(
                f"expected {operation_id} not to be called, but it was called"
                f" {_count(len(calls), 'time')}.\n{self._describe()}"
            )

    def _snapshot(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    def _describe(self) -> str:
        calls = self._snapshot()
        if not calls:
            return "The emulator received no call at all."
        latest = calls[-20:]
        heading = f"The emulator received {_count(len(calls), 'call')}:"
        if len(latest) < len(calls):
            heading = f"The latest {len(latest)} of {len(calls)} calls that the emulator received:"
        return "\n".join([heading, *(f"  {call}" for call in latest)])


def _size(call: Call) -> int:
    pairs = (*call.headers.items(), *call.query_items)
    return len(call.body) + len(call.path) + sum(len(name) + len(value) for name, value in pairs)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
