"""The errors of a call.

    ValueError
     └── InvalidId                    an ID that could address something else; nothing was sent
    RuntimeError
     ├── ClientClosed                 the client was closed before or during the call
     └── LimiterUnavailable           the limiter cannot be asked; nothing was sent
    CloudinaryError                   the server responded, but not with a success
     ├── ErrorResponse                a documented status code
     │    ├── BadRequest              400
     │    ├── AuthorizationRequired   401
     │    ├── NotAllowed              403
     │    ├── NotFound                404
     │    ├── AlreadyExists           409
     │    └── RateLimited
     │         ├── UsageRateExceeded  420
     │         └── TooManyRequests    429
     ├── APIError                     any other status code
     └── ResponseValidationError      a success without what the operation promises
    httpx.TransportError              no complete response was received

A status code determines the error, whatever the body. Every other exception that ends a call, a
cancellation or that of a custom transport, keeps its class. `maybe_applied` returns whether a write
may have been applied, for each of them.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from typing import Any, Literal, cast

import httpx

from cld_provisioning_api.models import ErrorResponse as ErrorResponseData

from ._engine.body import body_text, excerpt, reason, whole_response
from ._engine.library import http_errors, library, library_of
from ._engine.retry import RateLimit, parse_rate_limit, server_delay
from .identity import printable

_PATH = re.compile(r"at `([^`]*)`$")


class CloudinaryError(Exception):
    """The base class of all errors that have a response.

    Attributes:
        message: What went wrong, in a sentence: the server's own if it sent one, with escapes for
            what a terminal could interpret.
        status_code: The status code of the response.
        body: The body of the response as text; empty where it could not be read.
        headers: The headers of the response.
        raw_response: The response itself. Its request shows no credentials.
        maybe_applied: Whether the write may have been applied although no response says so: check
            before you retry. Always false for an operation that only reads.
        facts: What else is known of the call, a clause each.
        code: What went wrong, such as "ACCOUNTS_00005", or None: only the Permissions API says.
        category: Whose error it is, such as "user_error", or None.
        details: What else the server says of it, as decoded JSON, or None.
    """

    message: str
    status_code: int
    body: str
    headers: httpx.Headers
    raw_response: httpx.Response
    maybe_applied: bool = False
    facts: tuple[str, ...] = ()
    code: str | None = None
    category: str | None = None
    details: object = None

    def __init__(self, message: str, raw_response: httpx.Response, body: str | None = None) -> None:
        message = printable(message)
        super().__init__(message)
        self.message = message
        self.status_code = raw_response.status_code
        self.body = body if body is not None else body_text(raw_response)
        self.headers = raw_response.headers
        self.raw_response = raw_response

    def __str__(self) -> str:
        request_id = f", request id {printable(self.request_id)}" if self.request_id else ""
        facts = self.facts
        if self.maybe_applied and not facts:
            facts = ("the change may have been applied: look before you repeat it",)
        return "; ".join([f"{self.message} (status {self.status_code}{request_id})", *facts])

    def add_fact(self, fact: str) -> None:
        """Add what else is known of the call; `str` shows it."""
        self.facts += (fact,)

    @property
    def retry_after(self) -> float | None:
        """The seconds that the server asks to wait before the next request, or None."""
        return server_delay(self.status_code, self.headers, datetime.now(UTC))

    @property
    def rate_limit(self) -> RateLimit:
        """The account's quota, as the response reports it."""
        return parse_rate_limit(self.headers)

    @property
    def request_id(self) -> str | None:
        """The server's ID of the request, for the vendor's support."""
        return cast("str | None", self.headers.get("x-request-id"))

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the request, whose headers hold the credentials, and without the stream.
        state = dict(self.__dict__)
        name = library_of(state.pop("raw_response")).__name__
        headers = state.pop("headers").multi_items()
        return _unpickled, (type(self), self.status_code, headers, state, self.args, name)


def _unpickled(
    kind: type[CloudinaryError],
    status_code: int,
    headers: list[tuple[str, str]],
    state: dict[str, Any],
    args: tuple[Any, ...],
    name: Literal["httpx", "httpx2"],
) -> CloudinaryError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    error.raw_response = whole_response(
        status_code, headers, state["body"].encode(), http=library(name)
    )
    error.headers = error.raw_response.headers
    return error


class ClientClosed(RuntimeError):
    """The client was closed, before the call or during it."""

    maybe_applied: bool = False


class LimiterUnavailable(RuntimeError):
    """The limiter is not available, and its `on_error` is "fail": the attempt was not sent.

    An earlier one of the same call may have been applied, as `maybe_applied` says.
    """

    maybe_applied: bool = False


class ErrorResponse(CloudinaryError):
    """A status code that the API documents: 400, 401, 403, 404, 409, 420 or 429.

    Attributes:
        data: The body, with `data.error.message`. Where the body is not the documented one, the
            message is derived from the status code.
    """

    data: ErrorResponseData

    def __init__(
        self, data: ErrorResponseData, raw_response: httpx.Response, body: str | None = None
    ) -> None:
        message = excerpt(data.error.message or "") if data.error else ""
        super().__init__(message or reason(raw_response), raw_response, body)
        self.data = data


class BadRequest(ErrorResponse):
    """400: the request is not valid."""


class AuthorizationRequired(ErrorResponse):
    """401: the credentials are missing or wrong."""


class NotAllowed(ErrorResponse):
    """403: the credentials do not allow the operation."""


class NotFound(ErrorResponse):
    """404: the account, the group or the user does not exist."""


class AlreadyExists(ErrorResponse):
    """409: the group's name is taken, or the user is in the group already."""


class RateLimited(ErrorResponse):
    """420 or 429: too many requests. `retry_after` and `rate_limit` say when to retry.

    Attributes:
        was_sent: False if the client's limiter rejected the call, because the server would have
            responded with this status code: nothing was sent, and the response is a synthetic one.
    """

    was_sent: bool = True


class UsageRateExceeded(RateLimited):
    """420: the account's quota of requests for this hour is used up."""


class TooManyRequests(RateLimited):
    """429: too many requests came at once."""


class APIError(CloudinaryError):
    """Any other status that is not a success, a redirect included: it is not followed."""


class ResponseValidationError(CloudinaryError):
    """A success whose body does not match the OpenAPI document, or cannot be read.

    Attributes:
        path: The place in the body, such as `$.user_groups[0].id`; `$` for the whole body.
    """

    path: str

    def __init__(
        self, cause: Exception | str, raw_response: httpx.Response, body: str | None = None
    ) -> None:
        found = _PATH.search(str(cause))
        self.path = found[1] if found else "$"
        super().__init__(f"The response is not as documented: {cause}", raw_response, body)

    @property
    def cause(self) -> BaseException | None:
        """The decoder's own error."""
        return self.__cause__


_NOTE = "The change may have been applied: look before you repeat it."


def mark(error: BaseException, *, maybe_applied: bool) -> None:
    """Record on an error, of whatever class, whether the write may have been applied."""
    # Not by assignment, which a frozen exception rejects.
    error.__dict__["maybe_applied"] = maybe_applied
    if isinstance(error, CloudinaryError):
        return
    notes: list[str] = error.__dict__.setdefault("__notes__", [])
    if maybe_applied and _NOTE not in notes:
        notes.append(_NOTE)
    elif not maybe_applied and _NOTE in notes:
        notes.remove(_NOTE)
    if not notes:
        del error.__dict__["__notes__"]


def maybe_applied(error: BaseException) -> bool:
    """Return whether a write that ended in this error may have been applied nevertheless.

    True exactly if the request may have reached the server and no response tells the outcome. It
    accepts any exception that a call raised: an error of this package or of httpx, a
    `CancelledError`, a `KeyboardInterrupt`; also one that was raised from it, such as the
    `TimeoutError` of `asyncio.timeout`, and a group that contains it.

        try:
            async with asyncio.timeout(5):
                await client.user_groups.create(name="Designers")
        except TimeoutError as error:
            if maybe_applied(error):
                ...  # check before you retry

    asyncio and concurrent.futures also make exceptions of their own for a call that was cancelled
    or not waited for to its end, and `anyio.fail_after` does. Where a `CancelledError` of either or
    a `TimeoutError` does not lead to an exception of the call, the outcome is not known: True, also
    for a read. Any other exception that no call has raised: False. `trio.fail_after` raises such
    a one: pass the exception that is raised inside the block.
    """
    unmarked, marks = _led_to(error)
    # A class of a module that was not imported is no error's, and importing them takes long.
    modules = (sys.modules.get(name) for name in ("asyncio", "concurrent.futures"))
    kinds = (TimeoutError, *(getattr(each, "CancelledError", TimeoutError) for each in modules))
    return any(marks) or any(isinstance(link, kinds) and not _led_to(link)[1] for link in unmarked)


def _led_to(error: BaseException) -> tuple[list[BaseException], list[bool]]:
    """Return what led to an error up to those that a call marked, and their marks."""
    unmarked: dict[int, BaseException] = {}
    marks: list[bool] = []
    left: list[BaseException | None] = [error]
    while left:
        link = left.pop()
        if link is None or id(link) in unmarked:
            continue
        known = getattr(link, "maybe_applied", None)
        if known is not None:
            marks.append(bool(known))
            continue
        unmarked[id(link)] = link
        left += [link.__cause__, None if link.__suppress_context__ else link.__context__]
        if isinstance(link, BaseExceptionGroup):
            left += cast("BaseExceptionGroup[BaseException]", link).exceptions
    return [*unmarked.values()], marks


__all__ = [
    "APIError", "AlreadyExists", "AuthorizationRequired", "BadRequest", "ClientClosed",
    "CloudinaryError", "ErrorResponse", "LimiterUnavailable", "NotAllowed", "NotFound",
    "RateLimited", "ResponseValidationError", "TooManyRequests", "UsageRateExceeded", "http_errors",
    "maybe_applied",
]  # fmt: skip
