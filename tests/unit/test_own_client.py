"""The shorter `send` of lazily created clients does what httpx's own does, but for cookies."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import httpx
import httpx2
import pytest

from cld_user_groups._engine.library import HttpLibrary, library
from cld_user_groups._engine.own_client import make_async_client, make_client

OK = {"Set-Cookie": "a=b", "Location": "http://[", "Content-Length": "2"}
URL = "https://api.example.com/x"


class Transport:
    """A transport of both libraries, sync and async, that records what it was sent."""

    def __init__(self, http: Any, error: Exception | None = None, status: int = 200) -> None:
        self.http, self.error, self.status = http, error, status
        self.requests: list[Any] = []

    def handle_request(self, request: Any) -> Any:
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        return self.http.Response(self.status, headers=OK, stream=self.http.ByteStream(b"{}"))

    async def handle_async_request(self, request: Any) -> Any:
        return self.handle_request(request)

    def close(self) -> None: ...

    async def aclose(self) -> None: ...


@pytest.fixture(params=["httpx", "httpx2"])
def http(request: pytest.FixtureRequest) -> HttpLibrary:
    return library(request.param)


@pytest.fixture(params=["sync", "async"])
def send(request: pytest.FixtureRequest, http: HttpLibrary) -> Any:
    """Sends a request over a client of ours, reads the response, and returns it."""

    async def send_async(close: bool, settings: dict[str, Any]) -> httpx.Response:
        client = make_async_client(http, trust_env=False, **settings)
        if close:
            await client.aclose()
        response = await client.send(
            http.Request("GET", URL), stream=True, auth=None, follow_redirects=False
        )
        await response.aread()
        assert not client.cookies
        return response

    def send_sync(close: bool, settings: dict[str, Any]) -> httpx.Response:
        client = make_client(http, trust_env=False, **settings)
        if close:
            client.close()
        response = client.send(
            http.Request("GET", URL), stream=True, auth=None, follow_redirects=False
        )
        response.read()
        assert not client.cookies
        return response

    def send(*, close: bool = False, **settings: Any) -> httpx.Response:
        if request.param == "sync":
            return send_sync(close, settings)
        return asyncio.run(send_async(close, settings))

    return send


def test_response_has_its_request_its_time_and_its_body(http: HttpLibrary, send: Any) -> None:
    transport = Transport(http, status=302)
    response = send(transport=transport)
    assert type(response) is http.Response
    assert (response.status_code, response.content) == (302, b"{}")
    assert response.request is transport.requests[0]
    assert response.elapsed > timedelta(0)


def test_mounted_transport_is_used(http: HttpLibrary, send: Any) -> None:
    transport, mounted = Transport(http), Transport(http)
    send(transport=transport, mounts={"https://api.example.com": mounted})
    assert (len(transport.requests), len(mounted.requests)) == (0, 1)


def test_exception_of_the_library_has_its_request(http: HttpLibrary, send: Any) -> None:
    transport = Transport(http, http.ReadTimeout("slow"))
    with pytest.raises(http.ReadTimeout) as caught:
        send(transport=transport)
    assert caught.value.request is transport.requests[0]


def test_request_is_logged_as_the_library_does(
    http: HttpLibrary, send: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, http.name)
    send(transport=Transport(http))
    [message] = [each.getMessage() for each in caplog.records if each.name == http.name]
    assert message == f'HTTP Request: GET {URL} "HTTP/1.1 200 OK"'


def test_closed_client_sends_nothing(http: HttpLibrary, send: Any) -> None:
    transport = Transport(http)
    with pytest.raises(RuntimeError, match="the client has been closed"):
        send(close=True, transport=transport)
    assert transport.requests == []


def test_method_that_another_package_replaced_is_called(
    http: HttpLibrary, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    for kind in (http.Client, http.AsyncClient):
        stock: Any = kind._send_single_request

        def record(self: Any, request: Any, stock: Any = stock) -> Any:
            seen.append(request.method)
            return stock(self, request)

        monkeypatch.setattr(kind, "_send_single_request", record)
    with pytest.raises(AssertionError):  # the inherited one keeps cookies
        send(transport=Transport(http, status=200))
    assert seen == ["GET"]


def test_inherited_send_is_used_where_no_method_finds_a_transport(
    http: HttpLibrary, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = http.Response(200, request=http.Request("GET", URL), content=b"")

    async def send_async(*_: Any, **__: Any) -> httpx.Response:
        return response

    monkeypatch.delattr(http.Client, "_transport_for_url")
    monkeypatch.delattr(http.AsyncClient, "_transport_for_url")
    monkeypatch.setattr(http.Client, "send", lambda *_, **__: response)
    monkeypatch.setattr(http.AsyncClient, "send", send_async)
    assert send(transport=Transport(http)) is response


def test_supported_libraries_have_the_method_that_finds_a_transport() -> None:
    for module in (httpx, httpx2):
        assert callable(module.Client._transport_for_url)
        assert callable(module.AsyncClient._transport_for_url)
