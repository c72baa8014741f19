"""`undo`: takes back what a run has done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from .arguments import allow_removals_option, dry_run_option, yes_option
from .settings import TABLE_FORMATS, global_options, settings_of

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning
    from cld_user_groups.membership import Plan, Snapshot


@click.command("undo")
@click.argument("run", required=False)
@yes_option
@dry_run_option
@allow_removals_option
@global_options(TABLE_FORMATS)
@click.pass_context
def undo_command(
    context: click.Context, run: str | None, yes: bool, dry_run: bool, allow_removals: int | None
) -> int:
    """Undo a run: the last one, or RUN.

    What its journal confirms, or the account shows, is taken back as far as it still stands. That
    is a plan too, with the same guards; it has a journal of its own, and can itself be undone. A
    deleted group comes back with another ID, and without the roles and shares of the old one.
    Exits with 5 where something still stands that cannot be undone.
    """
    settings = settings_of(context)
    from cld_user_groups.membership import load_run, read_account, state_directory, undo_plan

    from .running import Options, run_plan

    def prepare(client: CldProvisioning) -> tuple[Plan, Snapshot]:
        found = load_run(state_directory(client.account_id), run)
        snapshot = read_account(client)
        made = undo_plan(found, snapshot, now=datetime.now(UTC), allow_removals=allow_removals)
        return made, snapshot

    # Once more it is a matter of the journal of the run that it has taken back.
    again = settings.command_line("undo", run or "RUN") + ("" if run else ", with the same RUN")
    return run_plan(settings, prepare, Options(yes=yes, dry_run=dry_run, again=again))
