# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

"""The clients that send the requests of the endpoint functions."""

import ssl
from typing import Any, Self

import httpx
from attrs import define, evolve, field


@define
class Client:
    """A client for operations that need no credentials.

    Attributes:
        raise_on_unexpected_status: Whether an undocumented status code raises
            errors.UnexpectedStatus. Otherwise the response is returned with `parsed` None.

    The other arguments go to the httpx clients, which are lazily created: base_url, cookies,
    headers, timeout, verify_ssl, follow_redirects, and httpx_args for anything else.
    """

    raise_on_unexpected_status: bool = field(default=False, kw_only=True)
    _base_url: str = field(alias="base_url")
    _cookies: dict[str, str] = field(
        factory=dict[str, str], kw_only=True, alias="cookies", repr=False
    )
    _headers: dict[str, str] = field(
        factory=dict[str, str], kw_only=True, alias="headers", repr=False
    )
    _timeout: httpx.Timeout | None = field(
        factory=lambda: httpx.Timeout(30.0), kw_only=True, alias="timeout"
    )
    _verify_ssl: str | bool | ssl.SSLContext = field(default=True, kw_only=True, alias="verify_ssl")
    _follow_redirects: bool = field(default=False, kw_only=True, alias="follow_redirects")
    _httpx_args: dict[str, Any] = field(
        factory=dict[str, Any], kw_only=True, alias="httpx_args", repr=False
    )
    _client: httpx.Client | None = field(default=None, init=False, repr=False)
    _async_client: httpx.AsyncClient | None = field(default=None, init=False, repr=False)

    def with_headers(self, headers: dict[str, str]) -> Self:
        """Return a client like this one with more headers."""
        return evolve(self, headers={**self._headers, **headers})

    def with_cookies(self, cookies: dict[str, str]) -> Self:
        """Return a client like this one with more cookies."""
        return evolve(self, cookies={**self._cookies, **cookies})

    def with_timeout(self, timeout: httpx.Timeout) -> Self:
        """Return a client like this one with another timeout."""
        return evolve(self, timeout=timeout)

    def _httpx_arguments(self) -> dict[str, Any]:
        return {
            "base_url": self._base_url,
            "cookies": self._cookies,
            "headers": self._headers,
            "timeout": self._timeout,
            "verify": self._verify_ssl,
            "follow_redirects": self._follow_redirects,
            **self._httpx_args,
        }

    def set_httpx_client(self, client: httpx.Client) -> Self:
        """Use a caller-supplied httpx.Client as it is; the other settings do not apply to it."""
        self._client = client
        return self

    def get_httpx_client(self) -> httpx.Client:
        """Return the httpx.Client, lazily created."""
        if self._client is None:
            self._client = httpx.Client(**self._httpx_arguments())
        return self._client

    def __enter__(self) -> Self:
        self.get_httpx_client().__enter__()
        return self

    def __exit__(self, *args: Any) -> None:
        self.get_httpx_client().__exit__(*args)

    def set_async_httpx_client(self, async_client: httpx.AsyncClient) -> Self:
        """Use a caller-supplied httpx.AsyncClient as it is; the other settings do not apply to it."""
        self._async_client = async_client
        return self

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """Return the httpx.AsyncClient, lazily created."""
        if self._async_client is None:
            self._async_client = httpx.AsyncClient(**self._httpx_arguments())
        return self._async_client

    async def __aenter__(self) -> Self:
        await self.get_async_httpx_client().__aenter__()
        return self

    async def __aexit__(self, *args: Any) -> None:
        await self.get_async_httpx_client().__aexit__(*args)


@define
class AuthenticatedClient(Client):
    """A client for operations that need credentials.

    Attributes:
        token: The credentials: for HTTP Basic, `key:secret` in Base64. Never in the repr.
        prefix: The scheme in front of the token in the header, or an empty str.
        auth_header_name: The name of the header.
    """

    token: str = field(kw_only=True, repr=False)
    prefix: str = field(default="Basic", kw_only=True)
    auth_header_name: str = field(default="Authorization", kw_only=True)

    def _httpx_arguments(self) -> dict[str, Any]:
        credentials = f"{self.prefix} {self.token}" if self.prefix else self.token
        arguments = super()._httpx_arguments()
        return arguments | {"headers": {**self._headers, self.auth_header_name: credentials}}
