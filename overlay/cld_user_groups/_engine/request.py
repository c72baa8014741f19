"""What all calls of one client share, and the request that a call becomes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import httpx
from attrs import define, field

from cld_user_groups.hooks import Hooks
from cld_user_groups.security import Authorization
from cld_user_groups.utils import RetryConfig

from .call import Call

T = TypeVar("T")
Client = httpx.Client | httpx.AsyncClient


@define
class Session:
    """What all calls of one client share.

    Attributes:
        account_id: The account.
        server_url: The server, without a slash at its end.
        authorize: Gives the credentials for a call.
        retries: The retries of a call that sets none of its own.
        timeout: The time limit of a call that sets none, or None for that of the httpx client.
        hooks: Gives the hooks for a call.
        user_agent: How the client calls itself.
    """

    account_id: str
    server_url: str
    authorize: Callable[[], Authorization]
    retries: RetryConfig | None
    timeout: httpx.Timeout | None
    hooks: Callable[[], Hooks]
    user_agent: str
    _headers: tuple[tuple[object, ...], httpx.Headers] | None = field(default=None, repr=False)

    def headers(self, client: Client, host: bytes, authorization: Authorization) -> httpx.Headers:
        """Return the headers of every request: the client's own, ours, the credentials.

        Made anew only where one of them has changed.
        """
        made_of = (client.headers.raw, host, authorization)
        last = self._headers  # read once: another thread may replace it at any time
        if last is not None and last[0] == made_of:
            return last[1]
        headers = httpx.Headers([(b"Host", host)])
        headers.update(client.headers)
        headers["Accept"] = "application/json"
        if headers.get("User-Agent", "python-httpx/").startswith("python-httpx/"):
            headers["User-Agent"] = self.user_agent
        headers["Authorization"] = authorization.header
        self._headers = (made_of, headers)
        return headers


@lru_cache(maxsize=256)
def _url(server_url: str, target: str) -> httpx.URL:
    # Parsing a URL costs as much as all the rest of building a request.
    return httpx.URL(server_url + target)


def build_request(
    session: Session, client: Client, call: Call[T], authorization: Authorization
) -> httpx.Request:
    """Return the request of a call, ready to be sent as it is.

    httpx would merge its client's settings into every request anew; all of them are known here.
    """
    options = call.options
    content = call.request.content
    url = _url(options.server_url or session.server_url, call.request.target)
    if client.params:
        url = url.copy_merge_params(client.params)
    timeout = options.timeout or session.timeout or client.timeout
    request = httpx.Request(
        call.request.method,
        url,
        headers=session.headers(client, url.netloc, authorization),
        stream=httpx.ByteStream(content or b""),
        extensions={"timeout": timeout.as_dict()},
    )
    request.read()
    headers = request.headers
    for name, value in call.request.headers.items():
        headers[name] = value
    if content is not None or call.request.method in ("POST", "PUT"):
        headers["Content-Length"] = str(len(content or b""))
    if client.cookies:
        client.cookies.set_cookie_header(request)
    if options.http_headers:
        headers.update(options.http_headers)
    return request
