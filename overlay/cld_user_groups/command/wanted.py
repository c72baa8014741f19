"""What a command asks for, as the desired state that a file would describe: pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from attrs import field, frozen

from cld_user_groups.membership import (
    DesiredGroup,
    DesiredMember,
    Group,
    GuardLimits,
    Member,
    MembershipError,
    Problem,
)
from cld_user_groups.membership.guards import FREE_REMOVALS
from cld_user_groups.membership.problems import quoted

from .resolving import Named

#: A user, and how the command line named this user.
Person = tuple[Member, Named]


@frozen(kw_only=True)
class Wanted:
    """A desired state.

    Attributes:
        groups: The groups that it names; no other group is touched.
        guards: How much may be removed.
        notes: What a reader of the plan should know, a sentence each.
    """

    groups: tuple[DesiredGroup, ...]
    guards: GuardLimits = field(factory=GuardLimits)
    notes: tuple[str, ...] = ()


def new_group(name: str, members: Iterable[DesiredMember] = ()) -> DesiredGroup:
    """Return a group that is to exist: who types its name means it."""
    return DesiredGroup(name=name, mode="additive", allow_new=True, members=tuple(members))


def same_group(
    group: Group, members: Iterable[DesiredMember] = (), *, name: str | None = None
) -> DesiredGroup:
    """Return a group that keeps its members and gets more of them, or another name."""
    return DesiredGroup(
        name=group.name if name is None else name,
        id=group.id,
        mode="additive",
        members=tuple(members),
    )


def absent_group(group: Group) -> DesiredGroup:
    """Return a group that is to be deleted."""
    return DesiredGroup(name=group.name, id=group.id, state="absent")


def group_without(group: Group, user_ids: Collection[str]) -> DesiredGroup:
    """Return a group that loses some members, and no others."""
    stay = (DesiredMember(id=member.id) for member in group.members if member.id not in user_ids)
    return DesiredGroup(name=group.name, id=group.id, members=tuple(stay))


def as_named(people: Iterable[Person]) -> tuple[DesiredMember, ...]:
    """Return users as members, each with the place where it is named."""
    return tuple(
        DesiredMember(id=user.id, email=user.email, source=named.source, line=named.line or 0)
        for user, named in people
    )


def addition(group: Group, people: Sequence[Person]) -> Wanted:
    """Return a group with more members."""
    there = _members(group)
    notes = (
        f"{_who(user)} is in {quoted(group.name)} already."
        for user, _ in people
        if user.id in there
    )
    return Wanted(groups=(same_group(group, as_named(people)),), notes=tuple(notes))


def removal(group: Group, people: Sequence[Person]) -> Wanted:
    """Return a group without some of its members."""
    left_alone = [user for user, _ in people if user.id not in _members(group)]
    notes = (f"{_who(user)} is not in {quoted(group.name)}." for user in left_alone)
    return _without([group], people, notes)


def offboarding(groups: Sequence[Group], people: Sequence[Person]) -> Wanted:
    """Return all groups that have some users, without them."""
    there = {user_id for group in groups for user_id in _members(group)}
    left_alone = [user for user, _ in people if user.id not in there]
    return _without(groups, people, (f"{_who(user)} is in no group." for user in left_alone))


def onboarding(groups: Iterable[Group], people: Sequence[Person], like: Member) -> Wanted:
    """Return the groups of one user with others in them.

    Raises:
        MembershipError: That user is in no group.
    """
    joined = [addition(group, people) for group in groups if like.id in _members(group)]
    if not joined:
        message = f"{_who(like)} is in no group, so there is none to join"
        raise MembershipError([Problem("", None, message, "see cld-user-groups users")])
    return Wanted(
        groups=tuple(group for each in joined for group in each.groups),
        notes=tuple(note for each in joined for note in each.notes),
    )


def combination(sources: Sequence[Group], target: Group | None, name: str) -> Wanted:
    """Return a group with the members of others.

    Args:
        sources: The others.
        target: The group, or None where it is to be created.
        name: Its name there.

    Raises:
        MembershipError: The group is one of the others.
    """
    if target in sources:
        message = f"{quoted(name)} is on both sides"
        raise MembershipError([Problem("", None, message, "name another group")])
    users = {member.id: member for group in sources for member in group.members}
    members = (DesiredMember(id=user.id, email=user.email) for user in users.values())
    return Wanted(
        groups=(new_group(name, members) if target is None else same_group(target, members),)
    )


def limits_of(people: Sequence[Person], removals: int) -> GuardLimits:
    """Return how much may be removed where users are named.

    A few whom the command line itself names are their own allowance, however many groups they
    leave, and whatever share of a group they are. Those of a file, and more than anybody types, may
    come from a source that went wrong: the guards of a file hold. Emptying a group is never
    allowed here.
    """
    if len(people) > FREE_REMOVALS or any(named.source for _, named in people):
        return GuardLimits()
    return GuardLimits(max_removals=removals, max_removals_per_group=1.0)


def _without(groups: Iterable[Group], people: Sequence[Person], notes: Iterable[str]) -> Wanted:
    user_ids = {user.id for user, _ in people}
    losing = [group for group in groups if _members(group) & user_ids]
    ended = sum(len(_members(group) & user_ids) for group in losing)
    return Wanted(
        groups=tuple(group_without(group, user_ids) for group in losing),
        guards=limits_of(people, ended),
        notes=tuple(notes),
    )


def _members(group: Group) -> set[str]:
    return {member.id for member in group.members}


def _who(user: Member) -> str:
    return quoted(user.email or user.id)
