"""`create`, `rename` and `delete`: groups themselves."""

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


@click.command("create")
@click.argument("name")
@change_options
@global_options(TABLE_FORMATS)
@click.pass_context
def create_command(context: click.Context, name: str, **options: Unpack[ChangeOptions]) -> int:
    """Create an empty group."""
    from .changing import run_change
    from .wanted import Wanted, new_group

    def want(finder: Finder) -> Wanted:
        finder.check_new_name(name)
        return Wanted(groups=(new_group(name),))

    return run_change(context, ["create", name], want, **options)


@click.command("rename")
@click.argument("group", shell_complete=complete_group)
@click.argument("name")
@change_options
@global_options(TABLE_FORMATS)
@click.pass_context
def rename_command(
    context: click.Context, group: str, name: str, **options: Unpack[ChangeOptions]
) -> int:
    """Rename GROUP to NAME. Its ID, members and permissions stay."""
    from .changing import run_change
    from .wanted import Wanted, same_group

    def want(finder: Finder) -> Wanted:
        found = finder.group(group)
        finder.check_new_name(name, of=found)
        return Wanted(groups=(same_group(found, name=name),))

    return run_change(context, ["rename", group, name], want, **options)


@click.command("delete")
@click.argument("group", shell_complete=complete_group)
@change_options
@allow_removals_option
@global_options(TABLE_FORMATS)
@click.pass_context
def delete_command(context: click.Context, group: str, **options: Unpack[ChangeOptions]) -> int:
    """Delete GROUP, a name or an ID.

    With members in it, only if --allow-removals says exactly how many.
    """
    from .changing import run_change
    from .wanted import Wanted, absent_group

    def want(finder: Finder) -> Wanted:
        return Wanted(groups=(absent_group(finder.group(group)),))

    return run_change(context, ["delete", group], want, **options)
