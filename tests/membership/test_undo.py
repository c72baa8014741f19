"""Undo: the inverse of a run, as far as it still stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from attrs import evolve

from cld_user_groups.emulator import Emulator
from cld_user_groups.membership.grants import GroupRef
from cld_user_groups.membership.model import Action, GuardLimits, Plan
from cld_user_groups.membership.snapshot import read_account
from cld_user_groups.membership.undo import undo_plan

from .accounts import add, client_of, create, delete, existing, group_of, remove, rename
from .applied import Account

NEW = GroupRef(id=None, name="new")
pytestmark = pytest.mark.usefixtures("waits")


@pytest.fixture
def account(one: Account) -> Account:
    """An account to which plans are applied in one way."""
    return one


def actions(plan: Plan) -> list[tuple[Action, str, str]]:
    return [
        (change.action, change.group.name, change.user.id if change.user else "")
        for change in plan.changes
    ]


def test_everything_that_a_run_did_is_taken_back(account):
    before = account.members
    leave = remove(existing("A", "id-a"), "u1", 2)
    account.apply(create("new"), rename("a", "A"), add(NEW, "u1", 0), add("b", "u9"), leave)
    plan = account.undo(allow_removals=2)
    assert plan.source == f"undo of {account.last_run().id}"
    assert actions(plan) == [
        (Action.RENAME_GROUP, "a", ""),
        (Action.ADD_USER, "A", "u1"),
        (Action.REMOVE_USER, "b", "u9"),
        (Action.DELETE_GROUP, "new", ""),
    ]
    assert plan.breaches == ()
    assert account.run(plan).is_complete
    assert account.members == before


def test_an_undo_can_be_undone(account):
    account.apply(rename("a", "A"), add("b", "u9"), add("b", "u8"))
    after = account.members
    account.run(account.undo(allow_removals=2))
    assert account.run(account.undo()).is_complete
    assert account.members == after


def test_a_deleted_group_returns_with_members_and_a_new_id_and_says_so(account):
    before = account.members
    account.apply(delete("a", "u1", "u2"))
    plan = account.undo()
    assert plan.notes == (
        "The group 'a' comes back with a new ID: it was id-a.",
        "Roles and shares depend on the ID of a group: 'a' comes back without them.",
    )
    assert account.run(plan).is_complete
    assert account.members == before
    assert group_of(account.emulator, "a").id != "id-a"


def test_names_that_were_passed_on_are_passed_back(account):
    before = account.members
    again = GroupRef(id=None, name="a")
    account.apply(rename("b", "c"), rename("a", "b", 0), create("a", 1), add(again, "u5", 2))
    end = account.last_run().end
    assert end.verified
    assert account.run(account.undo(allow_removals=1)).is_complete
    assert account.members == before


def test_people_are_back_in_their_old_group_before_they_leave_the_new_one(account):
    account.apply(add("b", "u1"), remove("a", "u1", 0))
    plan = account.undo(allow_removals=1)
    assert actions(plan) == [(Action.ADD_USER, "a", "u1"), (Action.REMOVE_USER, "b", "u1")]
    assert plan.changes[1].depends_on == (0,)


@pytest.mark.parametrize(
    ("change", "operation", "arguments", "note"),
    [
        (add("a", "u9"), "remove_user", {"user_id": "u9"}, "is no longer in the group"),
        (remove("a", "u1"), "add_user", {"user_id": "u1"}, "is in the group again"),
        (remove("a", "u1"), "delete", {}, "no longer exists"),
        (rename("a", "A"), "update", {"name": "Z"}, "has another name since"),
        (rename("a", "A"), "create", {"name": "a"}, "another group is called 'a'"),
        (delete("a", "u1", "u2"), "create", {"name": "a"}, "a group of that name"),
    ],
)
def test_what_has_changed_since_is_left_alone_and_noted(
    account, change, operation, arguments, note
):
    account.apply(change)
    of_group = {} if operation == "create" else {"group_id": "id-a"}
    getattr(account.client.user_groups, operation)(**of_group, **arguments)
    plan = account.undo()
    assert plan.changes == ()
    assert len(plan.notes) == 1
    assert note in plan.notes[0]
    is_undone = note in ("is no longer in the group", "is in the group again")
    assert plan.held_back == (() if is_undone else plan.notes)


def test_an_undo_that_can_restore_nobody_is_incomplete(account):
    account.apply(delete("a", "u1", "u2"))
    account.client.user_groups.create(name="a")
    plan = account.undo()
    result = account.run(plan)
    assert (result.is_complete, result.verified) == (False, False)
    assert result.differences == plan.notes


def test_a_deletion_that_is_undone_already_holds_nothing_back(account):
    account.apply(delete("a", "u1", "u2"))
    done = account.last_run()
    assert account.run(account.undo(done)).is_complete
    again = account.undo(done)
    assert (again.changes, again.held_back) == ((), ())


def test_whom_the_run_protects_its_undo_does_not_remove(account):
    plan = account.plan(create("new"), add(NEW, "u5", 0), add("b", "u6"), add("b", "u7"))
    account.run(evolve(plan, protect=("u5@example.com", "u6")))
    made = account.undo()
    assert actions(made) == [(Action.REMOVE_USER, "b", "u7")]
    assert made.breaches == ()
    assert any("the user is protected" in held for held in made.held_back)
    assert any("members who are protected" in held for held in made.held_back)


def test_an_undo_names_the_email_that_its_user_has_now(account):
    account.apply(add("a", "u9"))
    account.emulator.update_user_account("u9", email="new-u9@example.com")
    (change,) = account.undo().changes
    assert change.user.email == "new-u9@example.com"


def test_a_created_group_with_others_stays_and_loses_whom_the_run_added(account):
    account.apply(create("new"), add(NEW, "u5", 0))
    account.emulator.add_member(group_of(account.emulator, "new").id, "u6")
    plan = account.undo()
    assert actions(plan) == [(Action.REMOVE_USER, "new", "u5")]
    assert "has another name or other members since" in plan.notes[0]


def rewrite(account: Account, edit: Callable[[bytes], bytes]) -> None:
    """Change what the only journal says."""
    path = next(account.folder.rglob("*.jsonl"))
    path.write_bytes(edit(path.read_bytes()))


def test_what_no_journal_confirms_is_undone_where_the_account_shows_it(account):
    account.apply(add("a", "u9"))
    rewrite(account, lambda text: text[: text.index(b'{"type":"outcome"') + 10])
    assert account.last_run().is_torn
    plan = account.undo()
    assert actions(plan) == [(Action.REMOVE_USER, "a", "u9")]
    assert "is not confirmed by the journal, but the account shows it" in plan.notes[0]
    account.emulator.remove_member("id-a", "u9")
    plan = account.undo()
    assert plan.changes == ()
    assert "and the account does not show it" in plan.notes[0]


def test_what_an_older_journal_calls_in_place_already_is_left_alone(account):
    account.apply(add("a", "u9"))
    rewrite(account, lambda text: text.replace(b'"status":"done"', b'"status":"already"'))
    assert account.undo().changes == ()


def test_an_undo_goes_through_the_guards(account):
    account.apply(*(add("b", f"u{number}") for number in range(10, 26)))
    plan = account.undo()
    assert {breach.guard for breach in plan.breaches} == {"max_removals", "max_removals_per_group"}
    assert account.undo(allow_removals=16).breaches == ()
    protected = undo_plan(
        account.last_run(),
        read_account(account.client),
        now=datetime.now(UTC),
        limits=GuardLimits(max_removals=100, max_removals_per_group=1.0),
        protect=["u10@*"],
        allow_removals=16,
    )
    assert [breach.guard for breach in protected.breaches] == ["protected"]


def test_a_run_on_another_account_is_rejected(account):
    account.apply(add("a", "u9"))
    other = read_account(client_of(Emulator(account_id="other")))
    with pytest.raises(ValueError, match="was on account 'acc'"):
        undo_plan(account.last_run(), other, now=datetime.now(UTC))


def test_a_group_is_not_emptied_where_nobody_could_be_put_back(account):
    account.apply(add("b", "u9"), remove("b", "u3"))
    account.fail("addUserToUserGroup", status=400, times=None)
    assert not account.run(account.undo()).is_complete
    assert account.members["b"] == {"u9"}
