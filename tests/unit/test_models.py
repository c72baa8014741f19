"""Models: their fields, their JSON, and what they reject."""

from __future__ import annotations

import copy
import inspect
import pickle
from datetime import UTC, datetime
from typing import Any

import attrs
import httpx
import msgspec
import pytest
from pydantic import TypeAdapter, ValidationError
from tests.support.transport import FakeTransport, error

from cld_provisioning_api import models as generated
from cld_provisioning_api.types import Model, decode, encode_body, parameter, query
from cld_user_groups import models

ERROR_BODIES = [{}, {"error": {"message": "maintenance"}}]
GROUP = {
    "id": "g1",
    "name": "Designers",
    "users": [{"id": "u1", "name": "John"}, {"id": "u2"}],
    "created_at": "2016-09-27T08:00:16Z",
}


def test_pydantic_validates_and_serializes_a_model() -> None:
    adapter = TypeAdapter(models.UserGroup)
    group = models.UserGroup(id="g1", name="Designers")
    assert adapter.validate_python(group) is group
    assert adapter.validate_json('{"id": "g1", "name": "Designers", "colour": "red"}') == group
    assert adapter.dump_json(group) == b'{"id":"g1","name":"Designers"}'
    for mode in ("validation", "serialization"):
        assert adapter.json_schema(mode=mode)["type"] == "object"
    with pytest.raises(ValidationError, match=r"Expected `str`, got `int` - at `\$.id`"):
        adapter.validate_python({"id": 5})


def test_model_round_trips_through_json_types() -> None:
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
        models.UserGroupsResponse(user_groups=[]).groups = []  # type: ignore[attr-defined]


# Beside each model with slots there is, until garbage is collected, the class it was made from.
@pytest.mark.parametrize("model", [*filter(attrs.has, Model.__subclasses__())])
def test_generated_models_are_keyword_only(model: type[Model]) -> None:
    parameters = inspect.signature(model).parameters.values()
    assert {each.kind for each in parameters} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("body", ERROR_BODIES, ids=str)
@pytest.mark.parametrize(
    "model",
    [
        models.UserGroup,
        models.UserGroupUser,
        models.UserGroupsResponse,
        models.UserGroupUsersResponse,
        models.SuccessResponse,
        generated.Acknowledgement,
    ],
)
def test_model_of_a_success_requires_what_it_promises(
    model: type[generated.UserGroup], body: dict[str, object]
) -> None:
    with pytest.raises(msgspec.ValidationError, match="missing required field"):
        model.from_dict(body)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"nope", b'{"id": "\xff"}', b'{"x":' * 5000, b'{"id":"a"} b', b"NaN"]
)
def test_malformed_json_is_a_decode_error(content: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(content, models.UserGroup)


def test_body_is_validated_and_compact() -> None:
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
def test_parameter_of_the_wrong_type_is_rejected_by_name(value: Any, expected: Any) -> None:
    with pytest.raises(TypeError, match="p: Expected"):
        parameter("p", value, expected)


def test_query_is_percent_encoded() -> None:
    assert query([("a b", "c&d"), ("e", ["f", "+"])]) == "?a%20b=c%26d&e=f&e=%2B"
    assert query([]) == ""


@pytest.mark.parametrize("status", [404, 500])
def test_errors_can_be_pickled(status: int) -> None:
    with pytest.raises(models.CloudinaryError) as caught:
        FakeTransport(error(status, "no", X_Request_Id="r1")).client(
            retry_config=None
        ).user_groups.delete(group_id="g1")
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
