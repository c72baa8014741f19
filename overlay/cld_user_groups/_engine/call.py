"""One call of an operation, its per-call options, and its raw response."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Generic, NamedTuple, TypedDict, TypeVar, cast

import httpx
from attrs import frozen

from cld_provisioning_api.types import HttpRequest
from cld_user_groups.utils import UNSET, RetryConfig, Unset, check_retries

from .config import check_server_url, check_timeout_ms
from .rate_limit import RateLimit, parse_rate_limit
from .retry import Effect

T = TypeVar("T")

# A field name is a token (RFC 9110, 5.6.2); a value is visible ASCII, spaces and tabs, for a line
# break in it would begin another header.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*", re.ASCII)
# These frame the body: another value would change what the server reads as the request.
_FRAMING = ("content-length", "transfer-encoding")


class CallOptions(TypedDict, total=False):
    """Per-request options, which every method accepts.

    Attributes:
        retries: The retries of this call, None for none. Default: the client's.
        server_url: The server of this call. Default: the client's.
        timeout_ms: The time limit of this call, in milliseconds: for connecting, between any two
            parts of what is sent or received, and for the whole body. Default: the client's.
        http_headers: Headers to add, or to replace.
    """

    retries: RetryConfig | Unset | None
    server_url: str | None
    timeout_ms: float | None
    http_headers: Mapping[str, str] | None


class CheckedOptions(NamedTuple):
    """Validated per-request options. Their repr leaves out the headers' values."""

    retries: RetryConfig | Unset | None = UNSET
    server_url: str | None = None
    timeout: httpx.Timeout | None = None
    http_headers: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        names = None if self.http_headers is None else sorted(self.http_headers)
        return (
            f"CheckedOptions(retries={self.retries!r}, server_url={self.server_url!r}, "
            f"timeout={self.timeout!r}, http_headers={names})"
        )


_NO_OPTIONS = CheckedOptions()
_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


def check_options(
    *,
    retries: RetryConfig | Unset | None = UNSET,
    server_url: str | None = None,
    timeout_ms: float | None = None,
    http_headers: Mapping[str, str] | None = None,
) -> CheckedOptions:
    """Validate per-request options.

    Raises:
        TypeError: An option is of the wrong type, or there is no such option.
        ValueError: An option cannot be sent.
    """
    if retries is UNSET and (server_url, timeout_ms, http_headers) == (None, None, None):
        return _NO_OPTIONS
    return CheckedOptions(
        retries if isinstance(retries, Unset) else check_retries("retries", retries),
        server_url if server_url is None else check_server_url(server_url),
        make_timeout(timeout_ms),
        http_headers if http_headers is None else check_headers(http_headers),
    )


def make_timeout(timeout_ms: float | None) -> httpx.Timeout | None:
    """Return a time limit in milliseconds as that of httpx, or None for none.

    Raises:
        TypeError: It is not a number.
        ValueError: It is out of range.
    """
    checked = check_timeout_ms(timeout_ms)
    return None if checked is None else httpx.Timeout(checked / 1000)


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Validate headers. An error message never holds a header's value.

    Raises:
        TypeError: It is not a mapping of str to str.
        ValueError: A name or value is not valid, or the header frames the body.
    """
    if not isinstance(headers, Mapping):
        raise TypeError(f"http_headers must be a mapping, not {type(headers).__name__}")
    for name in headers:
        if not isinstance(name, str) or not isinstance(headers[name], str):
            raise TypeError(f"http_headers must map str to str: {name!r} does not")
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"http_headers has an invalid header name: {name!r}")
        if not _HEADER_VALUE.fullmatch(headers[name]):
            raise ValueError(
                f"http_headers[{name!r}] has a character that is not valid in a header, "
                "such as a line break"
            )
        if name.lower() in _FRAMING:
            raise ValueError(f"http_headers must not set {name!r}: it follows from the body")
    return dict(headers)


@frozen
class Call(Generic[T]):
    """One call of an operation.

    Attributes:
        operation_id: The operation.
        effect: What it does, which determines whether a retry is safe.
        request: The request.
        decode: Decodes the body of a success.
        path_parameters: The IDs in the path, by name.
        look: Returns the call that checks whether an earlier attempt, whose outcome is not known,
            was applied. Its result is that of the write, or None if the write was not applied.
        denies: What that check has found if it returns None, as a clause.
        leaves_open: What is known, as a clause, where neither a check nor a status code tells
            whether this call has made the change or another.
        applied: Returns the result of a write that needs no check after a lost response.
    """

    operation_id: str
    effect: Effect
    request: HttpRequest
    decode: Callable[[bytes], T]
    path_parameters: Mapping[str, str] = _NO_PARAMETERS
    look: Callable[[], Call[T | None]] | None = None
    denies: str = ""
    leaves_open: str = ""
    applied: Callable[[], T] | None = None


@frozen
class RawResponse(Generic[T]):
    """A result together with its response.

    Attributes:
        parsed: The result, as the method returns it.
        status_code: The status code of the response.
        headers: The headers of the response.
        retries: How many attempts there were before the last one.
    """

    parsed: T
    status_code: int
    headers: httpx.Headers
    retries: int

    @property
    def request_id(self) -> str | None:
        """The server's ID of the request, for the vendor's support."""
        return cast("str | None", self.headers.get("x-request-id"))

    @property
    def rate_limit(self) -> RateLimit:
        """The account's quota, as the response reports it."""
        return parse_rate_limit(self.headers)
