"""`users` and `whois`: the people of the account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from .arguments import one_user
from .output import print_message
from .settings import TABLE_FORMATS, global_options, settings_of

if TYPE_CHECKING:
    from cld_provisioning_api.models import User
    from cld_user_groups.membership import Snapshot

    from .tables import Table


@click.command("users")
@click.argument("text", required=False)
@global_options(TABLE_FORMATS)
@click.pass_context
def users_command(context: click.Context, text: str | None) -> None:
    """List the users, or those with TEXT in their e-mail, name or ID."""
    settings = settings_of(context)
    from cld_user_groups.membership import read_account

    from .people import read_everyone
    from .tables import print_table

    with settings.open_client() as client:
        snapshot = read_account(client)
        everyone = read_everyone(client)
    sought = (text or "").strip().casefold()
    found = [user for user in everyone.users if _has(user, sought)]
    found.sort(key=lambda user: ((user.email or "").casefold(), user.id))
    print_table(_table(snapshot, found), settings)
    if not everyone.complete:
        print_message("There may be more users: the server repeats its pages.")


@click.command("whois")
@click.argument("user")
@global_options(TABLE_FORMATS)
@click.pass_context
def whois_command(context: click.Context, user: str) -> None:
    """Show role, state, last login and groups of USER, an e-mail or an ID."""
    settings = settings_of(context)
    from cld_user_groups.membership import read_account

    from .resolving import Finder, lookup_of
    from .tables import print_table

    named = one_user(user)
    with settings.open_client() as client:
        snapshot = read_account(client, lookup_of([named]))
        ((member, _),) = Finder(snapshot).users([named])
        found = client.users.get(user_id=member.id)
    print_table(_table(snapshot, [found]), settings, is_record=True)


def _has(user: User, sought: str) -> bool:
    return any(sought in (value or "").casefold() for value in (user.email, user.name, user.id))


def _table(snapshot: Snapshot, users: Iterable[User]) -> Table:
    from cld_user_groups.membership import GroupRef

    from .people import state_of
    from .tables import Column, Table

    groups: dict[str, list[GroupRef]] = {}
    for group in sorted(snapshot.groups, key=lambda group: group.name.casefold()):
        for member in group.members:
            groups.setdefault(member.id, []).append(GroupRef(id=group.id, name=group.name))
    return Table(
        format="cld-user-groups/users/1",
        account=snapshot.account_id,
        key="users",
        columns=(
            Column("email"),
            Column("name"),
            Column("role"),
            Column("state"),
            Column("last_login", is_extra=True),
            Column("groups"),
            Column("id", is_extra=True),
        ),
        rows=[
            (
                user.email,
                user.name,
                user.role,
                state_of(user),
                user.last_login,
                tuple(groups.get(user.id, ())),
                user.id,
            )
            for user in users
        ],
        empty="There is no such user.",
    )
