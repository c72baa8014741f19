"""`diff`: how two exports differ, or an export and the account."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from . import exit_codes
from .output import colored, has_color, print_message, print_result
from .settings import TABLE_FORMATS, global_options, settings_of

if TYPE_CHECKING:
    from cld_user_groups.membership import Desired, Difference

    from .settings import Settings
    from .tables import Table


@click.command("diff")
@click.argument("before")
@click.argument("after", required=False)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if they differ.")
@global_options(TABLE_FORMATS)
@click.pass_context
def diff_command(
    context: click.Context, before: str, after: str | None, detailed_exitcode: bool
) -> int:
    """Show how the export AFTER differs from BEFORE; without AFTER, the account as it is now.

    Both are what `export` writes, or other files of groups; - reads standard input. Files are
    compared as they stand: to see what one would change, use `plan`.
    """
    settings = settings_of(context)
    from cld_user_groups.membership import compare, groups_of, read_account

    from .source import read_groups
    from .tables import print_table

    if before == after == "-":
        raise click.UsageError("standard input (-) can be read only once", context)
    old = read_groups(before)
    if after is not None:
        new = read_groups(after)
        account_id, groups = new.account, new.groups
    else:
        with settings.open_client() as client:
            snapshot = read_account(client)
        account_id, groups = snapshot.account_id, groups_of(snapshot)
    is_same_account = None in (old.account, account_id) or old.account == account_id
    if not is_same_account:
        note = f"Accounts {old.account} and {account_id}: compared by names and e-mails, not by ID."
        print_message(note, quiet=settings.quiet)
    differences = compare(old.groups, groups, by_id=is_same_account)
    if settings.format == "text" and sys.stdout.isatty():
        _print_text(differences, settings)
    else:
        print_table(_table(differences, old, account_id), settings)
    return exit_codes.CHANGES if differences and detailed_exitcode else exit_codes.DONE


def _table(differences: Sequence[Difference], old: Desired, account_id: str | None) -> Table:
    from .tables import Column, Table

    names = ("change", "group", "user", "old_name", "group_id", "user_id")
    return Table(
        format="cld-user-groups/diff/1",
        account=account_id or old.account or "",
        key="differences",
        columns=tuple(map(Column, names)),
        rows=[
            (
                each.action,
                each.group.name,
                each.member.email if each.member else None,
                each.old_name,
                each.group.id,
                each.member.id if each.member else None,
            )
            for each in differences
        ],
        empty=_NONE,
    )


_NONE = "There are no differences."


def _print_text(differences: Sequence[Difference], settings: Settings) -> None:
    if differences:
        print_result("\n".join(_lines(differences, color=has_color(sys.stdout))))
    else:
        print_message(_NONE, quiet=settings.quiet)


def _lines(differences: Sequence[Difference], *, color: bool) -> Iterator[str]:
    """Yield the differences for a terminal: a line a group, and below it a line a member."""
    from cld_user_groups.membership import Action, printable

    signs = {
        Action.CREATE_GROUP: ("+", "green"),
        Action.DELETE_GROUP: ("-", "red"),
        Action.RENAME_GROUP: ("~", "yellow"),
    }
    groups: dict[tuple[str | None, str], list[Difference]] = {}
    for each in differences:
        groups.setdefault((each.group.id, each.group.name), []).append(each)
    for (_, name), found in groups.items():
        of_group = next((each for each in found if each.action in signs), None)
        sign, hue = signs[of_group.action] if of_group else ("~", "yellow")
        was = f" (was {printable(of_group.old_name)})" if of_group and of_group.old_name else ""
        yield colored(f"{sign} {printable(name)}{was}", hue if color else None)
        for each in found:
            if each.member is not None:
                is_added = each.action is Action.ADD_USER
                who = printable(each.member.email or each.member.id or "")
                line = f"    {'+' if is_added else '-'} {who}"
                hue = "green" if is_added else "red"
                yield colored(line, hue if color else None)
