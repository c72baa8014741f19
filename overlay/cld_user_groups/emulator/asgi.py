"""The emulator as an ASGI application."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import quote

from .messages import EmulatorRequest, Handle

# RFC 9112, 3.2.2: a server must accept the absolute form, which is sent to proxies.
_ABSOLUTE_FORM: Final = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)

# ASGI's own types: what a message holds depends on its "type".
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

ABORT_KEY: Final = "cloudinary_emulator_abort"
"""The key, in the scope's state, of the callable that breaks the connection."""


class EmulatorASGI:
    """An ASGI application around the emulator."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http":
            await self._serve_http(scope, receive, send)
        elif scope["type"] == "lifespan":
            for event in ("lifespan.startup", "lifespan.shutdown"):
                await receive()
                await send({"type": f"{event}.complete"})
        else:
            raise ValueError(f"the emulator speaks HTTP only, not {scope['type']}")

    async def _serve_http(self, scope: Message, receive: Receive, send: Send) -> None:
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
