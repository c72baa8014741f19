"""The runs from this machine, as their journals tell: `runs`, with `show`, `verify`, `prune`."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Any

import click
from attrs import asdict, evolve

from cld_user_groups.identity import printable

from . import errors, membership, options
from .cli import SuggestingGroup
from .completion import complete_run
from .examples import examples_of
from .options import (
    TABLE_FORMATS,
    Settings,
    age,
    command,
    flag,
    global_options,
    option,
    settings_of,
)
from .output import has_color, print_document, print_message
from .results import lines_on_roles, outcome_document, outcome_text, result_table
from .running import EVERYDAY, confirm
from .tables import Cell, Table, as_tsv, columns, print_table

# Of the people of an everyday command, in a list of runs.
_SHOWN_PEOPLE = 3


@click.group(
    "runs", cls=SuggestingGroup, invoke_without_command=True, epilog=examples_of(__name__, "runs")
)
@global_options(TABLE_FORMATS)
@flag("--assistant", "List the calls that assistants made (`mcp`), instead.")
@click.pass_context
def runs_command(context: click.Context, assistant: bool) -> None:
    """List the runs on the account from this machine, the latest first."""
    if context.invoked_subcommand is not None:
        return
    settings = settings_of(context)
    account_id, directory = _place(settings)
    if assistant:
        print_table(_calls_table(directory, account_id), settings)
        return
    found = membership.list_runs(directory)
    if settings.is_json:
        runs = [
            {"run": each.id, "error": each.error} if each.run is None else _run_document(each.run)
            for each in found
        ]
        print_document("runs", account=account_id, runs=runs)
        return
    names, empty = columns("run by source #changes result"), f"There are no runs in {directory}."
    print_table(Table("runs", account_id, "runs", names, [*map(_row, found)], empty), settings)


def _place(settings: Settings) -> tuple[str, Path]:
    """Return the account, and the directory of its journals."""
    with settings.open_client() as client:
        return client.account_id, membership.state_directory(client.account_id)


def _calls_table(directory: Path, account_id: str) -> Table:
    names = columns("at tool result plan #requests #milliseconds arguments?")
    rows = [
        (*(each.get(column.name) for column in names[:-1]), json.dumps(each.get("arguments")))
        for each in membership.state.logged_calls(directory)
    ]
    empty = f"No calls of assistants are logged in {directory}."
    return Table("assistant-calls", account_id, "calls", names, rows, empty)


@command("show", click.argument("run", required=False, shell_complete=complete_run))
def show_command(settings: Settings, run: str | None) -> None:
    """Show what a run has done: the last one, or RUN."""
    found = membership.load_run(_place(settings)[1], run)
    header = found.header
    if settings.is_json:
        changes = [*map(outcome_document, found.outcomes)]
        print_document("run", **_run_document(found), changes=changes)
        return
    if settings.format != "text":
        print_table(result_table(header.account, found.outcomes), settings)
        return
    planned = header.plan.changes
    count = "1 change" if planned == 1 else f"{planned} changes"
    lines = [
        f"Run {found.id} on account {printable(header.account)}, "
        f"{header.started_at:%Y-%m-%d %H:%M:%S} UTC, "
        f"by {printable(header.by.user)} on {printable(header.by.host)}",
        f"From {printable(header.plan.source)}: {count}; {_result(found)}",
        *(outcome_text(outcome, color=has_color(sys.stdout)) for outcome in found.outcomes),
        *lines_on_roles(found.outcomes),
        *(f"  {printable(each)}" for each in (found.end.differences if found.end else ())),
    ]
    settings.show("\n".join(lines))


@command("verify")
def verify_command(settings: Settings) -> int:
    """Check the digests in the journals: whether a line was changed, or is missing.

    Exits with 1 where one was. Journals of earlier versions are without digests.
    """
    account_id, directory = _place(settings)
    found = membership.verify_runs(directory)
    names = columns("run #lines result problems")
    rows = [
        (each.run, each.lines, _verification(each), "; ".join(each.problems) or None)
        for each in found
    ]
    empty = f"There are no runs in {directory}."
    print_table(Table("verification", account_id, "runs", names, rows, empty), settings)
    counted = membership.rendering.counted
    if gaps := membership.missing_numbers(membership.list_runs(directory)):
        listed = ", ".join(map(str, gaps))
        settings.say(f"Not here, pruned or deleted: run number {listed}.")
    wrong = sum(bool(each.problems) for each in found)
    if wrong:
        print_message(f"{counted(wrong, 'journal')} of {len(found)} changed, or incomplete.")
        return errors.ERROR
    if found:
        without = sum(not each.has_digests for each in found)
        note = f"; {without} of them without digests" if without else ""
        settings.say(f"Verified {counted(len(found), 'journal')}{note}.")
    return errors.DONE


def _verification(found: membership.Verification) -> str:
    if found.problems:
        return "changed"
    return "verified" if found.has_digests else "without digests"


@command(
    "prune",
    option(
        "--older-than",
        "Delete the journals of runs that ended longer ago than this: 90d, 12h.",
        "AGE",
        type=age,
        required=True,
    ),
    options.dry_run,
    options.yes,
)
def prune_command(settings: Settings, older_than: float, dry_run: bool, yes: bool) -> int:
    """Delete the journals of old runs, with the names and e-mails in them.

    Shows which, and asks. Kept are the latest run, those that have not ended or cannot be read, and
    those that a later run undid. A run that is deleted cannot be undone, nor does it explain a
    membership any more.
    """
    account_id, directory = _place(settings)
    try:
        before = datetime.now(UTC) - timedelta(seconds=older_than)
    except OverflowError:
        raise click.BadParameter("that is before all runs.", param_hint="--older-than") from None

    def shown(found: membership.Pruning, done: str) -> Table:
        names = columns("run started by source result")
        listed = [(each, done) for each in found.runs]
        listed += [(each, f"kept: {why}") for each, why in found.kept]
        rows = [(each.id, each.started_at, *_row(each)[1:3], result) for each, result in listed]
        empty = f"No run is older than {before:%Y-%m-%d %H:%M} UTC."
        return Table("pruned", account_id, "runs", names, rows, empty)

    found = membership.prunable(membership.list_runs(directory), before)
    if dry_run or not found.runs:
        print_table(shown(found, "to be deleted"), settings)
        return errors.DONE
    what = membership.rendering.counted(len(found.runs), "journal")
    if not yes:
        print_message(as_tsv(shown(found, "to be deleted")))
        confirm(f"Delete {what} of account {account_id}?", f"delete {what}", "list")
    with membership.account_lock(directory, account_id):
        # Another run may have begun, or undone one of them, meanwhile.
        now = membership.prunable(membership.list_runs(directory), before)
        ids = {each.id for each in found.runs}
        found = evolve(now, runs=tuple(each for each in now.runs if each.id in ids))
        membership.delete_journals(found.runs)
    print_table(shown(found, "deleted"), settings)
    what = membership.rendering.counted(len(found.runs), "journal")
    settings.say(f"Deleted {what}.")
    return errors.DONE


for _each in (show_command, verify_command, prune_command):
    runs_command.add_command(_each)


def _result(run: membership.Run) -> str:
    if run.end is None:
        return "broken off"
    counts = run.end.summary
    done = counts.get("done", 0) + counts.get("already", 0)
    if run.end.verified is not False and done == run.header.plan.changes:
        return "complete"
    stopped = f", stopped: {run.end.stopped}" if run.end.stopped else ""
    return f"{done} of {run.header.plan.changes} done{stopped}"


def _row(summary: membership.RunSummary) -> tuple[Cell, ...]:
    if summary.run is None:
        return (summary.id, None, None, None, f"unreadable: {summary.error}")
    header = summary.run.header
    by = f"{header.by.user}@{header.by.host}"
    source = header.plan.source
    if source.startswith(EVERYDAY) and (people := _people(summary.run)):
        more = len(people) - _SHOWN_PEOPLE
        source = " ".join([source, *people[:_SHOWN_PEOPLE], *([f"and {more} more"] * (more > 0))])
    return (summary.id, by, source, header.plan.changes, _result(summary.run))


def _people(run: membership.Run) -> list[str]:
    """Return whom a run added or removed, in the order of its plan."""
    outcomes = sorted(run.outcomes, key=attrgetter("position"))
    users = (outcome.change.user for outcome in outcomes)
    return list(dict.fromkeys(user.text for user in users if user is not None))


def _run_document(run: membership.Run) -> dict[str, Any]:
    header, end = run.header, run.end
    return {
        "run": run.id,
        "account": header.account,
        "started_at": header.started_at,
        "ended_at": end and end.at,
        "by": asdict(header.by),
        "source": header.plan.source,
        "people": _people(run),
        "planned": header.plan.changes,
        "summary": end and end.summary,
        "stopped": end and end.stopped,
        "verified": end and end.verified,
        "differences": end.differences if end else (),
    }
