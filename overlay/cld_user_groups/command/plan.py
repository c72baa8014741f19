"""`plan`: what would be changed."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import exit_codes
from .arguments import allow_new_option, allow_removals_option, force_option
from .output import OutputFile, has_color, print_message, print_result
from .settings import PLAN_FORMATS, global_options, settings_of

if TYPE_CHECKING:
    from cld_user_groups.membership import Plan

    from .settings import Settings


@click.command("plan")
@click.argument("file")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Save the plan to this file, for `apply`.",
)
@force_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes.")
@click.option("--adds-only", is_flag=True, help="Leave out removals and deletions.")
@allow_removals_option
@allow_new_option
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Plan for the memberships of that day. Default: today, in UTC.",
)
@global_options(PLAN_FORMATS)
@click.pass_context
def plan_command(
    context: click.Context,
    file: str,
    out: Path | None,
    force: bool,
    detailed_exitcode: bool,
    adds_only: bool,
    allow_removals: int | None,
    allow_new: tuple[str, ...],
    today: datetime | None,
) -> int:
    """Show what would change so that the account matches FILE. Nothing is written.

    FILE is YAML, TOML, JSON, CSV or JSON lines; - reads standard input.

    Exits with 3 where a guard refuses the plan, and with 5 where something is held back.
    """
    settings = settings_of(context)
    from cld_user_groups.membership import render_json

    from .source import hold_to_guards, make_plan, read_groups, with_new_groups

    desired = with_new_groups(read_groups(file), allow_new)
    with settings.open_client() as client:
        output = None if out is None else OutputFile(out, client.account_id, force=force)
        made, snapshot = make_plan(client, desired, today.date() if today else None)
    made = hold_to_guards(made, snapshot, allow_removals=allow_removals, only_adds=adds_only)
    if output is not None:
        output.write(render_json(made))
    print_result(render_plan(made, settings.format, color=has_color(sys.stdout)))
    if out is not None:
        print_message(
            f"Saved in {out}. To apply it: {settings.command_line('apply', str(out))}",
            quiet=settings.quiet,
        )
    tell_apart(made, settings)
    code = code_of_plan(made)
    return exit_codes.CHANGES if not code and made.changes and detailed_exitcode else code


def code_of_plan(made: Plan) -> int:
    """Return the exit code of a plan that is only shown."""
    if made.breaches:
        return exit_codes.GUARD
    return exit_codes.INCOMPLETE if made.held_back else exit_codes.DONE


def tell_apart(made: Plan, settings: Settings) -> None:
    """Write to standard error what the CSV of a plan has no place for."""
    from cld_user_groups.membership import printable

    if settings.format == "csv":
        for warning in made.warnings:
            print_message(f"Warning: {printable(warning)}", quiet=settings.quiet)
        tell_held_back(made)


def tell_held_back(made: Plan) -> None:
    """Write to standard error what a plan holds back, with --quiet too: it is an error."""
    from cld_user_groups.membership import printable

    for held in made.held_back:
        print_message(f"Held back: {printable(held)}")


def render_plan(made: Plan, format: str, *, color: bool = False) -> str:  # noqa: A002
    """Return a plan in a format of `PLAN_FORMATS`."""
    from cld_user_groups import membership

    match format:
        case "json":
            return membership.render_json(made)
        case "csv":
            from .change_tables import plan_table
            from .tables import as_csv

            return as_csv(plan_table(made))
        case "markdown":
            return membership.render_markdown(made)
        case "html":
            return membership.render_html(made)
        case _:
            return membership.render_text(made, color=color)
