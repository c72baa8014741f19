"""The users of the account: read over HTTP, arranged by a test."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cld_user_groups.emulator import Emulator, EmulatorClock, EmulatorUser

from .conftest import DESIGNERS, JOHN, NOW, connect

ANA = EmulatorUser(
    "u1", "Ana Lopez", "ana@example.com", role="admin", last_login=datetime(2024, 3, 1, tzinfo=UTC)
)
BEN = EmulatorUser("u2", "Ben Ode", "b.ode@example.com", pending=True)
CY = EmulatorUser(
    "u3",
    "cy Young",
    "anacy@example.com",
    enabled=False,
    all_sub_accounts=False,
    sub_account_ids=["sub1"],
    created_at=datetime(2020, 1, 1, tzinfo=UTC),
    last_login=datetime(2024, 4, 30, 23, 59, tzinfo=UTC),
)


def listed(emulator: Emulator, params: Any = None) -> list[str]:
    """Return the IDs of the users that a request for the list gets."""
    with connect(emulator) as client:
        response = client.get("/users", params=params)
        assert response.status_code == 200
        return [user["id"] for user in response.json()["users"]]


def test_a_user_enters_their_own_product_environments_or_all() -> None:
    emulator = Emulator(users=[ANA, CY])
    with connect(emulator) as client:
        of_ana = client.get("/users/u1/sub_accounts").json()["sub_accounts"]
        of_cy = client.get("/users/u3/sub_accounts").json()
    assert [each["id"] for each in of_ana] == ["0aaaaa1bbbbb2ccccc3ddddd4eeeee5f", "sub1"]
    assert of_cy == {"sub_accounts": [{"id": "sub1", "name": "sub1", "enabled": True}]}


def test_a_user_has_the_observed_fields_in_the_list_and_alone() -> None:
    emulator = Emulator(users=[ANA, CY])
    emulator.add_group("Editors", users=[ANA])
    with connect(emulator) as client:
        in_list = client.get("/users").json()["users"]
        assert [client.get(f"/users/{user['id']}").json() for user in in_list] == in_list
    assert in_list[0] == {
        "id": "u1",
        "name": "Ana Lopez",
        "role": "admin",
        "email": "ana@example.com",
        "pending": False,
        "enabled": True,
        "created_at": "2016-09-27T08:00:16Z",
        "all_sub_accounts": True,
        "group_count": 1,
        "last_login": "2024-03-01T00:00:00Z",
    }


def test_the_groups_of_a_user_have_id_and_name(client: httpx.Client) -> None:
    response = client.get(f"/users/{JOHN}/groups")
    assert response.json() == {"groups": [{"id": DESIGNERS, "name": "Designers"}]}


@pytest.mark.parametrize("part", ["", "/groups", "/sub_accounts"])
def test_an_unknown_user_is_a_404(client: httpx.Client, part: str) -> None:
    response = client.get("/users/unknown" + part)
    assert response.status_code == 404
    assert response.json() == {"error": {"message": "User not found"}}


@pytest.mark.parametrize("wire", ["observed", "documented"])
@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ([("ids", "u3"), ("ids", "u1")], ["u1", "u3"]),
        ([("ids[]", "u3"), ("ids[]", "u1")], ["u1", "u3"]),
        ({"ids[0]": "u3", "ids[1]": "u1"}, ["u1", "u3"]),
        ({"ids": "u3,u1"}, ["u1", "u3"]),
        ({"ids": "u1,nobody"}, ["u1"]),
        ({"ids": "nobody"}, []),
        ({"emails": "ANA@example.com,b.ode@example.com"}, ["u1", "u2"]),
        ([("emails[]", "ana@example.com")], ["u1"]),
        ({"pending": "true"}, ["u2"]),
        ({"pending": "True"}, ["u2"]),
        ({"prefix": "BEN"}, ["u2"]),
        ({"sub_account_id": "sub1"}, ["u1", "u2", "u3"]),
        ({"sub_account_id": "sub2"}, ["u1", "u2"]),
        ({"last_login": "true"}, ["u1", "u3"]),
        ({"last_login": "false"}, ["u2"]),
        ({"from": "2024-04-01"}, ["u3"]),
        ({"from": "2024-04-01 00:00:00"}, ["u3"]),
        ({"from": "29-02-2024", "to": "31-03-2024", "last_login": "true"}, ["u1"]),
        ({"from": "2024-04-01", "to": "2024-05-01", "union_type": "exclude"}, ["u1", "u2"]),
        ({"from": "2024-03-01"}, ["u3"]),
        ({"to": "2024-04-30"}, ["u1"]),
        ({"sort_by": "name"}, ["u3", "u2", "u1"]),
        ({"sort_by": "name", "sort_order": "asc"}, ["u1", "u2", "u3"]),
        ({"sort_by": "name", "sort_order": "desc"}, ["u3", "u2", "u1"]),
        ({"sort_by": "created_at", "sort_order": "desc"}, ["u3", "u1", "u2"]),
        ({"sort_by": "status", "sort_order": "asc"}, ["u1", "u3", "u2"]),
    ],
)
def test_a_filter_selects_users(wire: Any, params: Any, expected: list[str]) -> None:
    assert listed(Emulator(wire=wire, users=[ANA, BEN, CY]), params) == expected


@pytest.mark.parametrize(
    ("params", "observed", "documented"),
    [
        ({"pending": "false"}, ["u1", "u3"], ["u1", "u2", "u3"]),
        ({"ids": "u1,u2", "pending": "true"}, ["u2"], ["u1", "u2"]),
        ({"prefix": "ana"}, ["u1", "u3"], ["u1"]),
        ({"emails": "ana@example.com", "prefix": "ben"}, [], ["u1"]),
    ],
)
def test_a_disputed_filter_follows_the_wire(
    params: Any, observed: list[str], documented: list[str]
) -> None:
    users = [ANA, BEN, CY]
    assert listed(Emulator(users=users), params) == observed
    assert listed(Emulator(wire="documented", users=users), params) == documented


@pytest.mark.parametrize(
    "params",
    [
        {"pending": "maybe"},
        {"ids": ""},
        {"ids[x]": "u1"},
        {"prefix": ""},
        {"from": "yesterday"},
        {"last_login": ""},
        {"sort_by": "shoe_size"},
        {"page": "0"},
        {"page": "-1"},
        {"page_size": "1_0"},
        {"page_size": "9" * 5000},
        {"unknown": "1"},
    ],
)
def test_an_invalid_value_is_ignored(params: dict[str, str]) -> None:
    assert listed(Emulator(users=[ANA, BEN, CY]), params) == ["u1", "u2", "u3"]


def test_only_the_first_100_ids_or_emails_count() -> None:
    users = [EmulatorUser(f"u{n}", f"User {n}", f"u{n}@example.com") for n in range(120)]
    emulator = Emulator(users=users)
    first = [user.id for user in users[:100]]
    assert listed(emulator, {"ids": [user.id for user in users]}) == first
    assert listed(emulator, {"emails": [user.email for user in users]}) == first


def test_filters_can_be_ignored() -> None:
    emulator = Emulator(users=[ANA, BEN], users_filters="ignored")
    assert listed(emulator, {"ids": "u2", "pending": "true"}) == ["u1", "u2"]
    assert listed(emulator, {"ids": "u2", "page_size": 1}) == ["u1"]


@pytest.mark.parametrize(
    ("paging", "params", "expected"),
    [
        ("on_request", {}, range(250)),
        ("on_request", {"page_size": 20}, range(20)),
        ("on_request", {"page": 2, "page_size": 20}, range(20, 40)),
        ("on_request", {"page": 3}, range(200, 250)),
        ("on_request", {"page": 4}, range(0)),
        ("on_request", {"page_size": 1000}, range(100)),
        ("always", {}, range(100)),
        ("always", {"page": 2, "page_size": 20}, range(20, 40)),
        ("ignored", {"page": 2, "page_size": 20}, range(250)),
    ],
)
def test_the_list_of_users_has_pages(paging: Any, params: Any, expected: range) -> None:
    users = [EmulatorUser(f"u{n}", "Same Name", f"u{n}@example.com") for n in range(250)]
    emulator = Emulator(users=users, users_paging=paging)
    assert listed(emulator, params) == [f"u{n}" for n in expected]


def test_every_value_of_an_array_is_recorded(emulator: Emulator) -> None:
    listed(emulator, [("ids", "u1"), ("ids", "u2")])
    (call,) = emulator.calls
    assert (call.operation_id, call.query) == ("getUsers", {"ids": "u2"})
    assert call.query_items == [("ids", "u1"), ("ids", "u2")]
    assert str(call).endswith("/users?ids=u1&ids=u2 -> 200")


def test_a_removed_user_leaves_the_groups(emulator: Emulator, client: httpx.Client) -> None:
    emulator.remove_user_account(JOHN)
    assert client.get(f"/users/{JOHN}").status_code == 404
    assert JOHN not in [user.id for user in emulator.users]
    group = emulator.groups[0]
    assert [user.name for user in group.users] == ["Harry Potts"]
    assert group.updated_at == NOW
    assert client.post(f"/user_groups/{DESIGNERS}/users/{JOHN}").status_code == 404


def test_a_changed_user_is_changed_in_the_groups_too(
    emulator: Emulator, client: httpx.Client
) -> None:
    updated = emulator.update_user_account(
        JOHN, name="Jo Doe", email="jo@example.com", role="admin", enabled=False, last_login=NOW
    )
    assert emulator.groups[0].users[0] == updated
    members = client.get(f"/user_groups/{DESIGNERS}/users").json()["users"]
    assert members[0] == {"id": JOHN, "name": "Jo Doe", "email": "jo@example.com"}
    user = client.get(f"/users/{JOHN}").json()
    assert (user["role"], user["enabled"], user["pending"]) == ("admin", False, False)
    assert user["last_login"] == "2024-05-01T12:30:00Z"
    assert emulator.update_user_account(updated, pending=True).pending


def test_an_added_user_has_the_given_fields_and_the_current_time() -> None:
    emulator = Emulator(clock=EmulatorClock(NOW))
    zoe = emulator.add_user_account("Zoe Lind", role="billing", pending=True, enabled=False)
    assert zoe.email == "zoe.lind@example.com"
    assert (zoe.role, zoe.pending, zoe.enabled, zoe.created_at) == ("billing", True, False, NOW)
    assert emulator.users[-1] == zoe
