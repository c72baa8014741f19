"""What an attempt ended in: its result, or its error and how to classify that."""

from __future__ import annotations

from typing import TypeVar

import httpx
import msgspec

from cld_user_groups.errors import ResponseValidationError
from cld_user_groups.security import Authorization

from .attempt import Attempt, Outcome
from .body import empty_response
from .call import Call
from .failures import classify, is_redirect_failure, response_before
from .response_text import body_text
from .retry import Effect, Lost, is_ambiguous
from .status_error import status_error

T = TypeVar("T")


def arrived(outcome: Outcome) -> tuple[httpx.Response | None, Exception | None]:
    """Return the response and the failure of an attempt, as far as a response arrived.

    An event hook of the caller's client that calls `raise_for_status` does not hide the response,
    nor does httpx where it cannot read the address of a redirect that is not followed anyway. The
    HTTPStatusError of another request, which a hook may make, says nothing about this one.
    """
    response, failure = outcome
    if response is not None and failure is not None:
        return empty_response(response), failure
    if failure is None:
        return response, None
    before = response_before(failure)
    if before is not None and isinstance(failure, httpx.HTTPStatusError):
        if failure.response is before:
            return _read_or_empty(before), None
    elif before is not None and is_redirect_failure(failure):
        return empty_response(before), None
    return None, failure


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
    before = response_before(failure)
    if before is not None:  # of an event hook, whatever its class
        is_open = is_ambiguous(Effect.REPLACE, before.status_code)
        return failure, Lost.UNKNOWN if is_open else Lost.REFUSED
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
