"""The I/O of a call, sync and async: nothing else sends, reads or waits."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from inspect import GEN_CLOSED, getgeneratorstate, iscoroutine
from typing import TypeAlias, TypeVar

import httpx

from .attempt import Attempt, Outcome, Send
from .body import read_body, read_body_async
from .call import RawResponse
from .http_client import AsyncConnections, AsyncHttpClient, Connections, HttpClient
from .proxies import transport_for
from .sleep import wait, wait_async

T = TypeVar("T")

Step: TypeAlias = Send | float | Awaitable[object]
"""What a flow yields: a request to send, a delay in seconds, or an async hook to await."""

Flow = Generator[Step, Outcome | None, RawResponse[T]]

# The credentials are in the headers already: no scheme of the client's own may replace them.
_NO_AUTH = httpx.Auth()
_STOCK_TRANSPORTS = (httpx.HTTPTransport, httpx.AsyncHTTPTransport)


def drive(
    http: HttpClient, connections: Connections, flow: Flow[T], max_bytes: int
) -> RawResponse[T]:
    """Perform the steps of a flow, and return its result.

    An exception from anywhere goes through the flow, which records what it means for the call and
    may yield further steps: the hooks to notify.
    """
    outcome: Outcome | None = None
    failure: BaseException | None = None
    while True:
        try:
            try:
                step = flow.send(outcome) if failure is None else flow.throw(failure)
            except StopIteration as done:
                result: RawResponse[T] = done.value
                return result
            outcome = failure = None
            if isinstance(step, Send):
                outcome = _exchange(http, connections, step, max_bytes)
            elif isinstance(step, int | float):
                wait(step)
            else:
                if iscoroutine(step):
                    step.close()
                raise TypeError("a hook returned an awaitable: use AsyncCldProvisioning")
        except BaseException as error:
            if getgeneratorstate(flow) == GEN_CLOSED:  # the flow has ended, in this error
                failure = None  # which would refer to itself through this frame
                raise
            failure = error


async def drive_async(
    http: AsyncHttpClient, connections: AsyncConnections, flow: Flow[T], max_bytes: int
) -> RawResponse[T]:
    """Perform the steps of a flow, and return its result; see `drive`."""
    outcome: Outcome | None = None
    failure: BaseException | None = None
    while True:
        try:
            try:
                step = flow.send(outcome) if failure is None else flow.throw(failure)
            except StopIteration as done:
                result: RawResponse[T] = done.value
                return result
            outcome = failure = None
            if isinstance(step, Send):
                outcome = await _exchange_async(http, connections, step, max_bytes)
            elif isinstance(step, int | float):
                await wait_async(step)
            else:
                await step
        except BaseException as error:
            if getgeneratorstate(flow) == GEN_CLOSED:  # the flow has ended, in this error
                failure = None  # which would refer to itself through this frame
                raise
            failure = error


def _exchange(http: HttpClient, connections: Connections, step: Send, max_bytes: int) -> Outcome:
    """Send one request and read its response."""
    request, attempt = step
    attempt.queued = http.enter(connections)
    response: httpx.Response | None = None
    try:
        request.extensions["trace"] = attempt.trace
        attempt.is_entered = True
        response = connections.client.send(
            request, stream=True, auth=_NO_AUTH, follow_redirects=False
        )
        return Outcome(read_body(response, max_bytes), None)
    except BaseException as failure:
        if response is not None:
            response.close()
        _note_transport(attempt, connections.client, request)
        if not isinstance(failure, Exception):
            raise
        return Outcome(response, failure)
    finally:
        http.leave(connections, response)


async def _exchange_async(
    http: AsyncHttpClient, connections: AsyncConnections, step: Send, max_bytes: int
) -> Outcome:
    """Send one request and read its response."""
    request, attempt = step
    attempt.queued = await http.enter(connections)
    response: httpx.Response | None = None
    try:
        request.extensions["trace"] = attempt.trace_async
        attempt.is_entered = True
        response = await connections.client.send(
            request, stream=True, auth=_NO_AUTH, follow_redirects=False
        )
        return Outcome(await read_body_async(response, max_bytes), None)
    except BaseException as failure:
        _note_transport(attempt, connections.client, request)
        if response is not None:
            await response.aclose()
        if not isinstance(failure, Exception):
            raise
        return Outcome(response, failure)
    finally:
        await http.leave(connections, response)


def _note_transport(
    attempt: Attempt, client: httpx.Client | httpx.AsyncClient, request: httpx.Request
) -> None:
    attempt.is_stock = type(transport_for(client, request.url)) in _STOCK_TRANSPORTS
