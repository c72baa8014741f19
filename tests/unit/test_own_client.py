"""A request over a lazily created client is sent as httpx itself does, but for cookies."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx
import httpx2
import pytest
from tests.support.transport import SECURITY

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, models

OK = {"Set-Cookie": "a=b", "Location": "http://[", "Content-Length": "2"}
SERVER = "https://api.example.com"
URL = f"{SERVER}/v1_1/provisioning/accounts/acc/user_groups"


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


@pytest.fixture(params=[httpx, httpx2], ids=["httpx", "httpx2"])
def http(request: pytest.FixtureRequest) -> Any:
    return request.param


class Responses:
    """A hook that keeps the response."""

    def after_response(self, context: Any, response: httpx.Response) -> None:
        self.response = response


@pytest.fixture(params=["sync", "async"])
def send(request: pytest.FixtureRequest, http: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sends a request over a client of ours, and returns the response as a hook sees it."""
    hook = Responses()
    arguments: dict[str, Any] = {"security": SECURITY, "account_id": "acc", "hooks": [hook]}
    arguments |= {"server_url": SERVER, "retry_config": None, "http_library": http.__name__}

    async def send_async() -> None:
        async with AsyncCldProvisioning(**arguments) as client:
            await client.user_groups.list()

    def send_sync() -> None:
        with CldProvisioning(**arguments) as client:
            client.user_groups.list()

    def send(*, close: bool = False, **settings: Any) -> httpx.Response:
        is_sync = request.param == "sync"
        made = (http.Client if is_sync else http.AsyncClient)(trust_env=False, **settings)
        monkeypatch.setattr(http, type(made).__name__, lambda **_: made)
        if close:
            made.close() if is_sync else asyncio.run(made.aclose())
        with suppress(models.CloudinaryError):  # of a response that is no list of groups
            send_sync() if is_sync else asyncio.run(send_async())
        assert not made.cookies
        return hook.response

    return send


def test_response_has_its_request_its_time_and_its_body(http: Any, send: Any) -> None:
    transport = Transport(http, status=302)
    response = send(transport=transport)
    assert type(response) is http.Response
    assert (response.status_code, response.content) == (302, b"{}")
    assert response.request is transport.requests[0]
    assert response.elapsed > timedelta(0)


def test_mounted_transport_is_used(http: Any, send: Any) -> None:
    transport, mounted = Transport(http), Transport(http)
    send(transport=transport, mounts={"https://api.example.com": mounted})
    assert (len(transport.requests), len(mounted.requests)) == (0, 1)


def test_exception_of_the_library_has_its_request(http: Any, send: Any) -> None:
    transport = Transport(http, http.ReadTimeout("slow"))
    with pytest.raises(http.ReadTimeout) as caught:
        send(transport=transport)
    assert caught.value.request is transport.requests[0]


def test_request_is_logged_as_the_library_does(
    http: Any, send: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, http.__name__)
    send(transport=Transport(http))
    [message] = [each.getMessage() for each in caplog.records if each.name == http.__name__]
    assert message == f'HTTP Request: GET {URL} "HTTP/1.1 200 OK"'


def test_closed_client_sends_nothing(http: Any, send: Any) -> None:
    transport = Transport(http)
    with pytest.raises(RuntimeError, match="the client has been closed"):
        send(close=True, transport=transport)
    assert transport.requests == []


def test_method_that_another_package_replaced_is_called(
    http: Any, send: Any, monkeypatch: pytest.MonkeyPatch
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
    http: Any, send: Any, monkeypatch: pytest.MonkeyPatch
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


@pytest.mark.parametrize("is_sync", [True, False])
def test_response_of_a_callers_client_has_its_time_too(http: Any, is_sync: bool) -> None:
    hook = Responses()
    made = (http.Client if is_sync else http.AsyncClient)(transport=Transport(http))
    kind: Any = CldProvisioning if is_sync else AsyncCldProvisioning
    client = kind(SECURITY, "acc", hooks=[hook], client=made)
    with suppress(models.CloudinaryError):
        client.user_groups.list() if is_sync else asyncio.run(client.user_groups.list())
    assert hook.response.elapsed > timedelta(0)
