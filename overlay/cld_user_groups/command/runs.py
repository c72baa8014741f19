"""`runs` and `runs show`: the journals of this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from .cli import SuggestingGroup
from .output import has_color, print_json, print_result
from .settings import TABLE_FORMATS, global_options, settings_of

if TYPE_CHECKING:
    from cld_user_groups.membership import Run, RunSummary

    from .tables import Cell


@click.group("runs", cls=SuggestingGroup, invoke_without_command=True)
@global_options(TABLE_FORMATS)
@click.pass_context
def runs_command(context: click.Context) -> None:
    """List the runs on the account from this machine, the latest first."""
    if context.invoked_subcommand is not None:
        return
    settings = settings_of(context)
    from cld_user_groups.membership import list_runs, state_directory

    with settings.open_client() as client:
        account_id = client.account_id
    directory = state_directory(account_id)
    found = list_runs(directory)
    if settings.is_json:
        runs = [_summary_document(summary) for summary in found]
        print_json({"format": "cld-user-groups/runs/1", "account": account_id, "runs": runs})
        return
    from .tables import Column, Table, print_table

    names = ("run", "by", "source", "changes", "result")
    table = Table(
        format="cld-user-groups/runs/1",
        account=account_id,
        key="runs",
        columns=tuple(Column(name, is_number=name == "changes") for name in names),
        rows=[_row(summary) for summary in found],
        empty=f"There are no runs in {directory}.",
    )
    print_table(table, settings)


@runs_command.command("show")
@click.argument("run", required=False)
@global_options(TABLE_FORMATS)
@click.pass_context
def show_command(context: click.Context, run: str | None) -> None:
    """Show what a run has done: the last one, or RUN."""
    settings = settings_of(context)
    from cld_user_groups.membership import load_run, printable, state_directory

    from .report import outcome_document, outcome_text

    with settings.open_client() as client:
        found = load_run(state_directory(client.account_id), run)
    if settings.is_json:
        outcomes = [outcome_document(outcome) for outcome in found.outcomes]
        details = {"format": "cld-user-groups/run/1", **_document(found), "changes": outcomes}
        print_json(details)
        return
    if settings.format != "text":
        from .change_tables import result_table
        from .tables import print_table

        print_table(result_table(found.header.account, found.outcomes), settings)
        return
    header = found.header
    print_result(
        f"Run {found.id} on account {printable(header.account)}, "
        f"{header.started_at:%Y-%m-%d %H:%M:%S} UTC, "
        f"by {printable(header.by.user)} on {printable(header.by.host)}\n"
        f"From {printable(header.plan.source)}: {_counted(header.plan.changes)}; {_result(found)}"
    )
    for outcome in found.outcomes:
        print_result(outcome_text(outcome, color=has_color(sys.stdout)))
    for difference in found.end.differences if found.end else ():
        print_result(f"  {printable(difference)}")


def _counted(count: int) -> str:
    return "1 change" if count == 1 else f"{count} changes"


def _result(run: Run) -> str:
    if run.end is None:
        return "broken off"
    counts = run.end.summary
    done = counts.get("done", 0) + counts.get("already", 0)
    if run.end.verified is not False and done == run.header.plan.changes:
        return "complete"
    stopped = f", stopped: {run.end.stopped}" if run.end.stopped else ""
    return f"{done} of {run.header.plan.changes} done{stopped}"


def _row(summary: RunSummary) -> tuple[Cell, ...]:
    if summary.run is None:
        return (summary.id, None, None, None, f"unreadable: {summary.error}")
    header = summary.run.header
    by = f"{header.by.user}@{header.by.host}"
    return (summary.id, by, header.plan.source, header.plan.changes, _result(summary.run))


def _document(run: Run) -> dict[str, Any]:
    header = run.header
    return {
        "run": run.id,
        "account": header.account,
        "started_at": header.started_at,
        "ended_at": run.end.at if run.end else None,
        "by": {"user": header.by.user, "host": header.by.host, "pid": header.by.pid},
        "source": header.plan.source,
        "planned": header.plan.changes,
        "summary": dict(run.end.summary) if run.end else None,
        "stopped": run.end.stopped if run.end else None,
        "verified": run.end.verified if run.end else None,
        "differences": list(run.end.differences) if run.end else [],
    }


def _summary_document(summary: RunSummary) -> dict[str, Any]:
    if summary.run is None:
        return {"run": summary.id, "error": summary.error}
    return _document(summary.run)
