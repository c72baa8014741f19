"""Arguments other than IDs are sent as they are, or rejected before anything is sent."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.fault_calls import (
    ACCOUNT,
    CREATE,
    GET,
    LIST,
    MODES,
    NOWHERE,
    OPERATIONS,
    SECURITY,
    UPDATE,
    Mode,
    Operation,
    call,
)

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, models

both = pytest.mark.parametrize("mode", MODES)


def list_groups(**options: Any) -> list[httpx.Request]:
    """List the groups with options, and return the requests."""
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, content=LIST.body)

    http = httpx.Client(transport=httpx.MockTransport(respond))
    client = CldProvisioning(SECURITY, ACCOUNT, server_url=NOWHERE, client=http)
    client.user_groups.list(**options)
    return requests


def rejects(mode: Mode, operation: Operation, **arguments: Any) -> str:
    """Call an operation whose arguments must be rejected, and return the message."""
    requests: list[httpx.Request] = []

    def keep(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, content=operation.body)

    with pytest.raises((TypeError, ValueError)) as caught:
        call(mode, operation, transport=httpx.MockTransport(keep), arguments=arguments)
    assert requests == []
    return str(caught.value)


WRONG_HEADERS: list[Any] = [
    {"X-A": "a\r\nX-Injected: 1"},
    {"X-A": "a\nb"},
    {"X-A": "a\rb"},
    {"X-A": "\x00"},
    {"X-A": "\x7f"},
    {"X-A": "\u2028"},
    {"X-A": "caf\u00e9"},
    {"X-A\r\nX-Injected": "1"},
    {"X-A: 1\r\nX-Injected": "1"},
    {"X A": "1"},
    {"": "1"},
    {"X-\u00e9": "1"},
    {"Content-Length": "0"},
    {"transfer-encoding": "chunked"},
    {"X-A": 1},
    {"X-A": None},
    {1: "a"},
    {"X-A": ["a", "b"]},
    [("X-A", "1")],
    "X-A: 1",
]


@both
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_header_that_would_change_the_request_is_rejected(
    operation: Operation, mode: Mode
) -> None:
    for headers in WRONG_HEADERS:
        assert "http_headers" in rejects(mode, operation, http_headers=headers)


@settings(deadline=None)
@given(value=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20))
def test_a_header_that_can_be_sent_arrives_as_it_is(value: str) -> None:
    (request,) = list_groups(http_headers={"X-A": value})
    assert request.headers["X-A"] == value


UNSAFE_SERVERS = [
    "http://api.cloudinary.com",
    "HTTP://API.CLOUDINARY.COM",
    "http://10.0.0.1",
    "http://127.0.0.1.example.com",
    "http://localhost.example.com",
    "http://127.0.0.1@example.com",
    "http://example.com#@127.0.0.1",
    "http://example.com?@127.0.0.1",
    "http://[2001:db8::1]",
    "http://0.0.0.0",
    "http://127.1.example.com:80",
    "http://1.0.0.127",
    "ftp://127.0.0.1",
    "file:///etc/passwd",
    "//127.0.0.1",
    "127.0.0.1",
    "https://",
    "https:///path",
    "https://key:secret@api.cloudinary.com",
    "https://api.cloudinary.com?x=1",
    "https://api.cloudinary.com#x",
    "",
    " ",
]


@pytest.mark.parametrize("server_url", UNSAFE_SERVERS)
@pytest.mark.parametrize("client", [CldProvisioning, AsyncCldProvisioning])
def test_a_server_that_credentials_must_not_go_to_is_rejected_by_the_client(
    server_url: str, client: type[CldProvisioning | AsyncCldProvisioning]
) -> None:
    with pytest.raises(ValueError, match="server_url"):
        client(SECURITY, ACCOUNT, server_url=server_url)


@both
@pytest.mark.parametrize("server_url", UNSAFE_SERVERS)
def test_a_server_that_credentials_must_not_go_to_is_rejected_by_a_call(
    server_url: str, mode: Mode
) -> None:
    assert "server_url" in rejects(mode, LIST, server_url=server_url)


@both
@pytest.mark.parametrize("server_url", [7, b"https://api.cloudinary.com", ["https://a.b"]])
def test_a_server_that_is_not_a_str_is_rejected(server_url: Any, mode: Mode) -> None:
    assert "server_url must be a str" in rejects(mode, LIST, server_url=server_url)


@settings(deadline=None)
@given(host=st.text(st.sampled_from("localhst127.0:[]@/\\#?%. \u3002\uff0e\u2488"), max_size=20))
def test_plain_http_never_leaves_this_machine(host: str) -> None:
    try:
        (request,) = list_groups(server_url=f"http://{host}")
    except ValueError:
        return
    arrived = request.url.host
    assert arrived in ("localhost", "::1") or re.fullmatch(r"127(\.\d+){3}", arrived)


BODIES = [(CREATE, "request"), (UPDATE, "user_group_request")]
with_body = pytest.mark.parametrize(("operation", "argument"), BODIES, ids=str)


def without_name(operation: Operation) -> Operation:
    """Return the operation, to be called with a body instead of its fields."""
    arguments = {name: value for name, value in operation.arguments.items() if name != "name"}
    return evolve(operation, arguments=arguments)


@both
@with_body
@pytest.mark.parametrize(
    "body",
    [7, "Designers", b"{}", ["name"], [("name", "a")], True, models.UserGroup(id="g", name="a")],
)
def test_a_body_that_is_no_request_is_rejected_by_name(
    body: Any, operation: Operation, argument: str, mode: Mode
) -> None:
    message = rejects(mode, without_name(operation), **{argument: body})
    assert message.startswith(f"{argument} must be a UserGroupRequest or a dict, not ")


@both
@with_body
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
        ({"name": b"a"}, "name"),
        ({"name": ["a"]}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "a", "extended_details": "yes"}, "extended_details"),
        ({"name": "a", "extended_details": 1}, "extended_details"),
        ({}, "name"),
        ({"extended_details": True}, "name"),
        ({"name": "a", "id": "g1"}, "id"),
        ({"name": "a", "Name": "b"}, "Name"),
        ({"name": "a", 7: "b"}, "7"),
        (models.UserGroupRequest(name=7), "name"),  # type: ignore[arg-type]
        (models.UserGroupRequest(name=None), "name"),  # type: ignore[arg-type]
        (models.UserGroupRequest(name="a", extended_details="no"), "extended_details"),  # type: ignore[arg-type]
        (models.UserGroupRequest(name="\udfff"), "name"),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_a_field_that_is_wrong_is_rejected_by_name(
    body: Any, field: str, operation: Operation, argument: str, mode: Mode
) -> None:
    message = rejects(mode, without_name(operation), **{argument: body})
    assert re.search(rf"\b{field}\b", message)


@both
@with_body
@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": 7}, "name"),
        ({"name": b"a"}, "name"),
        ({"name": "a", "extended_details": "yes"}, "extended_details"),
        ({"name": "a", "nme": "b"}, "nme"),
        ({}, "name"),
        ({"name": "\ud800"}, "name"),
    ],
    ids=lambda value: ascii(value)[:60],
)
def test_a_field_as_an_argument_that_is_wrong_is_rejected_by_name(
    fields: dict[str, Any], named: str, operation: Operation, argument: str, mode: Mode
) -> None:
    message = rejects(mode, without_name(operation), **fields)
    assert re.search(rf"\b{named}\b", message)


@both
@with_body
def test_a_body_and_its_fields_at_once_are_rejected(
    operation: Operation, argument: str, mode: Mode
) -> None:
    message = rejects(mode, operation, **{argument: {"name": "a"}})
    assert argument in message


class Name(str):
    """A kind of str with a text of its own."""

    __slots__ = ()

    def __str__(self) -> str:
        return "another name"


@with_body
def test_a_name_that_is_a_kind_of_str_is_sent_as_its_value(
    operation: Operation, argument: str
) -> None:
    bodies: list[bytes] = []

    def respond(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(200, content=operation.body)

    transport = httpx.MockTransport(respond)
    name = Name("Designers")
    call("sync", operation, transport=transport, arguments={"name": name})
    for body in ({"name": name}, models.UserGroupRequest(name=name)):
        call("sync", without_name(operation), transport=transport, arguments={argument: body})
    assert bodies == [b'{"name":"Designers"}'] * 3


@both
@pytest.mark.parametrize("operation", [LIST, GET], ids=str)
@pytest.mark.parametrize("value", ["yes", 1, 0, "true", [], b""])
def test_a_query_parameter_of_the_wrong_type_is_rejected_by_name(
    value: Any, operation: Operation, mode: Mode
) -> None:
    assert "extended_details" in rejects(mode, operation, extended_details=value)


WRONG_OPTIONS: list[tuple[str, Any]] = [
    ("timeout_ms", 0),
    ("timeout_ms", -1),
    ("timeout_ms", float("nan")),
    ("timeout_ms", float("inf")),
    ("timeout_ms", "5"),
    ("timeout_ms", True),
    ("retries", 3),
    ("retries", "backoff"),
    ("retries", {}),
    ("timout_ms", 5),
]


@both
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_option_that_is_wrong_is_rejected_by_name(operation: Operation, mode: Mode) -> None:
    for option, value in WRONG_OPTIONS:
        assert option in rejects(mode, operation, **{option: value})
