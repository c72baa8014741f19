"""Arguments other than IDs are sent as they are, or rejected before anything is sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from tests.support.fault_calls import (
    CREATE,
    GET,
    LIST,
    OPERATIONS,
    UPDATE,
    Operation,
    call,
)
from tests.support.tables import case
from tests.support.transport import FakeTransport, Mode, both

from cld_user_groups import models


def list_groups(**options: Any) -> list[httpx.Request]:
    """List the groups with options, and return the requests."""
    transport = FakeTransport(httpx.Response(200, content=LIST.body))
    transport.call("user_groups.list", **options)
    return transport.requests


def rejects(mode: Mode, operation: Operation, **arguments: Any) -> str:
    """Call an operation whose arguments must be rejected, and return the message."""
    transport = FakeTransport(httpx.Response(200, content=operation.body))
    with pytest.raises((TypeError, ValueError)) as caught:
        call(mode, operation, transport=transport, arguments=arguments)
    assert transport.requests == []
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
    {"X-A:": "1"},
    {"X-A\r\n": "1"},
    {"X A": "1"},
    {"": "1"},
    {"X-\u00e9": "1"},
    {"Content-Length": "0"},
    {"transfer-encoding": "chunked"},
    {"X-A": 1},
    {"X-A": None},
    {1: "a"},
    {"X-A": ["a", "b"]},
    {"X-A": b"a"},
    [("X-A", "1")],
    "X-A: 1",
]


@both
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_header_that_would_change_the_request_is_rejected(
    operation: Operation, mode: Mode
) -> None:
    for headers in WRONG_HEADERS:
        with case(headers):
            assert "http_headers" in rejects(mode, operation, http_headers=headers)


@given(value=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20))
def test_a_header_that_can_be_sent_arrives_as_it_is(value: str) -> None:
    (request,) = list_groups(http_headers={"X-A": value})
    assert request.headers["X-A"] == value


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


NOT_A_BODY = "must be a UserGroupRequest or a dict, not "


WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({}, "name is missing"),
    ({"extended_details": True}, "name is missing"),
    ({"name": 7}, "$.name"),
    ({"name": b"a"}, "$.name"),
    ({"name": ["a"]}, "$.name"),
    ({"name": "\ud800"}, "name must be valid Unicode"),
    ({"name": "a", "extended_details": "yes"}, "$.extended_details"),
    ({"name": "a", "extended_details": 1}, "$.extended_details"),
    ({"name": "a", "id": "g1"}, "id"),
    ({"name": "a", "Name": "b"}, "Name"),
]
WRONG_BODIES: list[tuple[Any, str]] = [
    *WRONG_FIELDS,
    *((body, NOT_A_BODY) for body in (7, "Designers", b"{}", ["name"], [("name", "a")], True)),
    (models.UserGroup(id="g", name="a"), NOT_A_BODY),
    ({"name": None}, "name is missing"),
    ({"name": "a", 7: "b"}, "7"),
    (models.UserGroupRequest(name=7), "$.name"),  # type: ignore[arg-type]
    (models.UserGroupRequest(name=None), "name"),  # type: ignore[arg-type]
    (models.UserGroupRequest(name="a", extended_details="no"), "$.extended_details"),  # type: ignore[arg-type]
    (models.UserGroupRequest(name="\udfff"), "name must be valid Unicode"),
]
WRONG_NAMES = (datetime(2026, 11, 22, tzinfo=UTC), object())


@both
@with_body
def test_a_body_or_a_field_that_is_wrong_is_rejected_by_name(
    operation: Operation, argument: str, mode: Mode
) -> None:
    operation = without_name(operation)
    for body, said in WRONG_BODIES:
        with case(ascii(body)):
            message = rejects(mode, operation, **{argument: body})
            assert said in message
            assert said != NOT_A_BODY or message.startswith(argument)
    for fields, said in (*WRONG_FIELDS, *(({"name": each}, "$.name") for each in WRONG_NAMES)):
        with case(ascii(fields)):
            assert said in rejects(mode, operation, **fields)


@both
@with_body
@pytest.mark.parametrize("fields", [{"name": "a"}, {"extended_details": True}], ids=str)
def test_a_body_and_its_fields_at_once_are_rejected(
    fields: dict[str, Any], operation: Operation, argument: str, mode: Mode
) -> None:
    message = rejects(mode, without_name(operation), **{argument: {"name": "a"}}, **fields)
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
    transport = FakeTransport(httpx.Response(200, content=operation.body))
    name = Name("Designers")
    call("sync", operation, transport=transport, arguments={"name": name})
    for body in ({"name": name}, models.UserGroupRequest(name=name)):
        call("sync", without_name(operation), transport=transport, arguments={argument: body})
    assert [each.content for each in transport.requests] == [b'{"name":"Designers"}'] * 3


@both
@pytest.mark.parametrize("operation", [LIST, GET], ids=str)
def test_a_query_parameter_of_the_wrong_type_is_rejected_by_name(
    operation: Operation, mode: Mode
) -> None:
    for value in ("yes", 1, 0, "true", [], b""):
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


@both
@pytest.mark.parametrize("character", ["\0", "\n", "\x1b", "\x7f", "\x85", "\u2028", "\u202e"])
def test_a_name_with_a_character_that_acts_is_rejected(mode: Mode, character: str) -> None:
    name = f"De{character}signers"
    for operation in (CREATE, UPDATE):
        assert "name must not have a" in rejects(mode, operation, name=name)


@both
def test_a_name_in_any_script_and_of_joined_characters_is_sent(mode: Mode) -> None:
    for name in ("Gestaltung & Co", "מעצבים\u200f", "👩\u200d💻", "Zoë\u0301"):
        for operation in (CREATE, UPDATE):
            transport = FakeTransport(httpx.Response(200, content=operation.body))
            call(mode, operation, transport=transport, arguments={"name": name})
