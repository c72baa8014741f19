"""The I/O of a call, sync and async: nothing else sends, reads or waits."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from inspect import GEN_CLOSED, getgeneratorstate, iscoroutine
from typing import TypeAlias, TypeVar

import httpx

from cld_user_groups.limits.protocol import Hold, check_hold

from .attempt import Admission, Outcome, Send
from .body import read_body, read_body_async
from .call import RawResponse
from .deadline import Deadline
from .http_client import AsyncConnections, AsyncHttpClient, Connections, HttpClient
from .sleep import wait, wait_async

T = TypeVar("T")

Step: TypeAlias = Send | float | Awaitable[object]
"""What a flow yields: a request to send, a delay in seconds, or an async hook to await."""

Flow = Generator[Step, Outcome | Hold | None, RawResponse[T]]
"""A call in progress: it is sent the outcome of each request, or the limiter's reply."""

# The credentials are in the headers already: no scheme of the client's own may replace them.
_NO_AUTH = httpx.Auth()


def drive(
    http: HttpClient, connections: Connections, flow: Flow[T], max_bytes: int
) -> RawResponse[T]:
    """Perform the steps of a flow, and return its result.

    An exception from anywhere goes through the flow, which records what it means for the call and
    may yield further steps: the hooks to notify.
    """
    outcome: Outcome | Hold | None = None
    failure: BaseException | None = None
    step: Step | None = None
    while True:
        try:
            while True:  # in the try, for an interrupt can come where a loop begins anew
                step = None
                step = flow.send(outcome) if failure is None else flow.throw(failure)
                outcome = failure = None
                if isinstance(step, Send):
                    outcome = _exchange(http, connections, step, max_bytes)
                elif isinstance(step, int | float):
                    wait(step)
                else:
                    if iscoroutine(step):
                        step.close()
                    raise TypeError("a hook returned an awaitable: use AsyncCldProvisioning")
        except StopIteration as done:
            if step is None:  # of the flow itself
                result: RawResponse[T] = done.value
                return result
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
    outcome: Outcome | Hold | None = None
    failure: BaseException | None = None
    step: Step | None = None
    while True:
        try:
            while True:
                step = None
                step = flow.send(outcome) if failure is None else flow.throw(failure)
                outcome = failure = None
                if isinstance(step, Send):
                    outcome = await _exchange_async(http, connections, step, max_bytes)
                elif isinstance(step, int | float):
                    await wait_async(step)
                else:
                    await step
        except StopIteration as done:
            if step is None:  # of the flow itself
                result: RawResponse[T] = done.value
                return result
            failure = done
        except BaseException as error:
            if getgeneratorstate(flow) == GEN_CLOSED:  # the flow has ended, in this error
                failure = None  # which would refer to itself through this frame
                raise
            failure = error


def _exchange(
    http: HttpClient, connections: Connections, step: Send, max_bytes: int
) -> Outcome | Hold:
    """Send one request and read its response."""
    request, attempt, admission = step
    attempt.queued = http.enter(connections)
    response: httpx.Response | None = None
    admitted: Admission | None = None
    is_complete = False
    try:
        if admission is not None:
            hold = admission.limiter.acquire(admission.ticket)
            if hold is not None:
                return check_hold(hold)
            admitted = admission
        request.extensions["trace"] = attempt.trace
        attempt.is_entered = not connections.client.is_closed
        response = connections.client.send(
            request, stream=True, auth=_NO_AUTH, follow_redirects=False
        )
        response = read_body(response, max_bytes, request.extensions["timeout"]["read"])
        is_complete = True
        if admitted is not None:
            admitted.limiter.observe(admitted.ticket, response)
        return Outcome(response, None)
    except BaseException as failure:
        if response is not None:
            response.close()
        if admitted is not None and not is_complete:
            admitted.limiter.observe(admitted.ticket, None)
        # One of the limiter's, after a whole response, is not a lost response to retry.
        if is_complete or not isinstance(failure, Exception):
            raise
        return Outcome(response, failure)
    finally:
        http.leave(connections, response)


async def _exchange_async(
    http: AsyncHttpClient, connections: AsyncConnections, step: Send, max_bytes: int
) -> Outcome | Hold:
    """Send one request and read its response."""
    request, attempt, admission = step
    attempt.queued = await http.enter(connections)
    response: httpx.Response | None = None
    admitted: Admission | None = None
    is_complete = False
    try:
        if admission is not None:
            limiter, ticket = admission
            acquire = getattr(limiter, "acquire_async", None)
            hold = limiter.acquire(ticket) if acquire is None else await acquire(ticket)
            if hold is not None:
                return check_hold(hold)
            admitted = admission
        request.extensions["trace"] = attempt.trace_async
        attempt.is_entered = not connections.client.is_closed
        with Deadline(request) as deadline:
            response = await connections.client.send(
                request, stream=True, auth=_NO_AUTH, follow_redirects=False
            )
            deadline.limit(request.extensions["timeout"]["read"])
            response = await read_body_async(response, max_bytes)
        is_complete = True
        if admitted is not None:
            limiter, ticket = admitted
            observe = getattr(limiter, "observe_async", None)
            if observe is None:
                limiter.observe(ticket, response)
            else:
                await observe(ticket, response)
        return Outcome(response, None)
    except BaseException as failure:
        if admitted is not None and not is_complete:
            admitted.limiter.observe(admitted.ticket, None)
        if response is not None:
            await response.aclose()
        # One of the limiter's, after a whole response, is not a lost response to retry.
        if is_complete or not isinstance(failure, Exception):
            raise
        return Outcome(response, failure)
    finally:
        await http.leave(connections, response)
