"""An ID arrives as the one path segment that it names, also behind a proxy, or is rejected."""

from __future__ import annotations

import copy
import pickle
import re
from enum import Enum
from itertools import cycle
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import httpx
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.faults.proxy import PROXIES, Proxy
from tests.support import documents
from tests.support.fault_calls import (
    ACCOUNT,
    NOWHERE,
    OPERATIONS,
    READS,
    REMOVE_USER,
    SECURITY,
    Operation,
    call,
)
from tests.support.fault_server import FaultServer, response
from tests.support.transport import FakeTransport, Mode, both

from cld_user_groups import CldProvisioning, models

_PATHS = {name: each.path for name, each in documents.operations(documents.load()).items()}
# Each ID of each operation, with the index of its segment in the path.
PLACES = [
    (operation, segment[1:-1], index)
    for operation in (*OPERATIONS, *READS)
    for index, segment in enumerate(_PATHS[operation.operation_id].split("/"))
    if segment.startswith("{")
]
every_place = pytest.mark.parametrize(("operation", "parameter", "index"), PLACES, ids=str)


@pytest.fixture(autouse=True)
def _account_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that must never take the place of one that was rejected."""
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_ID", "nobody")


DOT_SEGMENTS = [
    *(".", "..", "%2e", "%2E%2e", ".%2e", "%252e%252e", "%%32%65%%32%65", "%2%35%32e."),
    *(" .. ", "..\n", "\t.", "%20..%20", ".\r\n.", "%2e%0a%2e"),
    *("..;", "..;a=b", "..%3b", ".?x", "..%23x", "..\x00", "..%00.png"),
]
SLASHES = [
    *("/", "//", "../..", "../", "/..", "a/b", "a/../b", "/etc/passwd", "//evil.example", "..;/x"),
    *("%2f", "..%2F..", "%252f", "a%25252fb", "%%32%66", "a%2%66b", "http:%2f%2fevil.example"),
    *("\\", "..\\", "a\\b", "%5c", "..%255C.."),
]
BLANK = [
    *("", " ", "\t", "\r\n", "\x0b\x0c", "\u00a0", "\u2003", "%20", "%09%0a", "%2520", "\x00"),
    *(";", ";a=b", "?", "?x", "#", "%23x", " ;", "%00a"),
]
# Lenient decoders read overlong encodings as `/` and `.`.
NOT_UTF_8 = ["%c0%af", "%c0%ae%c0%ae", "%e0%80%af", "%c1%9c", "a%ff", "%25c0%25af", "%ed%a0%80"]
NOT_UNICODE = ["\ud800", "a\udfff", "\udcff", "..\ud800"]
REJECTED = [*DOT_SEGMENTS, *SLASHES, *BLANK, *NOT_UTF_8, *NOT_UNICODE]
# Strange, but each is one segment to everybody.
ACCEPTED = [
    *(
        "...",
        "..a",
        ".a",
        "a.",
        "a..b",
        "-",
        "_",
        "~",
        "@",
        ":",
        "0",
        "None",
        "users",
        "{group_id}",
    ),
    *("a b", " a ", "a+b", "a;b=c", "a?b=c&d", "a#b?c", "user@example.com", "a:b@c", "%s", "{}"),
    *("%", "%%", "%zz", "%2", "%41", "100%", "%u002e%u002e", "a%3bb"),
    *("a\x00b", "a\r\nX-Injected: 1", "a HTTP%2E1\r\nHost: evil\r\n\r\n"),
    # Look like dots, slashes, or nothing, to people only.
    *("\uff0e\uff0e", "\u2024\u2024", "\u2025", "\uff0f", "\u2215", "\u200b", "\ufeff", "..\u200b"),
    *("e\u0301", "\u00e9", "\U0001f511", "a" * 5_000, "\u20ac" * 1_500),
]

_ANY_TEXT = st.text(st.one_of(st.characters(codec="utf-8"), st.characters(categories=["Cs"])))
_ANY_TRICK = st.lists(
    st.one_of(
        st.sampled_from([*REJECTED, *ACCEPTED[:-2]]),
        st.sampled_from(list("./\\%2eEfF5cC;?# \t\n\r\x00ab")),
    ),
    max_size=6,
).map("".join)
_ENCODED = _ANY_TRICK.map(lambda text: quote(text, errors="ignore"))
ANY_ID = st.one_of(_ANY_TEXT, _ANY_TRICK, _ENCODED)


class Wire(FakeTransport):
    """A transport that keeps the requests and responds as a good server does."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(httpx.Response(200, content=operation.body))
        self._operation = operation
        self._client = httpx.Client(transport=self)

    def send(self, **ids: Any) -> None:
        """Call the operation with other IDs than its own."""
        self.requests.clear()
        arguments = {**self._operation.arguments, **ids}
        account_id = arguments.pop("account_id", ACCOUNT)
        client = CldProvisioning(SECURITY, account_id, server_url=NOWHERE, client=self._client)
        try:
            self._operation.bind(client)(**arguments)
        except models.ResponseValidationError as error:
            # The group or the user in the response is another one.
            assert error.path in ("$.id", "$.users")  # noqa: PT017


def check_target(target: bytes, operation: Operation, index: int, expected: str) -> None:
    """Check that the target of a request is the operation's own, but for one ID."""
    target = target.partition(b"?")[0]
    assert re.fullmatch(rb"[A-Za-z0-9._~/%-]+", target)
    segments = target.split(b"/")
    usual = operation.path.encode().split(b"/")
    assert unquote_to_bytes(segments[index]).decode() == expected
    segments[index] = usual[index]
    assert segments == usual


def must_be_rejected(value: str) -> bool:
    """Return whether an ID is unsafe, by decoding it as often as that changes anything."""
    try:
        decoded = value.encode()
        while (again := unquote_to_bytes(decoded)) != decoded:
            decoded = again
        text = decoded.decode()
    except UnicodeError:
        return True
    segment = re.sub(r"[\x01-\x1f\x7f]", "", re.split("[;?#\0]", text)[0])
    return "/" in text or "\\" in text or segment.strip() in ("", ".", "..")


@settings(max_examples=200)
@given(place=st.sampled_from(PLACES), value=ANY_ID)
def test_an_id_arrives_as_one_segment_or_is_rejected(
    place: tuple[Operation, str, int], value: str
) -> None:
    operation, parameter, index = place
    wire = Wire(operation)
    if must_be_rejected(value):
        with pytest.raises(models.InvalidId, match=f"^{parameter} must "):
            wire.send(**{parameter: value})
        assert wire.requests == []
        return
    wire.send(**{parameter: value})
    (request,) = wire.requests
    assert request.method == operation.method
    assert request.url.host == "api.invalid"
    check_target(request.url.raw_path, operation, index, value)


def is_sent(wire: Wire, ids: dict[str, str]) -> bool:
    """Send a request with IDs, and return whether they were accepted."""
    try:
        wire.send(**ids)
    except models.InvalidId:
        assert wire.requests == []
        return False
    return True


@settings(max_examples=150)
@given(
    ids=st.fixed_dictionaries(dict.fromkeys(("account_id", "group_id", "user_id"), ANY_ID)),
    parameter=st.sampled_from(["account_id", "group_id", "user_id"]),
    proxy=PROXIES,
)
def test_behind_any_proxy_an_accepted_id_is_one_segment_of_the_same_path(
    ids: dict[str, str], parameter: str, proxy: Proxy
) -> None:
    wire = Wire(REMOVE_USER)
    # One strange ID and two usual ones, or it is hardly ever accepted.
    usual = {"account_id": ACCOUNT, "group_id": "g1", "user_id": "u1"}
    sent = {**usual, parameter: ids[parameter]}
    assume(is_sent(wire, sent))
    arrived = proxy.forward(wire.requests[0].url.raw_path)
    path = _PATHS[REMOVE_USER.operation_id].split("/")[proxy.merge :]
    assert len(arrived) == len(path)
    for segment, name in zip(arrived, path, strict=True):
        if name == f"{{{parameter}}}":
            assert segment.strip() not in (b"", b".", b"..")
        else:
            assert segment.decode() == name.format(**usual)


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(value=ANY_ID, proxy=PROXIES)
def test_behind_any_decoding_proxy_an_id_without_escapes_arrives_as_it_is(
    value: str, proxy: Proxy
) -> None:
    assume(not re.search(r"[%;\x00-\x1f\x7f]", value) and proxy.decodings)
    wire = Wire(REMOVE_USER)
    assume(is_sent(wire, {"user_id": value}))
    arrived = proxy.forward(wire.requests[0].url.raw_path)
    assert arrived[-1].decode() == value
    assert len(arrived) == len(REMOVE_USER.path.split("/")[proxy.merge :])


@settings(max_examples=60)
@given(
    value=st.sampled_from([*DOT_SEGMENTS, *SLASHES, *BLANK, *NOT_UTF_8]), times=st.integers(1, 60)
)
def test_no_number_of_percent_encodings_hides_an_id_that_is_rejected(
    value: str, times: int
) -> None:
    for _ in range(times):
        value = quote(value, safe="")
    wire = Wire(REMOVE_USER)
    if value == "" or len(value) > 16_384:
        return
    with pytest.raises(models.InvalidId, match=r"^user_id must (not )?be "):
        wire.send(user_id=value)
    assert wire.requests == []


@every_place
def test_an_id_that_could_address_something_else_is_rejected(
    operation: Operation, parameter: str, index: int
) -> None:
    wire = Wire(operation)
    for value in REJECTED:
        with pytest.raises(models.InvalidId, match=f"^{parameter} must ") as caught:
            wire.send(**{parameter: value})
        assert (caught.value.parameter, caught.value.value) == (parameter, value)
        assert repr(value) in str(caught.value)
        assert wire.requests == []


@both
def test_a_rejected_user_id_never_becomes_the_deletion_of_its_group(mode: Mode) -> None:
    with FaultServer() as server:
        for value in REJECTED:
            with pytest.raises(models.InvalidId, match="user_id"):
                call(mode, REMOVE_USER, server.url, arguments={"user_id": value})
    assert server.requests == []


def test_a_strange_id_arrives_as_one_segment_on_a_socket() -> None:
    cases = list(zip(ACCEPTED, cycle(PLACES), strict=False))
    with (
        FaultServer(respond=lambda request: response(404, keep_alive=True)) as server,
        httpx.Client(trust_env=False) as http,
    ):
        for value, (operation, parameter, _) in cases:
            arguments = {**operation.arguments, parameter: value}
            account_id = arguments.pop("account_id", ACCOUNT)
            client = CldProvisioning(SECURITY, account_id, server_url=server.url, client=http)
            with pytest.raises(models.NotFound):
                operation.bind(client)(**arguments)
    for (value, (operation, _, index)), request in zip(cases, server.requests, strict=True):
        assert request.method == operation.method
        assert request.header("X-Injected") is None
        check_target(request.target.encode("latin-1"), operation, index, value)


@pytest.mark.parametrize("parameter", ["account_id", "group_id", "user_id"])
@pytest.mark.parametrize("value", ["a" * 70_000, "\u20ac" * 6_000], ids=["long", "long-encoded"])
def test_an_id_that_makes_too_long_a_url_is_rejected_and_shown_in_part(
    parameter: str, value: str
) -> None:
    wire = Wire(REMOVE_USER)
    with pytest.raises(models.InvalidId, match=f"^{parameter} must have at most ") as caught:
        wire.send(**{parameter: value})
    assert caught.value.value == value
    assert len(str(caught.value)) < 250
    assert wire.requests == []


def test_an_invalid_id_is_a_value_error_that_can_be_copied_and_pickled() -> None:
    with pytest.raises(ValueError, match="account_id") as caught:
        CldProvisioning(SECURITY, "../acc")
    assert not isinstance(caught.value, models.CloudinaryError)
    for again in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert isinstance(again, models.InvalidId)
        assert (again.parameter, again.value) == ("account_id", "../acc")
        assert str(again) == str(caught.value)


class Team(str, Enum):  # noqa: UP042 - as before StrEnum: format() and str() give "Team.EDITORS"
    EDITORS = "g-7"


class Sly(str):
    """A kind of str with a text of its own."""

    __slots__ = ()

    def __str__(self) -> str:
        return ".."

    def __format__(self, spec: str) -> str:
        return ".."


@every_place
@pytest.mark.parametrize("value", [Team.EDITORS, Sly("g-7")])
def test_an_id_that_is_a_kind_of_str_is_sent_as_its_value(
    operation: Operation, parameter: str, index: int, value: str
) -> None:
    wire = Wire(operation)
    wire.send(**{parameter: value})
    check_target(wire.requests[0].url.raw_path, operation, index, "g-7")


NOT_IDS = [None, 7, 1.5, True, b"g1", bytearray(b"g1"), ["g1"], ("g1",), {"id": "g1"}, object]


@every_place
def test_an_id_that_is_not_a_str_is_rejected_by_name(
    operation: Operation, parameter: str, index: int
) -> None:
    wire = Wire(operation)
    for value in NOT_IDS:
        if parameter == "account_id" and value is None:
            continue  # the account of the environment
        with pytest.raises(TypeError, match=f"^{parameter} must be a str, not "):
            wire.send(**{parameter: value})
        assert wire.requests == []
