"""A call of an operation: its options, its request, and its raw response."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType, ModuleType
from typing import Any, Final, Generic, NamedTuple, TypedDict, TypeVar

import httpx
import msgspec
from attrs import define, field

from cld_provisioning_api.calling import RawResponse as RawResponse
from cld_provisioning_api.types import HttpRequest
from cld_user_groups.hooks import Hooks
from cld_user_groups.limits.protocol import Limiter
from cld_user_groups.security import Authorization
from cld_user_groups.utils import UNSET, RetryConfig, Unset, check_retries

from .body import ACCEPT_ENCODING, DECODED, DEFAULT_MAX_BYTES, excerpt
from .config import check_server_url, make_timeout
from .http_client import Connections
from .retry import Effect

T = TypeVar("T")

# A field name is a token (RFC 9110, 5.6.2); a value is visible ASCII, spaces and tabs, for a line
# break in it would begin another header.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*", re.ASCII)
# These frame the body: another value would change what the server reads as the request.
_FRAMING = ("content-length", "transfer-encoding")
# Sets of headers of bodies of a length, kept with those of every request.
_MOST_KEPT: Final = 64


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
        shown = {**self._asdict(), "http_headers": sorted(self.http_headers or ()) or None}
        return f"CheckedOptions({', '.join(f'{name}={shown[name]!r}' for name in shown)})"


_NO_OPTIONS = CheckedOptions()
_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


def check_options(
    retries: RetryConfig | Unset | None = UNSET,
    server_url: str | None = None,
    timeout_ms: float | None = None,
    http_headers: Mapping[str, str] | None = None,
) -> CheckedOptions:
    """Validate per-request options, or raise the TypeError or ValueError that names the option."""
    if retries is UNSET and (server_url, timeout_ms, http_headers) == (None, None, None):
        return _NO_OPTIONS
    return CheckedOptions(
        retries if isinstance(retries, Unset) else check_retries("retries", retries),
        server_url if server_url is None else check_server_url(server_url),
        make_timeout(timeout_ms),
        http_headers if http_headers is None else check_headers(http_headers),
    )


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Validate headers, or raise an error whose message never holds a header's value."""
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


@define  # not frozen: that would make its creation three times as long
class ApiCall(Generic[T]):
    """One call of an operation, and what is known of a write whose response was lost."""

    operation_id: str
    effect: Effect
    request: HttpRequest
    decode: Callable[[bytes], T]  # the body of a success
    path_parameters: Mapping[str, str] = _NO_PARAMETERS  # the IDs in the path, by name
    about: str | None = field(default=None, kw_only=True)  # which of them the result must have
    # Returns the call that checks whether an earlier attempt, whose outcome is not known, was
    # applied. Its result is that of the write, or None if the write was not applied.
    verify: Callable[[], ApiCall[T | None]] | None = None
    contradicts: str = ""  # what that check has found if it returns None, as a clause
    # What is known, as a clause, where neither a check nor a status code tells whether this call
    # has made the change or another.
    leaves_open: str = ""
    applied: Callable[[], T] | None = None  # returns the result where no check is needed


@define
class Session:
    """The settings that the calls of a client share.

    A call may set its own retries and time limit; no time limit is that of the httpx client.
    """

    account_id: str
    server_url: str  # without a slash at its end
    authorize: Callable[[], Authorization]
    retries: RetryConfig | None
    timeout: httpx.Timeout | None
    hooks: Hooks
    debug_hooks: Hooks  # while the debug log is on
    user_agent: str
    is_closed: Callable[[], bool]
    http_headers: Mapping[str, str] = field(factory=dict[str, str])
    max_response_bytes: int = DEFAULT_MAX_BYTES
    limiter: Limiter | None = None
    _headers: tuple[tuple[object, ...], httpx.Headers, dict[object, httpx.Headers]] | None = field(
        default=None, init=False, repr=False
    )

    def headers(
        self,
        connections: Connections,
        host: bytes,
        authorization: Authorization,
        request: HttpRequest,
    ) -> httpx.Headers:
        """Return the headers of a request; those but the body's are rebuilt if one has changed."""
        made_of = (connections.client.headers.raw, host, authorization)
        kept = self._headers  # read once: another thread may replace it at any time
        if kept is None or kept[0] != made_of:
            kept = self._headers = made_of, self._shared(connections, host, authorization), {}
        _, shared, by_body = kept
        content = request.content
        has_body = content is not None or request.method in ("POST", "PUT")
        key = (len(content or b"") if has_body else None, *request.headers.items())
        found = by_body.get(key)
        if found is None:
            found = connections.http.Headers(shared)
            found.encoding = shared.encoding  # httpx would find it out anew, from every byte
            found.update(request.headers)
            if has_body:
                found["Content-Length"] = str(key[0])
            if len(by_body) >= _MOST_KEPT:
                by_body.clear()
            by_body[key] = found
        return found

    def _shared(
        self, connections: Connections, host: bytes, authorization: Authorization
    ) -> httpx.Headers:
        headers: httpx.Headers = connections.http.Headers([(b"Host", host)])
        headers.update(connections.client.headers)
        headers["Accept"] = "application/json"
        codings = headers.get("Accept-Encoding", "br").replace(" ", "").split(",")
        if not {coding.partition(";")[0] for coding in codings} <= DECODED:
            headers["Accept-Encoding"] = ACCEPT_ENCODING
        agent: str = headers.get("User-Agent", "python-httpx/")
        if agent.startswith(("python-httpx/", "python-httpx2/")):
            headers["User-Agent"] = self.user_agent
        headers["Authorization"] = authorization.header
        headers.update(self.http_headers)
        if headers.encoding == "ascii":
            headers.encoding = "utf-8"  # the same, but for what a hook may add
        return headers


@lru_cache(maxsize=256)
def _url_and_host(http: ModuleType, server_url: str, target: str) -> tuple[httpx.URL, bytes]:
    # Parsing a URL costs as much as all the rest of building a request.
    url: httpx.URL = http.URL(server_url + target)
    return url, url.netloc


def build_request(
    session: Session,
    connections: Connections,
    call: ApiCall[T],
    options: CheckedOptions,
    authorization: Authorization,
) -> httpx.Request:
    """Return the request of a call, ready to be sent as it is.

    httpx would merge its client's settings into each request again; all of them are known here.
    """
    client, http = connections.client, connections.http
    server_url = options.server_url or session.server_url
    url, host = _url_and_host(http, server_url, call.request.target)
    if client.params:
        url = url.copy_with(params=client.params.merge(url.params))
    if url.scheme == "http" and connections.is_behind_environment_proxy(url):
        raise ValueError(
            "credentials must not go over http:// to the proxy that the environment names: add "
            f"{url.host} to NO_PROXY, or create the httpx client with trust_env=False"
        )
    timeout = options.timeout or session.timeout or client.timeout
    shared = session.headers(connections, host, authorization, call.request)
    request: httpx.Request = http.Request(
        call.request.method,
        url,
        headers=shared,
        stream=http.ByteStream(call.request.content or b""),
        extensions={"timeout": timeout.as_dict()},
    )
    request.read()
    request.headers.encoding = shared.encoding
    if client.cookies:
        client.cookies.set_cookie_header(request)
    if options.http_headers:
        request.headers.update(options.http_headers)
    return request


def check_id(result: Any, requested: str) -> None:
    """Raise a msgspec.ValidationError if the result of an operation is about something else."""
    if result.id != requested:
        raise msgspec.ValidationError(
            f"Expected the ID {str.__str__(requested)!r}, got {excerpt(result.id)!r} - at `$.id`"
        )
