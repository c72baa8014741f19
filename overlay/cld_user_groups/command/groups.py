"""The commands of groups: to look at them, to change them, and to change who is in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .arguments import change_command, read_people, users_argument
from .completion import complete_group
from .settings import TABLE_FORMATS, global_options, settings_of

if TYPE_CHECKING:
    from .changing import Request
    from .resolving import Finder
    from .wanted import Wanted

_group_argument = click.argument("group", shell_complete=complete_group)


@click.command("list")
@global_options(TABLE_FORMATS)
@click.pass_context
def list_command(context: click.Context) -> None:
    """List the groups, by name, with how many members each has."""
    settings = settings_of(context)
    from cld_user_groups.membership import read_account

    from .tables import Column, Table, print_table

    with settings.open_client() as client:
        snapshot = read_account(client)
    groups = sorted(snapshot.groups, key=lambda group: (group.name.casefold(), group.id))
    table = Table(
        format="cld-user-groups/groups/1",
        account=snapshot.account_id,
        key="groups",
        columns=(Column("name"), Column("members", is_number=True), Column("id")),
        rows=[(group.name, len(group.members), group.id) for group in groups],
        empty=f"The account {snapshot.account_id} has no groups.",
    )
    print_table(table, settings)


@click.command("show")
@_group_argument
@global_options(TABLE_FORMATS)
@click.pass_context
def show_command(context: click.Context, group: str) -> None:
    """Show the members of GROUP, a name or an ID."""
    settings = settings_of(context)
    from cld_user_groups.membership import read_account

    from .resolving import Finder
    from .tables import Column, Table, print_table

    with settings.open_client() as client:
        snapshot = read_account(client)
    found = Finder(snapshot).group(group)
    members = sorted(found.members, key=lambda member: ((member.email or "").casefold(), member.id))
    count = "1 member" if len(members) == 1 else f"{len(members)} members"
    table = Table(
        format="cld-user-groups/group/1",
        account=snapshot.account_id,
        key="members",
        columns=(Column("email"), Column("name"), Column("id")),
        rows=[(member.email, member.name, member.id) for member in members],
        details={"group": {"id": found.id, "name": found.name}},
        heading=f"{found.name} ({found.id}), {count}",
        empty="Nobody is in it.",
    )
    print_table(table, settings)


@change_command("create", click.argument("name"))
def create_command(name: str) -> Request:
    """Create an empty group."""
    from .changing import Request
    from .wanted import Wanted, new_group

    def want(finder: Finder) -> Wanted:
        finder.check_new_name(name)
        return Wanted(groups=(new_group(name),))

    return Request(["create", name], want)


@change_command("rename", _group_argument, click.argument("name"))
def rename_command(group: str, name: str) -> Request:
    """Rename GROUP to NAME. Its ID, members and permissions stay."""
    from .changing import Request
    from .wanted import Wanted, same_group

    def want(finder: Finder) -> Wanted:
        found = finder.group(group)
        finder.check_new_name(name, of=found)
        return Wanted(groups=(same_group(found, name=name),))

    return Request(["rename", group, name], want)


@change_command("delete", _group_argument, removes=True)
def delete_command(group: str) -> Request:
    """Delete GROUP, a name or an ID.

    With members in it, only if --allow-removals says exactly how many. Roles and shares that hang
    on its ID end with it, and undo does not give them back.
    """
    from .changing import Request
    from .wanted import Wanted, absent_group

    def want(finder: Finder) -> Wanted:
        return Wanted(groups=(absent_group(finder.group(group)),))

    return Request(["delete", group], want)


@change_command("add", _group_argument, users_argument)
def add_command(group: str, users: tuple[str, ...]) -> Request:
    """Add users to GROUP. USER is an e-mail or an ID.

    @FILE reads users from a file, one a line, and - from standard input.
    """
    from .changing import Request
    from .wanted import addition

    people = read_people(users)

    def want(finder: Finder) -> Wanted:
        return addition(finder.group(group), finder.users(people))

    return Request(["add", group], want, users, people, adds=True)


@change_command("remove", _group_argument, users_argument, removes=True)
def remove_command(group: str, users: tuple[str, ...]) -> Request:
    """Remove users from GROUP. USER is an e-mail or an ID.

    @FILE reads users from a file, one a line, and - from standard input; the guards of a file
    limit how many of these are removed. The last members are removed only if --allow-removals says
    exactly how many.
    """
    from .changing import Request
    from .wanted import removal

    people = read_people(users)

    def want(finder: Finder) -> Wanted:
        return removal(finder.group(group), finder.users(people))

    return Request(["remove", group], want, users, people)


@change_command(
    "copy",
    _group_argument,
    click.argument("target", metavar="GROUP", shell_complete=complete_group),
)
def copy_command(group: str, target: str) -> Request:
    """Add the members of a GROUP to a second one, which is created if there is none.

    Nobody leaves the second one.
    """
    from .changing import Request
    from .wanted import combination

    def want(finder: Finder) -> Wanted:
        source = finder.group(group)
        return combination([source], finder.group_or_new(target), target)

    return Request(["copy", group, target], want)


@change_command(
    "merge",
    click.argument(
        "groups", metavar="GROUP...", nargs=-1, required=True, shell_complete=complete_group
    ),
    click.option(
        "--into",
        required=True,
        metavar="GROUP",
        shell_complete=complete_group,
        help="The group that stays, or is created if there is none.",
    ),
    removes=True,
)
def merge_command(groups: tuple[str, ...], into: str) -> Request:
    """Add the members of each GROUP to one group, then delete the others.

    What the deleted groups gave access to, their members lose: those that have members are deleted
    only if --allow-removals says exactly how many. Roles and shares that hang on their IDs end with
    them, and undo does not give them back.
    """
    from .changing import Request
    from .wanted import Wanted, absent_group, combination

    def want(finder: Finder) -> Wanted:
        sources = finder.all_groups(groups)
        combined = combination(sources, finder.group_or_new(into), into)
        gone = (absent_group(group) for group in sources)
        return Wanted(groups=(*combined.groups, *gone), notes=combined.notes)

    return Request(["merge", *groups, "--into", into], want)
