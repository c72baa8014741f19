"""Accounts and files for the tests of planning: builders, strategies, and a model of applying."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import permutations
from math import factorial
from typing import TypeVar

import attrs
from hypothesis import strategies as st

from cld_user_groups.membership import (
    Action,
    Desired,
    DesiredGroup,
    DesiredMember,
    Group,
    GuardLimits,
    Member,
    Plan,
    Snapshot,
    plan,
)

Item = TypeVar("Item")

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOW.date()


def member(name: str) -> Member:
    return Member(id=f"u-{name}", email=f"{name}@example.com", name=name.title())


def account(
    groups: Mapping[str, Iterable[str]], others: Iterable[str] = (), **fields: object
) -> Snapshot:
    """Return an account: each group's ID is "g-" and its name, each user's "u-" and the name."""
    return Snapshot(
        account_id="acc",
        groups=tuple(
            Group(id=f"g-{name}", name=name, members=tuple(map(member, members)))
            for name, members in groups.items()
        ),
        people=tuple(map(member, others)),
        taken_at=NOW,
        **fields,
    )


def wanted(name: str, *members: str | DesiredMember, **fields: object) -> DesiredGroup:
    return DesiredGroup(
        name=name,
        members=tuple(
            found
            if isinstance(found, DesiredMember)
            else DesiredMember(email=f"{found}@example.com")
            for found in members
        ),
        **fields,
    )


def desired(*groups: DesiredGroup, **fields: object) -> Desired:
    return Desired(source="groups.yaml", digest="0" * 64, groups=groups, **fields)


ANYTHING_GOES = GuardLimits(max_removals=10**6, max_removals_per_group=1.0)


def file_of(groups: Mapping[str, Iterable[str]], **ids: str) -> Desired:
    """Return a file of groups of users by ID, past all guards, which also deletes "gone"."""
    return desired(
        *(
            DesiredGroup(
                name=name, id=ids.get(name), members=tuple(DesiredMember(id=each) for each in users)
            )
            for name, users in groups.items()
        ),
        DesiredGroup(name="gone", state="absent", allow_empty=True),
        guards=ANYTHING_GOES,
    )


def planned(snapshot: Snapshot, *groups: DesiredGroup, **fields: object) -> Plan:
    return plan(snapshot, desired(*groups, **fields), TODAY, now=NOW)


def example(requests_left: int | None = None, **fields: object) -> Plan:
    """Return a plan that creates, renames and deletes a group, and adds and removes members."""
    groups = {"Old": ["ann"], "Gone": ["bob"], "Kept": ["cyd", "dee"]}
    new = DesiredMember(email="eve@example.com", reason="JIRA-12", source="people.csv", line=3)
    return planned(
        account(groups, others=["eve"], requests_left=requests_left),
        wanted("Gone", state="absent", line=4),
        wanted("Kept", "cyd", line=6),
        wanted("Photographers", "ann", new, previously=("Old",), line=9),
        wanted("New", "bob", line=12),
        **fields,
    )


def applied(snapshot: Snapshot, made: Plan) -> Snapshot:
    """Return an account after a plan: each change in order, after all that it depends on."""
    groups = {group.id: group for group in snapshot.groups}
    people = {m.id: m for m in snapshot.people}
    people |= {m.id: m for group in snapshot.groups for m in group.members}
    ids: dict[str, str] = {}
    for position, change in enumerate(made.changes):
        assert all(needed < position for needed in change.depends_on)
        group_id = change.group.id or ids.get(change.group.name, "")
        if change.action is Action.CREATE_GROUP:
            assert change.group.name not in {group.name for group in groups.values()}
            ids[change.group.name] = group_id = f"new-{change.group.name}"
            groups[group_id] = Group(id=group_id, name=change.group.name)
            continue
        group = groups[group_id]
        members = {m.id: m for m in group.members}
        match change.action:
            case Action.RENAME_GROUP:
                assert group.name == change.old_name
                others = {other.name for other in groups.values() if other is not group}
                assert change.group.name not in others
                groups[group_id] = attrs.evolve(group, name=change.group.name)
                continue
            case Action.DELETE_GROUP:
                assert {user.id for user in change.members} == members.keys()
                del groups[group_id]
                continue
            case Action.ADD_USER:
                assert change.user.id not in members
                members[change.user.id] = people.get(change.user.id, Member(id=change.user.id))
            case Action.REMOVE_USER:
                del members[change.user.id]
        groups[group_id] = attrs.evolve(group, members=tuple(members.values()))
    return attrs.evolve(snapshot, groups=tuple(groups.values()), people=tuple(people.values()))


NAMES = ("Designers", "Editors", "Interns", "Ops", "Sales")
USERS = ("ann", "bob", "cyd", "dee", "eve", "fay")


def some_of(items: Sequence[Item]) -> st.SearchStrategy[tuple[Item, ...]]:
    """Draw some of a few items, in any order, each number of them as often, but all four times.

    One draw is much faster than one for each item.
    """
    counts = (*range(len(items) + 1), *[len(items)] * 3)
    most = factorial(len(items))
    return st.sampled_from(
        [
            found
            for drawn in (list(permutations(items, count)) for count in counts)
            for found in drawn * (most // len(drawn))
        ]
    )


_some_names, _some_users = some_of(NAMES), some_of(USERS)


def _desired_member(name: str, kind: int) -> DesiredMember:
    by_id, until = kind % 2, (None, None, date(2026, 11, 21), TODAY, date(2027, 1, 1))[kind // 2]
    return DesiredMember(
        id=f"u-{name}" if by_id else None,
        email=None if by_id else f" {name.upper()}@Example.com",
        until=until,
    )


_kinds, _is_absent = st.sampled_from(range(10)), st.sampled_from([False, False, True])
_actions = st.sampled_from(
    [
        (rename, mode, allow_empty)
        for rename in ("no", "no", "id", "previously")
        for mode in ("exact", "additive")
        for allow_empty in (False, True)
    ]
)


@st.composite
def account_and_file(draw: st.DrawFn) -> tuple[Snapshot, Desired]:
    """Return an account, and a file that fits it: groups to create, rename, change and delete."""
    snapshot = account({name: draw(_some_users) for name in draw(_some_names)}, USERS)
    present = {group.name: group for group in snapshot.groups}
    groups: list[DesiredGroup] = []
    unused = iter(["New", "Other", "Third", "Fourth", "Fifth"])
    for name in draw(_some_names):
        group = present.get(name)
        if draw(_is_absent):
            groups.append(DesiredGroup(name=name, state="absent"))
            continue
        rename, mode, allow_empty = draw(_actions)
        rename = rename if group else "no"
        groups.append(
            DesiredGroup(
                name=name if rename == "no" else next(unused),
                id=group.id if rename == "id" else None,
                previously=(name,) if rename == "previously" else (),
                mode=mode,
                members=tuple(_desired_member(user, draw(_kinds)) for user in draw(_some_users)),
                allow_empty=allow_empty,
                allow_new=True,
            )
        )
    return snapshot, desired(*groups)
