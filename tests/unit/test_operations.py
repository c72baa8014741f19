"""What the methods send and return: both forms of arguments, both wire shapes."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from tests.support.transport import GROUP, SECURITY, USERS, FakeTransport, Outcome, json

from cld_user_groups import AsyncCldProvisioning, models

PATH = "/v1_1/provisioning/accounts/acc/user_groups"
JOHN = {"id": "u1", "name": "John Doe", "email": "john@example.com"}
IDS = {"group_id": "g1", "user_id": "u1"}


class Both:
    """Makes the same call through the sync and the async client."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(
        self, method: str, response: Outcome, **arguments: Any
    ) -> tuple[Any, FakeTransport]:
        transport = FakeTransport(response)
        if self.kind == "sync":
            with transport.client() as client:
                return getattr(client.user_groups, method)(**arguments), transport

        async def call() -> Any:
            async with AsyncCldProvisioning(
                account_id="acc", security=SECURITY, client=httpx.AsyncClient(transport=transport)
            ) as client:
                return await getattr(client.user_groups, method)(**arguments)

        return asyncio.run(call()), transport


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Both:
    return Both(request.param)


@pytest.mark.parametrize(
    ("method", "arguments", "response", "line", "body"),
    [
        ("list", {}, json({"user_groups": []}), f"GET {PATH}", b""),
        (
            "list",
            {"extended_details": False},
            json({"user_groups": []}),
            f"GET {PATH}?extended_details=false",
            b"",
        ),
        ("create", {"name": "D"}, GROUP, f"POST {PATH}", b'{"name":"D"}'),
        (
            "create",
            {"request": models.UserGroupRequest(name="D", extended_details=True)},
            GROUP,
            f"POST {PATH}",
            b'{"name":"D","extended_details":true}',
        ),
        (
            "create",
            {"request": {"name": "Dé😀"}},
            GROUP,
            f"POST {PATH}",
            '{"name":"Dé😀"}'.encode(),
        ),
        (
            "create",
            {"request": {"extended_details": None, "name": "D"}},
            GROUP,
            f"POST {PATH}",
            b'{"name":"D"}',
        ),
        ("get", {"group_id": "g1"}, GROUP, f"GET {PATH}/g1", b""),
        (
            "get",
            {"group_id": "a?b c"},
            json({"id": "a?b c", "name": "D"}),
            f"GET {PATH}/a%3Fb%20c",
            b"",
        ),
        ("update", {"group_id": "g1", "name": "D"}, GROUP, f"PUT {PATH}/g1", b'{"name":"D"}'),
        (
            "update",
            {"group_id": "g1", "name": "D", "extended_details": True},
            GROUP,
            f"PUT {PATH}/g1",
            b'{"name":"D","extended_details":true}',
        ),
        ("delete", {"group_id": "g1"}, json({"ok": True}), f"DELETE {PATH}/g1", b""),
        ("list_users", {"group_id": "g1"}, USERS, f"GET {PATH}/g1/users", b""),
        ("add_user", IDS, USERS, f"POST {PATH}/g1/users/u1", b""),
        ("remove_user", IDS, json({"users": []}), f"DELETE {PATH}/g1/users/u1", b""),
    ],
)
def test_one_request_goes_out(
    call: Both, method: str, arguments: dict[str, Any], response: Outcome, line: str, body: bytes
) -> None:
    _, transport = call(method, response, **arguments)
    assert transport.lines == [line]
    (request,) = transport.requests
    assert request.content == body
    has_body = request.method in ("POST", "PUT")
    assert request.headers.get("content-length") == (str(len(body)) if has_body else None)
    assert request.headers.get("content-type") == ("application/json" if body else None)


@pytest.mark.parametrize("body", [{"ok": True}, {"message": "ok"}, {"ok": True, "more": 1}])
def test_delete_returns_ok_from_either_shape(call: Both, body: Any) -> None:
    result, _ = call("delete", json(body), group_id="g1")
    assert result == models.SuccessResponse(message="ok")


@pytest.mark.parametrize(
    "body",
    [
        JOHN,
        {"users": [JOHN]},
        {"users": [{"id": "u0"}, JOHN, {"id": "u2"}]},
        {**JOHN, "role": "admin"},
    ],
)
def test_add_user_returns_the_user_from_either_shape(call: Both, body: Any) -> None:
    result, _ = call("add_user", json(body), **IDS)
    assert result == models.UserGroupUser(id="u1", name="John Doe", email="john@example.com")


@pytest.mark.parametrize(
    ("method", "arguments", "body", "path"),
    [
        ("delete", {"group_id": "g1"}, {}, "$"),
        ("delete", {"group_id": "g1"}, {"ok": False}, "$.ok"),
        ("delete", {"group_id": "g1"}, {"ok": "true"}, "$.ok"),
        ("delete", {"group_id": "g1"}, {"message": None}, "$.message"),
        ("delete", {"group_id": "g1"}, [], "$"),
        ("add_user", IDS, {}, "$"),
        ("add_user", IDS, {"users": []}, "$.users"),
        ("add_user", IDS, {"users": [{"id": "u2"}]}, "$.users"),
        ("add_user", IDS, {"name": "John"}, "$"),
        ("add_user", IDS, {**JOHN, "id": "u2"}, "$.id"),
        ("remove_user", IDS, {}, "$"),
        ("remove_user", IDS, {"users": [{"id": "u2"}, JOHN]}, "$.users"),
        ("create", {"name": "D"}, {"name": "D"}, "$"),
        ("get", {"group_id": "g"}, {"id": "h", "name": "D"}, "$.id"),
        ("update", {"group_id": "g", "name": "D"}, {"id": "h", "name": "D"}, "$.id"),
        ("list_users", {"group_id": "g"}, {}, "$"),
        ("add_user", IDS, {"users": [{"id": 5}]}, "$.users[0].id"),
        ("list", {}, {"user_groups": [{"id": "g", "name": "D"}, {"id": 1}]}, "$.user_groups[1].id"),
        ("get", {"group_id": "g"}, {"created_at": "yesterday"}, "$.created_at"),
        ("get", {"group_id": "g"}, {"users": {}}, "$.users"),
        ("get", {"group_id": "g"}, None, "$"),
    ],
)
def test_response_that_does_not_confirm_the_change_is_no_success(
    call: Both, method: str, arguments: dict[str, Any], body: Any, path: str
) -> None:
    with pytest.raises(models.ResponseValidationError) as caught:
        call(method, json(body), **arguments)
    assert (caught.value.path, caught.value.status_code) == (path, 200)
    assert caught.value.maybe_applied is (method not in ("list", "get", "list_users"))


def test_a_user_that_is_another_is_no_success() -> None:
    with FakeTransport(json(JOHN)).client() as client:
        with pytest.raises(models.ResponseValidationError, match="Expected the ID 'u2', got 'u1'"):
            client.users.get(user_id="u2")
        assert client.users.get(user_id="u1").name == "John Doe"


@pytest.mark.parametrize(("method", "arguments"), [("create", {}), ("update", {"group_id": "g1"})])
def test_group_of_another_name_than_the_requested_is_accepted(
    call: Both, method: str, arguments: dict[str, Any]
) -> None:
    result, _ = call(method, json({"id": "g1", "name": "designers"}), name="D ", **arguments)
    assert result.name == "designers"


def test_extended_details_become_typed_values(call: Both) -> None:
    body = {
        "id": "g1",
        "name": "D",
        "users": [JOHN],
        "created_at": "2016-09-27T08:00:16Z",
        "updated_at": "2016-09-27T10:00:16+02:00",
    }
    group, _ = call("get", json(body), group_id="g1", extended_details=True)
    assert group.users == [models.UserGroupUser(**JOHN)]
    assert group.created_at.isoformat() == "2016-09-27T08:00:16+00:00"
    assert group.created_at == group.updated_at
    assert group.name == "D"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
def test_any_success_status_is_accepted(call: Both, status: int) -> None:
    result, _ = call("create", json({"id": "g1", "name": "D"}, status), name="D")
    assert result.id == "g1"
