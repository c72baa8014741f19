"""An undo assigns the roles that were recorded, where it is told to: exactly these, or none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from cld_user_groups.emulator import Emulator, EmulatorAssignment, EmulatorRole
from cld_user_groups.membership.grants import Grant
from cld_user_groups.membership.model import Action, Plan
from cld_user_groups.membership.plan_file import parse_plan, render_json
from cld_user_groups.membership.problems import PlanFileError
from cld_user_groups.membership.rendering import render_html, render_markdown, render_text
from cld_user_groups.membership.restoring import Restoration
from cld_user_groups.membership.result import Status
from cld_user_groups.membership.roles import read_restoration
from cld_user_groups.membership.runs import Run, list_runs
from cld_user_groups.membership.snapshot import read_account
from cld_user_groups.membership.state import state_directory
from cld_user_groups.membership.undo import undo_plan

from .accounts import add, client_of, delete, emulated, group_of, remove
from .applied import WAYS, Account

ADMIN = "cld::role::prodenv::master_admin"
EDITOR = "cld::role::prodenv::media_editor"
VIEWER = "cld::role::account::reports_viewer"
OWN = "campaign_contributor_12334565"
ROLES = (
    EmulatorAssignment(EDITOR, "e1"),
    EmulatorAssignment(VIEWER),
    EmulatorAssignment(OWN, "e1", {"folder_id": "f1"}),
    EmulatorAssignment(ADMIN, "all"),
)
TEXTS = {
    EDITOR: "Media Editor in product environment e1",
    VIEWER: "Reports Viewer in the account",
    OWN: "Campaign Contributor in product environment e1, folder f1",
    ADMIN: "Master Admin (full control) in all product environments",
}
pytestmark = pytest.mark.usefixtures("waits")


@pytest.fixture
def one(tmp_path: Path) -> Account:
    emulator = emulated({"a": ["u1", "u2"], "b": ["u3"]}, ["u1", "u2", "u3", "u4"])
    for role in ROLES:
        emulator.roles.assign("id-a", role.role_id, role.scope_id, **role.policy_parameters)
    return Account(emulator, client_of(emulator), tmp_path)


def runs(account: Account) -> Iterable[Run]:
    found = list_runs(state_directory("acc", account.folder))
    return [summary.run for summary in found if summary.run is not None]


def undo(account: Account, run: Run | None = None, *, restores: bool = True) -> Plan:
    """Return the undo of a run, by default the last one, with the roles that it restores."""
    run = run or account.last_run()
    restoration = read_restoration(account.client, run, runs(account)) if restores else None
    arguments: dict[str, Any] = {"now": datetime.now(UTC), "restoration": restoration}
    snapshot = read_account(account.client)
    plan = undo_plan(run, snapshot, **arguments)
    return undo_plan(run, snapshot, allow_removals=plan.removals, **arguments)


def deleted(account: Account) -> Run:
    account.apply(delete("a", "u1", "u2"))
    account.emulator.calls.clear()
    return account.last_run()


def assigned(emulator: Emulator, name: str = "a") -> set[EmulatorAssignment]:
    """Return what is assigned to the group of a name, in a form that can be compared."""
    return {*map(_hashable, emulator.roles.of(group_of(emulator, name).id))}


def _hashable(role: EmulatorAssignment) -> Any:
    return role.role_id, role.scope_id, tuple(sorted(role.policy_parameters.items()))


ALL = {*map(_hashable, ROLES)}


def test_a_group_that_comes_back_has_exactly_the_roles_that_it_had(account):
    deleted(account)
    plan = undo(account)
    roles = [change.role.text for change in plan.changes if change.role is not None]
    assert sorted(roles) == sorted(TEXTS.values())
    result = account.run(plan)
    assert (result.is_complete, result.verified) == (True, True)
    assert assigned(account.emulator) == ALL
    assert account.members["a"] == {"u1", "u2"}


def test_no_role_is_assigned_unless_a_human_says_so(account):
    deleted(account)
    plan = undo(account, restores=False)
    assert all(text in plan.warnings[0] for text in TEXTS.values())
    assert account.run(plan).is_complete
    assert assigned(account.emulator) == set()
    account.emulator.calls.assert_not_called("updatePrincipalRoles")
    account.emulator.calls.assert_not_called("getRoles")


CHANGED: dict[str, dict[str, Any]] = {
    "the role was changed since": {"updated_at": 2_000_000_000},
    "the role is of another kind now": {"management_type": "custom"},
    "the role is called `Editor` now": {"name": "Editor"},
}
KINDS = [{"management_type": "custom"}, {"permission_type": "content"}, {"scope_type": "account"}]


@pytest.mark.parametrize("way", [True, False], ids=["before the plan", "after it"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        *((change, why) for why, change in CHANGED.items()),
        *((kind, "the role is of another kind now") for kind in KINDS),
    ],
)
def test_a_role_that_is_not_as_recorded_is_listed_and_not_assigned(one, change, why, way):
    deleted(one)
    (editor,) = (role for role in one.emulator.roles.all if role.id == EDITOR)
    if way:
        one.emulator.roles.define(evolve(editor, **change))
    plan = undo(one)
    if way:
        assert plan.held_back == (f"Not restored for `a`: {TEXTS[EDITOR]}: {why}.",)
    else:
        one.emulator.roles.define(evolve(editor, **change))
    result = one.run(plan)
    assert not result.is_complete
    assert any(TEXTS[EDITOR] in difference for difference in result.differences)
    assert why in " ".join([*result.differences, *(each.error for each in result.outcomes)])
    assert assigned(one.emulator) == {each for each in ALL if each[0] != EDITOR}
    assert one.members["a"] == {"u1", "u2"}


def test_a_role_that_no_longer_exists_is_listed_and_not_assigned():
    why = Restoration(assignable=()).obstacle(Grant("Editor", EDITOR, "prodenv", "e1"))
    assert why == "the role no longer exists"


@pytest.mark.parametrize(
    ("grant", "why"),
    [
        ({"where": None}, "the record does not say in which product environment"),
        ({"within": (("folder_id", "f1"),)}, "does not say in which folder or collection"),
        ({"is_content": True}, "the role is of another kind now"),
        ({"scope": "account"}, "the role is of another kind now"),
        ({"updated_at": 0}, "the role was changed since"),
    ],
)
def test_a_record_that_contradicts_itself_assigns_nothing(one, grant, why):
    run = deleted(one)
    (outcome,) = run.outcomes
    (editor,) = (each for each in outcome.roles.granted if each.role_id == EDITOR)
    record = evolve(outcome.roles, granted=(evolve(editor, **grant),))
    edited = evolve(run, outcomes=(evolve(outcome, roles=record),))
    plan = undo(one, edited)
    assert why in plan.held_back[0]
    assert all(change.role is None for change in plan.changes)


PLACE = "the record does not say in which folder or collection"
NOT_EXACT: dict[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "empty": ((("folder_id", ""),), PLACE),
    "blank": ((("folder_id", " "),), PLACE),
    "one of two is empty": ((("collection_id", ""), ("folder_id", "f1")), PLACE),
    "not a parameter": ((("Folder_Id", "f1"),), "not restricted by what the record names"),
}


@pytest.mark.parametrize(("within", "why"), NOT_EXACT.values(), ids=NOT_EXACT)
def test_a_role_for_content_needs_an_exact_place(one, within, why):
    (outcome,) = deleted(one).outcomes
    (own,) = (each for each in outcome.roles.granted if each.role_id == OWN)
    listed = tuple(one.client.roles.list().data)
    assert Restoration(assignable=listed).obstacle(own) == ""
    assert why in Restoration(assignable=listed).obstacle(evolve(own, within=within))


def test_a_role_that_is_listed_twice_must_be_as_recorded_in_both(one):
    (outcome,) = deleted(one).outcomes
    (editor,) = (each for each in outcome.roles.granted if each.role_id == EDITOR)
    (role,) = (each for each in one.client.roles.list().data if each.id == EDITOR)
    changed = evolve(role, updated_at=2_000_000_000)
    for listed in ((role, changed), (changed, role)):
        assert Restoration(assignable=listed).obstacle(editor) == "the role was changed since"


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_people_come_back_where_the_permissions_api_does_not(account, status):
    deleted(account)
    account.emulator.roles.refused_with = status
    plan = undo(account)
    assert len(plan.held_back) == len(ROLES)
    assert all("the roles that can be assigned are not known" in each for each in plan.held_back)
    result = account.run(plan)
    assert (result.is_complete, result.verified) == (False, False)
    assert account.members["a"] == {"u1", "u2"}


FAULTS: dict[str, tuple[dict[str, Any], set[Status]]] = {
    "401": ({"status": 401}, {Status.FAILED}),
    "403": ({"status": 403}, {Status.FAILED}),
    "404": ({"status": 404}, {Status.FAILED}),
    "409": ({"status": 409}, {Status.UNKNOWN}),
    "500": ({"status": 500}, {Status.UNKNOWN}),
    "500 applied": ({"status": 500, "apply": True}, {Status.DONE}),
    "429": ({"status": 429, "times": 2}, {Status.DONE}),
    "accepted, and not done": ({"status": 200, "body": ""}, {Status.UNKNOWN}),
    "dropped before": ({"drop": "before"}, {Status.UNKNOWN}),
    "dropped after": ({"drop": "after"}, {Status.DONE}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_role_that_cannot_be_assigned_holds_back_nothing_else(account, fault):
    account.apply(add("b", "u1"), add("b", "u2"), delete("a", "u1", "u2"))
    plan = undo(account)
    how, expected = FAULTS[fault]
    account.fail("updatePrincipalRoles", **{"times": None, **how})
    account.client = client_of(account.emulator)
    result = account.run(plan)
    found = {each.status for each in result.outcomes if each.change.role is not None}
    assert found == expected
    assert {each.status for each in result.outcomes if each.change.role is None} == {Status.DONE}
    assert account.members == {"a": {"u1", "u2"}, "b": {"u3"}}
    assert assigned(account.emulator) <= ALL
    assert result.is_complete is (assigned(account.emulator) == ALL)


def test_whoever_leaves_another_group_does_so_once_the_roles_are_back(one):
    one.apply(add("b", "u1"), delete("a", "u1", "u2"))
    plan = undo(one)
    roles = [at for at, change in enumerate(plan.changes) if change.role is not None]
    (leaves,) = (change for change in plan.changes if change.action is Action.REMOVE_USER)
    assert {*roles} <= {*leaves.depends_on}
    joins = [at for at, change in enumerate(plan.changes) if change.action is Action.ADD_USER]
    assert max(joins) < min(roles)


def test_the_roles_of_a_group_are_assigned_one_at_a_time(one):
    deleted(one)
    plan = undo(one)
    roles = [at for at, change in enumerate(plan.changes) if change.role is not None]
    for before, after in pairwise(roles):
        assert before in plan.changes[after].depends_on


@pytest.mark.parametrize("way", WAYS)
def test_roles_can_be_restored_by_a_later_undo_of_the_same_run(one, way):
    run = deleted(one)
    one.run(undo(one, run, restores=False))
    one.emulator.roles.assign(group_of(one.emulator, "a").id, EDITOR, "e1")
    plan = undo(one, run)
    assert {change.action for change in plan.changes} == {Action.ASSIGN_ROLE}
    assert f"Already in place: {TEXTS[EDITOR]} for `a`." in plan.notes
    one.way = way
    assert one.run(plan).is_complete
    assert assigned(one.emulator) == ALL
    assert undo(one, run).changes == ()
    assert undo(one, run).held_back == ()


def test_roles_are_not_given_to_a_group_that_no_undo_has_created(one):
    run = deleted(one)
    one.emulator.add_group("a", users=["u1", "u2"])
    plan = undo(one, run)
    assert plan.changes == ()
    assert "no undo of the run is known to have created that group" in plan.held_back[-1]
    assert all(text in plan.held_back[-1] for text in TEXTS.values())


def test_roles_are_not_given_to_people_who_did_not_have_them(one):
    run = deleted(one)
    one.run(undo(one, run, restores=False))
    one.emulator.add_member(group_of(one.emulator, "a").id, "u4")
    plan = undo(one, run)
    assert plan.changes == ()
    assert "the group has other members since" in plan.held_back[-1]


def test_a_group_whose_creation_is_not_confirmed_gets_no_role(one):
    run = deleted(one)
    one.run(undo(one, run, restores=False))
    path = max(one.folder.rglob("*.jsonl"))
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))  # and killed
    plan = undo(one, run)
    assert all(change.role is None for change in plan.changes)
    assert "no undo of the run is known to have created that group" in plan.held_back[-1]


def test_an_assignment_that_was_cut_off_is_unknown_and_made_again(one):
    run = deleted(one)
    one.run(undo(one, run))
    path = max(one.folder.rglob("*.jsonl"))
    lines = path.read_bytes().splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if b'"action":"assign_role"' in line)
    path.write_bytes(b"".join(lines[: first + 1]))
    assert any(outcome.change.role is not None for outcome in one.last_run().unconfirmed)
    again = undo(one, run)
    assert (again.changes, again.held_back) == ((), ())  # for they are all in place


def test_undoing_an_undo_ends_the_roles_with_the_group_and_records_them(one):
    deleted(one)
    one.run(undo(one))
    undoing = undo(one)
    assert [change.action for change in undoing.changes] == [Action.DELETE_GROUP]
    assert (one.run(undoing).is_complete, "a" in one.members) == (True, False)
    one.run(undo(one))
    assert assigned(one.emulator) == ALL
    sent = [call for call in one.emulator.calls if call.operation_id == "updatePrincipalRoles"]
    assert all(b'"operation":"add"' in call.body for call in sent)


def test_an_undo_takes_no_role_away(one):
    run = deleted(one)
    one.run(undo(one, run, restores=False))
    one.run(undo(one, run))
    plan = undo(one)
    assert plan.changes == ()
    assert len(plan.held_back) == len(ROLES)
    assert all("an undo ends no role" in each for each in plan.held_back)


def test_what_was_not_known_is_not_restored_and_not_none(one):
    one.emulator.roles.refused_with = 403
    deleted(one)
    one.emulator.roles.refused_with = None
    plan = undo(one)
    assert "does not have the Permissions API (status 403)" in plan.held_back[0]
    assert not one.run(plan).is_complete


def test_a_journal_without_roles_restores_none_and_says_so(one):
    (outcome,) = (run := deleted(one)).outcomes
    older = evolve(run, outcomes=(evolve(outcome, roles=None),))
    assert undo(one, older).held_back == (
        "The roles of `a` are not restored: the journal does not have them.",
    )
    assert undo(one, older, restores=False).held_back == ()


def test_a_role_with_full_control_stands_out(one):
    deleted(one)
    plan = undo(one)
    (line,) = (each for each in render_text(plan, color=True).splitlines() if "Admin" in each)
    assert "\x1b[33;1m" in line
    assert "(full control)" in render_html(plan)
    assert "(full control)" in render_markdown(plan)


def test_a_saved_plan_assigns_no_role(one):
    deleted(one)
    with pytest.raises(PlanFileError, match="only `undo` with --restore-roles does"):
        parse_plan(render_json(undo(one)))
    parse_plan(render_json(undo(one, restores=False)))


def test_a_run_that_deletes_nothing_reads_no_role(one):
    one.apply(remove("a", "u1"))
    one.emulator.calls.clear()
    undo(one)
    assert {call.operation_id for call in one.emulator.calls} == {"getUserGroups"}


def test_a_role_of_the_accounts_own_is_restored_as_one_of_the_system(one):
    one.emulator.roles.define(EmulatorRole("own_1", "Own", management_type="custom"))
    one.emulator.roles.assign("id-a", "own_1", "e2")
    deleted(one)
    one.run(undo(one))
    assert ("own_1", "e2", ()) in assigned(one.emulator)


@pytest.mark.parametrize("quota", range(4, 24))
def test_assigning_roles_leaves_what_is_kept_of_the_quota(one, quota):
    deleted(one)
    plan = undo(one)
    one.emulator.set_quota(quota)
    one.emulator.calls.clear()
    one.run(plan, keep_quota=2)
    assert quota - len(one.emulator.calls) >= 2
