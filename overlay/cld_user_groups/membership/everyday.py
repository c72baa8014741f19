"""Everyday changes without a file: a desired state of what a person names, and its plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Annotated, TypeAlias

from attrs import evolve, field, frozen
from msgspec import Meta, Struct

from .effects import with_effects
from .explaining import disagreements
from .guards import FREE_REMOVALS
from .lookup import Finder, error_in_call, named_user
from .model import Desired, DesiredGroup, DesiredMember, Group, GuardLimits, Plan, Snapshot
from .planning import plan
from .problems import quoted
from .rules import check_rules

Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=500)]
UserText: TypeAlias = Annotated[Text, Meta(description="A user's e-mail or ID.")]
Users: TypeAlias = Annotated[list[UserText], Meta(max_length=200)]


@frozen(kw_only=True)
class DesiredState:
    """A desired state."""

    groups: tuple[DesiredGroup, ...]
    limits: GuardLimits = field(factory=GuardLimits)
    notes: tuple[str, ...] = ()


class GroupEdit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of a group, which is named by its exact name or its ID."""

    group: Text
    add: Users = []
    remove: Users = []
    rename_to: Text | None = None
    create: bool = False
    delete: bool = False


def new_group(
    name: str, members: Iterable[DesiredMember] = (), *, is_meant: bool = True
) -> DesiredGroup:
    """Return a group that is to exist: a person who types its name means it."""
    return DesiredGroup(name=name, mode="additive", allow_new=is_meant, members=tuple(members))


def changed_group(
    group: Group,
    *,
    adds: Iterable[DesiredMember] = (),
    without: Collection[str | None] = (),
    name: str | None = None,
) -> DesiredGroup:
    """Return a group that gets more members or another name, or loses some, and no others."""
    name = group.name if name is None else name
    stay = [DesiredMember(id=each.id) for each in group.members if each.id not in without]
    if len(stay) == len(group.members):
        return DesiredGroup(name=name, id=group.id, mode="additive", members=tuple(adds))
    return DesiredGroup(name=name, id=group.id, members=(*stay, *adds))


def absent_group(group: Group) -> DesiredGroup:
    """Return a group that is to be deleted."""
    return DesiredGroup(name=group.name, id=group.id, state="absent")


def addition(groups: Iterable[Group], people: Sequence[DesiredMember]) -> DesiredState:
    """Return groups with more members."""
    groups = tuple(groups)
    notes = (
        f"{who(user)} is in {quoted(group.name)} already."
        for group in groups
        for user in people
        if user.id in members_of(group)
    )
    changed = (changed_group(group, adds=people) for group in groups)
    return DesiredState(groups=tuple(changed), notes=tuple(notes))


def removal(groups: Sequence[Group], people: Sequence[DesiredMember], where: str) -> DesiredState:
    """Return those of some groups that lose members; note who is not there."""
    user_ids = {user.id for user in people}
    ended = [members_of(group) & user_ids for group in groups]
    found = set[str]().union(*ended)
    return DesiredState(
        groups=tuple(
            changed_group(group, without=lost)
            for group, lost in zip(groups, ended, strict=True)
            if lost
        ),
        limits=limits_of(people, sum(map(len, ended))),
        notes=tuple(f"{who(user)} is {where}." for user in people if user.id not in found),
    )


def limits_of(people: Sequence[DesiredMember], removals: int) -> GuardLimits:
    """Return how much may be removed where users are named.

    A few whom the command line itself names are their own allowance, however many groups they
    leave, and whatever share of a group they are. Those of a file, and more than anybody types, may
    come from a source that went wrong: the guards of a file hold. Emptying a group is never
    allowed here.
    """
    if len(people) > FREE_REMOVALS or any(user.source for user in people):
        return GuardLimits()
    return GuardLimits(max_removals=removals, max_removals_per_group=1.0)


def edited_groups(
    finder: Finder, edits: Sequence[GroupEdit], leavers: Iterable[str], file: Desired | None
) -> DesiredState:
    """Return the groups that edits change, or that users leave; the limits of a file hold.

    A new group is not known to be meant: whoever makes edits is no person at a command line.
    """
    gone = {user.id for user in finder.users(map(named_user, leavers))}
    seen: set[str] = set()
    wanted: list[DesiredGroup] = []
    for edit in edits:
        group = None if edit.create else finder.group(edit.group)
        adds = finder.users(map(named_user, edit.add))
        without = gone | {user.id for user in finder.users(map(named_user, edit.remove))}
        others = [edit.create, edit.delete, edit.rename_to or edit.remove]
        if (
            (group is not None and group.id in seen)
            or sum(map(bool, others)) > 1
            or (edit.delete and adds)
            or any(user.id in without for user in adds)
        ):
            raise error_in_call("changes of one group contradict each other")
        name = edit.group if edit.create else edit.rename_to
        if name is not None:
            finder.check_new_name(name, of=group)
        if group is None:
            wanted.append(new_group(edit.group, adds, is_meant=False))
            continue
        seen.add(group.id)
        change = changed_group(group, adds=adds, without=without, name=name)
        wanted.append(absent_group(group) if edit.delete else change)
    left = (each for each in finder.groups if each.id not in seen and gone & members_of(each))
    wanted += (changed_group(each, without=gone) for each in left)
    limits = GuardLimits() if file is None else file.guards
    return DesiredState(groups=tuple(wanted), limits=limits)


def plan_of(
    snapshot: Snapshot,
    desired: Desired,
    now: datetime,
    *,
    reason: str | None,
    file: Desired | None = None,
    notes: Iterable[str] = (),
) -> Plan:
    """Return the plan of a desired state that no file has, with the rules of the account's file.

    Where that file disagrees is a warning. The guards are to be checked after that.
    """
    made = plan(snapshot, desired, now.date(), now=now)
    # The reasons of `plan` speak of a file and its lines.
    changes = (
        evolve(change, reason=reason or "", line=change.line or None) for change in made.changes
    )
    made = evolve(made, changes=tuple(changes), notes=(*made.notes, *notes))
    if file is None:
        return made
    made = check_rules(made, snapshot, file)
    differs = map(str, disagreements(made, file, now.date()))
    made = evolve(
        made,
        protect=(*made.protect, *file.protect),
        warnings=tuple(dict.fromkeys((*made.warnings, *differs))),
    )
    return with_effects(made, snapshot)


def members_of(group: Group) -> set[str | None]:
    """Return the IDs of a group's members."""
    return {member.id for member in group.members}


def who(user: DesiredMember) -> str:
    """Return a user as messages name one."""
    return quoted(user.email or user.id or "")
