"""What a client asks a limiter, and what a limiter replies."""

from __future__ import annotations

from inspect import iscoroutine
from math import isfinite
from typing import Literal, Protocol

import httpx
from attrs import define, frozen


@define(eq=False)
class Ticket:
    """One attempt that asks to be sent. The same ticket is passed to `acquire` and `observe`.

    Attributes:
        account_id: The account, whose quota it would use.
        patience: The seconds that the call may still wait; 0.0 with retries off.
        timeout: The call's time limit in seconds, which a limiter's own I/O must keep to, or None.
        note: For the limiter: what it must remember of the attempt.
        is_paced: Whether the caller paces its calls itself: it need not be released gradually.
    """

    account_id: str
    patience: float
    timeout: float | None
    note: object = None
    is_paced: bool = False


@frozen
class Hold:
    """The reply that an attempt must not be sent yet.

    Attributes:
        seconds: When to ask again.
        status_code: The status code that the server is expected to respond with: 420 if the quota
            is used up, 429 if too many requests come at once.
        reason: Why, as a clause: "the account's quota of requests is used up".
    """

    seconds: float
    status_code: Literal[420, 429]
    reason: str


def check_hold(reply: object) -> Hold:
    """Return what a limiter replied instead of None, or raise TypeError or ValueError."""
    if iscoroutine(reply):
        reply.close()
        raise TypeError("the limiter's acquire is async: it must be plain, beside acquire_async")
    if not isinstance(reply, Hold):
        kind = type(reply).__name__
        raise TypeError(f"the limiter's acquire must return None or a Hold, but returned a {kind}")
    if not isfinite(reply.seconds):
        raise ValueError(f"the limiter's Hold must have finite seconds, not {reply.seconds}")
    return reply


class Limiter(Protocol):
    """Decides when an attempt may be sent. It never waits itself.

    Its methods are called from any thread and from any event loop, so they must be thread-safe and
    must not block for longer than the ticket's `timeout`. An exception that one raises ends the
    call.
    """

    def acquire(self, ticket: Ticket, /) -> Hold | None:
        """Return None if the attempt may be sent now, else how long to wait before asking again."""
        ...

    def observe(self, ticket: Ticket, response: httpx.Response | None, /) -> None:
        """Learn from the response of an attempt that `acquire` admitted.

        Args:
            ticket: The attempt.
            response: The response, whose body may be unread, or None if the attempt ended without
                one: then it must return at once.
        """
        ...


class AsyncLimiter(Limiter, Protocol):
    """A limiter whose methods do I/O: on the async client these are awaited instead."""

    async def acquire_async(self, ticket: Ticket, /) -> Hold | None:
        """Do what `acquire` does."""
        ...

    async def observe_async(self, ticket: Ticket, response: httpx.Response, /) -> None:
        """Do what `observe` does. Without a response, `observe` itself is called."""
        ...
