"""`apply`: makes the account what a file or a saved plan says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from attrs import evolve

from .arguments import allow_new_option, allow_removals_option, dry_run_option, yes_option
from .durations import duration
from .settings import TABLE_FORMATS, global_options, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from cld_user_groups import CldProvisioning
    from cld_user_groups.membership import Change, Desired, Plan, Snapshot

    from .settings import Settings


@click.command("apply")
@click.argument("file", metavar="FILE|PLAN")
@yes_option
@dry_run_option
@allow_removals_option
@allow_new_option
@click.option("--adds-only", is_flag=True, help="Leave out removals and deletions.")
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=16,
    show_default=True,
    metavar="N",
    help="The maximum number of changes in flight.",
)
@click.option(
    "--keep-quota",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Leave N requests of the quota unused.",
)
@click.option(
    "--max-wait",
    type=duration,
    default="0",
    metavar="DURATION",
    help="How long to wait for another run to end, and for the quota to be renewed: 90s, 15m, "
    "1h30m. Default: do not wait.",
)
@global_options(TABLE_FORMATS)
@click.pass_context
def apply_command(
    context: click.Context,
    file: str,
    yes: bool,
    dry_run: bool,
    allow_removals: int | None,
    allow_new: tuple[str, ...],
    adds_only: bool,
    concurrency: int,
    keep_quota: int,
    max_wait: float,
) -> int:
    """Make the account match FILE, or apply a saved PLAN; - reads standard input.

    Shows the plan, asks (on a terminal; elsewhere --yes is needed), writes, and reads the account
    again. Ctrl-C starts nothing more and lets what is in flight end; a second one stops at once.
    """
    settings = settings_of(context)
    from cld_user_groups.membership import Plan, read_account
    from cld_user_groups.membership.checks import check_plan, check_saved

    from .resolving import Named, lookup_of
    from .running import Options, run_plan
    from .source import changes_needed, hold_to_guards, make_plan, read_source, with_new_groups

    source = read_source(file)
    if allow_new:
        if isinstance(source, Plan):
            raise click.UsageError("--allow-new is for a file, or for the `plan` that saves a plan")
        source = with_new_groups(source, allow_new)

    def prepare(client: CldProvisioning) -> tuple[Plan, Snapshot]:
        if isinstance(source, Plan):
            # Held to its guards below, where a human may have allowed its removals.
            check_plan(evolve(source, breaches=()), client.account_id, datetime.now(UTC))
            users = {change.user.id for change in source.changes if change.user is not None}
            people = lookup_of(Named(text=user) for user in sorted(users))
            made, snapshot = source, read_account(client, people)
            check_saved(made, snapshot)
        else:
            made, snapshot = make_plan(client, source)
        held = hold_to_guards(made, snapshot, allow_removals=allow_removals, only_adds=adds_only)
        return held, snapshot

    def still_needed(snapshot: Snapshot, day: date) -> Sequence[Change]:
        if isinstance(source, Plan):
            return ()  # a saved plan asks for its own changes only
        return changes_needed(source, snapshot, day, only_adds=adds_only)

    options = Options(
        yes=yes,
        dry_run=dry_run,
        concurrency=concurrency,
        keep_quota=keep_quota,
        max_wait=max_wait,
        again=_way_on(settings, file, source),
        way_out="What takes nothing away can be applied all the same: --adds-only.",
    )
    return run_plan(settings, prepare, options, still_needed)


def _way_on(settings: Settings, file: str, source: Desired | Plan) -> str:
    """Return how to go on where a run ends early: a saved plan is stale once begun."""
    from cld_user_groups.membership import Plan, printable

    if not isinstance(source, Plan):
        return settings.command_line("apply", file)
    again = settings.command_line("plan", printable(source.source), "--out", file)
    return f"create the plan again: {again}"
