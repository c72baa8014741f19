"""The response of each operation on groups, and its effect on the account."""

import re

import httpx
import pytest

from cld_user_groups.emulator import Emulator

from . import conftest
from .conftest import DESIGNERS, MARKETING

HARRY_ID = "asdf1234uiopjkl7890wernmjlcaeg"
JOHN = {"id": conftest.JOHN, "name": "John Doe", "email": "john@example.com"}
HARRY = {"id": HARRY_ID, "name": "Harry Potts", "email": "harry@example.com"}
AMARA = {"id": conftest.AMARA, "name": "Amara Okafor", "email": "amara@example.com"}


BASIC = {"id": DESIGNERS, "name": "Designers"}
CREATED = {"created_at": "2016-09-27T08:00:16Z"}
EXTENDED = BASIC | {"users": [JOHN, HARRY]} | CREATED | {"updated_at": "2016-09-27T08:00:16Z"}
RENAMED = EXTENDED | {"name": "Creatives", "updated_at": "2024-05-01T12:30:00Z"}
ALL = {"users": [JOHN, HARRY, AMARA]}
GROUP, MEMBERS = f"/{DESIGNERS}", f"/{DESIGNERS}/users"


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "", None, {"user_groups": [BASIC, {"id": MARKETING, "name": "Marketing"}]}),
        ("GET", GROUP, None, BASIC),
        ("GET", MEMBERS, None, {"users": [JOHN, HARRY]}),
        ("PUT", GROUP, {"name": "Designers"}, BASIC),
        ("PUT", GROUP, {"name": "Creatives", "extended_details": True}, RENAMED),
        ("POST", f"{MEMBERS}/{AMARA['id']}", None, ALL),
        ("DELETE", f"{MEMBERS}/{JOHN['id']}", None, {"users": [HARRY]}),
        ("DELETE", GROUP, None, {"ok": True}),
    ],
)
def test_an_operation_returns_json_and_what_it_changed_is_read_again(
    client: httpx.Client, method: str, path: str, body: object, expected: dict[str, object]
) -> None:
    response = client.request(method, "/user_groups" + path, json=body)
    assert (response.status_code, response.json()) == (200, expected)
    group = client.get("/user_groups" + GROUP)
    assert group.status_code == (404 if "ok" in expected else 200)
    if "ok" in expected:
        assert client.delete("/user_groups" + GROUP).status_code == 404
    if "users" in expected:
        assert client.get("/user_groups" + MEMBERS).json()["users"] == expected["users"]
    if "name" in expected:
        assert group.json()["name"] == expected["name"]


def test_extended_details_are_returned_on_request_and_else_not(client: httpx.Client) -> None:
    values = ("false", "0", "2", "", "yes", "TRUE", "null", "[]", "%00", "x" * 10_000)
    for value in ("true", "1", *values):
        query, expected = {"extended_details": value}, BASIC if value in values else EXTENDED
        assert client.get(f"/user_groups/{DESIGNERS}", params=query).json() == expected
        assert client.get("/user_groups", params=query).json()["user_groups"][0] == expected


def test_create_makes_an_empty_group_with_a_new_id(client: httpx.Client) -> None:
    response = client.post("/user_groups", json={"name": "Editors", "extended_details": True})
    created = response.json()
    assert response.status_code == 200
    assert re.fullmatch("[0-9a-f]{30}", created.pop("id"))
    assert created == {
        "name": "Editors",
        "users": [],
        "created_at": "2024-05-01T12:30:00Z",
        "updated_at": "2024-05-01T12:30:00Z",
    }


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
@pytest.mark.parametrize("unknown", [b"", b', "colour": ["red", 1e300]'])
def test_create_returns_the_basic_shape_whatever_else_is_sent(
    client: httpx.Client, content_type: str, unknown: bytes
) -> None:
    body, headers = b'{"name": "Editors"%b}' % unknown, {"Content-Type": content_type}
    response = client.post("/user_groups", content=body, headers=headers)
    assert (response.status_code, response.json().keys()) == (200, {"id", "name"})
    assert client.get(f"/user_groups/{response.json()['id']}").json() == response.json()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"name=Edit%C3%B6rs+%26+co&extended_details=true"),
        ("application/x-www-form-urlencoded", b"name=Edit%C3%B6rs+%26+co&extended_details=True"),
        (
            "application/x-www-form-urlencoded",
            b"extended_details=1&colour=red&name=Edit\xc3\xb6rs+%26+co",
        ),
        ("Application/X-WWW-Form-URLEncoded; charset=utf-8", b"name=Edit%C3%B6rs%20%26%20co"),
        ("application/x-www-form-urlencoded", b"name=Edit%C3%B6rs+%26+co&extended_details=false"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", f"/{DESIGNERS}")])
def test_create_and_update_accept_a_form(
    client: httpx.Client, method: str, path: str, content_type: str, body: bytes
) -> None:
    response = client.request(
        method, "/user_groups" + path, content=body, headers={"Content-Type": content_type}
    )
    assert response.status_code == 200
    assert response.json()["name"] == "Editörs & co"
    assert ("users" in response.json()) is (b"=true" in body.lower() or b"=1" in body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Missing required parameter - name"),
        (b'{"name": "Editors"}', "Missing required parameter - name"),
        (b"name=", "Invalid value for parameter name: must not be blank"),
        (b"name=%FF", "Request body is not a valid form"),
        (b"name=\xff", "Request body is not a valid form"),
    ],
)
def test_an_invalid_form_is_a_400(
    emulator: Emulator, client: httpx.Client, body: bytes, message: str
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = client.post("/user_groups", content=body, headers=headers)
    assert (response.status_code, response.json()) == (400, {"error": {"message": message}})
    assert len(emulator.groups) == 2


def test_create_and_update_read_extended_details_from_the_query_too(client: httpx.Client) -> None:
    for method, path in (("POST", ""), ("PUT", f"/{DESIGNERS}")):
        response = client.request(
            method,
            "/user_groups" + path,
            params={"extended_details": "true"},
            json={"name": f"Editors {method}"},
        )
        assert "users" in response.json()


def test_a_name_is_free_again_after_a_rename_and_after_a_delete(client: httpx.Client) -> None:
    client.put(f"/user_groups/{DESIGNERS}", json={"name": "Creatives"})
    client.delete(f"/user_groups/{MARKETING}")
    for name in ("Designers", "Marketing"):
        assert client.post("/user_groups", json={"name": name}).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{}", b"not json", b"\xff"])
def test_operations_without_a_body_ignore_one(client: httpx.Client, body: bytes) -> None:
    member = f"/user_groups/{DESIGNERS}/users/{AMARA['id']}"
    for method, path in (("POST", member), ("DELETE", member), ("DELETE", "/user_groups/x")):
        expected = 404 if path.endswith("/x") else 200
        assert client.request(method, path, content=body).status_code == expected


NO_GROUP, NO_USER = "User group not found", "User not found"
TAKEN = "A user group with this name already exists"


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/unknown", 404, NO_GROUP),
        ("PUT", "/unknown", 404, NO_GROUP),
        ("DELETE", "/unknown", 404, NO_GROUP),
        ("GET", "/unknown/users", 404, NO_GROUP),
        ("POST", f"/unknown/users/{JOHN['id']}", 404, NO_GROUP),
        ("DELETE", f"/unknown/users/{JOHN['id']}", 404, NO_GROUP),
        ("POST", f"/{DESIGNERS}/users/unknown", 404, NO_USER),
        ("DELETE", f"/{DESIGNERS}/users/unknown", 404, NO_USER),
        ("POST", "", 409, TAKEN),
        ("PUT", f"/{DESIGNERS}", 409, TAKEN),
        ("POST", f"/{DESIGNERS}/users/{JOHN['id']}", 409, "User is already in the user group"),
        ("DELETE", f"/{DESIGNERS}/users/{AMARA['id']}", 404, "User is not in the user group"),
    ],
)
def test_a_rejected_request_is_an_error_and_changes_nothing(
    emulator: Emulator, client: httpx.Client, method: str, path: str, status: int, message: str
) -> None:
    before = emulator.groups
    response = client.request(method, "/user_groups" + path, json={"name": "Marketing"})
    assert (response.status_code, response.json()) == (status, {"error": {"message": message}})
    assert emulator.groups == before
