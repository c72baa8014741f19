"""The I/O of a call, sync and async: nothing else sends, reads or waits.

A flow (see pipeline.py) yields each step and is sent its result; the two drivers perform the steps.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Generator, Mapping
from datetime import timedelta
from inspect import GEN_CLOSED, getgeneratorstate, iscoroutine
from math import inf
from time import monotonic
from types import ModuleType, TracebackType
from typing import Any, Self, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import httpx
from attrs import define

from cld_user_groups.limits.protocol import Limiter
from cld_user_groups.utils import wait, wait_async

from .body import DEFAULT_MAX_BYTES, read_body, read_body_async, too_slow
from .http_client import AsyncHttpClient, Connections, HttpClient
from .library import library_of
from .request import RawResponse

T = TypeVar("T")


@define(eq=False, repr=False)  # in a traceback its repr would show the body, unmasked
class Attempt:
    """One attempt at a request: a step to perform, how far it got, and what it ended in.

    httpcore reports each step of a request to its `trace` extension, so that an exception of any
    class, a cancellation too, can be told apart: before the first byte of the request, or after.
    A transport that reports nothing may have sent it: that is not known. Once the head of the
    response is there, nothing more is reported, and no cycle is left to the garbage collector.
    """

    request: httpx.Request
    limiter: Limiter | None = None  # which must admit it, once few enough requests are in flight
    ticket: Any = None  # what the limiter is asked with
    max_bytes: int = DEFAULT_MAX_BYTES  # of the body
    response: httpx.Response | None = None  # if there is a failure too, its body is unreadable
    content: bytes = b""  # its body
    failure: Exception | None = None
    queued: float = 0.0  # how many seconds it waited until few enough were in flight
    is_entered: bool = False  # whether it was handed to the httpx client
    is_traced: bool = False  # whether a step was reported
    is_begun: bool = False  # whether sending its head began
    is_head_sent: bool = False  # whether its head was sent whole
    _is_tunnel: bool = False
    _head: Any = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Record a step that httpcore reports."""
        self.is_traced = True
        if event.endswith("send_request_headers.started"):
            # The request to a proxy for a tunnel is reported in the same way.
            self._is_tunnel = info["request"].method == b"CONNECT"
            self.is_begun = self.is_begun or not self._is_tunnel
            self._head = None
        elif event.endswith("send_request_headers.complete"):
            self.is_head_sent = self.is_begun
        elif event.endswith("receive_response_headers.complete") and not self._is_tunnel:
            self._head = info.get("return_value")

    async def trace_async(self, event: str, info: Mapping[str, Any]) -> None:
        """Record a step that httpcore's async side reports."""
        self.trace(event, info)

    @property
    def may_have_been_sent(self) -> bool:
        """Whether the server may have seen the request: true if that is unknown."""
        return self.is_begun or (self.is_entered and not self.is_traced)

    @property
    def head(self) -> tuple[int, list[tuple[bytes, bytes]]] | None:
        """The status code and the headers of the response, or None if none was reported."""
        match self._head:
            case (_, int() as status, _, headers) | (int() as status, headers):  # HTTP/1.1, HTTP/2
                return status, headers
            case _:
                return None

    def fail(self, error: Any) -> None:
        """Record the exception that the attempt ended in instead of a response."""
        self.request.extensions.pop("trace", None)
        if isinstance(error, library_of(self.request).RequestError):
            try:
                error.request  # noqa: B018 - that of another request, which an event hook made
            except RuntimeError:
                error.request = self.request
        self.failure = error if isinstance(error, Exception) else None
        if self.limiter is not None:
            self.limiter.observe(self.ticket, None)


Step: TypeAlias = Attempt | float | Awaitable[object]
"""What a flow yields: an attempt to make, a delay in seconds, or an async hook to await."""

Flow = Generator[Step, object, RawResponse[T]]
"""A call in progress. For an attempt that a limiter did not admit, it is sent the reply."""


def drive(http: HttpClient, connections: Connections, flow: Flow[T]) -> RawResponse[T]:
    """Perform the steps of a flow, and return its result.

    An exception from anywhere goes through the flow, which records what it means for the call and
    may yield further steps: the hooks to notify.
    """
    result: object = None
    failure: BaseException | None = None
    step: Step | None = None
    while True:
        try:
            while True:  # in the try, for an interrupt can come where a loop begins anew
                step = None
                step = flow.send(result) if failure is None else flow.throw(failure)
                result = failure = None
                result = _perform(http, connections, step)
        except StopIteration as done:
            if step is None:  # of the flow itself
                ended: RawResponse[T] = done.value
                return ended
            failure = done
        except BaseException as error:
            if getgeneratorstate(flow) == GEN_CLOSED:  # the flow has ended, in this error
                failure = None  # which would refer to itself through this frame
                raise
            failure = error


async def drive_async(
    http: AsyncHttpClient, connections: Connections, flow: Flow[T]
) -> RawResponse[T]:
    """Perform the steps of a flow, and return its result; see `drive`."""
    result: object = None
    failure: BaseException | None = None
    step: Step | None = None
    while True:
        try:
            while True:
                step = None
                step = flow.send(result) if failure is None else flow.throw(failure)
                result = failure = None
                if isinstance(step, Attempt):
                    result = await _exchange_async(http, connections, step)
                else:
                    await (wait_async(step) if isinstance(step, int | float) else step)
        except StopIteration as done:
            if step is None:  # of the flow itself
                ended: RawResponse[T] = done.value
                return ended
            failure = done
        except BaseException as error:
            if getgeneratorstate(flow) == GEN_CLOSED:  # the flow has ended, in this error
                failure = None  # which would refer to itself through this frame
                raise
            failure = error


def _perform(http: HttpClient, connections: Connections, step: Step) -> object:
    if isinstance(step, Attempt):
        return _exchange(http, connections, step)
    if not isinstance(step, int | float):
        if iscoroutine(step):
            step.close()
        raise TypeError("a hook returned an awaitable: use AsyncCldProvisioning")
    wait(step)
    return None


def _exchange(http: HttpClient, connections: Connections, attempt: Attempt) -> object:
    """Send the request of an attempt and read its response, or return why a limiter has not let it.

    An exception of the limiter ends the call: it is no lost response.
    """
    request, limiter, ticket = attempt.request, attempt.limiter, attempt.ticket
    attempt.queued = http.enter(connections)
    try:
        if limiter is not None:
            reply = limiter.acquire(ticket)
            if reply is not None:
                return reply
        try:
            request.extensions["trace"] = attempt.trace
            attempt.is_entered = not connections.client.is_closed
            began = monotonic()
            attempt.response = http.send(connections, request)
            request.extensions.pop("trace", None)
            limit = request.extensions["timeout"]["read"]
            attempt.content = read_body(
                attempt.response, connections.http, attempt.max_bytes, limit
            )
            attempt.response.elapsed = timedelta(seconds=monotonic() - began)
        except BaseException as failure:
            if attempt.response is not None:
                attempt.response.close()
            attempt.fail(failure)
            if not isinstance(failure, Exception):
                raise
        else:
            if limiter is not None:
                limiter.observe(ticket, attempt.response)
        return None
    finally:
        http.leave(connections, request, attempt.response)


async def _exchange_async(
    http: AsyncHttpClient, connections: Connections, attempt: Attempt
) -> object:
    """Send the request of an attempt and read its response; see `_exchange`."""
    request, limiter, ticket = attempt.request, attempt.limiter, attempt.ticket
    attempt.queued = await http.enter(connections)
    try:
        if limiter is not None:
            acquire = getattr(limiter, "acquire_async", None)
            reply = await acquire(ticket) if acquire else limiter.acquire(ticket)
            if reply is not None:
                return reply
        try:
            request.extensions["trace"] = attempt.trace_async
            attempt.is_entered = not connections.client.is_closed
            began = monotonic()
            with Deadline(request, connections.http) as deadline:
                attempt.response = await http.send(connections, request)
                request.extensions.pop("trace", None)
                deadline.limit(request.extensions["timeout"]["read"])
                attempt.content = await read_body_async(
                    attempt.response, connections.http, attempt.max_bytes
                )
            attempt.response.elapsed = timedelta(seconds=monotonic() - began)
        except BaseException as failure:
            attempt.fail(failure)
            if attempt.response is not None:
                await attempt.response.aclose()
            if not isinstance(failure, Exception):
                raise
        else:
            if limiter is not None:
                observe = getattr(limiter, "observe_async", None)
                if observe is None:
                    limiter.observe(ticket, attempt.response)
                else:
                    await observe(ticket, attempt.response)
        return None
    finally:
        await http.leave(connections, request, attempt.response)


class Deadline:
    """A time limit of an attempt of the async client, on asyncio and trio.

    httpx limits each wait for data. A server that sends a byte at a time, or one informational
    response after another, never exceeds that. Past this limit, what waits in the `with` block is
    cancelled, and a ReadTimeout raised. The first limit is all those of the request together.
    """

    __slots__ = ("_cancelling", "_http", "_scope", "_seconds", "_watch", "end", "is_past", "task")

    def __init__(self, request: httpx.Request, http: ModuleType) -> None:
        limits = request.extensions["timeout"].values()
        self._seconds: float = inf if None in limits else sum(limits)
        self._http = http
        self.task: Any = None
        self.is_past = False

    def __enter__(self) -> Self:
        asyncio: Any = sys.modules.get("asyncio")
        try:
            loop = asyncio.get_running_loop()
        except (AttributeError, RuntimeError):
            import anyio

            self._scope = anyio.CancelScope()
            self._scope.__enter__()
        else:
            self.task = asyncio.current_task(loop)
            self._cancelling = self.task.cancelling()
            self._watch = _watches.get(loop) or _watches.setdefault(loop, _Watch())
        self.limit(self._seconds)
        return self

    def limit(self, seconds: float | None) -> None:
        """Set another limit, which counts from now; None for none."""
        self._seconds = inf if seconds is None else seconds
        if self.task is not None:
            self.end = monotonic() + self._seconds
            self._watch.kept.add(self)
            if self.end < self._watch.next:
                self._watch.wake_at(self.end)
        else:
            import anyio

            self._scope.deadline = anyio.current_time() + self._seconds

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.task is None:
            self._scope.__exit__(kind, error, traceback)
            self.is_past = self._scope.cancelled_caught
        else:
            self._watch.kept.discard(self)
            if self.is_past:  # a cancellation by the caller, at the same time, goes before
                is_own = self.task.uncancel() <= self._cancelling
                self.is_past = is_own and kind is sys.modules["asyncio"].CancelledError
        if self.is_past:
            raise self._http.ReadTimeout(too_slow(self._seconds)) from error


class _Watch:
    """One timer for all deadlines of a loop: one for each would be 8 % of a call in process."""

    def __init__(self) -> None:
        self.kept: set[Deadline] = set()
        self.next = inf  # no timer itself, which would keep the loop alive

    def wake_at(self, end: float) -> None:
        self.next = end
        if end < inf:
            loop = sys.modules["asyncio"].get_running_loop()
            loop.call_later(end - monotonic(), self._tick, end)

    def _tick(self, end: float) -> None:
        if end != self.next:  # an earlier one has been set since
            return
        now = monotonic()
        for deadline in [each for each in self.kept if each.end <= now]:
            self.kept.discard(deadline)
            deadline.is_past = True
            deadline.task.cancel()
        self.wake_at(min((each.end for each in self.kept), default=inf))


_watches: WeakKeyDictionary[Any, _Watch] = WeakKeyDictionary()
