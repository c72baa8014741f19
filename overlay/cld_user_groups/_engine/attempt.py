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

    Attributes:
        is_entered: Whether the request was handed to the httpx client, and by it to a transport.
        is_begun: Whether sending the request's head began.
        is_head_sent: Whether the request's head was sent whole.
        is_stock: Whether the transport is httpx's own, which reports its steps.
        queued: How many seconds the attempt waited for its turn.
    """

    __slots__ = ("_is_traced", "is_begun", "is_entered", "is_head_sent", "is_stock", "queued")

    def __init__(self) -> None:
        self._is_traced = False
        self.is_entered = False
        self.is_begun = False
        self.is_head_sent = False
        self.is_stock = False
        self.queued = 0.0

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Record a step that httpcore reports."""
        self._is_traced = True
        if event.endswith("send_request_headers.started"):
            # The request to a proxy for a tunnel is reported in the same way.
            self.is_begun = self.is_begun or info["request"].method != b"CONNECT"
        elif event.endswith("send_request_headers.complete"):
            self.is_head_sent = self.is_begun

    async def trace_async(self, event: str, info: Mapping[str, Any]) -> None:
        """Record a step that httpcore's async side reports."""
        self.trace(event, info)

    @property
    def may_have_been_sent(self) -> bool:
        """Whether the server may have seen the request: true if that is unknown."""
        if not self.is_entered or self.is_begun:
            return self.is_begun
        return not (self._is_traced or self.is_stock)


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
