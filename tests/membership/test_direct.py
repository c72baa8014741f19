"""Changes of one group without a file."""

from __future__ import annotations

import anyio
import pytest

from cld_user_groups.membership.direct import (
    add_users,
    add_users_async,
    set_members,
    set_members_async,
)
from cld_user_groups.membership.result import Result, Status
from cld_user_groups.membership.staleness import GuardBreached

from .accounts import async_client_of, client_of, emulated, members

PEOPLE = [f"u{number}" for number in range(300)]
pytestmark = pytest.mark.usefixtures("waits")


def by_user(result: Result) -> dict[str, Status]:
    return {
        outcome.change.user.id: outcome.status for outcome in result.outcomes if outcome.change.user
    }


def test_three_hundred_people_are_added_with_a_result_for_each():
    emulator = emulated({"a": ["u7"]}, PEOPLE)
    result = add_users(client_of(emulator), group_id="id-a", user_ids=[*PEOPLE, "nobody", "u3"])
    assert members(emulator)["a"] == set(PEOPLE)
    found = by_user(result)
    assert found.pop("nobody") is Status.FAILED
    assert found.pop("u7") is Status.ALREADY
    assert found == dict.fromkeys(set(PEOPLE) - {"u7"}, Status.DONE)
    assert len(emulator.calls) == 1 + 300 + 1


def test_the_members_of_a_group_are_set():
    emulator = emulated({"a": ["u1", "u2", "u3"], "b": ["u1"]}, PEOPLE)
    result = set_members(client_of(emulator), group_id="id-a", user_ids=["u3", "u4"])
    assert members(emulator) == {"a": {"u3", "u4"}, "b": {"u1"}}
    assert by_user(result) == {
        "u1": Status.DONE,
        "u2": Status.DONE,
        "u3": Status.ALREADY,
        "u4": Status.DONE,
    }


def test_a_group_does_not_end_empty_where_nobody_could_be_added():
    emulator = emulated({"a": ["u1", "u2"]}, PEOPLE)
    emulator.fail("addUserToUserGroup", status=400, times=None)
    result = set_members(client_of(emulator), group_id="id-a", user_ids=["u3", "u4"])
    assert members(emulator)["a"] == {"u1", "u2"}
    assert by_user(result) == {
        "u1": Status.NOT_STARTED,
        "u2": Status.NOT_STARTED,
        "u3": Status.FAILED,
        "u4": Status.FAILED,
    }


def test_guards_stop_removals_unless_exactly_as_many_are_allowed():
    emulator = emulated({"a": PEOPLE[:20]}, PEOPLE)
    client = client_of(emulator)
    with pytest.raises(GuardBreached, match="--allow-removals 20"):
        set_members(client, group_id="id-a", user_ids=[])
    with pytest.raises(GuardBreached, match="19 removals were allowed"):
        set_members(client, group_id="id-a", user_ids=[], allow_removals=19)
    assert members(emulator)["a"] == set(PEOPLE[:20])
    assert set_members(client, group_id="id-a", user_ids=[], allow_removals=20).is_complete
    assert members(emulator)["a"] == set()


def test_the_same_on_an_event_loop():
    emulator = emulated({"a": ["u1"]}, PEOPLE)

    async def run() -> None:
        async with async_client_of(emulator) as client:
            assert (await add_users_async(client, group_id="id-a", user_ids=["u2"])).is_complete
            assert (await set_members_async(client, group_id="id-a", user_ids=["u2"])).is_complete

    anyio.run(run)
    assert members(emulator)["a"] == {"u2"}


def test_a_group_that_does_not_exist_is_an_error_before_any_write():
    emulator = emulated({"a": []}, PEOPLE)
    with pytest.raises(ValueError, match="no group with the ID 'id-b'"):
        add_users(client_of(emulator), group_id="id-b", user_ids=["u1"])
    assert len(emulator.calls) == 1


@pytest.mark.parametrize(("user_ids", "error"), [("u1", TypeError), ([" "], ValueError)])
def test_what_are_no_ids_is_rejected(user_ids, error):
    with pytest.raises(error, match="user_ids"):
        add_users(client_of(emulated({"a": []}, PEOPLE)), group_id="id-a", user_ids=user_ids)
