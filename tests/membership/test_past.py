"""An account as it was right after a run, and how two lists of groups differ."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cld_user_groups.membership.comparing import compare, groups_of
from cld_user_groups.membership.grants import GroupRef
from cld_user_groups.membership.history import as_of
from cld_user_groups.membership.model import (
    Action,
    Change,
    DesiredGroup,
    DesiredMember,
    Group,
    Member,
    Snapshot,
)
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


_users = st.sets(st.sampled_from(["u1", "u2", "u3"]))
_accounts = st.dictionaries(
    st.sampled_from(["g1", "g2", "g3"]), st.tuples(st.sampled_from("ABC"), _users)
)


def group(name: str, *emails: str, id: str | None = None, **more: object) -> DesiredGroup:  # noqa: A002
    members = tuple(DesiredMember(email=email) for email in emails)
    return DesiredGroup(name=name, id=id, members=members, **more)  # type: ignore[arg-type]


def told(before: list[DesiredGroup], after: list[DesiredGroup], *, by_id: bool = True) -> list[str]:
    """Return the differences, a few words each."""
    words: list[str] = []
    for each in compare(before, after, by_id=by_id):
        who = each.member and (each.member.email or each.member.id)
        words.append(" ".join(filter(None, (each.action, each.group.name, each.old_name, who))))
    return words


@given(_accounts, _accounts)
def test_the_differences_lead_from_the_one_account_to_the_other(before, after):
    account: Account = {key: (name, set(users)) for key, (name, users) in before.items()}
    for each in compare(groups_of(snapshot_of(before)), groups_of(snapshot_of(after))):
        key = each.group.id or ""
        user = each.member.id or "" if each.member else ""
        match each.action:
            case Action.CREATE_GROUP:
                account[key] = (each.group.name, set())
            case Action.DELETE_GROUP:
                assert not account.pop(key)[1]
            case Action.RENAME_GROUP:
                assert account[key][0] == each.old_name
                account[key] = (each.group.name, account[key][1])
            case Action.ADD_USER:
                assert user not in account[key][1]
                account[key][1].add(user)
            case Action.REMOVE_USER:
                account[key][1].remove(user)
    assert account == after
    assert snapshot_of(before).taken_at == BEGINNING


def test_groups_without_an_id_are_the_same_by_name_and_members_by_email():
    before = [group("A", "a@x.example", "B@x.example"), group("Gone")]
    after = [group("New"), group("A", " b@X.example", "c@x.example", id="g1")]
    assert told(before, after) == [
        "add_user A c@x.example",
        "remove_user A a@x.example",
        "delete_group Gone",
        "create_group New",
    ]


def test_a_previous_name_makes_a_rename_unless_the_name_is_another_groups():
    assert told([group("Old")], [group("New", previously=("Old",))]) == ["rename_group New Old"]
    both = [group("New", previously=("Old",)), group("Old")]
    assert told([group("Old")], both) == ["create_group New"]


def test_two_ids_are_two_groups_whatever_they_are_called():
    before, after = [group("A", id="g1")], [group("A", id="g2")]
    assert told(before, after) == ["delete_group A", "create_group A"]
    assert told(before, after, by_id=False) == []


def test_a_member_is_the_same_by_id_but_not_in_another_account():
    before = [DesiredGroup(name="A", members=(DesiredMember(id="u1", email="old@x.example"),))]
    after = [DesiredGroup(name="A", members=(DesiredMember(id="u1", email="new@x.example"),))]
    assert told(before, after) == []
    assert len(told(before, after, by_id=False)) == 2


def test_a_member_with_an_id_is_the_same_as_one_that_has_only_the_email():
    with_id = [DesiredGroup(name="A", members=(DesiredMember(id="u1", email="a@x.example"),))]
    assert told(with_id, [group("A", "A@x.example")]) == []
    assert told([group("A", "A@x.example")], with_id) == []


def test_a_group_that_a_file_wants_absent_is_not_there():
    assert told([group("A")], [group("A", state="absent")]) == ["delete_group A"]
