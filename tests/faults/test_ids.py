"""What the caller passes is sent as exactly that, or refused before anything is sent."""

from __future__ import annotations

import re
from enum import Enum
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.faults.operations import (
    ACCOUNT,
    ADD_USER,
    CREATE,
    DELETE,
    GET,
    LIST,
    LIST_USERS,
    MODES,
    NOWHERE,
    OPERATIONS,
    REMOVE_USER,
    SECURITY,
    UPDATE,
    Mode,
    Operation,
    call,
)
from tests.faults.server import FaultServer, answer

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, models

both = pytest.mark.parametrize("mode", MODES)

# Every ID that an operation takes, with the segment of the path that it is, from 0.
PLACES = [
    *((operation, "account_id", 4) for operation in OPERATIONS),
    *((operation, "group_id", 6) for operation in (GET, UPDATE, DELETE, LIST_USERS)),
    *((operation, "group_id", 6) for operation in (ADD_USER, REMOVE_USER)),
    *((operation, "user_id", 8) for operation in (ADD_USER, REMOVE_USER)),
]
every_place = pytest.mark.parametrize(
    ("operation", "parameter", "segment"), PLACES, ids=lambda value: str(value)
)


@pytest.fixture(autouse=True)
def _account_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that must never be used in place of one that was refused."""
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_ID", "nobody")


DOT_SEGMENTS = [
    ".",
    "..",
    "%2e",
    "%2E",
    "%2e%2e",
    "%2E%2e",
    ".%2e",
    "%2e.",
    "%252e%252e",
    "%25252e%25252e",
    "%%32%65%%32%65",
    " .. ",
    "..\n",
    "\t.",
    "%20..%20",
]
BLANK = ["", " ", "\t", "\r\n", "\x0b\x0c", "\u00a0", "\u2003", "%20", "%09%0a", "%2520"]
NOT_UNICODE = ["\ud800", "a\udfff", "\udcff", "..\ud800"]
REFUSED = [*DOT_SEGMENTS, *BLANK, *NOT_UNICODE]
# Strange, but IDs: each must arrive as it is, or be refused.
TRICKS = [
    "...",
    "..;",
    "..;/",
    ";",
    "a;b=c",
    "/",
    "//",
    "/..",
    "../",
    "../..",
    "..%2f",
    "..%2F..",
    "%2f",
    "%2F",
    "%2f..%2f",
    "%252f",
    "\\",
    "\\\\",
    "..\\",
    "..%5c",
    "a/../b",
    "a/./b",
    "a/b",
    "/etc/passwd",
    "%",
    "%%",
    "%zz",
    "%2",
    "%u002e%u002e",
    "%c0%ae%c0%ae",
    "%e0%80%ae",
    "?x",
    "?",
    "a?b=c&d",
    "#x",
    "#",
    "a#b?c",
    "\x00",
    "a\x00b",
    "%00",
    "a\r\nX-Injected: 1",
    "a HTTP/1.1\r\nHost: evil\r\n\r\n",
    "\uff0e\uff0e",
    "\u2024\u2024",
    "\u2025",
    "\uff0f",
    "\u2215",
    "\u200b",
    "\ufeff",
    "..\u200b",
    "e\u0301",
    "\u00e9",
    "\U0001f511",
    "@",
    "user@example.com",
    ":",
    "a:b@c",
    "http://evil.example",
    "//evil.example",
    "{group_id}",
    "{}",
    "%s",
    "~",
    "-",
    "_",
    "a b",
    "a+b",
    " a ",
    "a.",
    ".a",
    "a..b",
    "users",
    "user_groups",
    "0",
    "None",
    "a" * 5_000,
    "\u20ac" * 1_500,
]

_ANY_TEXT = st.text(st.one_of(st.characters(codec="utf-8"), st.characters(categories=["Cs"])))
_ANY_TRICK = st.lists(
    st.one_of(
        st.sampled_from([*REFUSED, *TRICKS[:-2]]),
        st.sampled_from(list("./\\%2eEfF5cC;?# \t\n\r\x00ab")),
    ),
    max_size=6,
).map("".join)
_ENCODED = _ANY_TRICK.map(lambda text: quote(text, errors="ignore"))
_ANY_ID = st.one_of(_ANY_TEXT, _ANY_TRICK, _ENCODED)


class Wire:
    """A transport that keeps what arrives, and answers as a good server does."""

    def __init__(self, operation: Operation) -> None:
        self.requests: list[httpx.Request] = []
        self._operation = operation
        self.client = httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, content=self._operation.body)

    def send(self, parameter: str, value: Any) -> None:
        """Call the operation with a value for one of its IDs."""
        self.requests.clear()
        arguments = {**self._operation.arguments, parameter: value}
        account_id = arguments.pop("account_id", ACCOUNT)
        client = CldProvisioning(SECURITY, account_id, server_url=NOWHERE, client=self.client)
        try:
            getattr(client.user_groups, self._operation.name)(**arguments)
        except models.ResponseValidationError as error:
            # The user that was asked for is not the one that is answered.
            assert self._operation is ADD_USER
            assert error.path == "$.users"  # noqa: PT017


def check_target(target: bytes, operation: Operation, segment: int, expected: str) -> None:
    """Check that a request's target is the operation's, but for one ID, which is the expected."""
    path, _, query = target.partition(b"?")
    assert query == b""
    assert re.fullmatch(rb"[A-Za-z0-9._~/%-]+", path)
    segments = path.split(b"/")[1:]
    usual = operation.path.split("/")[1:]
    assert len(segments) == len(usual)
    for number, (arrived, known) in enumerate(zip(segments, usual, strict=True)):
        if number == segment - 1:
            assert unquote_to_bytes(arrived).decode() == expected
        else:
            assert arrived == known.encode()
    for arrived in segments:
        assert not goes_elsewhere(arrived)


def goes_elsewhere(segment: bytes) -> bool:
    """Return whether a segment is empty or a dot segment, to a server that decodes it often."""
    for _ in range(6):
        if segment in (b"", b".", b".."):
            return True
        segment = unquote_to_bytes(segment)
    return False


def is_refused(text: str) -> bool:
    """Return whether an ID must be refused: the design's words, as literally as may be."""
    decoded = text
    for _ in range(10):
        decoded = unquote(decoded)
    has_surrogates = any(0xD800 <= ord(character) <= 0xDFFF for character in text)
    return has_surrogates or decoded.strip() in ("", ".", "..")


@every_place
@settings(max_examples=60, deadline=None)
@given(value=_ANY_ID)
@example("..")
@example("a/../b")
def test_an_id_arrives_as_one_segment_or_is_refused(
    operation: Operation, parameter: str, segment: int, value: str
) -> None:
    wire = Wire(operation)
    if is_refused(value):
        with pytest.raises(ValueError, match=parameter):
            wire.send(parameter, value)
        assert wire.requests == []
        return
    wire.send(parameter, value)
    (request,) = wire.requests
    assert request.method == operation.method
    assert request.url.host == "api.invalid"
    check_target(request.url.raw_path, operation, segment, value)


@every_place
def test_an_id_that_would_address_something_else_is_refused(
    operation: Operation, parameter: str, segment: int
) -> None:
    wire = Wire(operation)
    for value in REFUSED:
        with pytest.raises(ValueError, match=f"^{parameter} must ") as caught:
            wire.send(parameter, value)
        assert repr(value) in str(caught.value)
        assert wire.requests == []


@every_place
def test_every_trick_arrives_as_one_segment_on_a_socket(
    operation: Operation, parameter: str, segment: int
) -> None:
    def arguments_with(value: str) -> dict[str, Any]:
        return {**operation.arguments, parameter: value}

    with (
        FaultServer(respond=lambda request: answer(404, keep_alive=True)) as server,
        httpx.Client(trust_env=False) as http,
    ):
        for value in TRICKS:
            arguments = arguments_with(value)
            account_id = arguments.pop("account_id", ACCOUNT)
            client = CldProvisioning(SECURITY, account_id, server_url=server.url, client=http)
            with pytest.raises(models.NotFound):
                getattr(client.user_groups, operation.name)(**arguments)
    assert len(server.requests) == len(TRICKS)
    for value, request in zip(TRICKS, server.requests, strict=True):
        assert request.method == operation.method
        assert request.header("X-Injected") is None
        check_target(request.target.encode("latin-1"), operation, segment, value)


@both
def test_a_refused_user_id_never_becomes_the_deletion_of_its_group(mode: Mode) -> None:
    with FaultServer() as server:
        for value in [*DOT_SEGMENTS, *BLANK]:
            with pytest.raises(ValueError, match="user_id"):
                call(mode, REMOVE_USER, server.url, arguments={"user_id": value})
    assert server.requests == []


@pytest.mark.parametrize("parameter", ["account_id", "group_id", "user_id"])
def test_an_id_beyond_the_longest_url_is_refused_by_name(parameter: str) -> None:
    wire = Wire(REMOVE_USER)
    with pytest.raises(ValueError, match=parameter):
        wire.send(parameter, "a" * 70_000)
    assert wire.requests == []


class Team(str, Enum):  # noqa: UP042 - as before StrEnum: format() and str() give "Team.EDITORS"
    EDITORS = "g-7"


@every_place
def test_an_id_that_is_a_kind_of_str_is_sent_as_its_value(
    operation: Operation, parameter: str, segment: int
) -> None:
    wire = Wire(operation)
    wire.send(parameter, Team.EDITORS)
    check_target(wire.requests[0].url.raw_path, operation, segment, "g-7")


NOT_IDS = [None, 7, 1.5, True, b"g1", bytearray(b"g1"), ["g1"], ("g1",), {"id": "g1"}, object]


@every_place
def test_an_id_that_is_not_a_str_is_refused_by_name(
    operation: Operation, parameter: str, segment: int
) -> None:
    wire = Wire(operation)
    for value in NOT_IDS:
        if parameter == "account_id" and value is None:
            continue  # the account of the environment
        with pytest.raises(TypeError, match=f"^{parameter} must be a str, not "):
            wire.send(parameter, value)
        assert wire.requests == []


@both
@pytest.mark.parametrize(
    ("operation", "parameter"),
    [(place[0], place[1]) for place in PLACES if place[1] != "account_id"],
    ids=str,
)
def test_an_id_that_is_missing_is_refused_by_name(
    operation: Operation, parameter: str, mode: Mode
) -> None:
    bare = Operation(
        operation.name,
        operation.operation_id,
        {name: value for name, value in operation.arguments.items() if name != parameter},
        operation.method,
        operation.path,
        operation.body,
        operation.result,
    )
    with FaultServer() as server, pytest.raises(TypeError, match=parameter):
        call(mode, bare, server.url)
    assert server.requests == []


# --- everything else that is refused before it is sent


def refuses(mode: Mode, operation: Operation, **arguments: Any) -> str:
    """Call an operation whose arguments must be refused, and return the message."""
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
def test_a_header_that_would_change_the_request_is_refused(
    operation: Operation, mode: Mode
) -> None:
    for headers in WRONG_HEADERS:
        assert "http_headers" in refuses(mode, operation, http_headers=headers)


@settings(deadline=None)
@given(value=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20))
def test_a_header_that_can_be_sent_arrives_as_it_is(value: str) -> None:
    wire = Wire(LIST)
    with CldProvisioning(SECURITY, ACCOUNT, server_url=NOWHERE, client=wire.client) as client:
        client.user_groups.list(http_headers={"X-A": value})
    assert wire.requests[0].headers["X-A"] == value


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
def test_a_server_that_credentials_must_not_go_to_is_refused_by_the_client(
    server_url: str, client: type[CldProvisioning | AsyncCldProvisioning]
) -> None:
    with pytest.raises(ValueError, match="server_url"):
        client(SECURITY, ACCOUNT, server_url=server_url)


@both
@pytest.mark.parametrize("server_url", UNSAFE_SERVERS)
def test_a_server_that_credentials_must_not_go_to_is_refused_by_a_call(
    server_url: str, mode: Mode
) -> None:
    assert "server_url" in refuses(mode, LIST, server_url=server_url)


@both
@pytest.mark.parametrize("server_url", [7, b"https://api.cloudinary.com", ["https://a.b"]])
def test_a_server_that_is_not_a_str_is_refused(server_url: Any, mode: Mode) -> None:
    assert "server_url must be a str" in refuses(mode, LIST, server_url=server_url)


@settings(deadline=None)
@given(host=st.text(st.sampled_from("localhst127.0:[]@/\\#?%. \u3002\uff0e\u2488"), max_size=20))
def test_plain_http_never_leaves_this_machine(host: str) -> None:
    wire = Wire(LIST)
    client = CldProvisioning(SECURITY, ACCOUNT, server_url=NOWHERE, client=wire.client)
    try:
        client.user_groups.list(server_url=f"http://{host}")
    except ValueError:
        assert wire.requests == []
        return
    arrived = wire.requests[0].url.host
    assert arrived in ("localhost", "::1") or re.fullmatch(r"127(\.\d+){3}", arrived)


BODIES = [(CREATE, "request"), (UPDATE, "user_group_request")]
with_body = pytest.mark.parametrize(("operation", "argument"), BODIES, ids=str)


def without_name(operation: Operation) -> Operation:
    """Return the operation, to be called with a body instead of its fields."""
    arguments = {name: value for name, value in operation.arguments.items() if name != "name"}
    return Operation(
        operation.name,
        operation.operation_id,
        arguments,
        operation.method,
        operation.path,
        operation.body,
        operation.result,
    )


@both
@with_body
@pytest.mark.parametrize(
    "body", [7, "Designers", b"{}", ["name"], [("name", "a")], True, models.UserGroup(name="a")]
)
def test_a_body_that_is_no_request_is_refused_by_name(
    body: Any, operation: Operation, argument: str, mode: Mode
) -> None:
    message = refuses(mode, without_name(operation), **{argument: body})
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
def test_a_field_that_is_wrong_is_refused_by_name(
    body: Any, field: str, operation: Operation, argument: str, mode: Mode
) -> None:
    message = refuses(mode, without_name(operation), **{argument: body})
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
def test_a_field_as_an_argument_that_is_wrong_is_refused_by_name(
    fields: dict[str, Any], named: str, operation: Operation, argument: str, mode: Mode
) -> None:
    message = refuses(mode, without_name(operation), **fields)
    assert re.search(rf"\b{named}\b", message)


@both
@with_body
def test_a_body_and_its_fields_at_once_are_refused(
    operation: Operation, argument: str, mode: Mode
) -> None:
    message = refuses(mode, operation, **{argument: {"name": "a"}})
    assert argument in message


@both
@pytest.mark.parametrize("operation", [LIST, GET], ids=str)
@pytest.mark.parametrize("value", ["yes", 1, 0, "true", [], b""])
def test_a_query_parameter_of_the_wrong_type_is_refused_by_name(
    value: Any, operation: Operation, mode: Mode
) -> None:
    assert "extended_details" in refuses(mode, operation, extended_details=value)


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
def test_an_option_that_is_wrong_is_refused_by_name(operation: Operation, mode: Mode) -> None:
    for option, value in WRONG_OPTIONS:
        assert option in refuses(mode, operation, **{option: value})
