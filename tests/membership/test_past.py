"""An account as it was right after a run."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cld_user_groups.membership.grants import GroupRef
from cld_user_groups.membership.history import as_of
from cld_user_groups.membership.model import Action, Change, Group, Member, Snapshot
from cld_user_groups.membership.result import Status
from cld_user_groups.membership.runs import Run

from .recorded import BEGINNING, created, deleted, joins, leaves, renamed, run_of

Account = dict[str, tuple[str, set[str]]]
"""By group ID, its name and its members."""


def snapshot_of(account: Account) -> Snapshot:
    groups = tuple(
        Group(
            id=group_id,
            name=name,
            members=tuple(Member(id=user, email=f"{user}@example.com") for user in sorted(users)),
        )
        for group_id, (name, users) in account.items()
    )
    return Snapshot(account_id="acc", groups=groups, taken_at=BEGINNING)


def account_of(snapshot: Snapshot) -> Account:
    return {
        group.id: (group.name, {member.id for member in group.members}) for group in snapshot.groups
    }


@st.composite
def past(draw: st.DrawFn) -> tuple[list[Run], list[Account]]:
    """Draw runs that could have happened, and the account after each."""
    account: Account = {"g0": ("G0", {"u0", "u1"}), "g1": ("G1", {"u2"})}
    runs: list[Run] = []
    accounts: list[Account] = []
    names = iter(range(1000))
    for number in range(draw(st.integers(1, 5))):
        changes: list[Change] = []
        for _ in range(draw(st.integers(0, 6))):
            changes.append(_change(draw, account, next(names)))
        runs.append(run_of(number, *changes))
        accounts.append({group: (name, set(users)) for group, (name, users) in account.items()})
    return runs, accounts


def _change(draw: st.DrawFn, account: Account, number: int) -> Change:
    action = draw(st.sampled_from(Action)) if account else Action.CREATE_GROUP
    if action is Action.CREATE_GROUP:
        account[f"n{number}"] = (f"N{number}", set())
        return created(f"n{number}")
    group = draw(st.sampled_from(sorted(account)))
    name, users = account[group]
    user = draw(st.sampled_from([f"u{each}" for each in range(4)]))
    if action is Action.RENAME_GROUP:
        account[group] = (f"R{number}", users)
        return renamed(group, name, f"R{number}")
    if action is Action.DELETE_GROUP:
        del account[group]
        return evolve(deleted(group, *sorted(users)), group=GroupRef(id=group, name=name))
    if user in users:
        users.discard(user)
        return leaves(user, group)
    users.add(user)
    return joins(user, group)


@given(past(), st.data())
def test_an_account_is_as_it_was_after_a_run_if_only_runs_changed_it(happened, data):
    runs, accounts = happened
    number = data.draw(st.integers(0, len(runs) - 1))
    found = as_of(snapshot_of(accounts[-1]), runs, f"run-{number}")
    assert account_of(found.snapshot) == accounts[number]
    assert found.notes == ()
    assert found.snapshot.taken_at == found.run.end.at


def test_members_who_left_have_the_names_that_the_account_still_knows():
    now = Snapshot(
        account_id="acc",
        groups=(Group(id="g1", name="G1"),),
        people=(Member(id="u1", email="u1@example.com", name="Una"),),
        taken_at=BEGINNING,
    )
    runs = [run_of(1), run_of(2, leaves("u1", "g1"), leaves("u2", "g1"))]
    (group,) = as_of(now, runs, "run-1").snapshot.groups
    assert [(member.id, member.name) for member in group.members] == [("u2", None), ("u1", "Una")]


def test_what_nothing_tells_is_left_as_it_is_and_noted():
    now = snapshot_of({"g1": ("G1", {"u1"})})
    runs = [run_of(1), run_of(2, joins("u1", "g1"), status=Status.UNKNOWN)]
    found = as_of(now, runs, "run-1")
    assert account_of(found.snapshot) == {"g1": ("G1", {"u1"})}
    assert found.notes == (
        "Change 1 of run run-2 may have been applied or not; it is left as it is now.",
    )


@pytest.mark.parametrize("status", [Status.FAILED, Status.ALREADY, Status.NOT_STARTED])
def test_what_a_run_did_not_do_is_not_taken_out(status):
    now = snapshot_of({"g1": ("G1", {"u1"})})
    found = as_of(now, [run_of(1), run_of(2, joins("u1", "g1"), status=status)], "run-1")
    assert account_of(found.snapshot) == {"g1": ("G1", {"u1"})}


def test_a_change_to_a_group_that_another_has_deleted_is_left_out():
    runs = [run_of(1), run_of(2, leaves("u1", "g1"), renamed("g1", "G0", "G1"))]
    assert as_of(snapshot_of({}), runs, "run-1").snapshot.groups == ()


def test_an_unknown_run_and_a_run_of_another_account_are_rejected():
    with pytest.raises(ValueError, match="no run 'run-7' on account 'acc'"):
        as_of(snapshot_of({}), [run_of(1)], "run-7")
    with pytest.raises(ValueError, match="run-2 was not on account 'acc'"):
        as_of(snapshot_of({}), [run_of(1), run_of(2, account="other")], "run-1")
