"""The errors for a response that is not a success, and for a request that was held back."""

from __future__ import annotations

import httpx
import msgspec

from cld_provisioning_api.models import ErrorDetail
from cld_provisioning_api.models import ErrorResponse as ErrorResponseData
from cld_provisioning_api.types import decode
from cld_user_groups.errors import (
    AlreadyExists,
    APIError,
    AuthorizationRequired,
    BadRequest,
    CloudinaryError,
    ErrorResponse,
    NotAllowed,
    NotFound,
    RateLimited,
    TooManyRequests,
    UsageRateExceeded,
)
from cld_user_groups.limits.protocol import Hold
from cld_user_groups.security import Authorization

from .body import whole_response
from .response_text import body_text, excerpt, reason

_BY_STATUS: dict[int, type[ErrorResponse]] = {
    400: BadRequest,
    401: AuthorizationRequired,
    403: NotAllowed,
    404: NotFound,
    409: AlreadyExists,
    420: UsageRateExceeded,
    429: TooManyRequests,
}


def status_error(response: httpx.Response, authorization: Authorization) -> CloudinaryError:
    """Return the error for a status code that is not a success.

    Args:
        response: The response, with its body.
        authorization: The credentials, which are masked should the server have echoed them.
    """
    response.next_request = None  # what httpx would send to follow a redirect
    text = body_text(response)
    body = authorization.redact(text)
    kind = _BY_STATUS.get(response.status_code)
    data = _documented(body.encode() if body != text else response.content, authorization)
    if kind is not None:
        if data is None:
            message = _described(response, body)
            data = ErrorResponseData(error=ErrorDetail(message=message))
        return kind(data, response, body)
    said = excerpt(data.error.message or "") if data and data.error else ""
    return APIError(said or _described(response, body), response, body)


def _documented(content: bytes, authorization: Authorization) -> ErrorResponseData | None:
    try:
        data = decode(content, ErrorResponseData)
    except msgspec.DecodeError:
        return None
    if data.error is None or not data.error.message:
        return None
    data.error.message = authorization.redact(data.error.message)  # free of JSON's escapes now
    return data


def _described(response: httpx.Response, body: str) -> str:
    """Return a short message for a response whose body is not the documented one."""
    beginning = excerpt(body)
    if response.has_redirect_location:
        return f"{reason(response)}: redirects are not followed"
    return f"{reason(response)}: {beginning}" if beginning else reason(response)


def held_error(hold: Hold, request: httpx.Request) -> RateLimited:
    """Return the error for a request that a limiter held back.

    Args:
        hold: The limiter's reply.
        request: The request, which was not sent.
    """
    seconds = max(0.001, hold.seconds)  # a delay of zero would be none
    message = f"nothing was sent, for {hold.reason}: wait {seconds:.1f} s"
    response = whole_response(
        hold.status_code, [("retry-after", f"{seconds:.3f}")], b"", request=request
    )
    kind = UsageRateExceeded if hold.status_code == 420 else TooManyRequests
    error = kind(ErrorResponseData(error=ErrorDetail(message=message)), response)
    error.was_sent = False
    return error
