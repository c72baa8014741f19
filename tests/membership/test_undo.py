"""Undo: the inverse of a run, as far as it still stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve

from cld_user_groups import CldProvisioning
from cld_user_groups.emulator import Emulator
from cld_user_groups.membership.applying import apply
from cld_user_groups.membership.model import Action, Change, GroupRef, GuardLimits, Plan
from cld_user_groups.membership.runs import Run, load_run
from cld_user_groups.membership.snapshot import read_account
from cld_user_groups.membership.state import state_directory
from cld_user_groups.membership.undo import undo_plan

from .accounts import (
    add,
    client_of,
    create,
    delete,
    emulated,
    existing,
    group_of,
    members,
    plan_for,
    remove,
    rename,
)

NEW = GroupRef(id=None, name="new")
pytestmark = pytest.mark.usefixtures("waits")


@pytest.fixture
def emulator() -> Emulator:
    return emulated({"a": ["u1", "u2"], "b": ["u3"]}, [f"u{number}" for number in range(30)])


@pytest.fixture
def client(emulator: Emulator) -> CldProvisioning:
    return client_of(emulator)


@pytest.fixture
def run(client: CldProvisioning, tmp_path: Path) -> Callable[..., Run]:
    """Apply changes, and return the run from its journal."""

    def apply_changes(*changes: Change) -> Run:
        result = apply(client, plan_for(client, *changes), state_dir=tmp_path)
        return load_run(state_directory("acc", tmp_path), result.run)

    return apply_changes


def undo(client: CldProvisioning, run: Run, allow_removals: int | None = None) -> Plan:
    return undo_plan(
        run, read_account(client), now=datetime.now(UTC), allow_removals=allow_removals
    )


def actions(plan: Plan) -> list[tuple[Action, str, str]]:
    return [
        (change.action, change.group.name, change.user.id if change.user else "")
        for change in plan.changes
    ]


def test_everything_that_a_run_did_is_taken_back(
    emulator: Emulator, client: CldProvisioning, run: Callable[..., Run], tmp_path: Path
) -> None:
    before = members(emulator)
    done = run(
        create("new"),
        rename("a", "A"),
        add(NEW, "u1", 0),
        add("b", "u9"),
        remove(existing("A", "id-a"), "u1", 2),
    )
    plan = undo(client, done, allow_removals=2)
    assert plan.source == f"undo of {done.id}"
    assert actions(plan) == [
        (Action.RENAME_GROUP, "a", ""),
        (Action.ADD_USER, "A", "u1"),
        (Action.REMOVE_USER, "b", "u9"),
        (Action.DELETE_GROUP, "new", ""),
    ]
    assert plan.breaches == ()
    assert apply(client, plan, state_dir=tmp_path).is_complete
    assert members(emulator) == before


def test_an_undo_can_be_undone(
    emulator: Emulator, client: CldProvisioning, run: Callable[..., Run], tmp_path: Path
) -> None:
    done = run(rename("a", "A"), add("b", "u9"), add("b", "u8"))
    after = members(emulator)
    result = apply(client, undo(client, done, 2), state_dir=tmp_path)
    again = load_run(state_directory("acc", tmp_path), result.run)
    assert apply(client, undo(client, again), state_dir=tmp_path).is_complete
    assert members(emulator) == after


def test_a_deleted_group_comes_back_with_its_members_and_a_new_id_and_says_so(
    emulator: Emulator, client: CldProvisioning, run: Callable[..., Run], tmp_path: Path
) -> None:
    before = members(emulator)
    plan = undo(client, run(delete("a", "u1", "u2")))
    assert plan.notes == (
        "The group 'a' comes back with a new ID: it was id-a.",
        "Roles and shares hang on the ID of a group: those of 'a' do not come back.",
    )
    assert apply(client, plan, state_dir=tmp_path).is_complete
    assert members(emulator) == before
    assert group_of(emulator, "a").id != "id-a"


def test_names_that_were_passed_on_are_passed_back(
    emulator: Emulator, client: CldProvisioning, run: Callable[..., Run], tmp_path: Path
) -> None:
    before = members(emulator)
    done = run(
        rename("b", "c"),
        rename("a", "b", 0),
        create("a", 1),
        add(GroupRef(id=None, name="a"), "u5", 2),
    )
    assert done.end is not None
    assert done.end.verified
    assert apply(client, undo(client, done, 1), state_dir=tmp_path).is_complete
    assert members(emulator) == before


def test_people_are_back_in_their_old_group_before_they_leave_the_new_one(
    client: CldProvisioning, run: Callable[..., Run]
) -> None:
    plan = undo(client, run(add("b", "u1"), remove("a", "u1", 0)), 1)
    assert actions(plan) == [(Action.ADD_USER, "a", "u1"), (Action.REMOVE_USER, "b", "u1")]
    assert plan.changes[1].depends_on == (0,)


@pytest.mark.parametrize(
    ("change", "since", "note"),
    [
        (
            add("a", "u9"),
            lambda groups: groups.remove_user(group_id="id-a", user_id="u9"),
            "is no longer in the group",
        ),
        (
            remove("a", "u1"),
            lambda groups: groups.add_user(group_id="id-a", user_id="u1"),
            "is in the group again",
        ),
        (remove("a", "u1"), lambda groups: groups.delete(group_id="id-a"), "no longer exists"),
        (
            rename("a", "A"),
            lambda groups: groups.update(group_id="id-a", name="Z"),
            "has another name since",
        ),
        (rename("a", "A"), lambda groups: groups.create(name="a"), "another group is called 'a'"),
        (delete("a", "u1", "u2"), lambda groups: groups.create(name="a"), "a group of that name"),
    ],
)
def test_what_has_changed_since_is_left_alone_and_noted(
    client: CldProvisioning,
    run: Callable[..., Run],
    change: Change,
    since: Callable[[object], object],
    note: str,
) -> None:
    done = run(change)
    since(client.user_groups)
    plan = undo(client, done)
    assert plan.changes == ()
    assert len(plan.notes) == 1
    assert note in plan.notes[0]
    is_undone = note in ("is no longer in the group", "is in the group again")
    assert plan.held_back == (() if is_undone else plan.notes)


def test_an_undo_that_can_restore_nobody_is_incomplete(
    client: CldProvisioning, run: Callable[..., Run], tmp_path: Path
) -> None:
    done = run(delete("a", "u1", "u2"))
    client.user_groups.create(name="a")
    plan = undo(client, done)
    result = apply(client, plan, state_dir=tmp_path)
    assert (result.is_complete, result.verified) == (False, False)
    assert result.differences == plan.notes


def test_a_deletion_that_is_undone_already_holds_nothing_back(
    client: CldProvisioning, run: Callable[..., Run], tmp_path: Path
) -> None:
    done = run(delete("a", "u1", "u2"))
    assert apply(client, undo(client, done), state_dir=tmp_path).is_complete
    again = undo(client, done)
    assert (again.changes, again.held_back) == ((), ())


def test_whom_the_run_protects_its_undo_does_not_remove(
    client: CldProvisioning, tmp_path: Path
) -> None:
    changes = (create("new"), add(NEW, "u5", 0), add("b", "u6"), add("b", "u7"))
    plan = evolve(plan_for(client, *changes), protect=("u5@example.com", "u6"))
    result = apply(client, plan, state_dir=tmp_path)
    made = undo(client, load_run(state_directory("acc", tmp_path), result.run))
    assert actions(made) == [(Action.REMOVE_USER, "b", "u7")]
    assert made.breaches == ()
    assert any("the user is protected" in held for held in made.held_back)
    assert any("members who are protected" in held for held in made.held_back)


def test_an_undo_names_the_email_that_its_user_has_now(
    client: CldProvisioning, run: Callable[..., Run]
) -> None:
    done = run(add("a", "u9"))
    snapshot = read_account(client)
    groups = tuple(
        evolve(
            group,
            members=tuple(evolve(each, email=f"new-{each.email}") for each in group.members),
        )
        for group in snapshot.groups
    )
    plan = undo_plan(done, evolve(snapshot, groups=groups), now=datetime.now(UTC))
    assert plan.changes[0].user is not None
    assert plan.changes[0].user.email == "new-u9@example.com"


def test_a_created_group_with_others_in_it_is_not_deleted_but_loses_whom_the_run_put_there(
    emulator: Emulator, client: CldProvisioning, run: Callable[..., Run]
) -> None:
    done = run(create("new"), add(NEW, "u5", 0))
    client.user_groups.add_user(group_id=group_of(emulator, "new").id, user_id="u6")
    plan = undo(client, done)
    assert actions(plan) == [(Action.REMOVE_USER, "new", "u5")]
    assert "has another name or other members since" in plan.notes[0]


def test_what_the_journal_does_not_confirm_is_undone_where_the_account_shows_it(
    client: CldProvisioning, run: Callable[..., Run], emulator: Emulator, tmp_path: Path
) -> None:
    done = run(add("a", "u9"))
    path = next(tmp_path.rglob("*.jsonl"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:10])
    torn = load_run(state_directory("acc", tmp_path), done.id)
    plan = undo(client, torn)
    assert actions(plan) == [(Action.REMOVE_USER, "a", "u9")]
    assert "is not confirmed by the journal, but the account shows it" in plan.notes[0]
    client.user_groups.remove_user(group_id="id-a", user_id="u9")
    plan = undo(client, torn)
    assert plan.changes == ()
    assert "and the account does not show it" in plan.notes[0]


def test_what_an_older_journal_says_was_in_place_before_the_run_is_left_alone(
    client: CldProvisioning, run: Callable[..., Run], tmp_path: Path
) -> None:
    done = run(add("a", "u9"))
    path = next(tmp_path.rglob("*.jsonl"))
    path.write_text(path.read_text().replace('"status":"done"', '"status":"already"'))
    assert undo(client, load_run(state_directory("acc", tmp_path), done.id)).changes == ()


def test_an_undo_goes_through_the_guards(client: CldProvisioning, run: Callable[..., Run]) -> None:
    done = run(*(add("b", f"u{number}") for number in range(10, 26)))
    plan = undo(client, done)
    assert {breach.guard for breach in plan.breaches} == {"max_removals", "max_removals_per_group"}
    assert undo(client, done, allow_removals=16).breaches == ()
    protected = undo_plan(
        done,
        read_account(client),
        now=datetime.now(UTC),
        limits=GuardLimits(max_removals=100, max_removals_per_group=1.0),
        protect=["u10@*"],
        allow_removals=16,
    )
    assert [breach.guard for breach in protected.breaches] == ["protected"]


def test_a_run_on_another_account_is_rejected(
    client: CldProvisioning, run: Callable[..., Run]
) -> None:
    done = run(add("a", "u9"))
    other = read_account(client_of(Emulator(account_id="other")))
    with pytest.raises(ValueError, match="was on account 'acc'"):
        undo_plan(done, other, now=datetime.now(UTC))


def test_a_group_is_not_emptied_where_nobody_could_be_put_back(
    emulator: Emulator, client: CldProvisioning, run: Callable[..., Run], tmp_path: Path
) -> None:
    done = run(add("b", "u9"), remove("b", "u3"))
    emulator.fail("addUserToUserGroup", status=400, times=None)
    assert not apply(client, undo(client, done), state_dir=tmp_path).is_complete
    assert members(emulator)["b"] == {"u9"}
