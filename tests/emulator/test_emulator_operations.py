"""What each operation answers, and what it does to the account."""

import re

import httpx
import pytest

from cld_user_groups.emulator import Emulator, EmulatorClock

DESIGNERS = "7f08f1f1fc910bf1f25274aef11d27"
MARKETING = "c2b9e47d1806f35a9d4e72b1c08f63"
JOHN = {
    "id": "0abed8dfcc039ea05e2a1d494fd442",
    "name": "John Doe",
    "email": "john@example.com",
}
HARRY = {
    "id": "asdf1234uiopjkl7890wernmjlcaeg",
    "name": "Harry Potts",
    "email": "harry@example.com",
}
AMARA = {
    "id": "51d8c3f7e6a0429bb4f21e7d08c96a",
    "name": "Amara Okafor",
    "email": "amara@example.com",
}


def test_list_answers_the_basic_shape(client: httpx.Client) -> None:
    response = client.get("/user_groups")
    assert response.status_code == 200
    assert response.json() == {
        "user_groups": [
            {"id": DESIGNERS, "name": "Designers"},
            {"id": MARKETING, "name": "Marketing"},
        ]
    }


@pytest.mark.parametrize("value", ["true", "1"])
def test_list_answers_extended_details_when_asked_for(client: httpx.Client, value: str) -> None:
    groups = client.get("/user_groups", params={"extended_details": value}).json()["user_groups"]
    assert groups[0] == {
        "id": DESIGNERS,
        "name": "Designers",
        "users": [JOHN, HARRY],
        "created_at": "2016-09-27T08:00:16Z",
        "updated_at": "2016-09-27T08:00:16Z",
    }


@pytest.mark.parametrize("value", ["false", "0", "", "yes", "TRUE", "%00", "x" * 10_000])
def test_any_other_value_of_extended_details_means_no(client: httpx.Client, value: str) -> None:
    response = client.get(f"/user_groups/{DESIGNERS}", params={"extended_details": value})
    assert response.json() == {"id": DESIGNERS, "name": "Designers"}


def test_get_answers_extended_details_when_asked_for(client: httpx.Client) -> None:
    response = client.get(f"/user_groups/{DESIGNERS}", params={"extended_details": "true"})
    assert response.json()["users"] == [JOHN, HARRY]


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


def test_create_answers_the_basic_shape_unless_asked_otherwise(client: httpx.Client) -> None:
    created = client.post("/user_groups", json={"name": "Editors"}).json()
    assert created.keys() == {"id", "name"}
    assert client.get(f"/user_groups/{created['id']}").json() == created


def test_create_takes_json_whatever_the_content_type_says(client: httpx.Client) -> None:
    response = client.post(
        "/user_groups", content=b'{"name": "Editors"}', headers={"Content-Type": "text/plain"}
    )
    assert response.status_code == 200


def test_create_ignores_unknown_fields(client: httpx.Client) -> None:
    response = client.post("/user_groups", json={"name": "Editors", "colour": ["red", 1e300]})
    assert response.json().keys() == {"id", "name"}


def test_create_refuses_a_name_that_is_taken(emulator: Emulator, client: httpx.Client) -> None:
    response = client.post("/user_groups", json={"name": "Designers"})
    assert response.status_code == 409
    assert response.json() == {"error": {"message": "A user group with this name already exists"}}
    assert len(emulator.groups) == 2


def test_update_renames_the_group_and_moves_updated_at(client: httpx.Client) -> None:
    response = client.put(
        f"/user_groups/{DESIGNERS}", json={"name": "Creatives", "extended_details": True}
    )
    updated = response.json()
    assert (updated["id"], updated["name"]) == (DESIGNERS, "Creatives")
    assert updated["created_at"] == "2016-09-27T08:00:16Z"
    assert updated["updated_at"] == "2024-05-01T12:30:00Z"
    assert client.get(f"/user_groups/{DESIGNERS}").json()["name"] == "Creatives"


def test_update_to_its_own_name_is_no_conflict(client: httpx.Client) -> None:
    response = client.put(f"/user_groups/{DESIGNERS}", json={"name": "Designers"})
    assert response.json() == {"id": DESIGNERS, "name": "Designers"}


def test_update_refuses_another_groups_name(client: httpx.Client) -> None:
    response = client.put(f"/user_groups/{DESIGNERS}", json={"name": "Marketing"})
    assert response.status_code == 409
    assert client.get(f"/user_groups/{DESIGNERS}").json()["name"] == "Designers"


def test_a_name_is_free_again_after_a_rename_and_after_a_delete(client: httpx.Client) -> None:
    client.put(f"/user_groups/{DESIGNERS}", json={"name": "Creatives"})
    client.delete(f"/user_groups/{MARKETING}")
    for name in ("Designers", "Marketing"):
        assert client.post("/user_groups", json={"name": name}).status_code == 200


def test_delete_answers_ok_and_the_group_is_gone(client: httpx.Client) -> None:
    response = client.delete(f"/user_groups/{DESIGNERS}")
    assert response.json() == {"ok": True}
    assert client.get(f"/user_groups/{DESIGNERS}").status_code == 404
    assert client.delete(f"/user_groups/{DESIGNERS}").status_code == 404


def test_list_users_answers_the_members(client: httpx.Client) -> None:
    response = client.get(f"/user_groups/{DESIGNERS}/users")
    assert response.json() == {"users": [JOHN, HARRY]}


def test_add_user_answers_the_whole_membership(client: httpx.Client) -> None:
    response = client.post(f"/user_groups/{DESIGNERS}/users/{AMARA['id']}")
    assert response.json() == {"users": [JOHN, HARRY, AMARA]}
    assert client.get(f"/user_groups/{DESIGNERS}/users").json() == response.json()


def test_add_user_refuses_a_user_who_is_in_the_group(client: httpx.Client) -> None:
    response = client.post(f"/user_groups/{DESIGNERS}/users/{JOHN['id']}")
    assert response.status_code == 409
    assert client.get(f"/user_groups/{DESIGNERS}/users").json() == {"users": [JOHN, HARRY]}


def test_remove_user_answers_the_members_who_are_left(client: httpx.Client) -> None:
    response = client.delete(f"/user_groups/{DESIGNERS}/users/{JOHN['id']}")
    assert response.json() == {"users": [HARRY]}
    assert client.get(f"/user_groups/{DESIGNERS}/users").json() == {"users": [HARRY]}


def test_remove_user_refuses_a_user_who_is_not_in_the_group(client: httpx.Client) -> None:
    response = client.delete(f"/user_groups/{DESIGNERS}/users/{AMARA['id']}")
    assert response.status_code == 404


@pytest.mark.parametrize("body", [b"", b"{}", b"not json", b"\xff"])
def test_operations_without_a_body_ignore_one(client: httpx.Client, body: bytes) -> None:
    member = f"/user_groups/{DESIGNERS}/users/{AMARA['id']}"
    for method, path in (("POST", member), ("DELETE", member), ("DELETE", "/user_groups/x")):
        expected = 404 if path.endswith("/x") else 200
        assert client.request(method, path, content=body).status_code == expected


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/user_groups/unknown"),
        ("PUT", "/user_groups/unknown"),
        ("DELETE", "/user_groups/unknown"),
        ("GET", "/user_groups/unknown/users"),
        ("POST", f"/user_groups/unknown/users/{JOHN['id']}"),
        ("DELETE", f"/user_groups/unknown/users/{JOHN['id']}"),
        ("POST", f"/user_groups/{DESIGNERS}/users/unknown"),
        ("DELETE", f"/user_groups/{DESIGNERS}/users/unknown"),
    ],
)
def test_an_unknown_group_or_user_answers_404(client: httpx.Client, method: str, path: str) -> None:
    response = client.request(method, path, json={"name": "Editors"})
    assert response.status_code == 404
    assert response.json()["error"]["message"] in ("User group not found", "User not found")


def test_the_documented_wire_answers_the_published_shapes() -> None:
    emulator = Emulator(wire="documented", clock=EmulatorClock())
    with httpx.Client(
        base_url="http://emulator.invalid/v1_1/provisioning/accounts/acc",
        auth=("k", "s"),
        transport=emulator.transport(),
    ) as client:
        added = client.post(f"/user_groups/{DESIGNERS}/users/{AMARA['id']}")
        deleted = client.delete(f"/user_groups/{DESIGNERS}")
    assert added.json() == AMARA
    assert deleted.json() == {"message": "ok"}
