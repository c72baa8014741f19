"""One attempt at a request: its progress, which determines whether it may have been applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx

from cld_user_groups.limits.protocol import Limiter, Ticket


class Attempt:
    """How far one attempt got.

    httpcore reports each step of a request to its `trace` extension, so that an exception of any
    class, a cancellation too, can be told apart: before the first byte of the request, or after.
    A transport that reports nothing may have sent it: that is not known.

    Attributes:
        is_entered: Whether the request was handed to the httpx client.
        is_traced: Whether a step was reported.
        is_begun: Whether sending the request's head began.
        is_head_sent: Whether the request's head was sent whole.
        queued: How many seconds the attempt waited for its turn.
    """

    __slots__ = (
        "_head",
        "_is_tunnel",
        "is_begun",
        "is_entered",
        "is_head_sent",
        "is_traced",
        "queued",
    )

    def __init__(self) -> None:
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
            case (bytes(), int() as status, bytes(), list() as headers):  # HTTP/1.1
                return status, headers
            case (int() as status, list() as headers):  # HTTP/2
                return status, headers
            case _:
                return None


class Admission(NamedTuple):
    """A limiter, and the ticket that it is to admit."""

    limiter: Limiter
    ticket: Ticket


class Send(NamedTuple):
    """A step of the pipeline: send this request, and record in `attempt` how far it gets.

    With an admission, only if the limiter grants it when it is the request's turn.
    """

    request: httpx.Request
    attempt: Attempt
    admission: Admission | None = None


class Outcome(NamedTuple):
    """The outcome of an attempt: a response, an exception, or both where the body is unreadable."""

    response: httpx.Response | None
    failure: Exception | None
