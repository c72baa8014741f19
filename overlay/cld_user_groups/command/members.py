"""`add` and `remove`: users in one group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from .arguments import allow_removals_option, change_options, read_people, users_argument
from .completing import complete_group
from .settings import TABLE_FORMATS, global_options

if TYPE_CHECKING:
    from .changing import ChangeOptions
    from .resolving import Finder
    from .wanted import Wanted


@click.command("add")
@click.argument("group", shell_complete=complete_group)
@users_argument
@change_options
@global_options(TABLE_FORMATS)
@click.pass_context
def add_command(
    context: click.Context, group: str, users: tuple[str, ...], **options: Unpack[ChangeOptions]
) -> int:
    """Add users to GROUP. USER is an e-mail or an ID.

    @FILE reads users from a file, one a line, and - from standard input.
    """
    from .changing import run_change
    from .wanted import addition

    people = read_people(users)

    def want(finder: Finder) -> Wanted:
        return addition(finder.group(group), finder.users(people))

    return run_change(context, ["add", group], want, users, people, **options)


@click.command("remove")
@click.argument("group", shell_complete=complete_group)
@users_argument
@change_options
@allow_removals_option
@global_options(TABLE_FORMATS)
@click.pass_context
def remove_command(
    context: click.Context, group: str, users: tuple[str, ...], **options: Unpack[ChangeOptions]
) -> int:
    """Remove users from GROUP. USER is an e-mail or an ID.

    @FILE reads users from a file, one a line, and - from standard input; the guards of a file
    limit how many of these are removed. The last members are removed only if --allow-removals says
    exactly how many.
    """
    from .changing import run_change
    from .wanted import removal

    people = read_people(users)

    def want(finder: Finder) -> Wanted:
        return removal(finder.group(group), finder.users(people))

    return run_change(context, ["remove", group], want, users, people, **options)
