"""The commands of people: `users`, `whois`, `onboard`, `offboard`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click
from attrs import evolve

from . import membership
from .completion import complete_user, users_argument
from .options import Settings, command, option
from .output import print_message
from .roles import of_user
from .running import change_command
from .source import one_user
from .tables import Lines, Table, columns, print_table

if TYPE_CHECKING:
    from cld_provisioning_api.models import User
    from cld_user_groups import CldProvisioning
    from cld_user_groups.membership import DesiredMember, Finder, Snapshot
    from cld_user_groups.membership.everyday import DesiredState

_COLUMNS = columns("email name role? state? last_login? groups id?")


@command("users", click.argument("text", required=False))
def users_command(settings: Settings, text: str | None) -> None:
    """List the users, or those with TEXT in their e-mail, name or ID."""
    with settings.open_client() as client:
        snapshot = membership.read_account(client)
        users, is_complete = read_everyone(client)
    has_text = membership.lookup.has_text
    found = [user for user in users if has_text(text, user.email, user.name, user.id)]
    found.sort(key=lambda user: ((user.email or "").casefold(), user.id))
    print_table(_table(snapshot, found), settings)
    if not is_complete:
        print_message("There may be more users: the server repeats its pages.")


@command("whois", click.argument("user", shell_complete=complete_user))
def whois_command(settings: Settings, user: str) -> None:
    """Show role, state, last login, groups and roles of USER, an e-mail or an ID."""
    named = one_user(user)
    with settings.open_client() as client:
        snapshot = membership.read_account(client, membership.lookup.lookup_of([named]))
        finder = membership.Finder(snapshot)
        (member,) = finder.users([named])
        found = client.users.get(user_id=member.id or "")
        groups = sorted(finder.joined(found.id), key=lambda group: group.name.casefold())
        texts, document = of_user(
            membership.roles.roles_of(client, groups, [found.id]), found.id, groups
        )
    table = _table(snapshot, [found])
    names, row = (*_COLUMNS, *columns("roles")), (*table.rows[0], Lines(texts))
    table = evolve(table, columns=names, rows=[row], details={"roles": document})
    print_table(table, settings, is_record=True)


def _table(snapshot: Snapshot, users: Iterable[User]) -> Table:
    groups = sorted(snapshot.groups, key=lambda group: group.name.casefold())
    directory = membership.Directory(evolve(snapshot, groups=tuple(groups)))
    rows = [
        (
            *(user.email, user.name, user.role, state_of(user), user.last_login),
            *(tuple(each.ref for each in directory.joined(user.id)), user.id),
        )
        for user in users
    ]
    empty = "There is no such user."
    return Table("users", snapshot.account_id, "users", _COLUMNS, rows, empty)


@change_command("offboard", users_argument, removes=True)
def offboard_command(finder: Finder, people: Sequence[DesiredMember]) -> DesiredState:
    """Remove users from every group; they stay users of the account.

    USER is an e-mail or an ID. @FILE reads users from a file, one a line, and - from standard
    input; the guards of a file limit how many of these are removed. The last members of a group are
    removed only if --allow-removals says exactly how many.
    """
    return membership.everyday.removal(finder.groups, people, "in no group")


@change_command(
    "onboard",
    users_argument,
    option(
        "--like",
        "The user whose groups they are added to.",
        "USER",
        shell_complete=complete_user,
        required=True,
    ),
)
def onboard_command(
    finder: Finder, people: Sequence[DesiredMember], like: DesiredMember
) -> DesiredState:
    """Add users to every group that another user is in. USER is an e-mail or an ID.

    @FILE reads users from a file, one a line, and - from standard input.
    """
    joined = finder.joined(like.id)
    if not joined:
        message = f"{membership.everyday.who(like)} is in no group, so there is none to join"
        raise membership.lookup.error_in_call(message, "see cld-user-groups users")
    return membership.everyday.addition(joined, people)


def read_everyone(client: CldProvisioning) -> tuple[Sequence[User], bool]:
    """Read all users, and whether the server's pages came to an end, rather than repeat."""
    from cld_provisioning_api.api.users.get_users import GetUsersRequest
    from cld_user_groups._find_users import read_pages, send_each

    seen: dict[str, User] = {}
    pages = read_pages(seen, GetUsersRequest)
    is_complete = send_each(pages, lambda query: client.users.list(request=query))
    return tuple(seen.values()), is_complete


def state_of(user: User) -> str | None:
    """Return "pending", "disabled" or "active"; None where the API does not say."""
    state = membership.snapshot.login_state(user)
    return None if state is membership.snapshot.State.UNKNOWN else state.value
