"""The Permissions API: pages, errors of its shape, what is sent, and lost responses."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.support.transport import SECRET, SECURITY, FakeTransport, json

from cld_user_groups import CldProvisioning, models
from cld_user_groups.emulator import Emulator
from cld_user_groups.paging import EndlessPages, pages, pages_async

EDITOR = "cld::role::prodenv::media_editor"
VIEWER = "cld::role::prodenv::reports_viewer"
CONTRIBUTOR = "cld::role::folder::contributor"


def page(cursor: str | None) -> httpx.Response:
    return json({"data": {"principals": []}, "next_cursor": cursor})


def change(transport: FakeTransport, roles: Any = ({"id": "r"},), operation: str = "add") -> Any:
    """Add roles to a group, or remove them."""
    principal = {"type": "group", "id": "g"}
    arguments = {"operation": operation, "principal": principal, "roles": roles}
    return transport.call("principals.update_roles", **arguments)


def error_body(status: int, **error: Any) -> httpx.Response:
    return json({"error": {"message": "no", **error}}, status)


@pytest.fixture
def emulator() -> Emulator:
    return Emulator("acc", SECURITY.provisioning_api_key, SECRET)


@pytest.fixture
def client(emulator: Emulator) -> CldProvisioning:
    http = httpx.Client(transport=emulator.transport())
    return CldProvisioning(account_id="acc", security=SECURITY, client=http)


@pytest.fixture
def designers(emulator: Emulator) -> str:
    return emulator.groups[0].id


@pytest.mark.parametrize("last", [None, ""])
@pytest.mark.parametrize(
    "arguments",
    [
        {"scope_type": "account", "principals": []},
        {"request": {"scope_type": "account", "principals": []}},
        {"request": models.InspectMultipleRequest(scope_type="account", principals=[])},
    ],
    ids=["fields", "dict", "model"],
)
def test_pages_follows_each_cursor_with_the_same_arguments(
    arguments: dict[str, Any], last: str | None
) -> None:
    transport = FakeTransport(page("a"), page("b"), page(last))
    with transport.client() as client:
        assert len(list(pages(client.principals.inspect_multiple, **arguments))) == 3
    sent = [request.content for request in transport.requests]
    body = b'{"scope_type":"account","principals":[]'
    assert sent == [body + b"}", body + b',"cursor":"a"}', body + b',"cursor":"b"}']


def test_pages_async_follows_each_cursor() -> None:
    transport = FakeTransport(page("a"), page(None))

    async def read() -> list[models.InspectResponse]:
        async with transport.async_client() as client:
            found: AsyncIterator[models.InspectResponse] = pages_async(
                client.principals.inspect, scope_type="account"
            )
            return [each async for each in found]

    assert len(asyncio.run(read())) == 2
    assert transport.requests[1].url.params["cursor"] == "a"


def test_a_cursor_that_repeats_ends_the_pages_with_an_error() -> None:
    transport = FakeTransport(page("a"), page("b"), page("a"))
    with transport.client() as client:
        found = pages(client.principals.inspect, scope_type="account")
        assert [next(found).next_cursor for _ in range(3)] == ["a", "b", "a"]
        with pytest.raises(EndlessPages, match="cursor 'a' after 3 pages"):
            next(found)


def test_pages_without_end_end_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cld_user_groups.paging.MAX_PAGES", 5)
    transport = FakeTransport(*(page(str(number)) for number in range(10)))
    with transport.client() as client, pytest.raises(EndlessPages):
        list(pages(client.principals.inspect, scope_type="account"))
    assert len(transport.requests) == 6


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_an_error_has_what_the_permissions_api_says(status: int) -> None:
    said = {"category": "user_error", "code": "ACCOUNTS_00005", "details": {"fields": ["a"]}}
    with pytest.raises(models.CloudinaryError) as caught:
        FakeTransport(error_body(status, **said)).call("roles.list", retries=None)
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert (error.status_code, error.message) == (status, "no")
        assert {"category": error.category, "code": error.code, "details": error.details} == said


def test_an_error_of_another_shape_says_nothing_more() -> None:
    with pytest.raises(models.NotFound) as caught:
        FakeTransport(error_body(404)).call("user_groups.get", group_id="g")
    assert (caught.value.code, caught.value.category, caught.value.details) == (None,) * 3


def test_an_echoed_secret_is_masked_in_the_details_of_an_error() -> None:
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in SECRET)
    body = (
        f'{{"error": {{"message": "no", "code": "{escaped}", "details": [{{"a": "{escaped}"}}]}}}}'
    )
    with pytest.raises(models.BadRequest) as caught:
        FakeTransport(httpx.Response(400, content=body)).call("roles.list")
    assert SECRET not in repr((caught.value.code, caught.value.details, caught.value.data))


@pytest.mark.parametrize(
    ("roles", "problem"),
    [
        ([{"id": "r", "scope": "e1"}], "roles has no field 'scope'"),
        ([{"id": 5}], r"\$\.roles\[0\]\.id"),
        ([{"scope_id": "e1"}], "missing required field `id`"),
        ("r", r"\$\.roles"),
    ],
)
def test_a_role_that_would_not_be_sent_as_it_is_meant_is_rejected(roles: Any, problem: str) -> None:
    transport = FakeTransport()
    with pytest.raises(TypeError, match=problem):
        change(transport, roles)
    assert not transport.requests


@pytest.mark.parametrize("body", [b"", b" ", b"null", b"{}", b'{"data": []}'])
def test_update_roles_accepts_any_json_and_no_body(body: bytes) -> None:
    done = change(FakeTransport(httpx.Response(200, content=body)))
    assert done == models.SuccessResponse(message="ok")


def test_update_roles_does_not_accept_the_page_of_a_network() -> None:
    with pytest.raises(models.ResponseValidationError) as caught:
        change(FakeTransport(httpx.Response(200, content=b"<html>")))
    assert caught.value.maybe_applied


@pytest.mark.parametrize("operation", ["add", "remove"])
@pytest.mark.parametrize(
    "role",
    [
        {"id": VIEWER},
        {"id": CONTRIBUTOR, "scope_id": "e1", "policy_parameters": {"folder_id": "f"}},
    ],
    ids=["global", "content"],
)
@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_change_whose_response_was_lost_is_made_once(
    emulator: Emulator,
    client: CldProvisioning,
    designers: str,
    operation: Any,
    role: Any,
    status: int,
) -> None:
    where = role.get("policy_parameters", {})
    if operation == "remove":
        emulator.roles.assign(designers, role["id"], role.get("scope_id"), **where)
    before = {each.role_id for each in emulator.roles.of(designers)}
    emulator.fail("updatePrincipalRoles", status=status, apply=True)
    principal = {"type": "group", "id": designers}
    change: Any = {"operation": operation, "principal": principal, "roles": [role]}
    assert client.principals.update_roles(request=change).message == "ok"
    assert before ^ {each.role_id for each in emulator.roles.of(designers)} == {role["id"]}


GLOBAL = {"id": EDITOR, "scope_id": "all"}
CONTENT = {"id": CONTRIBUTOR, "scope_id": "e1", "policy_parameters": {"folder_id": "f"}}


def assigned(*roles: dict[str, Any]) -> httpx.Response:
    """Return the response with the roles of a principal."""
    kinds = {"management_type": "system", "scope_type": "prodenv", "name": "n"}
    dates = {"created_at": 1, "updated_at": 1, "permission_type": "global"}
    return json({"data": [{**kinds, **dates, **role} for role in roles]})


@pytest.mark.parametrize(
    ("operation", "roles", "second", "read", "outcome"),
    [
        ("add", [GLOBAL], 409, [GLOBAL], "ok"),
        ("add", [{"id": EDITOR}], 409, [GLOBAL], "ok"),
        ("add", [GLOBAL], 409, [], "AlreadyExists"),
        ("add", [GLOBAL], 409, [{"id": EDITOR, "scope_id": "e1"}], "AlreadyExists"),
        ("add", [CONTENT], 409, [CONTENT], "ok"),
        (
            *("add", [CONTENT], 409),
            *([{**CONTENT, "policy_parameters": {"folder_id": "g"}}], "AlreadyExists"),
        ),
        ("add", [GLOBAL, {"id": VIEWER}], 409, [GLOBAL], "AlreadyExists?"),
        ("remove", [GLOBAL], 404, [], "ok"),
        ("remove", [GLOBAL], 404, [GLOBAL], "NotFound"),
        ("remove", [GLOBAL], 404, [{"id": EDITOR, "scope_id": "e1"}], "ok"),
        ("add", [GLOBAL, CONTENT], 409, None, "AlreadyExists?"),
        ("add", [GLOBAL], 404, None, "NotFound?"),
    ],
)
def test_a_refusal_after_a_lost_response_is_decided_by_what_is_read(
    operation: Any, roles: Any, second: int, read: list[dict[str, Any]] | None, outcome: str
) -> None:
    responses = [httpx.Response(502), error_body(second)]
    transport = FakeTransport(*responses, *([] if read is None else [assigned(*read)]))
    try:
        change(transport, roles, operation)
        found = "ok"
    except models.CloudinaryError as error:
        found = type(error).__name__ + "?" * error.maybe_applied
    assert found == outcome
    kind = "content" if roles == [CONTENT] else "global"
    assert len(transport.requests) == (2 if read is None else 3)
    if read is not None:
        assert dict(transport.requests[2].url.params) == {
            "principal_type": "group",
            "principal_id": "g",
            "permission_type": kind,
        }


def test_inspect_multiple_is_retried_as_the_read_that_it_is() -> None:
    transport = FakeTransport(httpx.Response(502), httpx.ReadTimeout("late"), page(None))
    transport.call("principals.inspect_multiple", scope_type="account", principals=[])
    assert [request.method for request in transport.requests] == ["POST"] * 3


def test_a_read_of_roles_is_never_maybe_applied() -> None:
    asked = {"scope_type": "account", "principals": [], "retries": None}
    with pytest.raises(models.APIError) as caught:
        FakeTransport(httpx.Response(502)).call("principals.inspect_multiple", **asked)
    assert not caught.value.maybe_applied


def test_the_path_of_another_version_goes_to_the_same_server() -> None:
    transport = FakeTransport(json({"data": []}))
    transport.call("roles.list", options={"region": "api-eu"})
    url = "https://api-eu.cloudinary.com/v2/accounts/acc/permissions/roles"
    assert str(transport.requests[0].url) == url
