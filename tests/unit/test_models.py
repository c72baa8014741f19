"""Models: what they hold, how they become JSON types, and what they refuse."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from cld_provisioning_api.types import (
    decode,
    encode_body,
    parameter,
    path_segment,
    query,
)
from cld_user_groups import models

from .wire import error

GROUP = {
    "id": "g1",
    "name": "Designers",
    "users": [{"id": "u1", "name": "John"}, {"id": "u2"}],
    "created_at": "2016-09-27T08:00:16Z",
}


def test_model_becomes_the_json_that_it_came_from() -> None:
    group = models.UserGroup.from_dict(GROUP)
    assert group.created_at == datetime(2016, 9, 27, 8, 0, 16, tzinfo=UTC)
    assert group.users is not None
    assert group.users[1] == models.UserGroupUser(id="u2")
    assert group.to_dict() == GROUP
    assert models.UserGroup.from_dict(group.to_dict()) == group


def test_models_can_be_copied_and_pickled() -> None:
    group = models.UserGroup.from_dict(GROUP)
    assert pickle.loads(pickle.dumps(group)) == group
    assert copy.deepcopy(group) == group


def test_model_has_only_its_fields() -> None:
    with pytest.raises(AttributeError):
        models.UserGroup().nmae = "D"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"nope", b'{"id": "\xff"}', b'{"x":' * 5000, b'{"id":"a"} b', b"NaN"]
)
def test_what_is_not_json_is_one_kind_of_error(content: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(content, models.UserGroup)


def test_body_is_checked_and_compact() -> None:
    body = models.UserGroupRequest(name='D"é', extended_details=False)
    expected = '{"name":"D\\"é","extended_details":false}'.encode()
    assert encode_body(body, models.UserGroupRequest) == expected


@pytest.mark.parametrize(
    ("value", "expected", "text"),
    [
        (True, bool, "true"),
        (False, bool, "false"),
        (5, int, "5"),
        (1.5, float, "1.5"),
        ("a b", str, "a b"),
        ([1, 2], list[int], ["1", "2"]),
        (datetime(2016, 9, 27, tzinfo=UTC), datetime, "2016-09-27T00:00:00+00:00"),
    ],
)
def test_parameter_becomes_text(value: Any, expected: Any, text: Any) -> None:
    assert parameter("p", value, expected) == text


@pytest.mark.parametrize(("value", "expected"), [("true", bool), (1, bool), ("5", int), ([1], str)])
def test_parameter_of_the_wrong_type_is_refused_by_name(value: Any, expected: Any) -> None:
    with pytest.raises(TypeError, match="p: Expected"):
        parameter("p", value, expected)


def test_query_is_percent_encoded() -> None:
    assert query([("a b", "c&d"), ("e", ["f", "+"])]) == "?a%20b=c%26d&e=f&e=%2B"
    assert query([]) == ""


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("7f08f1", "7f08f1"), ("a.b", "a.b"), ("-", "-"), ("...", "..."), (".a", ".a"),
        ("a/b", "a%2Fb"), ("../x", "..%2Fx"), ("%", "%25"), ("%41", "%2541"), ("a b", "a%20b"),
        ("é", "%C3%A9"), ("a\n", "a%0A"), ("~", "~"), ("a?b#c", "a%3Fb%23c"), ("\\", "%5C"),
        ("x\x00", "x%00"), ("…", "%E2%80%A6"),
    ],
)  # fmt: skip
def test_id_is_one_segment(value: str, segment: str) -> None:
    assert path_segment("p", value) == segment


@pytest.mark.parametrize(
    "value",
    ["", " ", "\t\n", "\u3000", "%20", "%2520", ".", "..", "%2e", "%2E%2e", ".%2E", "%252e%252e",
     "%25252525252e", " .. ", "..\n", "%09..", "\ud800"],
)  # fmt: skip
def test_id_that_could_address_something_else_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"^p must"):
        path_segment("p", value)


@pytest.mark.parametrize("value", [None, 5, b"a", ["a"], 1.5, True])
def test_id_of_another_type_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="p must be a str, not"):
        path_segment("p", value)


def test_id_with_a_text_of_its_own_is_sent_as_its_value() -> None:
    class Sly(str):
        __slots__ = ()

        def __str__(self) -> str:
            return ".."

        def __format__(self, spec: str) -> str:
            return ".."

    assert f"{path_segment('p', Sly('g1'))}" == "g1"


@pytest.mark.parametrize("status", [404, 500])
def test_errors_can_be_pickled(status: int) -> None:
    from .wire import Wire

    with pytest.raises(models.CloudinaryError) as caught:
        Wire(error(status, "no", X_Request_Id="r1")).client(retry_config=None).user_groups.delete(
            group_id="g1"
        )
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value)
    assert (str(again), again.body, again.status_code, again.request_id, again.maybe_applied) == (
        str(caught.value), caught.value.body, status, "r1", status == 500,
    )  # fmt: skip
    assert again.raw_response.status_code == status
    assert isinstance(again.raw_response, httpx.Response)
    if isinstance(again, models.ErrorResponse):
        assert again.data.error is not None
        assert again.data.error.message == "no"
