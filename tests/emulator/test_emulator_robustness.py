"""Authentication, paths and malformed input: never a 5xx, never an exception."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cld_user_groups.emulator import Emulator, EmulatorClock, EmulatorRequest, EmulatorResponse

PREFIX = b"/v1_1/provisioning/accounts/acc"
GROUP = PREFIX + b"/user_groups/7f08f1f1fc910bf1f25274aef11d27"


def basic(credentials: bytes) -> bytes:
    return b"Basic " + base64.b64encode(credentials)


def send(
    emulator: Emulator,
    method: str,
    raw_path: bytes,
    *,
    query: bytes = b"",
    authorization: bytes | None = basic(b"k:s"),
    content_type: bytes = b"application/json",
    body: bytes = b"",
) -> EmulatorResponse:
    headers = [(b"Content-Type", content_type)]
    if authorization is not None:
        headers.append((b"Authorization", authorization))
    return emulator.handle(EmulatorRequest(method, raw_path, query, headers, body))


def message(response: EmulatorResponse) -> str:
    return str(json.loads(response.body)["error"]["message"])


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        b"",
        b"Basic",
        b"Basic ",
        b"Basic !!!",
        b"Basic azpz!",
        b"Basic \xff\xfe",
        b"Bearer " + base64.b64encode(b"k:s"),
        basic(b"k"),
        basic(b"k:"),
        basic(b"k:wrong"),
        basic(b"wrong:s"),
        basic(b"k:s:"),
        basic(b"\xff:\xfe"),
    ],
)
def test_wrong_credentials_are_a_401(emulator: Emulator, authorization: bytes | None) -> None:
    response = send(emulator, "GET", PREFIX + b"/user_groups", authorization=authorization)
    assert response.status == 401
    assert json.loads(response.body) == {"error": {"message": "Invalid credentials"}}
    assert dict(response.headers)[b"www-authenticate"].startswith(b"Basic realm=")


def test_the_scheme_of_the_credentials_has_no_case(emulator: Emulator) -> None:
    for scheme in (b"basic ", b"BASIC ", b"Basic   "):
        authorization = scheme + base64.b64encode(b"k:s")
        response = send(emulator, "GET", PREFIX + b"/user_groups", authorization=authorization)
        assert response.status == 200, scheme


def test_credentials_are_checked_before_anything_else(emulator: Emulator) -> None:
    response = send(emulator, "POST", PREFIX + b"/user_groups", authorization=None, body=b"{")
    assert response.status == 401


@pytest.mark.parametrize(("version", "is_coded"), [(b"v2", True), (b"%762", True), (b"v3", False)])
def test_the_path_as_decoded_decides_the_shape_of_an_error(
    emulator: Emulator, version: bytes, is_coded: bool
) -> None:
    path = b"/" + version + b"/accounts/acc/permissions/roles"
    response = send(emulator, "GET", path, authorization=None)
    assert ("code" in json.loads(response.body)["error"]) is is_coded


def test_another_account_is_a_404(emulator: Emulator) -> None:
    response = send(emulator, "GET", b"/v1_1/provisioning/accounts/other/user_groups")
    assert (response.status, message(response)) == (404, "Account not found")


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        (b"a%2Fb", "a/b"),
        (b"%2e%2e", ".."),
        (b"..", ".."),
        (b"%252e", "%2e"),
        (b"%zz", "%zz"),
        (b"%", "%"),
        (b"a%20b+c", "a b+c"),
        (b"%C3%A9", "é"),
        (b"%ff", "\udcff"),
        (b"a;b=c", "a;b=c"),
    ],
)
def test_an_id_is_one_segment_decoded_once(
    emulator: Emulator, encoded: bytes, decoded: str
) -> None:
    response = send(emulator, "GET", PREFIX + b"/user_groups/" + encoded + b"/users")
    assert response.status == 404
    call = emulator.calls[-1]
    assert (call.operation_id, call.group_id) == ("getUsersInUserGroup", decoded)


def test_an_account_id_may_need_encoding() -> None:
    emulator = Emulator(account_id="<id>/é", api_key="a key", api_secret="a:secret")
    response = send(
        emulator,
        "GET",
        b"/v1_1/provisioning/accounts/%3Cid%3E%2F%C3%A9/user_groups",
        authorization=basic(b"a key:a:secret"),
    )
    assert response.status == 200


@pytest.mark.parametrize(
    "raw_path",
    [
        b"",
        b"/",
        b"*",
        PREFIX,
        PREFIX + b"/people",
        PREFIX + b"/user_groups/",
        PREFIX + b"//user_groups",
        GROUP + b"/",
        GROUP + b"/users/",
        GROUP + b"/users/u/more",
        GROUP + b"/members",
        b"/v1_1/provisioning/accounts//user_groups",
        b"/v2/provisioning/accounts/acc/user_groups",
        b"http://emulator.invalid" + PREFIX + b"/user_groups",
    ],
)
def test_an_unknown_path_is_a_404(emulator: Emulator, raw_path: bytes) -> None:
    response = send(emulator, "GET", raw_path)
    assert (response.status, message(response)) == (404, "Not found")
    assert emulator.calls[-1].operation_id is None


@pytest.mark.parametrize(
    ("raw_path", "allow"),
    [
        (PREFIX + b"/user_groups", b"GET, POST"),
        (GROUP, b"GET, PUT, DELETE"),
        (GROUP + b"/users", b"GET"),
        (GROUP + b"/users/u", b"POST, DELETE"),
        (PREFIX + b"/users", b"GET"),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "HEAD", "TRACE", "get", "BREW"])
def test_another_method_is_a_405(
    emulator: Emulator, raw_path: bytes, allow: bytes, method: str
) -> None:
    response = send(emulator, method, raw_path)
    assert response.status == 405
    assert dict(response.headers)[b"allow"] == allow


def test_a_response_to_head_has_no_body(emulator: Emulator) -> None:
    assert send(emulator, "HEAD", GROUP).body == b""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"name=Editors", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b'{"name": "\xff"}', "not valid JSON"),
        (b'{"name": "Editors", "n": NaN}', "not valid JSON"),
        (b'{"name": "Editors", "n": -Infinity}', "not valid JSON"),
        (b'{"name": "\\ud800"}', "not valid JSON"),
        (b'{"name": "Editors", "n": "\\udfff"}', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"name": "Editors"} {}', "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"Editors"', "must be a JSON object"),
        (b"{}", "Missing required parameter - name"),
        (b'{"name": null}', "Missing required parameter - name"),
        (b'{"name": 1}', "must be a string"),
        (b'{"name": ["Editors"]}', "must be a string"),
        (b'{"name": ""}', "must not be blank"),
        (b'{"name": " \\t\\u2003"}', "must not be blank"),
        (b'{"name": "Editors", "extended_details": "true"}', "must be a boolean"),
        (b'{"name": "Editors", "extended_details": 1}', "must be a boolean"),
        (b'{"name": "Editors", "extended_details": null}', "must be a boolean"),
    ],
)
@pytest.mark.parametrize(
    ("method", "raw_path"), [("POST", PREFIX + b"/user_groups"), ("PUT", GROUP)]
)
def test_an_invalid_body_is_a_400_and_changes_nothing(
    emulator: Emulator, method: str, raw_path: bytes, body: bytes, reason: str
) -> None:
    before = emulator.groups
    response = send(emulator, method, raw_path, body=body)
    assert response.status == 400
    assert reason in message(response)
    assert emulator.groups == before


def test_every_response_is_json_with_a_request_id_and_the_rate_limit(client: httpx.Client) -> None:
    responses = [
        client.get("/user_groups"),
        client.get("/unknown"),
        client.patch("/user_groups"),
        client.get("/user_groups", auth=("wrong", "wrong")),
        client.post("/user_groups"),
    ]
    assert [response.status_code for response in responses] == [200, 404, 405, 401, 400]
    for response in responses:
        assert response.headers["Content-Type"] == "application/json"
        assert int(response.headers["X-FeatureRateLimit-Limit"]) > 0
        assert int(response.headers["X-FeatureRateLimit-Remaining"]) > 0
        assert response.headers["X-FeatureRateLimit-Reset"] == "Wed, 01 May 2024 13:00:00 GMT"
        assert response.headers["Date"] == "Wed, 01 May 2024 12:30:00 GMT"
    assert len({response.headers["X-Request-Id"] for response in responses}) == len(responses)


segments = st.one_of(
    st.binary(max_size=8),
    st.sampled_from([b"", b"..", b"%2e", b"%", b"user_groups", b"users", b"acc"]),
)
bodies = st.one_of(
    st.binary(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({"name": st.text()}, optional={"extended_details": st.booleans()}).map(
        lambda value: json.dumps(value).encode()
    ),
)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD"]),
    raw_path=st.one_of(
        st.binary(max_size=40),
        st.lists(segments, max_size=5).map(lambda parts: b"/".join([PREFIX, *parts])),
    ),
    query=st.one_of(
        st.binary(max_size=40),
        st.tuples(
            st.sampled_from([b"extended_details=", b"ids[]=", b"from=", b"page=", b"sort_by="]),
            st.binary(),
        ).map(b"".join),
    ),
    content_type=st.sampled_from([b"application/json", b"application/x-www-form-urlencoded"]),
    authorization=st.one_of(st.none(), st.binary(max_size=20), st.just(basic(b"k:s"))),
    body=bodies,
)
def test_no_input_is_a_server_error(method: str, raw_path: bytes, **parts: Any) -> None:
    emulator = Emulator(clock=EmulatorClock(datetime(2024, 5, 1, tzinfo=UTC)))
    response = send(emulator, method, raw_path, **parts)
    assert response.status in (200, 400, 401, 404, 405, 409)
    assert method == "HEAD" or isinstance(json.loads(response.body), dict)
    assert len(emulator.calls) == 1
    assert str(emulator.calls[0])
