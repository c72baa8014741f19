"""The emulator as an ASGI application."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import quote

from ._messages import EmulatorRequest, EmulatorResponse

_ABSOLUTE_FORM: Final = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)

# ASGI's own types: what a message holds depends on its "type".
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

ABORT_KEY: Final = "cloudinary_emulator_abort"
"""The key, in the scope's state, of the callable that breaks the connection."""


class EmulatorASGI:
    """An ASGI application around the emulator's core.

    Args:
        handle: Handles a request.
    """

    def __init__(self, handle: Callable[[EmulatorRequest], EmulatorResponse]) -> None:
        self._handle = handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http":
            await self._serve_http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _serve_lifespan(receive, send)
        else:
            raise ValueError(f"the emulator speaks HTTP only, not {scope['type']}")

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        if body is None:
            return
        raw_path: bytes = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
        path, query, headers = _origin_form(raw_path), scope["query_string"], scope["headers"]
        response = self._handle(EmulatorRequest(scope["method"], path, query, headers, body))
        if response.delay and await _disconnects_within(response.delay, receive):
            return
        if response.drop is None:
            await _send_head(response, send)
            await send({"type": "http.response.body", "body": response.body})
            return
        if response.drop == "during":
            half = response.body[: len(response.body) // 2]
            await _send_head(response, send)
            await send({"type": "http.response.body", "body": half, "more_body": True})
        await _break_connection(scope, receive)


def _origin_form(target: bytes) -> bytes:
    """Return the path of a request target, without its query.

    RFC 9112, 3.2.2: a server must accept the absolute form, which is sent to proxies.
    """
    absolute = _ABSOLUTE_FORM.match(target)
    return target if absolute is None else target[absolute.end() :] or b"/"


async def _serve_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _read_body(receive: Receive) -> bytes | None:
    """Return the request's body, or None if the client disconnected."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


async def _disconnects_within(delay: float, receive: Receive) -> bool:
    # Once the body is read, only a disconnect is left to receive. Waiting for it, instead of
    # sleeping, ends the request when the client gives up and when the server stops.
    try:
        await asyncio.wait_for(receive(), delay)
    except TimeoutError:
        return False
    return True


async def _send_head(response: EmulatorResponse, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": list(response.headers),
        }
    )


async def _break_connection(scope: Scope, receive: Receive) -> None:
    abort: Callable[[], None] | None = scope.get("state", {}).get(ABORT_KEY)
    if abort is None:
        raise RuntimeError(
            "this server cannot break connections on demand: use Emulator.serve() or .transport()"
        )
    abort()
    # The server must notice the break before this returns, or it would send a 500.
    while (await receive())["type"] != "http.disconnect":
        pass
