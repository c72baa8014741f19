"""The emulator as an ``httpx`` transport, with no socket and no thread."""

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx

from .messages import EmulatorRequest, EmulatorResponse, Handle


async def _sleep_in_any_loop(seconds: float) -> None:
    # httpx depends on anyio, but importing it costs time that few tests need to spend.
    import anyio

    await anyio.sleep(seconds)


class EmulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Sends requests to the emulator in process, for the clients of ``httpx`` and ``httpx2``.

    As on a socket, a delay longer than the client's read timeout raises ``httpx.ReadTimeout``, and
    a dropped connection raises ``httpx.RemoteProtocolError``.

    Args:
        handle: Handles a request.
        sleep: Called for the delays of faults in a sync client.
        async_sleep: Awaited for them in an async client; ``anyio.sleep`` by default.
    """

    def __init__(
        self,
        handle: Handle,
        *,
        sleep: Callable[[float], None] = time.sleep,
        async_sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._handle = handle
        self._sleep = sleep
        self._async_sleep = async_sleep or _sleep_in_any_loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Handle a request of a sync client."""
        response = self._handle(_read_request(request, request.read()))
        if response.delay:
            self._sleep(min(response.delay, _read_timeout(request)))
        return _build_response(request, response)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Handle a request of an async client."""
        response = self._handle(_read_request(request, await request.aread()))
        if response.delay:
            await self._async_sleep(min(response.delay, _read_timeout(request)))
        return _build_response(request, response)


def _read_request(request: httpx.Request, body: bytes) -> EmulatorRequest:
    raw_path, _, query = request.url.raw_path.partition(b"?")
    return EmulatorRequest(request.method, raw_path, query, request.headers.raw, body)


def _read_timeout(request: httpx.Request) -> float:
    timeout = request.extensions.get("timeout", {}).get("read")
    return float("inf") if timeout is None else float(timeout)


def _build_response(request: httpx.Request, response: EmulatorResponse) -> httpx.Response:
    http: Any = sys.modules[type(request).__mro__[-2].__module__.partition(".")[0]]  # or httpx2
    if response.delay > _read_timeout(request):
        raise http.ReadTimeout("The read operation timed out", request=request)
    if response.drop in ("before", "after"):
        message = "Server disconnected without sending a response."
        raise http.RemoteProtocolError(message, request=request)
    body = http.ByteStream(response.body)
    if response.drop:
        bases = (_HalfBody, http.SyncByteStream, http.AsyncByteStream)
        body = type("_HalfBody", bases, {})(response.body, http.RemoteProtocolError)
    result: httpx.Response = http.Response(
        response.status,
        headers=list(response.headers),
        stream=body,
        extensions={"http_version": b"HTTP/1.1"},
        request=request,
    )
    return result


class _HalfBody:
    """A response body with a connection that breaks halfway through."""

    def __init__(self, body: bytes, error: type[Exception]) -> None:
        half = body[: len(body) // 2]
        self._half = half
        self._error = error(
            "peer closed connection without sending complete message body"
            f" (received {len(half)} bytes, expected {len(body)})"
        )

    def __iter__(self) -> Iterator[bytes]:
        yield self._half
        raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._half
        raise self._error
