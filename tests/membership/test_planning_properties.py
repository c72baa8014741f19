"""What holds for every plan, whatever the account and the file."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.membership.planned_accounts import NOW, TODAY, account_and_file, applied

from cld_user_groups.membership import (
    Action,
    Change,
    Desired,
    DesiredGroup,
    Directory,
    Group,
    Plan,
    Snapshot,
    adds_only,
    check_guards,
    parse_plan,
    plan,
    render_html,
    render_json,
    render_markdown,
    render_text,
)
from cld_user_groups.membership.directory import is_wanted


def each_case(test: Callable[..., None]) -> Callable[[], None]:
    """Run a test with many accounts and files."""
    return settings(max_examples=60)(given(account_and_file())(test))


def make(case: tuple[Snapshot, Desired]) -> Plan:
    snapshot, file = case
    return plan(snapshot, file, TODAY, now=NOW)


def user_id(email_or_id: str) -> str:
    """Return the ID of a user whose ID is "u-" and the local part of the e-mail."""
    return f"u-{email_or_id.strip().lower().split('@')[0]}".replace("u-u-", "u-")


def members_wanted(group: DesiredGroup, *, now: bool) -> set[str]:
    return {
        user_id(member.id or member.email)
        for member in group.members
        if is_wanted(member, TODAY) is now
    }


def found(snapshot: Snapshot, group: DesiredGroup) -> Group | None:
    names = (group.name, *group.previously)
    for candidate in snapshot.groups:
        if candidate.id == group.id or (group.id is None and candidate.name in names):
            return candidate
    return None


def ids(group: Group | None) -> set[str]:
    return set() if group is None else {member.id for member in group.members}


@each_case
def test_an_applied_plan_makes_the_account_what_the_file_asks_for(case):
    snapshot, file = case
    after = applied(snapshot, make(case))
    for group in file.groups:
        result = next((other for other in after.groups if other.name == group.name), None)
        if group.state == "absent":
            assert result is None
            continue
        expected = members_wanted(group, now=True)
        if group.mode == "additive":
            before = ids(found(snapshot, group))
            expected |= before - members_wanted(group, now=False)
        assert ids(result) == expected


def described(change: Change) -> tuple[object, ...]:
    return change.action, change.group.id or change.group.name, change.user


@given(account_and_file(), st.data())
def test_all_that_depends_on_what_is_held_back_is_held_back(case, data):
    """And only that: each other change is there, with all that it depends on."""
    snapshot, file = case
    whole = make(case)
    new = {change.group.name for change in whole.changes if change.action is Action.CREATE_GROUP}
    held = data.draw(st.sets(st.sampled_from(sorted(new)))) if new else set()
    # What is left out of the file's words holds a group back: each resembles one of the account.
    twins = tuple(Group(id=f"twin-{name}", name=f"{name.upper()} ") for name in sorted(held))
    made = plan(attrs.evolve(snapshot, groups=(*snapshot.groups, *twins)), file, TODAY, now=NOW)
    waiting: set[int] = set()
    for position, change in enumerate(whole.changes):
        is_held = change.action is Action.CREATE_GROUP and change.group.name in held
        if is_held or not waiting.isdisjoint(change.depends_on):
            waiting.add(position)
    kept = [described(each) for at, each in enumerate(whole.changes) if at not in waiting]
    missing = [each for each in kept if each not in map(described, made.changes)]
    # Beyond that, only who leaves a group that would end empty.
    assert all(action is Action.REMOVE_USER for action, *_ in missing)
    assert all(each in kept for each in map(described, made.changes))
    assert bool(made.held_back) == bool(held)


@each_case
def test_a_plan_after_an_applied_plan_is_empty(case):
    snapshot, file = case
    after = applied(snapshot, make(case))
    assert plan(after, file, TODAY, now=NOW).changes == ()


@each_case
def test_groups_that_the_file_does_not_name_are_not_touched(case):
    snapshot, file = case
    named = {group.id for wanted in file.groups if (group := found(snapshot, wanted))}
    made = make(case)
    touched = {change.group.id for change in made.changes if change.group.id}
    assert touched <= named
    assert touched == made.fingerprints.keys()
    after = {group.id: group for group in applied(snapshot, made).groups}
    for group in snapshot.groups:
        if group.id not in named:
            assert after[group.id] == group


@each_case
def test_a_plan_has_the_fewest_writes_that_lead_there(case):
    snapshot, _ = case
    made = make(case)
    before = {group.id: group for group in snapshot.groups}
    after = {group.id: group for group in applied(snapshot, made).groups}
    renamed = sum(before[key].name != after[key].name for key in before.keys() & after.keys())
    members = sum(len(ids(before.get(key)) ^ ids(after[key])) for key in after)
    assert len(made.changes) == len(before.keys() ^ after.keys()) + renamed + members


@each_case
def test_nobody_is_removed_before_their_additions_are_done(case):
    made = make(case)
    for position, change in enumerate(made.changes):
        leaving = {member.id for member in change.members}
        if change.action is Action.REMOVE_USER:
            leaving = {change.user.id}
        for other, addition in enumerate(made.changes):
            if addition.action is Action.ADD_USER and addition.user.id in leaving:
                assert other in change.depends_on, (position, change)


@each_case
def test_additions_to_a_new_group_depend_on_its_creation(case):
    made = make(case)
    for change in made.changes:
        if change.action is Action.ADD_USER and change.group.id is None:
            needed = [made.changes[position] for position in change.depends_on]
            assert [other.action for other in needed] == [Action.CREATE_GROUP]
            assert needed[0].group == change.group


@each_case
def test_additions_alone_pass_every_guard_and_take_nothing_away(case):
    snapshot, _ = case
    made = adds_only(make(case))
    assert made.removals == 0
    assert check_guards(made, snapshot) == ()
    after = {group.id: group for group in applied(snapshot, made).groups}
    for group in snapshot.groups:
        assert ids(group) <= ids(after[group.id])


@each_case
def test_the_exact_allowance_lets_any_plan_pass_and_no_other_number_helps(case):
    snapshot, _ = case
    made = make(case)
    assert check_guards(made, snapshot, None, made.removals) == ()
    for other in (made.removals - 1, made.removals + 1):
        refused = {breach.guard for breach in check_guards(made, snapshot, None, other)}
        assert refused == {breach.guard for breach in made.breaches}


@each_case
def test_a_saved_plan_loads_as_it_was(case):
    made = make(case)
    assert parse_plan(render_json(made)) == made


@each_case
def test_every_rendering_names_every_user_of_the_plan(case):
    made = make(case)
    for text in (render_text(made), render_markdown(made), render_html(made)):
        for change in made.changes:
            if change.user is not None:
                assert (change.user.email or change.user.id) in text


@each_case
def test_the_index_of_an_account_finds_what_a_search_of_it_finds(case):
    snapshot, file = case
    index = Directory(snapshot)
    for group in snapshot.groups:
        assert index.group(group.id) is group
        assert index.members(group.id) == {member.id: member for member in group.members}
        assert list(index.named(group.name)) == [
            other for other in snapshot.groups if other.name == group.name
        ]
    for group in file.groups:
        expected = found(snapshot, group)
        assert list(index.meant_by(group)) == ([] if expected is None else [expected])
    assert index.group("no-id") is index.group(None) is None
    assert not index.members("no-id")
