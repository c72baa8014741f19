"""The ways to the emulator in process: an ``httpx`` transport, and an ASGI application."""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Final
from urllib.parse import quote

import httpx

from .messages import EmulatorRequest, EmulatorResponse, Handle

# RFC 9112, 3.2.2: a server must accept the absolute form, which is sent to proxies.
_ABSOLUTE_FORM: Final = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)

# ASGI's own types: what a message holds depends on its "type".
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

ABORT_KEY: Final = "cloudinary_emulator_abort"
"""The key, in the scope's state, of the callable that breaks the connection."""


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


class EmulatorASGI:
    """An ASGI application around the emulator."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            for event in ("lifespan.startup", "lifespan.shutdown"):
                await receive()
                await send({"type": f"{event}.complete"})
            return
        if scope["type"] != "http":
            raise ValueError(f"the emulator speaks HTTP only, not {scope['type']}")
        content, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            content += message.get("body", b"")
            more = message.get("more_body", False)
        target: bytes = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
        absolute = _ABSOLUTE_FORM.match(target)
        path = target[absolute.end() :] or b"/" if absolute else target
        query, headers = scope["query_string"], scope["headers"]
        request = EmulatorRequest(scope["method"], path, query, headers, bytes(content))
        response = self._handle(request)
        if response.delay and await _disconnects_within(response.delay, receive):
            return
        if response.drop in (None, "during"):
            head = {"status": response.status, "headers": list(response.headers)}
            await send({"type": "http.response.start", **head})
            is_half = response.drop == "during"
            body = response.body[: len(response.body) // 2] if is_half else response.body
            await send({"type": "http.response.body", "body": body, "more_body": is_half})
        if response.drop is not None:
            await _break_connection(scope, receive)


async def _disconnects_within(delay: float, receive: Receive) -> bool:
    # Once the body is read, only a disconnect is left to receive. Waiting for it, instead of
    # sleeping, ends the request when the client gives up and when the server stops.
    try:
        await asyncio.wait_for(receive(), delay)
    except TimeoutError:
        return False
    return True


async def _break_connection(scope: Message, receive: Receive) -> None:
    abort: Callable[[], None] | None = scope.get("state", {}).get(ABORT_KEY)
    if abort is None:
        raise RuntimeError(
            "this server cannot break connections on demand: use Emulator.serve() or .transport()"
        )
    abort()
    # The server must notice the break before this returns, or it would send a 500.
    while (await receive())["type"] != "http.disconnect":
        pass
