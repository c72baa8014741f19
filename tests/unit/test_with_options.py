"""`with_options`: other defaults on the same connections."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Any

import httpx
import pytest
from tests.support.transport import KEY, OK, SECRET, SECURITY, FakeTransport, error

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, models, utils
from cld_user_groups.emulator import Emulator
from cld_user_groups.errors import ClientClosed
from cld_user_groups.limits import LocalLimiter


def test_derived_client_and_the_original_have_defaults_of_their_own(waits: list[float]) -> None:
    transport = FakeTransport(OK)
    client = transport.client(timeout_ms=1_000)
    derived = client.with_options(
        timeout_ms=2_000, http_headers={"X-Team": "media"}, server_url="https://eu.example.com/"
    )
    client.user_groups.list()
    derived.user_groups.list()
    original, changed = transport.requests
    assert [each.extensions["timeout"]["read"] for each in transport.requests] == [1.0, 2.0]
    assert ("x-team" in original.headers, changed.headers["x-team"]) == (False, "media")
    assert (original.url.host, changed.url.host) == ("api.cloudinary.com", "eu.example.com")
    assert (client.server_url, derived.server_url) == (
        "https://api.cloudinary.com",
        "https://eu.example.com",
    )
    assert derived.account_id == "acc"


@pytest.mark.parametrize(
    ("own", "option", "attempts"),
    [
        (utils.UNSET, utils.UNSET, 2),
        (utils.UNSET, None, 1),
        (None, utils.UNSET, 1),
        (None, utils.RetryConfig(), 2),
    ],
)
def test_derived_client_keeps_the_retries_unless_it_has_others(
    own: Any, option: Any, attempts: int, waits: list[float]
) -> None:
    transport = FakeTransport(error(503), *([OK] if attempts == 2 else []))
    groups = transport.client(retry_config=own).with_options(retries=option).user_groups
    if attempts == 1:
        with pytest.raises(models.APIError):
            groups.list()
    else:
        groups.list()
    assert len(transport.requests) == attempts


def test_of_the_headers_of_nested_clients_the_innermost_win() -> None:
    transport = FakeTransport(OK)
    outer = transport.client().with_options(http_headers={"X-A": "outer", "X-B": "outer"})
    inner = outer.with_options(http_headers={"X-B": "inner", "X-C": "inner"})
    inner.user_groups.list(http_headers={"X-C": "call"})
    outer.user_groups.list()
    sent = [
        {name: each.headers.get(name) for name in ("x-a", "x-b", "x-c")}
        for each in transport.requests
    ]
    assert sent == [
        {"x-a": "outer", "x-b": "inner", "x-c": "call"},
        {"x-a": "outer", "x-b": "outer", "x-c": None},
    ]


def test_closing_the_original_closes_both_and_a_derived_client_nothing() -> None:
    transport = FakeTransport(OK)
    client = transport.client()
    with client.with_options(timeout_ms=5) as derived:
        derived.user_groups.list()
    derived.user_groups.list()
    client.close()
    for each in (client, derived):
        with pytest.raises(ClientClosed, match="the client is closed: create a new one"):
            each.user_groups.list()
    assert len(transport.requests) == 2


def test_derived_client_shares_the_sockets() -> None:
    with Emulator("acc", KEY, SECRET).serve() as server:
        with CldProvisioning(account_id="acc", security=SECURITY, server_url=server.url) as client:
            client.user_groups.list()
            client.with_options(http_headers={"X-A": "b"}).user_groups.list()
            pool = client._http.get().client._transport._pool  # type: ignore[attr-defined]
            assert len(pool.connections) == 1


def test_derived_async_client_shares_the_http_client() -> None:
    async def check() -> None:
        transport = FakeTransport(OK)
        async with transport.async_client() as client:
            async with client.with_options(retries=None) as derived:
                assert type(derived) is AsyncCldProvisioning
                await derived.user_groups.list()
            await client.user_groups.list()
        with pytest.raises(ClientClosed):
            await derived.users.list()
        assert len(transport.requests) == 2

    asyncio.run(check())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"retries": 5}, "retries must be a RetryConfig"),
        ({"timeout_ms": 0}, "timeout_ms"),
        ({"http_headers": {"X A": "b"}}, "invalid header name"),
        ({"http_headers": {"Content-Length": "5"}}, "Content-Length"),
        ({"server_url": "http://example.com"}, "https://"),
        ({"server_url": 5}, "server_url must be a str"),
        ({"limiter": LocalLimiter}, "limiter must be an instance"),
    ],
)
def test_invalid_option_is_rejected(options: dict[str, Any], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=named):
        FakeTransport(OK).client().with_options(**options)


@pytest.mark.parametrize(
    ("option", "is_held"),
    [({}, True), ({"limiter": None}, False), ({"limiter": LocalLimiter()}, False)],
    ids=["same", "none", "own"],
)
def test_a_refusal_is_for_the_clients_that_share_a_limiter(
    option: dict[str, Any], is_held: bool
) -> None:
    refusal = httpx.Response(429, headers={"Retry-After": "60"})
    client = FakeTransport(refusal, OK).client(retry_config=None, limiter=LocalLimiter(reserve=0))
    with pytest.raises(models.ErrorResponse):
        client.with_options(**option).user_groups.list()
    with pytest.raises(models.ErrorResponse) if is_held else nullcontext():
        client.user_groups.list()


def test_hooks_and_credentials_of_the_original_hold() -> None:
    seen: list[str] = []

    class Seen:
        def before_request(self, context: Any, request: httpx.Request) -> None:
            seen.append(request.headers["authorization"])

    transport = FakeTransport(OK)
    transport.client(hooks=[Seen()]).with_options(timeout_ms=5).user_groups.list()
    assert seen == [httpx.BasicAuth(KEY, SECRET)._auth_header]
