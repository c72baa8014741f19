"""`list` and `show`: the groups, and who is in one."""

from __future__ import annotations

import click

from .completing import complete_group
from .settings import TABLE_FORMATS, global_options, settings_of


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
@click.argument("group", shell_complete=complete_group)
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
