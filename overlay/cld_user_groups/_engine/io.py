"""The I/O of a call, sync and async: nothing else sends, reads or waits.

A flow (see pipeline.py) yields each step and is sent its result; the two drivers perform the steps.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Mapping
from inspect import GEN_CLOSED, getgeneratorstate, iscoroutine
from typing import Any, TypeAlias, TypeVar, cast

import httpx
from attrs import define

from cld_user_groups.limits.protocol import Hold, Limiter, Ticket, check_hold
from cld_user_groups.utils import wait, wait_async

from .body import read_body, read_body_async
from .deadline import Deadline
from .http_client import AsyncConnections, AsyncHttpClient, Connections, HttpClient
from .request import RawResponse

T = TypeVar("T")


@define
class Admission:
    """Asks a limiter for each attempt of a call, and tells it of the response.

    Attributes:
        limiter: The limiter.
        account_id: The account, whose quota the call uses.
        timeout: The call's time limit in seconds, or None.
        is_paced: Whether the caller paces its calls itself.
        held: How many attempts were not admitted.
    """

    limiter: Limiter
    account_id: str
    timeout: float | None
    is_paced: bool = False
    held: int = 0
    _ticket: Any = None

    def prepare(self, patience: float) -> None:
        """Prepare for the next attempt, which has the same ticket until one is admitted.

        Args:
            patience: The seconds that the call may still wait.
        """
        if self._ticket is None:
            self._ticket = Ticket(self.account_id, patience, self.timeout, is_paced=self.is_paced)
        else:
            self._ticket.patience = patience

    def acquire(self) -> Hold | None:
        """Ask whether the attempt may be sent."""
        reply = self.limiter.acquire(self._ticket)
        return None if reply is None else self._delay(reply)

    async def acquire_async(self) -> Hold | None:
        """Ask whether the attempt may be sent."""
        acquire = getattr(self.limiter, "acquire_async", None)
        if acquire is None:
            return self.acquire()
        reply = await acquire(self._ticket)
        return None if reply is None else self._delay(reply)

    def observe(self, response: httpx.Response | None) -> None:
        """Tell of the response to the attempt, which was admitted, or that there was none."""
        ticket, self._ticket = self._ticket, None
        self.limiter.observe(ticket, response)

    async def observe_async(self, response: httpx.Response) -> None:
        """Tell of the response to the attempt, which was admitted."""
        observe = getattr(self.limiter, "observe_async", None)
        if observe is None:
            self.observe(response)
        else:
            ticket, self._ticket = self._ticket, None
            await observe(ticket, response)

    def _delay(self, reply: object) -> Hold:
        self.held += 1
        return check_hold(reply)


class Attempt:
    """One attempt at a request: a step to perform, how far it got, and what it ended in.

    httpcore reports each step of a request to its `trace` extension, so that an exception of any
    class, a cancellation too, can be told apart: before the first byte of the request, or after.
    A transport that reports nothing may have sent it: that is not known.

    Args:
        request: The request.
        admission: What a limiter must grant first, once few enough requests are in flight, or None.

    Attributes:
        is_entered: Whether the request was handed to the httpx client.
        is_traced: Whether a step was reported.
        is_begun: Whether sending the request's head began.
        is_head_sent: Whether the request's head was sent whole.
        queued: How many seconds the attempt waited until few enough were in flight.
        response: The response, or None. Where there is a failure too, its body is unreadable.
        failure: The exception, or None.
    """

    __slots__ = (
        *("_head", "_is_tunnel", "admission", "failure", "is_begun", "is_entered"),
        *("is_head_sent", "is_traced", "queued", "request", "response"),
    )

    def __init__(self, request: httpx.Request, admission: Admission | None = None) -> None:
        self.request = request
        self.admission = admission
        self.response: httpx.Response | None = None
        self.failure: Exception | None = None
        self._head: Any = None
        self._is_tunnel = False
        self.is_entered = False
        self.is_traced = False
        self.is_begun = False
        self.is_head_sent = False
        self.queued = 0.0

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


Step: TypeAlias = Attempt | float | Awaitable[object]
"""What a flow yields: an attempt to make, a delay in seconds, or an async hook to await."""

Flow = Generator[Step, Hold | None, RawResponse[T]]
"""A call in progress. It is sent a Hold for an attempt that a limiter did not admit."""


def drive(
    http: HttpClient, connections: Connections, flow: Flow[T], max_bytes: int
) -> RawResponse[T]:
    """Perform the steps of a flow, and return its result.

    An exception from anywhere goes through the flow, which records what it means for the call and
    may yield further steps: the hooks to notify.
    """
    result: Hold | None = None
    failure: BaseException | None = None
    step: Step | None = None
    while True:
        try:
            while True:  # in the try, for an interrupt can come where a loop begins anew
                step = None
                step = flow.send(result) if failure is None else flow.throw(failure)
                result = failure = None
                result = _perform(http, connections, step, max_bytes)
        except StopIteration as done:
            if step is None:  # of the flow itself
                return cast("RawResponse[T]", done.value)
            failure = done
        except BaseException as error:
            if getgeneratorstate(flow) == GEN_CLOSED:  # the flow has ended, in this error
                failure = None  # which would refer to itself through this frame
                raise
            failure = error


async def drive_async(
    http: AsyncHttpClient, connections: AsyncConnections, flow: Flow[T], max_bytes: int
) -> RawResponse[T]:
    """Perform the steps of a flow, and return its result; see `drive`."""
    result: Hold | None = None
    failure: BaseException | None = None
    step: Step | None = None
    while True:
        try:
            while True:
                step = None
                step = flow.send(result) if failure is None else flow.throw(failure)
                result = failure = None
                if isinstance(step, Attempt):
                    result = await _exchange_async(http, connections, step, max_bytes)
                else:
                    await (wait_async(step) if isinstance(step, int | float) else step)
        except StopIteration as done:
            if step is None:  # of the flow itself
                return cast("RawResponse[T]", done.value)
            failure = done
        except BaseException as error:
            if getgeneratorstate(flow) == GEN_CLOSED:  # the flow has ended, in this error
                failure = None  # which would refer to itself through this frame
                raise
            failure = error


def _perform(http: HttpClient, connections: Connections, step: Step, max_bytes: int) -> Hold | None:
    if isinstance(step, Attempt):
        return _exchange(http, connections, step, max_bytes)
    if not isinstance(step, int | float):
        if iscoroutine(step):
            step.close()
        raise TypeError("a hook returned an awaitable: use AsyncCldProvisioning")
    wait(step)
    return None


def _exchange(
    http: HttpClient, connections: Connections, attempt: Attempt, max_bytes: int
) -> Hold | None:
    """Send the request of an attempt and read its response, if a limiter admits it.

    An exception of the limiter ends the call: it is no lost response.
    """
    request, admission = attempt.request, attempt.admission
    attempt.queued = http.enter(connections)
    try:
        if admission is not None and (delay := admission.acquire()) is not None:
            return delay
        try:
            # The credentials are in the headers already: auth=None, for no scheme of the client's
            # own may replace them.
            request.extensions["trace"] = attempt.trace
            attempt.is_entered = not connections.client.is_closed
            attempt.response = connections.client.send(
                request, stream=True, auth=None, follow_redirects=False
            )
            limit = request.extensions["timeout"]["read"]
            attempt.response = read_body(attempt.response, max_bytes, limit)
        except BaseException as failure:
            if attempt.response is not None:
                attempt.response.close()
            if admission is not None:
                admission.observe(None)
            if not isinstance(failure, Exception):
                raise
            attempt.failure = failure
        else:
            if admission is not None:
                admission.observe(attempt.response)
        return None
    finally:
        http.leave(connections, attempt.response)


async def _exchange_async(
    http: AsyncHttpClient, connections: AsyncConnections, attempt: Attempt, max_bytes: int
) -> Hold | None:
    """Send the request of an attempt and read its response; see `_exchange`."""
    request, admission = attempt.request, attempt.admission
    attempt.queued = await http.enter(connections)
    try:
        if admission is not None and (delay := await admission.acquire_async()) is not None:
            return delay
        try:
            request.extensions["trace"] = attempt.trace_async
            attempt.is_entered = not connections.client.is_closed
            with Deadline(request) as deadline:
                attempt.response = await connections.client.send(
                    request, stream=True, auth=None, follow_redirects=False
                )
                deadline.limit(request.extensions["timeout"]["read"])
                attempt.response = await read_body_async(attempt.response, max_bytes)
        except BaseException as failure:
            if admission is not None:
                admission.observe(None)
            if attempt.response is not None:
                await attempt.response.aclose()
            if not isinstance(failure, Exception):
                raise
            attempt.failure = failure
        else:
            if admission is not None:
                await admission.observe_async(attempt.response)
        return None
    finally:
        await http.leave(connections, attempt.response)
