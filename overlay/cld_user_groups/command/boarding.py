"""`onboard` and `offboard`: users in all groups at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from .arguments import allow_removals_option, change_options, one_user, read_people, users_argument
from .settings import TABLE_FORMATS, global_options

if TYPE_CHECKING:
    from .changing import ChangeOptions
    from .resolving import Finder
    from .wanted import Wanted


@click.command("offboard")
@users_argument
@change_options
@allow_removals_option
@global_options(TABLE_FORMATS)
@click.pass_context
def offboard_command(
    context: click.Context, users: tuple[str, ...], **options: Unpack[ChangeOptions]
) -> int:
    """Remove users from every group; they stay users of the account.

    USER is an e-mail or an ID. @FILE reads users from a file, one a line, and - from standard
    input; the guards of a file limit how many of these are removed. The last members of a group are
    removed only if --allow-removals says exactly how many.
    """
    from .changing import run_change
    from .wanted import offboarding

    people = read_people(users)

    def want(finder: Finder) -> Wanted:
        return offboarding(finder.groups, finder.users(people))

    return run_change(context, ["offboard"], want, users, people, **options)


@click.command("onboard")
@users_argument
@click.option(
    "--like", required=True, metavar="USER", help="The user whose groups they are added to."
)
@change_options
@global_options(TABLE_FORMATS)
@click.pass_context
def onboard_command(
    context: click.Context,
    users: tuple[str, ...],
    like: str,
    **options: Unpack[ChangeOptions],
) -> int:
    """Add users to every group that another user is in. USER is an e-mail or an ID.

    @FILE reads users from a file, one a line, and - from standard input.
    """
    from .changing import run_change
    from .wanted import onboarding

    people, model = read_people(users), one_user(like)

    def want(finder: Finder) -> Wanted:
        ((other, _),) = finder.users([model])
        return onboarding(finder.groups, finder.users(people), other)

    words = ["onboard", "--like", like]
    return run_change(context, words, want, users, (*people, model), **options)
