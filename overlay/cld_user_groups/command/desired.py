"""The commands that change the account: what each asks for, as a desired state, and its plan."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import update_wrapper
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve, field, frozen

from . import membership
from .options import (
    TABLE_FORMATS,
    Decorator,
    allow_removals_option,
    declared,
    dry_run_option,
    ignore_file_option,
    reason_option,
    roles_option,
    settings_of,
    yes_option,
)
from .running import Draft, RunOptions, run_plan
from .source import check_is_for, hold_to_guards, one_user, read_groups, read_people

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning
    from cld_user_groups.membership import (
        DesiredGroup,
        DesiredMember,
        Group,
        GuardLimits,
        Plan,
        Snapshot,
    )
    from cld_user_groups.membership.roles import Reach


#: What the source of a plan begins with that a command makes, not a file.
EVERYDAY = "cld-user-groups "


@frozen(kw_only=True)
class DesiredState:
    """A desired state."""

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


def _group_without(group: Group, user_ids: Collection[str]) -> DesiredGroup:
    """Return a group that loses some members, and no others."""
    stay = (
        membership.DesiredMember(id=member.id)
        for member in group.members
        if member.id not in user_ids
    )
    return membership.DesiredGroup(name=group.name, id=group.id, members=tuple(stay))


def addition(groups: Iterable[Group], people: Sequence[DesiredMember]) -> DesiredState:
    """Return groups with more members."""
    groups = tuple(groups)
    notes = (
        f"{who(user)} is in {membership.problems.quoted(group.name)} already."
        for group in groups
        for user in people
        if user.id in members_of(group)
    )
    return DesiredState(
        groups=tuple(same_group(group, people) for group in groups), notes=tuple(notes)
    )


def removal(groups: Sequence[Group], people: Sequence[DesiredMember], where: str) -> DesiredState:
    """Return those of some groups that lose members; note who is not there."""
    user_ids = {user.id for user in people}
    ended = [members_of(group) & user_ids for group in groups]
    found = set[str]().union(*ended)
    return DesiredState(
        groups=tuple(
            _group_without(group, lost) for group, lost in zip(groups, ended, strict=True) if lost
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
    most = membership.guards.FREE_REMOVALS
    if len(people) > most or any(user.source for user in people):
        return membership.GuardLimits()
    return membership.GuardLimits(max_removals=removals, max_removals_per_group=1.0)


def members_of(group: Group) -> set[str]:
    """Return the IDs of a group's members."""
    return {member.id for member in group.members}


def who(user: DesiredMember) -> str:
    """Return a user as messages name one."""
    return membership.problems.quoted(user.email or user.id or "")


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
    common = (reason_option, dry_run_option, yes_option, roles_option, ignore_file_option)
    options = (*common, allow_removals_option) if removes else common

    def decorate(function: Callable[..., DesiredState]) -> click.Command:
        def run(
            context: click.Context,
            /,
            yes: bool,
            dry_run: bool,
            reason: str | None,
            roles: Reach | None,
            ignore_file: bool,
            allow_removals: int | None = None,
            users: Sequence[str] = (),
            **values: Any,
        ) -> int:
            people = read_people(users)
            model = one_user(values["like"]) if "like" in values else None
            words = [name, *_words(context, values)]
            settings = settings_of(context)
            path = None if ignore_file else settings.groups_file
            file = None if path is None else read_groups(path)

            def prepare(client: CldProvisioning) -> Draft:
                now = datetime.now(UTC)
                if file is not None:
                    check_is_for(file, client.account_id)
                sought = people if model is None else (*people, model)
                lookup = membership.lookup.lookup_of(sought, adds=bool(people) and not removes)
                if file is not None:
                    lookup = membership.lookup.with_rules(lookup, file, people)
                snapshot = membership.read_account(client, lookup, now.date())
                finder = membership.Finder(snapshot)
                found: dict[str, Any] = {}
                if model is not None:
                    (found["like"],) = finder.users([model])
                if people:
                    found["people"] = finder.users(people)
                state = function(finder, **values | found)
                desired = membership.Desired(
                    source=EVERYDAY + shlex.join(words),
                    digest="",
                    guards=state.limits,
                    groups=state.groups,
                )

                def make(snapshot: Snapshot) -> Plan:
                    plan = membership.plan(snapshot, desired, now.date(), now=now)
                    # The reasons of `plan` speak of a file and its lines.
                    changes = (
                        evolve(change, reason=reason or "", line=change.line or None)
                        for change in plan.changes
                    )
                    plan = evolve(plan, changes=tuple(changes), notes=(*plan.notes, *state.notes))
                    if file is not None:
                        plan = membership.explaining.held_to_file(plan, snapshot, file, now.date())
                    return hold_to_guards(plan, snapshot, allow_removals=allow_removals)

                return Draft(make, snapshot)

            why = ["--reason", reason] if reason else []
            unheld = ["--ignore-file"] if ignore_file else []
            options = RunOptions(
                yes=yes,
                dry_run=dry_run,
                roles=roles,
                resume=settings.command_line(*words, *users, *why, *unheld),
                hint="" if path is None else f"The file of the profile is {path}.",
            )
            return run_plan(settings, prepare, options)

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
