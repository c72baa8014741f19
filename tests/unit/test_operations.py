"""What the methods send and return, in both wire shapes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.transport import GROUP, FakeTransport, Mode, Outcome, both, json

from cld_user_groups import models

JOHN = {"id": "u1", "name": "John Doe", "email": "john@example.com"}
IDS = {"group_id": "g1", "user_id": "u1"}


def call(mode: Mode, method: str, response: Outcome, **arguments: Any) -> Any:
    return FakeTransport(response).call(f"user_groups.{method}", mode, **arguments)


@both
@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({"name": "Dé😀"}, '{"name":"Dé😀"}'.encode()),
        ({"extended_details": None, "name": "D"}, b'{"name":"D"}'),
    ],
)
def test_body_is_compact_utf_8_without_what_is_none(
    mode: Mode, fields: dict[str, Any], body: bytes
) -> None:
    transport = FakeTransport(GROUP)
    transport.call("user_groups.create", mode, request=fields)
    assert transport.requests[0].content == body


@both
@pytest.mark.parametrize("body", [{"ok": True}, {"message": "ok"}, {"ok": True, "more": 1}])
def test_delete_returns_ok_from_either_shape(mode: Mode, body: Any) -> None:
    result = call(mode, "delete", json(body), group_id="g1")
    assert result == models.SuccessResponse(message="ok")


@both
@pytest.mark.parametrize(
    "body",
    [
        JOHN,
        {"users": [JOHN]},
        {"users": [{"id": "u0"}, JOHN, {"id": "u2"}]},
        {**JOHN, "role": "admin"},
    ],
)
def test_add_user_returns_the_user_from_either_shape(mode: Mode, body: Any) -> None:
    result = call(mode, "add_user", json(body), **IDS)
    assert result == models.UserGroupUser(id="u1", name="John Doe", email="john@example.com")


def test_a_user_that_is_another_is_no_success() -> None:
    with FakeTransport(json(JOHN)).client() as client:
        with pytest.raises(models.ResponseValidationError, match="Expected the ID 'u2', got 'u1'"):
            client.users.get(user_id="u2")
        assert client.users.get(user_id="u1").name == "John Doe"


@both
@pytest.mark.parametrize(("method", "arguments"), [("create", {}), ("update", {"group_id": "g1"})])
def test_group_of_another_name_than_the_requested_is_accepted(
    mode: Mode, method: str, arguments: dict[str, Any]
) -> None:
    result = call(mode, method, json({"id": "g1", "name": "designers"}), name="D ", **arguments)
    assert result.name == "designers"


@both
def test_extended_details_become_typed_values(mode: Mode) -> None:
    body = {
        "id": "g1",
        "name": "D",
        "users": [JOHN],
        "created_at": "2016-09-27T08:00:16Z",
        "updated_at": "2016-09-27T10:00:16+02:00",
    }
    group = call(mode, "get", json(body), group_id="g1", extended_details=True)
    assert group.users == [models.UserGroupUser(**JOHN)]
    assert group.created_at.isoformat() == "2016-09-27T08:00:16+00:00"
    assert group.created_at == group.updated_at
    assert group.name == "D"


@both
@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
def test_any_success_status_is_accepted(mode: Mode, status: int) -> None:
    result = call(mode, "create", json({"id": "g1", "name": "D"}, status), name="D")
    assert result.id == "g1"
