"""Which server a client talks to, and which are rejected."""

from __future__ import annotations

import asyncio
from itertools import product
from typing import Any

import pytest
from tests.support.tables import case
from tests.support.transport import OK, SECURITY, FakeTransport

from cld_user_groups import CldProvisioning


@pytest.mark.parametrize(
    ("options", "server"),
    [
        ({}, "https://api.cloudinary.com"),
        ({"region": "api"}, "https://api.cloudinary.com"),
        ({"region": "api-eu"}, "https://api-eu.cloudinary.com"),
        ({"region": "api-ap"}, "https://api-ap.cloudinary.com"),
        ({"host": "media.example.com"}, "https://media.example.com"),
        ({"host": "media.example.com:8443"}, "https://media.example.com:8443"),
        ({"server_idx": 0}, "https://api.cloudinary.com"),
        ({"server_idx": 1}, "https://api.cloudinary.com"),
        ({"server_idx": 0, "region": "api-eu", "host": "h"}, "https://api-eu.cloudinary.com"),
        ({"server_idx": 1, "region": "api-eu", "host": "h"}, "https://h"),
        ({"url_params": {"region": "api-ap"}}, "https://api-ap.cloudinary.com"),
        ({"url_params": {"host": "h.example.com"}}, "https://h.example.com"),
        ({"server_url": "https://gateway.example.com/cld/"}, "https://gateway.example.com/cld"),
        (
            {"server_url": "https://{tenant}.example.com", "url_params": {"tenant": "t1"}},
            "https://t1.example.com",
        ),
        ({"server_url": "http://127.0.0.1:8000"}, "http://127.0.0.1:8000"),
        ({"server_url": "http://127.8.9.1"}, "http://127.8.9.1"),
        ({"server_url": "http://localhost:1"}, "http://localhost:1"),
        ({"server_url": "http://[::1]:8000"}, "http://[::1]:8000"),
        ({"server_url": "https://example.com:65535"}, "https://example.com:65535"),
    ],
)
def test_server_follows_from_the_arguments(options: dict[str, Any], server: str) -> None:
    transport = FakeTransport(OK)
    client = transport.client(**options)
    client.user_groups.list()
    assert client.server_url == server
    assert str(transport.requests[0].url) == f"{server}/v1_1/provisioning/accounts/acc/user_groups"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"region": "api-us"}, "region must be one of api, api-eu, api-ap"),
        ({"region": "evil.com/"}, "region"),
        ({"host": "evil.com/x"}, "host"),
        ({"host": "user@evil.com"}, "host"),
        ({"host": "https://h"}, "host"),
        ({"host": ""}, "host"),
        ({"host": "h?x"}, "host"),
        ({"host": "h#x"}, "host"),
        ({"region": "api-eu", "host": "h"}, "server_idx"),
        ({"server_idx": 2}, "server_idx"),
        ({"server_idx": -1}, "server_idx"),
        ({"server_idx": True}, "server_idx"),
        ({"url_params": {"regoin": "api"}}, "regoin"),
        ({"server_url": "https://{tenant}.example.com"}, "tenant"),
    ],
)
def test_invalid_server_is_rejected(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        CldProvisioning(account_id="acc", security=SECURITY, **options)


# Where credentials must not go, and what the message says.
UNSAFE = [
    ("http://api.cloudinary.com", "https://"),
    ("HTTP://API.CLOUDINARY.COM", "https://"),
    ("http://127.0.0.1.example.com", "https://"),
    ("http://127.1.example.com:80", "https://"),
    ("http://localhost.example.com", "https://"),
    ("http://10.0.0.1", "https://"),
    ("http://0.0.0.0", "https://"),
    ("http://1.0.0.127", "https://"),
    ("http://[::2]", "https://"),
    ("http://[2001:db8::1]", "https://"),
    ("ftp://127.0.0.1", "https://"),
    ("file:///etc/passwd", "https://"),
    ("127.0.0.1", "https://"),
    ("//127.0.0.1", "https://"),
    ("", "https://"),
    (" ", "https://"),
    ("https://", "host"),
    ("https:///path", "host"),
    ("https://example.com?x=1", "query"),
    ("https://example.com?", "query"),
    ("http://example.com?@127.0.0.1", "query"),
    ("https://example.com#x", "fragment"),
    ("http://example.com#@127.0.0.1", "fragment"),
    ("https://k:s@example.com", "credentials"),
    ("http://localhost@example.com", "credentials"),
    ("http://127.0.0.1@example.com", "credentials"),
    ("https://exa mple.com", "server_url"),
    ("https://example.com:65536", "port from 1 to 65535"),
    ("https://example.com:99999999", "server_url"),
    ("https://example.com/\n", "server_url"),
]


def test_unsafe_server_is_rejected_by_both_clients_and_by_a_call() -> None:
    transport = FakeTransport(OK)
    client, async_client = transport.client(), transport.async_client()
    calls = (
        transport.client,
        transport.async_client,
        client.user_groups.list,
        lambda server_url: asyncio.run(async_client.user_groups.list(server_url=server_url)),
    )
    for (server_url, named), make in product(UNSAFE, calls):
        with case(server_url, make), pytest.raises(ValueError, match=named):
            make(server_url=server_url)
    assert transport.requests == []


@pytest.mark.parametrize("server_url", [5, b"https://example.com", ["https://a.example"]])
def test_server_of_another_type_is_rejected(server_url: Any) -> None:
    with pytest.raises(TypeError, match="server_url must be a str"):
        CldProvisioning(account_id="acc", security=SECURITY, server_url=server_url)


def test_server_of_one_call_is_checked_as_well() -> None:
    transport = FakeTransport(OK)
    client = transport.client()
    client.user_groups.list(server_url="https://other.example.com/")
    assert transport.requests[0].url.host == "other.example.com"
    assert transport.requests[0].headers["host"] == "other.example.com"
    with pytest.raises(ValueError, match="https://"):
        client.user_groups.list(server_url="http://other.example.com")
    assert len(transport.requests) == 1


SERVER_URL = "CLOUDINARY_PROVISIONING_SERVER_URL"
REGION = "CLOUDINARY_PROVISIONING_REGION"


@pytest.mark.parametrize(
    ("variables", "options", "server"),
    [
        ({SERVER_URL: "https://gateway.example.com/"}, {}, "https://gateway.example.com"),
        ({SERVER_URL: "http://127.0.0.1:8000"}, {}, "http://127.0.0.1:8000"),
        ({REGION: "api-eu"}, {}, "https://api-eu.cloudinary.com"),
        ({SERVER_URL: "https://a.example.com", REGION: "api-eu"}, {}, "https://a.example.com"),
        ({SERVER_URL: "", REGION: "api-ap"}, {}, "https://api-ap.cloudinary.com"),
        ({SERVER_URL: "", REGION: ""}, {}, "https://api.cloudinary.com"),
        # An argument that chooses a server wins over both.
        ({SERVER_URL: "https://a.example.com"}, {"region": "api"}, "https://api.cloudinary.com"),
        ({SERVER_URL: "https://a.example.com"}, {"host": "h"}, "https://h"),
        ({SERVER_URL: "https://a.example.com"}, {"server_idx": 0}, "https://api.cloudinary.com"),
        (
            {SERVER_URL: "https://a.example.com"},
            {"url_params": {"region": "api-ap"}},
            "https://api-ap.cloudinary.com",
        ),
        (
            {SERVER_URL: "https://a.example.com"},
            {"server_url": "https://b.example.com"},
            "https://b.example.com",
        ),
        ({REGION: "api-eu"}, {"region": "api-ap"}, "https://api-ap.cloudinary.com"),
        ({REGION: "nonsense"}, {"host": "h"}, "https://h"),  # not even read
    ],
)
def test_server_follows_from_the_environment_where_no_argument_chooses_one(
    variables: dict[str, str], options: dict[str, Any], server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert FakeTransport(OK).client(**options).server_url == server


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        (SERVER_URL, "http://api.cloudinary.com", "https://"),
        (SERVER_URL, "api.cloudinary.com", "https://"),
        (SERVER_URL, "https://{tenant}.example.com", "tenant"),
        (REGION, "api-us", "region must be one of api, api-eu, api-ap, not 'api-us'"),
        (REGION, "evil.example.com/", "region"),
    ],
)
def test_invalid_server_of_the_environment_is_rejected(
    name: str, value: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=named):
        FakeTransport(OK).client()


@pytest.mark.parametrize(
    "host",
    ["example.com", "a", "my_host", "a-b.c", "example.com.", "1.2.3.4", "[::1]", "xn--bcher-kva.de",
     "a" * 63 + ".com", ".".join(["a" * 49] * 5)],
)  # fmt: skip
def test_host_that_can_be_looked_up_is_accepted(host: str) -> None:
    assert FakeTransport(OK).client(server_url=f"https://{host}").server_url == f"https://{host}"


@pytest.mark.parametrize(
    "host",
    ["-a.com", "a-.com", "a..com", ".com", "a" * 64 + ".com", ".".join(["a" * 50] * 5), "1.2.3",
     "a.256", "exa$mple.com", "a,b.com", "*.example.com"],
)  # fmt: skip
def test_host_that_cannot_be_looked_up_is_rejected(host: str) -> None:
    with pytest.raises(ValueError, match="server_url"):
        FakeTransport(OK).client(server_url=f"https://{host}")
