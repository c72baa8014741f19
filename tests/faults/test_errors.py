"""Every response that is no success becomes a typed error with its status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import product
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.fault_calls import (
    ADD_USER,
    CREATE,
    DELETE,
    GET,
    LIST,
    LIST_USERS,
    OPERATIONS,
    READS,
    REMOVE_USER,
    UPDATE,
    UPDATE_ROLES,
    WRITES,
    Operation,
    call,
    error_of,
)
from tests.support.fault_server import FaultServer, Step, chunked, gzipped, response
from tests.support.tables import case
from tests.support.transport import FakeTransport, Mode, both, json
from tests.support.transport import error as error_to_send

from cld_user_groups import RawResponse, maybe_applied, models
from cld_user_groups.utils import waiting_disabled

pytestmark = pytest.mark.usefixtures("waits")

DOCUMENTED = {
    400: models.BadRequest,
    401: models.AuthorizationRequired,
    403: models.NotAllowed,
    404: models.NotFound,
    409: models.AlreadyExists,
    420: models.UsageRateExceeded,
    429: models.TooManyRequests,
}
A_GOOD_ERROR = b'{"error": {"message": "Group not found"}}'
# A sentence, and what stands around it.
LONGEST_MESSAGE = 600


def expected_error(status: int) -> type[models.CloudinaryError]:
    return DOCUMENTED.get(status, models.APIError)


# --- statuses


@both
@pytest.mark.parametrize("hundred", [300, 400, 500, 600, 900])
def test_every_status_that_is_not_a_success_is_a_typed_error(hundred: int, mode: Mode) -> None:
    for status in range(hundred, hundred + 100):
        transport = FakeTransport(httpx.Response(status, content=A_GOOD_ERROR))
        error = error_of(mode, GET, transport=transport, retry_config=None)
        assert type(error) is expected_error(status)
        assert error.status_code == status
        assert error.message == "Group not found"
        assert not error.maybe_applied


@both
@pytest.mark.parametrize("status", sorted(DOCUMENTED))
def test_a_documented_error_has_the_message_of_the_response(status: int, mode: Mode) -> None:
    with FaultServer(response(status, A_GOOD_ERROR, {"X-Request-Id": "r-1"})) as server:
        error = error_of(mode, GET, server.url, retry_config=None)
    assert isinstance(error, models.ErrorResponse)
    assert error.data.error is not None
    assert error.data.error.message == error.message == "Group not found"
    assert str(error) == f"Group not found (status {status}, request id r-1)"
    assert error.body == A_GOOD_ERROR.decode()
    assert error.headers["content-type"] == error.raw_response.headers["content-type"]
    assert error.request_id == "r-1"


# --- bodies of errors

_MEGABYTES = 3 << 20
MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "spaces": b" \r\n\t ",
    "HTML": b"<!DOCTYPE html><html><title>Oh</title>" + b"<p>no</p>" * 100,
    "plain text": b"upstream connect error or disconnect/reset before headers",
    "null": b"null",
    "a list": b'[{"error": {"message": "x"}}]',
    "a string": b'"error"',
    "a number": b"1e999",
    "NaN": b"NaN",
    "an empty object": b"{}",
    "an object of something else": b'{"errors": ["x"]}',
    "error is null": b'{"error": null}',
    "error is a string": b'{"error": "not found"}',
    "error is a list": b'{"error": [{"message": "x"}]}',
    "message is null": b'{"error": {"message": null}}',
    "message is a number": b'{"error": {"message": 404}}',
    "message is an object": b'{"error": {"message": {"message": "x"}}}',
    "message is empty": b'{"error": {"message": ""}}',
    "message is blank": b'{"error": {"message": " \\n "}}',
    "message has half a surrogate pair": b'{"error": {"message": "\\ud800"}}',
    "message has control characters": b'{"error": {"message": "a\\u0000\\u001b[31m\\r\\nb"}}',
    "message is megabytes long": b'{"error": {"message": "%b"}}' % (b"x" * _MEGABYTES),
    "twice the same": b'{"error": {"message": "a"}, "error": 1}',
    "cut off JSON": A_GOOD_ERROR[:-5],
    "more after the JSON": A_GOOD_ERROR + b"}",
    "a byte order mark": b"\xef\xbb\xbf" + A_GOOD_ERROR,
    "UTF-16": A_GOOD_ERROR.decode().encode("utf-16"),
    "invalid UTF-8": b"\xff\xfe\xfa \xc3\x28",
    "invalid UTF-8 in the message": b'{"error": {"message": "caf\xe9"}}',
    "NUL bytes": b"\x00" * 1000,
    "megabytes": b"<" + b"a" * _MEGABYTES,
    "megabytes of spaces": b" " * _MEGABYTES,
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"error":' * 100_000,
    "a deep field that nobody reads": b'{"x": %b, "error": {"message": "a"}}'
    % (b"[" * 100_000 + b"]" * 100_000),
}


@both
def test_a_malformed_body_never_hides_the_status(mode: Mode) -> None:
    for status, (name, body) in product((404, 429, 500, 302), MALFORMED.items()):
        with case(name, status):
            transport = FakeTransport(httpx.Response(status, content=body))
            error = error_of(mode, CREATE, transport=transport, retry_config=None)
            check_error(error, status)


def check_error(error: Exception, status: int) -> None:
    """Check that an error is of its status, and can be read, logged and printed."""
    assert type(error) is expected_error(status)
    assert error.status_code == status
    assert error.message
    assert 0 < len(str(error)) < LONGEST_MESSAGE
    assert str(status) in str(error)
    assert "\n" not in str(error)
    assert "\r" not in str(error)
    str(error).encode()
    error.body.encode()
    if isinstance(error, models.ErrorResponse):
        assert error.data.error is not None
        assert error.data.error.message


@both
@pytest.mark.parametrize(
    ("step", "status"),
    [
        pytest.param(response(404, A_GOOD_ERROR, missing=9), 404, id="cut off"),
        pytest.param(
            response(404, A_GOOD_ERROR, missing=len(A_GOOD_ERROR)), 404, id="body missing"
        ),
        pytest.param(chunked(409, A_GOOD_ERROR[:9], complete=False), 409, id="chunks cut off"),
        pytest.param(gzipped(500, A_GOOD_ERROR, broken=True), 500, id="gzip broken"),
        pytest.param(
            response(403, A_GOOD_ERROR, {"Content-Encoding": "deflate"}), 403, id="deflate broken"
        ),
        pytest.param(
            response(404, A_GOOD_ERROR, {"Content-Encoding": "middle-out"}), 404, id="codec unknown"
        ),
        pytest.param(response(401, A_GOOD_ERROR, {"Content-Type": "nonsense"}), 401, id="type"),
        pytest.param(response(400, b"a" * 3_000_000), 400, id="megabytes"),
        pytest.param(response(404, A_GOOD_ERROR, missing=9, stall=True), 404, id="stalls halfway"),
    ],
)
def test_a_body_that_cannot_be_read_on_a_socket_never_hides_the_status(
    step: Step, status: int, mode: Mode
) -> None:
    with FaultServer(step) as server:
        error = error_of(mode, CREATE, server.url, timeout_ms=1_000, retry_config=None)
    check_error(error, status)


@both
@pytest.mark.parametrize(
    "step", [gzipped(404, A_GOOD_ERROR), response(404, A_GOOD_ERROR, pause=0.0005)],
    ids=["compressed", "byte by byte"],
)  # fmt: skip
def test_an_error_is_read_to_its_end_however_it_is_sent(step: Step, mode: Mode) -> None:
    with FaultServer(step) as server:
        error = error_of(mode, GET, server.url)
    assert isinstance(error, models.NotFound)
    assert error.message == "Group not found"


@both
def test_a_truncated_response_of_a_transient_status_is_retried(mode: Mode) -> None:
    with FaultServer(response(503, A_GOOD_ERROR, missing=9), response(200, LIST.body)) as server:
        assert call(mode, LIST, server.url) == LIST.result
    assert len(server.requests) == 2


@both
@pytest.mark.parametrize("status", [404, 500])
def test_a_reason_phrase_of_any_length_makes_a_short_message(status: int, mode: Mode) -> None:
    with FaultServer(response(status, reason="reason " * 2_000)) as server:
        error = error_of(mode, GET, server.url, retry_config=None)
    check_error(error, status)


@given(body=st.binary(max_size=200), status=st.sampled_from([400, 404, 429, 500, 503, 304]))
def test_no_body_of_an_error_hides_its_status(body: bytes, status: int) -> None:
    transport = FakeTransport(httpx.Response(status, content=body))
    error = error_of("sync", UPDATE, transport=transport, retry_config=None)
    check_error(error, status)


# --- successes that are none

_DEEP = b'{"x": %b}' % (b"[" * 100_000 + b"]" * 100_000)
PEOPLE = {str(each): each for each in READS}
UNDECODABLE: list[tuple[Operation, bytes, str]] = [
    *((operation, body, "$") for operation in OPERATIONS for body in (b"<html>", b"[]")),
    # No body of the other is published.
    *((operation, b"", "$") for operation in OPERATIONS if operation is not UPDATE_ROLES),
    (LIST, b"null", "$"),
    (LIST, LIST.body[:-9], "$"),
    (LIST, LIST.body + b"]", "$"),
    (LIST, b'{"user_groups": [{"id": "\xff"}]}', "$"),
    (LIST, _DEEP, "$"),
    (LIST, b'{"user_groups": {}}', "$.user_groups"),
    (LIST, b'{"user_groups": [{"id": "a", "name": "A"}, {"id": 5}]}', "$.user_groups[1].id"),
    (LIST, b'{"user_groups": [{"users": [{"email": []}]}]}', "$.user_groups[0].users[0].email"),
    (GET, b'{"id": 5}', "$.id"),
    (GET, b'{"id": "a", "created_at": "yesterday"}', "$.created_at"),
    (CREATE, b'{"id": "a", "users": [null]}', "$.users[0]"),
    (UPDATE, b'{"id": "a", "name": {}}', "$.name"),
    (DELETE, b'{"ok": "yes"}', "$.ok"),
    (DELETE, b'{"ok": false}', "$.ok"),
    (DELETE, b'{"message": 1}', "$.message"),
    (DELETE, b"{}", "$"),
    (LIST_USERS, b'{"users": "none"}', "$.users"),
    (ADD_USER, b"{}", "$"),
    (ADD_USER, b'{"users": [{"id": "someone-else"}]}', "$.users"),
    (ADD_USER, b'{"users": [{"id": 1}]}', "$.users[0].id"),
    (REMOVE_USER, b'{"users": [[]]}', "$.users[0]"),
    # What decodes, and does not confirm what was asked for.
    (CREATE, b'{"name": "D"}', "$"),
    (GET, b'{"id": "h", "name": "D"}', "$.id"),
    (GET, b'{"users": {}}', "$.users"),
    (UPDATE, b'{"id": "h", "name": "D"}', "$.id"),
    (DELETE, b'{"message": null}', "$.message"),
    (LIST_USERS, b"{}", "$"),
    (ADD_USER, b'{"users": []}', "$.users"),
    (ADD_USER, b'{"name": "John"}', "$"),
    (ADD_USER, b'{"id": "u2", "name": "John"}', "$.id"),
    (REMOVE_USER, b"{}", "$"),
    (REMOVE_USER, b'{"users": [{"id": "u1"}, {"id": "u2"}]}', "$.users"),
    *((PEOPLE["users.list"], body, path) for body, path in (
        (b"{}", "$"),
        (b'{"users": null}', "$.users"),
        (b'{"users": [{"name": "John"}]}', "$.users[0]"),
        (b'{"users": [{"id": 5}]}', "$.users[0].id"),
    )),
    (PEOPLE["users.get"], b"{}", "$"),
    (PEOPLE["users.get"], b'{"user": {"id": "u1"}}', "$"),
    (PEOPLE["users.get_groups"], b"{}", "$"),
    (PEOPLE["users.get_groups"], b'{"groups": [{"id": "g1"}]}', "$.groups[0]"),
]  # fmt: skip


@both
def test_a_success_that_cannot_be_decoded_says_where(mode: Mode) -> None:
    for operation, body, path in UNDECODABLE:
        with case(operation, body[:60]):
            transport = FakeTransport(httpx.Response(200, content=body))
            error = error_of(mode, operation, transport=transport)
            assert isinstance(error, models.ResponseValidationError)
            assert error.path == path
            assert error.status_code == 200
            assert error.body == body.decode(errors="replace")
            assert len(str(error)) < LONGEST_MESSAGE
            assert maybe_applied(error) == (operation.method != "GET")


@both
def test_a_success_without_a_body_is_no_result(mode: Mode) -> None:
    with FaultServer(response(204)) as server:
        error = error_of(mode, DELETE, server.url)
    assert isinstance(error, models.ResponseValidationError)
    assert error.status_code == 204
    assert error.maybe_applied


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (
            200,
            b"\n <!DOCTYPE html><html>Log in</html>",
            "HTML: a proxy or the login page of a network",
        ),
        (204, b"", r"the body is empty \(status 204\)"),
        (200, b" \n", r"the body is empty \(status 200\)"),
        (200, b'{"id": "g1", "name": "\\ud800"}', r"half a surrogate pair \(\\ud800\)"),
        (200, b'{"id": "g1", "name": "\\udc00 x"}', "half a surrogate pair"),
        (200, b'{"id": "g1", "name": "x', "truncated"),
        (200, b'{"id": "g1", "name": NaN}', "JSON is malformed"),
        (200, b'{"id": 5}', r"Expected `str`, got `int` - at `\$.id`"),
    ],
)
def test_a_success_that_cannot_be_decoded_says_what_it_is(
    status: int, body: bytes, message: str
) -> None:
    transport = FakeTransport(httpx.Response(status, content=body))
    with pytest.raises(models.ResponseValidationError, match=message):
        transport.client().user_groups.get(group_id="g1")


_TERMINAL = "\x1b[2Jno\u202e\x07"


@pytest.mark.parametrize(
    "outcome",
    [
        error_to_send(404, _TERMINAL),
        error_to_send(418, _TERMINAL, X_Request_Id="\x1b[2J"),
        httpx.Response(403, extensions={"reason_phrase": _TERMINAL.encode("utf-8")}),
        httpx.Response(500, content=_TERMINAL),
        httpx.Response(200, json={"id": "g1", _TERMINAL: 1, "users": _TERMINAL}),
        httpx.ProxyError(f"403 {_TERMINAL}"),
    ],
    ids=["documented", "undocumented", "reason", "text", "success", "proxy"],
)
def test_no_text_of_a_server_reaches_a_terminal_as_it_came(
    outcome: httpx.Response | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "cld_user_groups")
    with pytest.raises((models.CloudinaryError, httpx.ProxyError)) as raised:
        FakeTransport(outcome).client().user_groups.get(group_id="g1", retries=None)
    if isinstance(raised.value, models.CloudinaryError):
        assert f"{raised.value}{raised.value.message}".isprintable()
    assert all(record.getMessage().isprintable() for record in caplog.records)


@both
@pytest.mark.parametrize(
    "charset",
    ["hex", "zlib", "base64", "rot13", "utf-16", "utf-7", "idna", "undefined", "no-such-charset"],
)
def test_no_charset_makes_a_body_crash(charset: str, mode: Mode) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    transport = FakeTransport(httpx.Response(200, headers=headers, content=b"<html>"))
    error = error_of(mode, GET, transport=transport)
    assert isinstance(error, models.ResponseValidationError)
    assert error.body == "<html>"


@both
@pytest.mark.parametrize(
    "step",
    [
        pytest.param(gzipped(200, b"", broken=True), id="gzip broken"),
        pytest.param(response(200, b"\x1f\x8b", {"Content-Encoding": "gzip"}), id="gzip cut off"),
        pytest.param(response(200, GET.body, {"Content-Encoding": "deflate"}), id="deflate broken"),
    ],
)
def test_a_success_in_a_broken_encoding_is_a_validation_error(step: Step, mode: Mode) -> None:
    with FaultServer(step, response(200, CREATE.body)) as server:
        error = error_of(mode, CREATE, server.url)
    assert isinstance(error, models.ResponseValidationError)
    assert error.path == "$"
    assert error.maybe_applied
    assert len(server.requests) == 1


@both
@pytest.mark.parametrize(
    "step",
    [
        pytest.param(gzipped(200, LIST.body), id="gzip"),
        pytest.param(chunked(200, LIST.body[:5], LIST.body[5:]), id="chunks"),
        pytest.param(response(200, LIST.body, pause=0.0005), id="byte by byte"),
        pytest.param(response(200, LIST.body, {"Content-Type": "text/html"}), id="wrong type"),
        pytest.param(response(200, LIST.body, {"X-Junk": "\xe9\xff"}), id="Latin-1 in a header"),
        pytest.param(response(200, b" " * 3_000_000 + LIST.body), id="megabytes"),
    ],
)
def test_a_success_is_read_however_it_is_sent(step: Step, mode: Mode) -> None:
    with FaultServer(step) as server:
        assert call(mode, LIST, server.url) == LIST.result


# --- the quota, and how long to wait

IN_AN_HOUR = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)


@both
@pytest.mark.parametrize("status", [420, 429])
def test_a_rate_limit_error_says_what_the_quota_is(status: int, mode: Mode) -> None:
    headers = {
        "X-FeatureRateLimit-Limit": "500",
        "X-FeatureRateLimit-Remaining": "0",
        "X-FeatureRateLimit-Reset": format_datetime(IN_AN_HOUR, usegmt=True),
    }
    with FaultServer(response(status, A_GOOD_ERROR, headers)) as server:
        error = error_of(mode, GET, server.url)
    assert isinstance(error, models.RateLimited)
    assert error.rate_limit == models.RateLimit(limit=500, remaining=0, reset=IN_AN_HOUR)
    assert error.rate_limit.reset is not None
    assert error.rate_limit.reset.utcoffset() == timedelta(0)
    assert error.retry_after is not None
    left = (IN_AN_HOUR - datetime.now(UTC)).total_seconds()
    assert left - 10 < error.retry_after <= left
    assert len(server.requests) == 1


@both
@pytest.mark.parametrize(
    "headers",
    [{}, {"X-FeatureRateLimit-Limit": "many", "X-FeatureRateLimit-Reset": "soon"}],
    ids=["none", "malformed"],
)
def test_a_malformed_rate_limit_is_no_rate_limit(headers: dict[str, str], mode: Mode) -> None:
    transport = FakeTransport(httpx.Response(429, headers=headers))
    error = error_of(mode, GET, transport=transport, retry_config=None)
    assert isinstance(error, models.RateLimited)
    assert error.rate_limit == models.RateLimit()
    assert error.retry_after is None


def rfc_1123(date: datetime) -> str:
    return format_datetime(date, usegmt=True)


@both
@pytest.mark.parametrize("status", [408, 420, 429, 500, 502, 503, 504])
def test_retry_after_in_seconds_is_waited(status: int, mode: Mode, waits: list[float]) -> None:
    with FaultServer(
        response(status, headers={"Retry-After": "7"}), response(200, GET.body)
    ) as server:
        call(mode, GET, server.url)
    assert waits == [7.0]


IN_20_S = rfc_1123(datetime.now(UTC) + timedelta(seconds=20))


@both
@pytest.mark.parametrize(
    ("status", "headers", "longest"),
    [
        (503, {"Retry-After": IN_20_S}, 20),
        (420, {"X-FeatureRateLimit-Reset": IN_20_S, "X-FeatureRateLimit-Remaining": "0"}, 20),
        *((503, {"Retry-After": malformed}, 0.5) for malformed in ("", "soon", "x" * 10_000)),
    ],
    ids=["date", "end of the quota", "empty", "text", "long"],
)
def test_a_delay_is_waited_for_and_a_malformed_one_is_none(
    status: int, headers: dict[str, str], longest: float, mode: Mode, waits: list[float]
) -> None:
    with FaultServer(response(status, headers=headers), response(200, GET.body)) as server:
        assert call(mode, GET, server.url) == GET.result
    (waited,) = waits
    assert 0 <= waited <= longest


@both
@pytest.mark.parametrize(
    "retry_after", ["31", "9" * 400, rfc_1123(IN_AN_HOUR)], ids=["seconds", "400 digits", "date"]
)
def test_a_delay_beyond_the_time_left_is_raised_at_once(
    retry_after: str, mode: Mode, waits: list[float]
) -> None:
    responses = response(429, headers={"Retry-After": retry_after}), response(200, GET.body)
    with FaultServer(*responses) as server:
        error = error_of(mode, GET, server.url)
    assert isinstance(error, models.TooManyRequests)
    assert waits == []
    assert error.retry_after is not None
    assert error.retry_after > 30


_DIGITS = st.text(st.sampled_from("0123456789-+.eE \u0663\uff11"), max_size=30)
_DATES = st.builds(
    "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT".format,
    st.sampled_from(["Mon", "Sun", "Xyz"]),
    st.integers(0, 99),
    st.sampled_from(["Jan", "Feb", "Dec", "Abc"]),
    st.integers(0, 9999),
    *[st.integers(0, 99)] * 3,
)
_QUOTA = [f"X-FeatureRateLimit-{name}" for name in ("Reset", "Limit", "Remaining")]
_DRAWN = {name: st.one_of(_DIGITS, _DATES, st.text(max_size=20)) for name in ("Date", *_QUOTA)}


@given(
    st.sampled_from([408, 420, 429, 503]),
    st.fixed_dictionaries({}, optional={"Retry-After": _DRAWN["Date"], **_DRAWN}),
)
def test_no_header_of_a_rate_limit_crashes_or_stalls(status: int, headers: dict[str, str]) -> None:
    sent = [(name, value.encode()) for name, value in headers.items()]
    transport = FakeTransport(httpx.Response(status, headers=httpx.Headers(sent)))
    with waiting_disabled() as waits:
        error = error_of("sync", GET, transport=transport)
    assert type(error) is expected_error(status)
    assert sum(waits) <= 30
    assert error.retry_after is None or 0 < error.retry_after <= 366 * 24 * 3600
    if isinstance(error, models.RateLimited):
        assert error.rate_limit.limit is None or str(error.rate_limit.limit).isascii()


# --- results with what came around them


@both
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_raw_response_has_the_result_and_what_came_around_it(
    operation: Operation, mode: Mode
) -> None:
    headers = {
        "X-Request-Id": "r-2",
        "X-FeatureRateLimit-Limit": "500",
        "X-FeatureRateLimit-Remaining": "499",
        "X-FeatureRateLimit-Reset": rfc_1123(IN_AN_HOUR),
    }
    with FaultServer(response(503), response(200, operation.body, headers)) as server:
        raw: RawResponse[Any] = call(mode, operation, server.url, raw=True)
    assert raw.parsed == operation.result
    assert raw.status_code == 200
    assert raw.headers["x-request-id"] == raw.request_id == "r-2"
    assert raw.rate_limit == models.RateLimit(limit=500, remaining=499, reset=IN_AN_HOUR)
    assert raw.retries == 1


@both
@pytest.mark.parametrize("operation", [*OPERATIONS, *READS], ids=str)
def test_a_raw_response_of_the_first_attempt_has_no_retries(
    operation: Operation, mode: Mode
) -> None:
    transport = FakeTransport(httpx.Response(200, content=operation.body))
    raw: RawResponse[Any] = call(mode, operation, transport=transport, raw=True)
    assert raw.parsed == operation.result
    assert raw.retries == 0
    assert raw.request_id is None
    assert raw.rate_limit == models.RateLimit()


@both
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_error_is_raised_from_a_raw_call_too(operation: Operation, mode: Mode) -> None:
    transport = FakeTransport(httpx.Response(404, content=A_GOOD_ERROR))
    error = error_of(mode, operation, transport=transport, raw=True)
    assert isinstance(error, models.NotFound)


@both
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_error_in_the_body_of_a_success_is_no_success(operation: Operation, mode: Mode) -> None:
    transport = FakeTransport(json({"error": {"message": "maintenance"}}))
    error = error_of(mode, operation, transport=transport)
    assert isinstance(error, models.ResponseValidationError)
    assert error.maybe_applied == (operation in WRITES)
