"""What an attempt ended in instead of a success: its error, and how to classify it."""

from __future__ import annotations

import json
import re
import ssl
from typing import Any, Final, cast

import httpx
import msgspec

from cld_provisioning_api.models import ErrorDetail
from cld_provisioning_api.models import ErrorResponse as ErrorResponseData
from cld_provisioning_api.types import decode
from cld_user_groups import errors
from cld_user_groups.limits.protocol import Hold
from cld_user_groups.security import Authorization

from .body import body_text, empty_response, excerpt, reason, whole_response
from .io import Attempt
from .library import library_of
from .retry import AMBIGUOUS, THROTTLED, Effect, Lost, is_ambiguous

_BY_STATUS: Final[dict[int, type[errors.ErrorResponse]]] = {
    400: errors.BadRequest,
    401: errors.AuthorizationRequired,
    403: errors.NotAllowed,
    404: errors.NotFound,
    409: errors.AlreadyExists,
    420: errors.UsageRateExceeded,
    429: errors.TooManyRequests,
}
# How httpcore words the response of a proxy to CONNECT, and of a SOCKS proxy.
_PROXY_STATUS = re.compile(r"([0-9]{3})\b")
_SOCKS_FAILURE: Final = "could not connect"


def extract_response(attempt: Attempt) -> None:
    """Find the response of an attempt that failed, as far as one arrived.

    An event hook of the caller's client that calls `raise_for_status` does not hide the response,
    nor does httpx where it cannot read the address of a redirect that is not followed anyway. The
    HTTPStatusError of another request, which a hook may make, says nothing about this one.
    """
    failure: Any = attempt.failure
    http = library_of(attempt.request)
    # What httpx raises for the address of a redirect, which it reads though it does not follow it.
    unreadable_address = (http.RemoteProtocolError, http.InvalidURL, UnicodeError)
    if attempt.response is not None:
        attempt.response = empty_response(attempt.response)
    elif isinstance(failure, http.HTTPStatusError) and failure.request is attempt.request:
        attempt.response, attempt.failure = failure.response, None
        try:
            failure.response.content  # noqa: B018 - an event hook may have read it
        except http.ResponseNotRead:
            attempt.response = empty_response(failure.response)
    elif attempt.head is not None and isinstance(failure, unreadable_address):
        status_code, headers = attempt.head
        if 300 <= status_code < 400:
            texts = http.Headers(headers).multi_items()
            attempt.response = whole_response(status_code, texts, b"", request=attempt.request)
            attempt.failure = None


def classify_outcome(
    attempt: Attempt, authorization: Authorization
) -> tuple[Exception, int | Lost]:
    """Return the error of an attempt that was no success, and how to classify it.

    The status code counts before the body.
    """
    response, failure = attempt.response, attempt.failure
    if response is not None and not 200 <= response.status_code < 300:
        return status_error(response, authorization), response.status_code
    assert failure is not None
    if isinstance(failure, library_of(attempt.request).DecodingError) and response is not None:
        body = authorization.redact(body_text(response))
        return errors.ResponseValidationError(failure, response, body), response.status_code
    if response is not None:
        return failure, Lost.NO_RESPONSE
    if isinstance(failure, StopIteration):
        # As a coroutine does (PEP 479): it would end the generator that it is raised in.
        error = RuntimeError("the transport raised StopIteration")
        error.__cause__ = failure
        failure = error
    return failure, classify(failure, attempt)


def undecodable(
    cause: msgspec.DecodeError, response: httpx.Response, authorization: Authorization
) -> errors.ResponseValidationError:
    """Return the error for a success that is not what its operation promises."""
    body = authorization.redact(body_text(response))
    error = errors.ResponseValidationError(_not_json(response) or cause, response, body)
    # Its frames hold the body, unmasked.
    error.__cause__ = cause.with_traceback(None)
    return error


def _not_json(response: httpx.Response) -> str:
    """Return why a body is no JSON where the decoder's own message would mislead, or ""."""
    content = response.content.strip()
    if not content:
        return f"the body is empty (status {response.status_code})"
    if content.startswith(b"<"):
        return "the body is HTML: a proxy or the login page of a network may have responded instead"
    try:
        json.dumps(json.loads(content), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "a text in the body has half a surrogate pair (\\ud800): no character"
    except (ValueError, RecursionError):
        pass
    return ""


def classify(failure: Exception, attempt: Attempt) -> Lost:
    """Classify an exception that came without a response by whether the request was sent.

    The class of an exception can mislead; the attempt's trace shows what happened: a
    ReadTimeout while a proxy opens its tunnel is "not sent", and an HTTP/2 LocalProtocolError may
    come after the whole request. Where the head of a response had arrived, an event hook of the
    caller's client has raised, whatever the class, and the status code tells.
    """
    http = library_of(attempt.request)
    if attempt.head is not None:
        is_open = is_ambiguous(Effect.REPLACE, attempt.head[0])
        return Lost.UNKNOWN if is_open else Lost.REFUSED
    if isinstance(failure, http.UnsupportedProtocol):
        return Lost.REFUSED
    if not isinstance(failure, http.TransportError):
        return Lost.UNKNOWN if attempt.may_have_been_sent else Lost.REFUSED
    if isinstance(failure, http.LocalProtocolError):
        # h11 and h2 reject a head before its first byte; later it is the connection that is bad.
        return Lost.REFUSED if attempt.is_traced and not attempt.is_head_sent else Lost.NO_RESPONSE
    if attempt.is_begun:
        return Lost.NO_RESPONSE
    if isinstance(failure, http.ProxyError):
        return Lost.NOT_SENT if _proxy_may_recover(str(failure)) else Lost.REFUSED
    if attempt.may_have_been_sent and not _could_not_connect(failure, attempt):
        return Lost.NO_RESPONSE
    return Lost.REFUSED if _is_certificate_problem(failure) else Lost.NOT_SENT


def _could_not_connect(failure: Exception, attempt: Attempt) -> bool:
    """Return whether the class of an exception says that nothing was sent.

    A transport that translates the exception of another package is not believed: httpx-aiohttp and
    pyreqwest call a connection that the server dropped after it had read the request one that could
    not be opened.
    """
    http, cause = library_of(attempt.request), failure.__cause__
    if not isinstance(failure, (http.ConnectError, http.ConnectTimeout, http.PoolTimeout)):
        return False
    return cause is None or type(cause).__module__.partition(".")[0] in ("httpcore", "httpcore2")


def _proxy_may_recover(message: str) -> bool:
    status = _PROXY_STATUS.match(message)
    if status is not None:
        return int(status[1]) in THROTTLED | AMBIGUOUS
    return _SOCKS_FAILURE in message


def _is_certificate_problem(failure: BaseException | None) -> bool:
    while failure is not None:
        if isinstance(failure, ssl.SSLCertVerificationError):
            return True
        failure = failure.__cause__ or failure.__context__
    return False


def status_error(response: httpx.Response, authorization: Authorization) -> errors.CloudinaryError:
    """Return the error for a status code that is no success, without credentials it may echo."""
    response.next_request = None  # what httpx would send to follow a redirect
    text = body_text(response)
    body = authorization.redact(text)
    kind = _BY_STATUS.get(response.status_code)
    data = _documented(body.encode() if body != text else response.content, authorization)
    if kind is not None:
        data = data or _error_data(_described(response, body))
        error: errors.CloudinaryError = kind(data, response, body)
    else:
        said = excerpt(data.error.message or "") if data and data.error else ""
        error = errors.APIError(said or _described(response, body), response, body)
    if data is not None and (known := data.error) is not None:
        error.code, error.category, error.details = known.code, known.category, known.details
    return error


def _documented(content: bytes, authorization: Authorization) -> ErrorResponseData | None:
    try:
        data = decode(content, ErrorResponseData)
    except msgspec.DecodeError:
        return None
    if data.error is None or not data.error.message:
        return None
    # Free of JSON's escapes now.
    data.error = ErrorDetail(**_redacted(data.error.to_dict(), authorization))
    return data


def _error_data(message: str) -> ErrorResponseData:
    return ErrorResponseData(error=ErrorDetail(message=message))


def _redacted(value: Any, authorization: Authorization) -> Any:
    """Return a JSON value with the credentials masked in each str."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {authorization.redact(key): _redacted(item, authorization) for key, item in items}
    if isinstance(value, list | tuple):
        return [_redacted(item, authorization) for item in cast("list[Any]", value)]
    return authorization.redact(value) if isinstance(value, str) else value


def _described(response: httpx.Response, body: str) -> str:
    """Return a short message for a response whose body is not the documented one."""
    said = "redirects are not followed" if response.has_redirect_location else excerpt(body)
    return f"{reason(response)}: {said}" if said else reason(response)


def delay_error(hold: Hold, request: httpx.Request) -> errors.RateLimited:
    """Return the error for a request that a limiter did not admit yet."""
    seconds = max(0.001, hold.seconds)  # a delay of zero would be none
    headers = [("retry-after", f"{seconds:.3f}")]
    response = whole_response(hold.status_code, headers, b"", request=request)
    message = f"nothing was sent, for {hold.reason}: wait {seconds:.1f} s"
    kind = errors.UsageRateExceeded if hold.status_code == 420 else errors.TooManyRequests
    error = kind(_error_data(message), response)
    error.was_sent = False
    return error
