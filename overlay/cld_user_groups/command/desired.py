"""The commands that change the account: what each asks for, as a desired state, and its plan."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeAlias

import click
from attrs import evolve, field, frozen

from cld_user_groups import CldProvisioning

from .lazy import guards, membership
from .lookup import Finder, Named, error_in_call, lookup_of, one_user, quoted, read_people
from .options import (
    Decorator,
    allow_removals_option,
    declared,
    dry_run_option,
    reason_option,
    yes_option,
)
from .running import RunOptions, run_plan
from .settings import TABLE_FORMATS, settings_of
from .source import hold_to_guards

if TYPE_CHECKING:
    from cld_user_groups.membership import (
        DesiredGroup,
        DesiredMember,
        Group,
        GuardLimits,
        Member,
        Plan,
        Snapshot,
    )

#: A user, and how the command line named this user.
Person: TypeAlias = "tuple[Member, Named]"


@frozen(kw_only=True)
class DesiredState:
    """A desired state.

    Attributes:
        groups: The groups that it names; no other group is touched.
        limits: How much may be removed.
        notes: What a reader of the plan should know, a sentence each.
    """

    groups: tuple[DesiredGroup, ...]
    limits: GuardLimits = field(factory=lambda: membership.GuardLimits())
    notes: tuple[str, ...] = ()


def new_group(name: str, members: Iterable[DesiredMember] = ()) -> DesiredGroup:
    """Return a group that is to exist: who types its name means it."""
    return membership.DesiredGroup(
        name=name, mode="additive", allow_new=True, members=tuple(members)
    )


def same_group(
    group: Group, members: Iterable[DesiredMember] = (), *, name: str | None = None
) -> DesiredGroup:
    """Return a group that keeps its members and gets more of them, or another name."""
    return membership.DesiredGroup(
        name=group.name if name is None else name,
        id=group.id,
        mode="additive",
        members=tuple(members),
    )


def absent_group(group: Group) -> DesiredGroup:
    """Return a group that is to be deleted."""
    return membership.DesiredGroup(name=group.name, id=group.id, state="absent")


def group_without(group: Group, user_ids: Collection[str]) -> DesiredGroup:
    """Return a group that loses some members, and no others."""
    stay = (
        membership.DesiredMember(id=member.id)
        for member in group.members
        if member.id not in user_ids
    )
    return membership.DesiredGroup(name=group.name, id=group.id, members=tuple(stay))


def as_named(people: Iterable[Person]) -> tuple[DesiredMember, ...]:
    """Return users as members, each with the place where it is named."""
    return tuple(
        membership.DesiredMember(
            id=user.id, email=user.email, source=named.source, line=named.line or 0
        )
        for user, named in people
    )


def addition(group: Group, people: Sequence[Person]) -> DesiredState:
    """Return a group with more members."""
    there = _members(group)
    notes = (
        f"{_who(user)} is in {quoted(group.name)} already."
        for user, _ in people
        if user.id in there
    )
    return DesiredState(groups=(same_group(group, as_named(people)),), notes=tuple(notes))


def removal(group: Group, people: Sequence[Person]) -> DesiredState:
    """Return a group without some of its members."""
    left_alone = [user for user, _ in people if user.id not in _members(group)]
    notes = (f"{_who(user)} is not in {quoted(group.name)}." for user in left_alone)
    return _without([group], people, notes)


def offboarding(groups: Sequence[Group], people: Sequence[Person]) -> DesiredState:
    """Return all groups that have some users, without them."""
    there = {user_id for group in groups for user_id in _members(group)}
    left_alone = [user for user, _ in people if user.id not in there]
    return _without(groups, people, (f"{_who(user)} is in no group." for user in left_alone))


def onboarding(groups: Iterable[Group], people: Sequence[Person], like: Member) -> DesiredState:
    """Return the groups of one user with others in them.

    Raises:
        MembershipError: That user is in no group.
    """
    joined = [addition(group, people) for group in groups if like.id in _members(group)]
    if not joined:
        message = f"{_who(like)} is in no group, so there is none to join"
        raise error_in_call(message, "see cld-user-groups users")
    return DesiredState(
        groups=tuple(group for each in joined for group in each.groups),
        notes=tuple(note for each in joined for note in each.notes),
    )


def combination(sources: Sequence[Group], target: Group | None, name: str) -> DesiredState:
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
        raise error_in_call(message, "name another group")
    users = {member.id: member for group in sources for member in group.members}
    members = (membership.DesiredMember(id=user.id, email=user.email) for user in users.values())
    return DesiredState(
        groups=(new_group(name, members) if target is None else same_group(target, members),)
    )


def limits_of(people: Sequence[Person], removals: int) -> GuardLimits:
    """Return how much may be removed where users are named.

    A few whom the command line itself names are their own allowance, however many groups they
    leave, and whatever share of a group they are. Those of a file, and more than anybody types, may
    come from a source that went wrong: the guards of a file hold. Emptying a group is never
    allowed here.
    """
    if len(people) > guards.FREE_REMOVALS or any(named.source for _, named in people):
        return membership.GuardLimits()
    return membership.GuardLimits(max_removals=removals, max_removals_per_group=1.0)


def _without(
    groups: Iterable[Group], people: Sequence[Person], notes: Iterable[str]
) -> DesiredState:
    user_ids = {user.id for user, _ in people}
    losing = [group for group in groups if _members(group) & user_ids]
    ended = sum(len(_members(group) & user_ids) for group in losing)
    return DesiredState(
        groups=tuple(group_without(group, user_ids) for group in losing),
        limits=limits_of(people, ended),
        notes=tuple(notes),
    )


def _members(group: Group) -> set[str]:
    return {member.id for member in group.members}


def _who(user: Member) -> str:
    return quoted(user.email or user.id)


def change_command(
    name: str, *parameters: Decorator, removes: bool = False
) -> Callable[[Callable[..., DesiredState]], click.Command]:
    """Return a decorator: a command that plans what a function wants, shows the plan, applies it.

    The function takes a `Finder` in the account as it was read, and its parameters by name; those
    that name users, as what is found: `people` for the argument USER..., and `like`.

    Args:
        name: The name of the command.
        parameters: What it takes on the command line.
        removes: Whether members may be removed, and so --allow-removals is known.
    """
    common = (reason_option, dry_run_option, yes_option)
    options = (*common, allow_removals_option) if removes else common

    def decorate(function: Callable[..., DesiredState]) -> click.Command:
        def run(
            context: click.Context,
            /,
            yes: bool,
            dry_run: bool,
            reason: str | None,
            allow_removals: int | None = None,
            users: Sequence[str] = (),
            **values: Any,
        ) -> int:
            people = read_people(users)
            model = one_user(values["like"]) if "like" in values else None
            words = [name, *_words(context, values)]

            def prepare(client: CldProvisioning) -> tuple[Plan, Snapshot]:
                now = datetime.now(UTC)
                sought = people if model is None else (*people, model)
                lookup = lookup_of(sought, adds=bool(people) and not removes)
                snapshot = membership.read_account(client, lookup, now.date())
                finder = Finder(snapshot)
                found: dict[str, Any] = {}
                if model is not None:
                    ((found["like"], _),) = finder.users([model])
                if people:
                    found["people"] = finder.users(people)
                state = function(finder, **values | found)
                desired = membership.Desired(
                    source=shlex.join(["cld-user-groups", *words]),
                    digest="",
                    guards=state.limits,
                    groups=state.groups,
                )
                plan = membership.plan(snapshot, desired, now.date(), now=now)
                # The reasons of `plan` speak of a file and its lines.
                changes = (
                    evolve(change, reason=reason or "", line=change.line or None)
                    for change in plan.changes
                )
                plan = evolve(plan, changes=tuple(changes), notes=(*plan.notes, *state.notes))
                return hold_to_guards(plan, snapshot, allow_removals=allow_removals), snapshot

            settings = settings_of(context)
            why = ["--reason", reason] if reason else []
            resume = settings.command_line(*words, *users, *why)
            return run_plan(settings, prepare, RunOptions(yes=yes, dry_run=dry_run, resume=resume))

        callback = update_wrapper(click.pass_context(run), function)
        return declared(name, callback, (*parameters, *options), TABLE_FORMATS)

    return decorate


def _words(context: click.Context, values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a command line says beside users: what the plan and the journal name as source."""
    for parameter in context.command.params:
        if (value := values.get(parameter.name or "")) is not None:
            if isinstance(parameter, click.Option):
                yield parameter.opts[0]
            yield from [value] if isinstance(value, str) else value
