"""What holds for rules and managed groups, whatever the account and the file, told by search."""

from __future__ import annotations

import itertools

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.membership.planned_accounts import USERS, account_and_file, applied
from tests.membership.test_planning_properties import described, found, ids, make, user_id

from cld_user_groups.membership import (
    Action,
    Change,
    Desired,
    Grant,
    Member,
    Roles,
    Rule,
    Snapshot,
    check_rules,
)

GRANTS = {
    ("group", "g-Ops"): ("Admin",), ("group", "g-Sales"): ("Admin", "Editor"),
    ("user", "u-eve"): ("Admin",), ("user", "u-fay"): None,
}  # fmt: skip


def granted(kind: str, name: str) -> tuple[Grant, ...] | None:
    found = GRANTS.get((kind, name), ())
    return found and tuple(Grant(role, role, "account") for role in found)


@st.composite
def ruled(draw: st.DrawFn) -> tuple[Snapshot, Desired]:
    """Return an account and a file with rules and with groups that something else manages."""
    snapshot, file = draw(account_and_file())
    known = {("group", group.id): granted("group", group.id) for group in snapshot.groups} | {
        ("user", f"u-{name}"): granted("user", f"u-{name}") for name in USERS
    }
    known = {key: grants for key, grants in known.items() if grants is not None}
    of_group = st.sampled_from(
        [
            Rule(kind="max_members", limit=0),
            Rule(kind="max_members", limit=2),
            Rule(kind="email_domains", values=("example.org",)),
            Rule(kind="require_until"),
            Rule(kind="not_with_role", values=("admin",)),
        ]
    )
    groups = tuple(
        attrs.evolve(
            group,
            rules=tuple(draw(st.lists(of_group, max_size=2))) if group.state == "present" else (),
            managed_by=draw(st.sampled_from([None, None, None, "scim"])),
        )
        for group in file.groups
    )
    claimed = [found(snapshot, group) for group in groups]
    others = (group.name for group in snapshot.groups if group not in claimed)
    names = sorted({*(group.name for group in groups), *others})
    apart = st.lists(st.sampled_from(names), min_size=2, max_size=3, unique=True)
    lists = draw(st.lists(apart, max_size=2)) if len(names) > 1 else []
    rules = [Rule(kind="not_together", values=tuple(each)) for each in lists]
    if draw(st.integers(0, 4)) == 0:
        rules.append(Rule(kind="require_until"))
    snapshot = attrs.evolve(snapshot, roles=Roles(known=known))
    return snapshot, attrs.evolve(file, groups=groups, rules=tuple(rules))


Members = dict[str, set[str]]


def broken(snapshot: Snapshot, case: tuple[Snapshot, Desired]) -> set[tuple[object, ...]]:
    """Return each way in which an account breaks the rules of a file."""
    before, file = case
    members = {group.id: ids(group) for group in snapshot.groups}
    id_of = {group.name: group.id for group in before.groups}
    for group in file.groups:
        old = found(before, group)
        id_of[group.name] = old.id if old else f"new-{group.name}"
    breaches: set[tuple[object, ...]] = set()
    for group in file.groups:
        key = id_of[group.name]
        listed = {user_id(each.id or each.email): each.until for each in group.members}
        for rule in (*group.rules, *(file.rules if group.state == "present" else ())):
            breaches |= broken_in(rule, key, listed, members)
    for rule in file.rules:
        for one, other in itertools.combinations(rule.values, 2):
            both = members.get(id_of[one], set()) & members.get(id_of[other], set())
            breaches |= {("apart", *sorted((id_of[one], id_of[other])), user) for user in both}
    return breaches


def broken_in(
    rule: Rule, key: str, listed: dict[str, object], members: Members
) -> set[tuple[object, ...]]:
    """Return each way in which the members of a group break a rule."""
    users = members.get(key, set())
    match rule.kind:
        case "max_members":
            return {("size", key, number) for number in range(rule.limit, len(users))}
        case "email_domains":
            return {("domain", key, user) for user in users}
        case "require_until":
            return {("until", key, user) for user in users if listed.get(user) is None}
        case "not_with_role":
            return {
                ("role", key, user, holder)
                for user in users
                for holder in holders(user, key, members)
            }
    return set()


def holders(user: str, key: str, members: Members) -> list[tuple[str, str]]:
    """Return through which principals a member may be an administrator."""
    others = {other for other in members if user in members[other]} - {key}
    listed = [("user", user), *(("group", other) for other in others)]
    return [
        each
        for each in listed
        if (grants := granted(*each)) is None or any(grant.role == "Admin" for grant in grants)
    ]


@given(ruled())
def test_no_rule_is_broken_more_by_what_is_not_held_back(case):
    snapshot, _ = case
    made = make(case)
    assert broken(applied(snapshot, made), case) <= broken(snapshot, case)
    assert check_rules(made, snapshot).changes == made.changes


@settings(max_examples=60)
@given(ruled())
def test_groups_that_something_else_manages_are_left_as_they_are(case):
    snapshot, _ = case
    managed = managed_in(case)
    made = make(case)
    assert made.managed.keys() == managed
    after = applied(snapshot, made).groups
    assert {each for each in after if each.id in managed} == {
        each for each in snapshot.groups if each.id in managed
    }


def managed_in(case: tuple[Snapshot, Desired]) -> set[str]:
    snapshot, file = case
    return {old.id for group in file.groups if group.managed_by and (old := found(snapshot, group))}


def left_out(case: tuple[Snapshot, Desired]) -> list[Change]:
    """Return what the plan has only where the file has no rules and no managed groups."""
    snapshot, file = case
    groups = tuple(attrs.evolve(each, rules=(), managed_by=None) for each in file.groups)
    whole = make((snapshot, attrs.evolve(file, rules=(), groups=groups)))
    kept = list(map(described, make(case).changes))
    return [change for change in whole.changes if described(change) not in kept]


@given(ruled())
def test_what_is_held_back_by_rules_is_held_back_for_a_reason(case):
    """An addition would break a rule; who stays would lose a place, or be the last to leave."""
    snapshot, _ = case
    made = make(case)
    missing = left_out(case)
    assert bool(missing) == bool(made.held_back)
    after = {group.id: group for group in applied(snapshot, made).groups}
    before = broken(snapshot, case)
    added = {each.user.id for each in missing if each.action is Action.ADD_USER}
    for change in missing:
        if change.group.id is None or change.group.id in managed_in(case):
            continue
        group = after[change.group.id]
        if change.action is Action.ADD_USER:
            joined = attrs.evolve(group, members=(*group.members, Member(id=change.user.id)))
            more = attrs.evolve(snapshot, groups=tuple({**after, group.id: joined}.values()))
            assert not broken(more, case) <= before
        elif change.action is Action.REMOVE_USER and change.user.id not in added:
            stay = {
                each.user.id
                for each in missing
                if each.action is Action.REMOVE_USER and each.group.id == group.id
            }
            assert ids(group) == stay
