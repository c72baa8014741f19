"""Reading what groups grant: two reads an account, and not known is never none."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from tests.membership.accounts import async_client_over, client_over
from tests.support.transport import FakeTransport, json

from cld_provisioning_api.models import Principal
from cld_user_groups.emulator import Emulator, EmulatorRole
from cld_user_groups.membership.roles import (
    Grant,
    Roles,
    as_principals,
    read_roles,
    read_roles_async,
)

ADMIN = "cld::role::prodenv::master_admin"
CONTRIBUTOR = "cld::role::folder::contributor"
EDITOR = "cld::role::prodenv::media_editor"


@pytest.fixture(params=["sync", "async"])
def read(request: pytest.FixtureRequest) -> Any:
    """Return a function that reads the roles of an emulator's principals."""

    def read_sync(transport: Any, *asked: Any) -> Roles:
        return read_roles(client_over(transport, retry_config=None), *asked)

    async def read_async(transport: Any, *asked: Any) -> Roles:
        async with async_client_over(transport, retry_config=None) as client:
            return await read_roles_async(client, *asked)

    if request.param == "sync":
        return read_sync
    return lambda *arguments: asyncio.run(read_async(*arguments))


def of_groups(emulator: Emulator) -> list[Principal]:
    return as_principals(group.id for group in emulator.groups)


def test_the_roles_of_all_groups_take_two_reads(read):
    emulator = Emulator()
    roles = read(emulator.transport(), of_groups(emulator))
    designers, marketing = (group.id for group in emulator.groups)
    assert [grant.text for grant in roles.of(designers)] == [
        "Campaign Contributor in product environment 0aaaaa1bbbbb2ccccc3ddddd4eeeee5f, "
        "folder fg38a9b0c1d2e3f4",
        "Media Editor in all product environments",
    ]
    assert roles.of(marketing) == ()
    assert [call.operation_id for call in emulator.calls] == ["inspectMultiple"] * 2
    assert roles.requests == 2


@pytest.mark.parametrize(
    ("groups", "page_size", "requests"),
    [(0, 100, 0), (100, 100, 2), (101, 100, 4), (400, 100, 8), (100, 40, 6)],
)
def test_a_hundred_groups_and_each_page_are_a_read(read, groups, page_size, requests):
    emulator = Emulator(groups=())
    emulator.roles.page_size = page_size
    for number in range(groups):
        group = emulator.add_group(f"Group {number}")
        emulator.roles.assign(group.id, EDITOR, f"e{number}")
    roles = read(emulator.transport(), of_groups(emulator))
    assert len(emulator.calls) == roles.requests == requests
    assert [roles.of(group.id)[0].where for group in emulator.groups] == [
        f"e{number}" for number in range(groups)
    ]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 420, 429, 500, 503])
def test_an_error_makes_the_roles_not_known_and_is_not_raised(read, status):
    emulator = Emulator()
    emulator.roles.refused_with = status
    roles = read(emulator.transport(), of_groups(emulator))
    group = emulator.groups[0].id
    assert roles.of(group) is None
    assert str(status) in roles.texts(group)[0]
    assert roles.document(group)["granted"] is None
    assert roles.document(group)["not_known_because"]


ROLE = {
    "id": "r",
    "name": "R",
    "management_type": "system",
    "permission_type": "global",
    "scope_type": "account",
    "created_at": 1,
    "updated_at": 2,
}


def answer(*principals: Any, **others: Any) -> httpx.Response:
    return json({"data": {"principals": list(principals)}, **others})


@pytest.mark.parametrize(
    "response",
    [
        json({}),
        json({"data": []}),
        json({"data": {"principals": None}}),
        answer({"type": "group", "id": "g"}),
        answer({"type": "group", "id": "g", "roles": None}),
        answer({"type": "group", "id": "g", "roles": [{"id": "r"}]}),
        answer({"type": "group", "id": "g", "roles": [{**ROLE, "policy_parameters": "f"}]}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(302, headers={"location": "/login"}),
        httpx.ReadTimeout("late"),
        answer(next_cursor="again"),
    ],
)
def test_a_response_that_is_not_as_documented_is_not_known(read, response):
    roles = read(FakeTransport(*[response] * 9), as_principals(["g"]))
    assert roles.of("g") is None
    assert roles.texts("g")[0].startswith("not known: ")


def test_a_place_that_is_null_is_not_known(read):
    role = {**ROLE, "permission_type": "content", "policy_parameters": {"folder_id": None}}
    response = answer({"type": "group", "id": "g", "roles": [role]})
    (grant,) = read(FakeTransport(response, response), as_principals(["g"])).of("g")
    assert grant.text.endswith(", folder not known")
    assert grant.document["within"] == {"folder_id": "not known"}


def test_cursors_without_end_make_roles_not_known(read):
    transport = FakeTransport(*(answer(next_cursor=str(number)) for number in range(999)))
    roles = read(transport, as_principals(["g"]))
    assert roles.of("g") is None
    assert "the pages do not end" in roles.reason
    assert roles.requests == len(transport.requests) <= 101


@pytest.mark.parametrize(("most", "requests"), [(0, 0), (1, 0), (2, 2), (3, 3), (4, 4), (9, 4)])
def test_no_more_requests_are_sent_than_may_be(read, most, requests):
    emulator = Emulator()
    emulator.roles.page_size = 1
    roles = read(emulator.transport(), of_groups(emulator), most)
    assert len(emulator.calls) == roles.requests == requests
    are_known = [roles.of(group.id) is not None for group in emulator.groups]
    assert are_known == [most >= 4] * 2
    assert most >= 4 or "more requests than are left" in roles.reason


@pytest.mark.parametrize(
    "responses",
    [
        (answer(), answer()),
        (answer({"type": "group", "id": "g", "roles": []}), answer()),
        (answer(), answer({"type": "group", "id": "g", "roles": []})),
        (answer({"type": "user", "id": "g", "roles": []}),) * 2,
        # An error on the second page.
        (answer({"type": "group", "id": "g", "roles": [ROLE]}, next_cursor="2"),
         httpx.Response(403)),
    ],
)  # fmt: skip
def test_a_group_that_a_response_does_not_name_is_not_known(read, responses):
    roles = read(FakeTransport(*responses), as_principals(["g"]))
    assert roles.of("g") is None


def test_no_role_is_said_only_of_what_the_response_shows(read):
    empty = answer({"type": "group", "id": "g", "roles": []})
    roles = read(FakeTransport(empty, empty), as_principals(["g"]))
    assert roles.of("g") == ()
    assert "roles in folders and collections are not known" in roles.texts("g")[0]


def test_what_was_not_read_is_not_known():
    assert Roles().of("g") is None
    assert Roles().texts("g") == ["not known: the roles were not read"]


@pytest.mark.parametrize(
    ("role_id", "management", "expected"),
    [
        ("cld::role::account::master_admin", "system", True),
        (ADMIN, "system", True),
        (EDITOR, "system", False),
        ("master_admin_12", "custom", False),
        ("own::master_admin", "custom", False),
    ],
)
def test_roles_of_the_system_that_allow_everything_stand_out(read, role_id, management, expected):
    emulator = Emulator()
    group = emulator.groups[1].id
    emulator.roles.define(EmulatorRole(role_id, "Role", management_type=management))
    emulator.roles.assign(group, role_id)
    (grant,) = read(emulator.transport(), of_groups(emulator)).of(group)
    assert grant.is_full_control is expected
    assert ("(full control)" in grant.text) is expected


def test_a_name_cannot_write_to_a_terminal():
    grant = Grant("Edi\x1b[2Jtor", "r", "prodenv", "e\n1")
    assert grant.text == "Edi\\x1b[2Jtor in product environment e\\n1"
