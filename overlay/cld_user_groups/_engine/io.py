"""The drivers of the send pipeline, sync and async: only here is anything sent or waited for."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple, TypeVar, cast

import httpx

from cld_user_groups.errors import CloudinaryError

from .call import RawResponse
from .sleep import wait, wait_async

T = TypeVar("T")

# The credentials are in the headers already: no scheme of the client's own may replace them.
_NO_AUTH = httpx.Auth()


class Outcome(NamedTuple):
    """What came of a request: an answer, an error, or an answer that could not be read whole."""

    response: httpx.Response | None
    failure: httpx.HTTPError | None


Flow = Generator[httpx.Request | float, Outcome, RawResponse[T]]


def exchange(client: httpx.Client, request: httpx.Request) -> Outcome:
    """Send one request and read its answer."""
    try:
        response = client.send(request, stream=True, auth=_NO_AUTH, follow_redirects=False)
    except httpx.HTTPError as failure:
        return Outcome(None, failure)
    except BaseException as interrupt:
        _hide_from_interrupt(interrupt, request)
        raise
    try:
        response.read()
    except httpx.HTTPError as failure:
        response.close()
        return Outcome(response, failure)
    except BaseException as interrupt:
        response.close()
        _hide_from_interrupt(interrupt, request)
        raise
    return Outcome(response, None)


async def exchange_async(client: httpx.AsyncClient, request: httpx.Request) -> Outcome:
    """Send one request and read its answer."""
    try:
        response = await client.send(request, stream=True, auth=_NO_AUTH, follow_redirects=False)
    except httpx.HTTPError as failure:
        return Outcome(None, failure)
    except BaseException as interrupt:
        _hide_from_interrupt(interrupt, request)
        raise
    try:
        await response.aread()
    except httpx.HTTPError as failure:
        await response.aclose()
        return Outcome(response, failure)
    except BaseException as interrupt:
        await response.aclose()
        _hide_from_interrupt(interrupt, request)
        raise
    return Outcome(response, None)


def drive(client: httpx.Client, flow: Flow[T]) -> RawResponse[T]:
    """Do what a flow says, and return its result."""
    try:
        step = next(flow)
        while True:
            if isinstance(step, httpx.Request):
                step = flow.send(exchange(client, step))
            else:
                wait(step)
                step = next(flow)
    except StopIteration as done:
        return cast("RawResponse[T]", done.value)


async def drive_async(client: httpx.AsyncClient, flow: Flow[T]) -> RawResponse[T]:
    """Do what a flow says, and return its result."""
    try:
        step = next(flow)
        while True:
            if isinstance(step, httpx.Request):
                step = flow.send(await exchange_async(client, step))
            else:
                await wait_async(step)
                step = next(flow)
    except StopIteration as done:
        return cast("RawResponse[T]", done.value)


def hide_credentials(error: BaseException, request: httpx.Request) -> None:
    """Take the credentials out of what an error leads to: its request, and the frames below.

    The frames of httpx and what it stands on hold the headers in local variables, which some
    loggers print; the chain of errors and their messages stay.
    """
    request.headers["Authorization"] = "***"
    if isinstance(error, CloudinaryError):
        error.raw_response.next_request = None  # what httpx would send to follow a redirect
        return
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        link = left.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            link.__traceback__ = None
            left += [link.__cause__, link.__context__]


def _hide_from_interrupt(error: BaseException, request: httpx.Request) -> None:
    """Do the same where a call is interrupted or cancelled; others' errors keep their frames."""
    if not isinstance(error, Exception):
        hide_credentials(error, request)
