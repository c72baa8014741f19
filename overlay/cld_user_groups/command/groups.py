"""The commands of groups: to look at them, to change them, and to change who is in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from . import membership
from .completion import complete_group, users_argument
from .options import Settings, command, flag, option
from .roles import in_a_table, of_groups, print_roles
from .running import change_command
from .tables import Cell, Lines, Table, columns, print_table

if TYPE_CHECKING:
    from cld_user_groups.membership import DesiredMember, Finder, Group
    from cld_user_groups.membership.everyday import DesiredState

_group_argument = click.argument("group", shell_complete=complete_group)


@command(
    "list",
    flag("--roles", "Also show what each group grants."),
)
def list_command(settings: Settings, roles: bool) -> None:
    """List the groups, by name, with how many members each has."""
    with settings.open_client() as client:
        snapshot = membership.read_account(client)
        groups = sorted(snapshot.groups, key=lambda group: (group.name.casefold(), group.id))
        granted = membership.roles.roles_of(client, groups) if roles else None
    names = columns("name #members id")
    rows: list[tuple[Cell, ...]]
    rows = [(group.name, len(group.members), group.id) for group in groups]
    details: dict[str, Any] = {}
    if granted is not None:
        names = columns("name #members id? roles")
        shown = in_a_table(granted, groups, settings)
        rows = [(*row, Lines(texts)) for row, texts in zip(rows, shown, strict=True)]
        details = {"roles": of_groups(granted, groups)}
    empty = f"The account {snapshot.account_id} has no groups."
    table = Table("groups", snapshot.account_id, "groups", names, rows, empty, details=details)
    print_table(table, settings)


@command("show", _group_argument)
def show_command(settings: Settings, group: str) -> None:
    """Show the members of GROUP, a name or an ID, and which roles it grants."""
    with settings.open_client() as client:
        snapshot = membership.read_account(client)
        found = membership.Finder(snapshot).group(group)
        roles = membership.roles.roles_of(client, [found])
    members = sorted(found.members, key=lambda member: ((member.email or "").casefold(), member.id))
    count = "1 member" if len(members) == 1 else f"{len(members)} members"
    table = Table(
        "group",
        snapshot.account_id,
        "members",
        columns("email name id?"),
        [(member.email, member.name, member.id) for member in members],
        "Nobody is in it.",
        heading=f"{found.name} ({found.id}), {count}",
        details={"group": {"id": found.id, "name": found.name}, "roles": roles.document(found.id)},
    )
    print_table(table, settings)
    print_roles({f"What {found.name} grants": roles.texts(found.id)}, settings)


@change_command("create", click.argument("name"))
def create_command(finder: Finder, name: str) -> DesiredState:
    """Create an empty group."""
    finder.check_new_name(name)
    return membership.everyday.DesiredState(groups=(membership.everyday.new_group(name),))


@change_command("rename", _group_argument, click.argument("name"))
def rename_command(finder: Finder, group: str, name: str) -> DesiredState:
    """Rename GROUP to NAME. Its ID, members and permissions stay."""
    found = finder.group(group)
    finder.check_new_name(name, of=found)
    wanted = membership.everyday.changed_group(found, name=name)
    return membership.everyday.DesiredState(groups=(wanted,))


@change_command("delete", _group_argument, removes=True)
def delete_command(finder: Finder, group: str) -> DesiredState:
    """Delete GROUP, a name or an ID.

    With members in it, only if --allow-removals says exactly how many. Roles and shares that
    depend on its ID end with it; undo gives back roles only with --restore-roles, and no shares.
    """
    wanted = membership.everyday.absent_group(finder.group(group))
    return membership.everyday.DesiredState(groups=(wanted,))


@change_command("add", _group_argument, users_argument)
def add_command(finder: Finder, group: str, people: Sequence[DesiredMember]) -> DesiredState:
    """Add users to GROUP. USER is an e-mail or an ID.

    @FILE reads users from a file, one a line, and - from standard input.
    """
    return membership.everyday.addition([finder.group(group)], people)


@change_command("remove", _group_argument, users_argument, removes=True)
def remove_command(finder: Finder, group: str, people: Sequence[DesiredMember]) -> DesiredState:
    """Remove users from GROUP. USER is an e-mail or an ID.

    @FILE reads users from a file, one a line, and - from standard input; the guards of a file
    limit how many of these are removed. The last members are removed only if --allow-removals says
    exactly how many.
    """
    found = finder.group(group)
    where = f"not in {membership.problems.quoted(found.name)}"
    return membership.everyday.removal([found], people, where)


@change_command(
    "copy",
    _group_argument,
    click.argument("target", metavar="GROUP", shell_complete=complete_group),
)
def copy_command(finder: Finder, group: str, target: str) -> DesiredState:
    """Add the members of a GROUP to a second one, which is created if there is none.

    Nobody leaves the second one.
    """
    return _combination(finder, [finder.group(group)], target)


@change_command(
    "merge",
    click.argument(
        "groups", metavar="GROUP...", nargs=-1, required=True, shell_complete=complete_group
    ),
    option(
        "--into",
        "The group that stays, or is created if there is none.",
        "GROUP",
        required=True,
        shell_complete=complete_group,
    ),
    removes=True,
)
def merge_command(finder: Finder, groups: tuple[str, ...], into: str) -> DesiredState:
    """Add the members of each GROUP to one group, then delete the others.

    What the deleted groups gave access to, their members lose: those that have members are deleted
    only if --allow-removals says exactly how many. Roles and shares that depend on their IDs end
    with them; undo gives back roles only with --restore-roles, and no shares.
    """
    sources = finder.all_groups(groups)
    combined = _combination(finder, sources, into)
    ended = map(membership.everyday.absent_group, sources)
    return membership.everyday.DesiredState(groups=(*combined.groups, *ended))


def _combination(finder: Finder, sources: Sequence[Group], name: str) -> DesiredState:
    """Return the group of a name, which may be new, with the members of others."""
    target = finder.group_or_new(name)
    if target in sources:
        message = f"{membership.problems.quoted(name)} is on both sides"
        raise membership.lookup.error_in_call(message, "name another group")
    users = {member.id: member for group in sources for member in group.members}
    members = (membership.DesiredMember(id=user.id, email=user.email) for user in users.values())
    if target is None:
        wanted = membership.everyday.new_group(name, members)
    else:
        wanted = membership.everyday.changed_group(target, adds=members)
    return membership.everyday.DesiredState(groups=(wanted,))
