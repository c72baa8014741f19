"""The settings that the calls of a client share, and the request of a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeVar

import httpx
from attrs import define, field

from cld_user_groups.hooks import Hooks
from cld_user_groups.limits.protocol import Limiter
from cld_user_groups.security import Authorization
from cld_user_groups.utils import RetryConfig

from .body import ACCEPT_ENCODING, DECODED, DEFAULT_MAX_BYTES
from .call import Call, CheckedOptions
from .proxies import is_behind_environment_proxy

T = TypeVar("T")
Client = httpx.Client | httpx.AsyncClient


@define
class Session:
    """The settings that the calls of a client share.

    Attributes:
        account_id: The account.
        server_url: The server, without a slash at its end.
        authorize: Returns the credentials for a call.
        retries: The retries of a call that sets none of its own.
        timeout: The time limit of a call that sets none, or None for that of the httpx client.
        hooks: Returns the hooks for a call.
        user_agent: The User-Agent.
        is_closed: Returns whether the client was closed.
        http_headers: Headers to add to every request, or to replace.
        max_response_bytes: The maximum size of a decoded response body, in bytes.
        limiter: Decides when an attempt may be sent, or None.
    """

    account_id: str
    server_url: str
    authorize: Callable[[], Authorization]
    retries: RetryConfig | None
    timeout: httpx.Timeout | None
    hooks: Callable[[], Hooks]
    user_agent: str
    is_closed: Callable[[], bool]
    http_headers: Mapping[str, str] = field(factory=dict[str, str])
    max_response_bytes: int = DEFAULT_MAX_BYTES
    limiter: Limiter | None = None
    _headers: tuple[tuple[object, ...], httpx.Headers] | None = field(
        default=None, init=False, repr=False
    )

    def headers(self, client: Client, host: bytes, authorization: Authorization) -> httpx.Headers:
        """Return the headers of every request: the httpx client's, ours, the credentials.

        Rebuilt only if one of them has changed.
        """
        made_of = (client.headers.raw, host, authorization)
        last = self._headers  # read once: another thread may replace it at any time
        if last is not None and last[0] == made_of:
            return last[1]
        headers = httpx.Headers([(b"Host", host)])
        headers.update(client.headers)
        headers["Accept"] = "application/json"
        codings = headers.get("Accept-Encoding", "br").replace(" ", "").split(",")
        if not {coding.partition(";")[0] for coding in codings} <= DECODED:
            headers["Accept-Encoding"] = ACCEPT_ENCODING
        if headers.get("User-Agent", "python-httpx/").startswith("python-httpx/"):
            headers["User-Agent"] = self.user_agent
        headers["Authorization"] = authorization.header
        headers.update(self.http_headers)
        if headers.encoding == "ascii":
            headers.encoding = "utf-8"  # the same, but for what a hook may add
        self._headers = (made_of, headers)
        return headers


@lru_cache(maxsize=256)
def _url_and_host(server_url: str, target: str) -> tuple[httpx.URL, bytes]:
    # Parsing a URL costs as much as all the rest of building a request.
    url = httpx.URL(server_url + target)
    return url, url.netloc


def build_request(
    session: Session,
    client: Client,
    call: Call[T],
    options: CheckedOptions,
    authorization: Authorization,
) -> httpx.Request:
    """Return the request of a call, ready to be sent as it is.

    httpx would merge its client's settings into each request again; all of them are known here.

    Raises:
        ValueError: It would go over plain http:// to a proxy that the environment names.
    """
    content = call.request.content
    server_url = options.server_url or session.server_url
    url, host = _url_and_host(server_url, call.request.target)
    if client.params:
        url = url.copy_with(params=client.params.merge(url.params))
    if url.scheme == "http" and is_behind_environment_proxy(client, url):
        raise ValueError(
            "credentials must not go over http:// to the proxy that the environment names: add "
            f"{url.host} to NO_PROXY, or create the httpx client with trust_env=False"
        )
    timeout = options.timeout or session.timeout or client.timeout
    shared = session.headers(client, host, authorization)
    request = httpx.Request(
        call.request.method,
        url,
        headers=shared,
        stream=httpx.ByteStream(content or b""),
        extensions={"timeout": timeout.as_dict()},
    )
    request.read()
    headers = request.headers
    headers.encoding = shared.encoding  # httpx would find it out anew, from every byte
    for name, value in call.request.headers.items():
        headers[name] = value
    if content is not None or call.request.method in ("POST", "PUT"):
        headers["Content-Length"] = str(len(content or b""))
    if client.cookies:
        client.cookies.set_cookie_header(request)
    if options.http_headers:
        headers.update(options.http_headers)
    return request
