"""What an attempt ended in: its result, or its error and how to classify that."""

from __future__ import annotations

from typing import Protocol, TypeVar

import httpx
import msgspec

from cld_user_groups.errors import ResponseValidationError
from cld_user_groups.security import Authorization

from .attempt import Attempt, Outcome
from .body import empty_response, whole_response
from .call import Call
from .failures import classify
from .response_text import body_text, excerpt
from .retry import Lost
from .status_error import status_error

T = TypeVar("T")

_UNREADABLE_ADDRESS = (httpx.RemoteProtocolError, httpx.InvalidURL, UnicodeError)


def arrived(
    outcome: Outcome, attempt: Attempt, request: httpx.Request
) -> tuple[httpx.Response | None, Exception | None]:
    """Return the response and the failure of an attempt, as far as a response arrived.

    An event hook of the caller's client that calls `raise_for_status` does not hide the response,
    nor does httpx where it cannot read the address of a redirect that is not followed anyway. The
    HTTPStatusError of another request, which a hook may make, says nothing about this one.
    """
    response, failure = outcome
    if response is not None and failure is not None:
        return empty_response(response), failure
    if isinstance(failure, httpx.HTTPStatusError) and failure.request is request:
        return _read_or_empty(failure.response), None
    if attempt.head is not None and isinstance(failure, _UNREADABLE_ADDRESS):
        status_code, headers = attempt.head
        if 300 <= status_code < 400:
            texts = httpx.Headers(headers).multi_items()
            return whole_response(status_code, texts, b"", request=request), None
    return response, failure


def _read_or_empty(response: httpx.Response) -> httpx.Response:
    try:
        response.content  # noqa: B018 - an event hook may have read it
    except httpx.ResponseNotRead:
        return empty_response(response)
    return response


def problem_of(
    response: httpx.Response | None,
    failure: Exception | None,
    attempt: Attempt,
    authorization: Authorization,
) -> tuple[Exception, int | Lost] | None:
    """Return the error of an attempt and how to classify it, or None for a success.

    The status code counts before the body.
    """
    if response is not None and not 200 <= response.status_code < 300:
        return status_error(response, authorization), response.status_code
    if isinstance(failure, httpx.DecodingError) and response is not None:
        body = authorization.redact(body_text(response))
        return ResponseValidationError(failure, response, body), response.status_code
    if failure is None:
        return None
    if response is not None:
        return failure, Lost.NO_RESPONSE
    if isinstance(failure, StopIteration):
        # As a coroutine does (PEP 479): it would end the generator that it is raised in.
        error = RuntimeError("the transport raised StopIteration")
        error.__cause__ = failure
        return error, classify(error, attempt)
    return failure, classify(failure, attempt)


def decoded(
    call: Call[T], response: httpx.Response, authorization: Authorization
) -> T | ResponseValidationError:
    try:
        return call.decode(response.content)
    except msgspec.DecodeError as cause:
        body = authorization.redact(body_text(response))
        error = ResponseValidationError(cause, response, body)
        # Its frames hold the body, unmasked.
        error.__cause__ = cause.with_traceback(None)
        return error


class _HasId(Protocol):
    id: str


H = TypeVar("H", bound=_HasId)


def check_id(result: H, requested: str) -> H:
    """Return the result of an operation, if it is about what was requested.

    Raises:
        msgspec.ValidationError: It is about something else.
    """
    if result.id != requested:
        raise msgspec.ValidationError(
            f"Expected the ID {str.__str__(requested)!r}, got {excerpt(result.id)!r} - at `$.id`"
        )
    return result
