"""`copy` and `merge`: the members of groups in another group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from .arguments import allow_removals_option, change_options
from .completing import complete_group
from .settings import TABLE_FORMATS, global_options

if TYPE_CHECKING:
    from .changing import ChangeOptions
    from .resolving import Finder
    from .wanted import Wanted


@click.command("copy")
@click.argument("group", shell_complete=complete_group)
@click.argument("target", metavar="GROUP", shell_complete=complete_group)
@change_options
@global_options(TABLE_FORMATS)
@click.pass_context
def copy_command(
    context: click.Context, group: str, target: str, **options: Unpack[ChangeOptions]
) -> int:
    """Add the members of a GROUP to a second one, which is created if there is none.

    Nobody leaves the second one.
    """
    from .changing import run_change
    from .wanted import combination

    def want(finder: Finder) -> Wanted:
        source = finder.group(group)
        return combination([source], finder.group_or_new(target), target)

    return run_change(context, ["copy", group, target], want, **options)


@click.command("merge")
@click.argument(
    "groups", metavar="GROUP...", nargs=-1, required=True, shell_complete=complete_group
)
@click.option(
    "--into",
    required=True,
    metavar="GROUP",
    shell_complete=complete_group,
    help="The group that stays, or is created if there is none.",
)
@change_options
@allow_removals_option
@global_options(TABLE_FORMATS)
@click.pass_context
def merge_command(
    context: click.Context,
    groups: tuple[str, ...],
    into: str,
    **options: Unpack[ChangeOptions],
) -> int:
    """Add the members of each GROUP to one group, then delete the others.

    What the deleted groups gave access to, their members lose: those that have members are deleted
    only if --allow-removals says exactly how many.
    """
    from .changing import run_change
    from .wanted import Wanted, absent_group, combination

    def want(finder: Finder) -> Wanted:
        sources = finder.all_groups(groups)
        combined = combination(sources, finder.group_or_new(into), into)
        gone = (absent_group(group) for group in sources)
        return Wanted(groups=(*combined.groups, *gone), notes=combined.notes)

    return run_change(context, ["merge", *groups, "--into", into], want, **options)
