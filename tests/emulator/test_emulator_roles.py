"""The roles of the emulated account, and the responses of its Permissions API."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.membership.accounts import client_of

from cld_user_groups import CldProvisioning, models
from cld_user_groups.emulator import Emulator, EmulatorRole
from cld_user_groups.paging import pages

BASE_URL = "http://emulator.invalid/v2/accounts/acc/permissions"
EDITOR = "cld::role::prodenv::media_editor"
CONTRIBUTOR = "cld::role::folder::contributor"


@pytest.fixture
def http(emulator: Emulator) -> httpx.Client:
    return httpx.Client(transport=emulator.transport(), auth=("k", "s"), base_url=BASE_URL)


@pytest.fixture
def client(emulator: Emulator) -> CldProvisioning:
    return client_of(emulator)


def ids(roles: Any) -> list[str]:
    return [role.id for role in roles]


def test_the_sample_account_has_roles_in_both_scopes_and_for_a_folder(
    client: CldProvisioning, emulator: Emulator
) -> None:
    designers, john = emulator.groups[0].id, emulator.users[0].id
    for scope in ("account", "prodenv"):
        page = client.principals.inspect(scope_type=scope)
        assert [each.id for each in page.data.principals] == [
            john if scope == "account" else designers
        ]
    content = client.principals.list_roles(
        principal_type="group", principal_id=designers, permission_type="content"
    )
    assert content.data[0].policy_parameters == {"folder_id": "fg38a9b0c1d2e3f4"}
    assert {role.management_type for role in client.roles.list().data} == {"system", "custom"}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"permission_type": "global"}, [EDITOR]),
        ({"permission_type": "content"}, ["campaign_contributor_12334565", CONTRIBUTOR]),
        ({"permission_type": "content", "management_type": "system"}, [CONTRIBUTOR]),
        ({"permission_type": "content", "collection_id": "c1"}, [CONTRIBUTOR]),
        ({"permission_type": "global", "scope_id": "any"}, [EDITOR]),
        ({"permission_type": "content", "scope_id": "e1"}, [CONTRIBUTOR]),
        ({"permission_type": "global", "scope_type": "account"}, []),
    ],
)
def test_roles_are_filtered(
    client: CldProvisioning, emulator: Emulator, wanted: Any, found: list[str]
) -> None:
    group = emulator.groups[0].id
    emulator.roles.assign(group, CONTRIBUTOR, "e1", collection_id="c1")
    response = client.principals.list_roles(principal_type="group", principal_id=group, **wanted)
    assert ids(response.data) == found


def test_pages_hold_as_many_principals_as_is_set(
    client: CldProvisioning, emulator: Emulator
) -> None:
    groups = [emulator.add_group(f"Group {number}") for number in range(5)]
    emulator.roles.page_size = 2
    principals = [models.Principal(type="group", id=group.id) for group in groups]
    found = list(
        pages(client.principals.inspect_multiple, scope_type="prodenv", principals=principals)
    )
    assert [len(page.data.principals) for page in found] == [2, 2, 1]
    assert [each.id for page in found for each in page.data.principals] == [
        group.id for group in groups
    ]


def test_assignments_end_with_their_group_and_their_user(
    client: CldProvisioning, emulator: Emulator
) -> None:
    group, user = emulator.groups[0], emulator.users[0]
    client.user_groups.delete(group_id=group.id)
    emulator.remove_user_account(user)
    emulator.add_group("Designers", group_id=group.id)
    assert emulator.roles.of(group.id) == emulator.roles.of(user.id, "user") == ()


def test_roles_are_assigned_once_and_removed(client: CldProvisioning, emulator: Emulator) -> None:
    group = emulator.groups[1].id
    emulator.roles.define(EmulatorRole("own_1", "Own", management_type="custom"))
    for operation in ("add", "add", "remove"):
        client.principals.update_roles(
            operation=operation,
            principal={"type": "group", "id": group},
            roles=[{"id": "own_1", "scope_id": "e1"}],
        )
        expected = [] if operation == "remove" else ["own_1"]
        assert [each.role_id for each in emulator.roles.of(group)] == expected


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_an_account_may_not_have_the_permissions_api(
    client: CldProvisioning, emulator: Emulator, status: int
) -> None:
    emulator.roles.refused_with = status
    client = client.with_options(retries=None)
    with pytest.raises(models.CloudinaryError) as caught:
        client.principals.inspect(scope_type="account")
    assert caught.value.status_code == status
    assert (caught.value.code or "").startswith("ACCOUNTS_")
    assert client.user_groups.list().user_groups


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "fields"),
    [
        ("GET", "/principal_roles", None, 400, ["principal_type"]),
        ("GET", "/principal_roles/inspect", None, 400, ["scope_type"]),
        ("GET", "/principal_roles/inspect?scope_type=world", None, 400, ["scope_type"]),
        (
            *("GET", "/principal_roles/inspect?scope_type=account&principal_type=group", None),
            *(400, ["principal_type", "principal_id"]),
        ),
        ("GET", "/principal_roles/inspect?scope_type=account&cursor=!", None, 400, ["cursor"]),
        ("POST", "/principal_roles/inspect", {"scope_type": "account"}, 400, ["principals"]),
        (
            *("POST", "/principal_roles/inspect"),
            {"scope_type": "account", "principals": [{"type": "group", "id": "none"}]},
            *(404, None),
        ),
        ("PUT", "/principal_roles", {"operation": "widen"}, 400, ["operation"]),
        ("PUT", "/principal_roles", None, 400, None),
    ],
)
def test_a_request_that_is_not_valid_is_rejected_in_the_shape_of_this_api(
    http: httpx.Client, method: str, path: str, body: Any, status: int, fields: Any
) -> None:
    response = http.request(method, path, **({"json": body} if body else {}))
    error = response.json()["error"]
    assert response.status_code == status
    assert error["code"] == {400: "ACCOUNTS_00005", 404: "ACCOUNTS_00003"}[status]
    assert (error.get("details") or {}).get("fields") == fields


@pytest.mark.parametrize(
    ("role", "where", "problem"),
    [
        ("no-such-role", {}, "role not found"),
        (CONTRIBUTOR, {}, "policy parameters"),
        (EDITOR, {"folder_id": "f"}, "policy parameters"),
    ],
)
def test_a_role_is_assigned_only_as_it_can_be(
    emulator: Emulator, role: str, where: dict[str, str], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        emulator.roles.assign(emulator.groups[0].id, role, **where)


def test_a_reset_restores_the_roles(emulator: Emulator) -> None:
    group = emulator.groups[0].id
    before = emulator.roles.of(group)
    emulator.roles.end(group)
    emulator.reset()
    assert emulator.roles.of(group) == before != ()
