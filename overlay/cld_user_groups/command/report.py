"""`report`: the access review of the account. (`results.py` holds what a run reports.)"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from .lazy import membership, review
from .options import command, force_option
from .output import OutputFile, print_json, print_message, print_result
from .settings import PLAN_FORMATS, Settings
from .source import check_is_for
from .tables import Column, Table, as_csv

if TYPE_CHECKING:
    from cld_user_groups.membership import History, Snapshot
    from cld_user_groups.membership.review import Comparison, Review

_BY_SUFFIX = {
    ".html": "html", ".csv": "csv", ".json": "json", ".md": "markdown", ".txt": "text",
}  # fmt: skip


@command(
    "report",
    click.option(
        "--output",
        "-o",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The file to write; .html, .csv, .json or .md say the format. Default: standard "
        "output.",
    ),
    force_option,
    click.option(
        "--as-of", metavar="RUN", help="Show the groups as they were right after that run."
    ),
    click.option(
        "--since",
        metavar="RUN|DATE|FILE",
        help="Tell what has changed since a run, since the report of a day, or since a report that "
        "was saved as JSON. Default: the last report of an earlier day.",
    ),
    click.option(
        "--file", metavar="FILE", help="Also take reasons and end dates from this file of groups."
    ),
    click.option(
        "--unseen-days",
        type=click.IntRange(min=1),
        default=90,
        show_default=True,
        metavar="N",
        help="Report people who have not logged in for N days.",
    ),
    click.option(
        "--ending-days",
        type=click.IntRange(min=0),
        default=30,
        show_default=True,
        metavar="N",
        help="Report memberships that end within N days.",
    ),
    formats=PLAN_FORMATS,
)
def report_command(
    settings: Settings,
    output: Path | None,
    force: bool,
    as_of: str | None,
    since: str | None,
    file: str | None,
    unseen_days: int,
    ending_days: int,
) -> None:
    """Write the access review: who is in which group, since when and why.

    Nothing is written to the account. One report a day is kept on this machine, so that the next
    one tells what has changed.
    """
    desired = None
    if file is not None:
        desired = membership.read_file(file, timeout=settings.source_timeout)
    with settings.open_client() as client:
        if desired is not None:
            check_is_for(desired, client.account_id)
        is_named = _names_format()
        target = None
        if output is not None:
            _check_suffix(output, is_named=is_named)
            target = OutputFile(output, client.account_id, force=force)
        snapshot = membership.read_account(client)
        people = review.read_people(client, snapshot)
    state = membership.state_directory(snapshot.account_id)
    history = membership.read_history(state)
    now = datetime.now(UTC)
    notes: tuple[str, ...] = ()
    if as_of is not None:
        past = membership.as_of(snapshot, history.runs, as_of)
        snapshot, history = past.snapshot, _until(history, as_of)
        notes = (*_OF_THE_PAST, *past.notes)
    made = review.review(
        snapshot,
        people,
        history,
        now=now,
        desired=desired,
        changes=_changes(snapshot, history, since, state),
        as_of=as_of,
        unseen_days=unseen_days,
        ending_days=ending_days,
        notes=notes,
    )
    _write(made, output, target, settings, is_named=is_named)
    if as_of is None:
        _keep(made, state, quiet=settings.quiet)


_OF_THE_PAST = (
    "Roles, states and last logins are those of now.",
    "What was changed elsewhere since that run, in the console for one, is in no journal, and is "
    "shown as if it had been so then.",
)


def _until(history: History, run: str) -> History:
    """Return what the journals told right after a run."""
    position = next(at for at, each in enumerate(history.runs) if each.id == run)
    return membership.history_of(history.runs[: position + 1])


def _changes(
    snapshot: Snapshot, history: History, since: str | None, state: Path
) -> Comparison | None:
    """Return what has changed since what was asked for, or since the last report, if any."""
    if since is not None and any(run.id == since for run in history.runs):
        past = membership.as_of(snapshot, history.runs, since).snapshot
        return review.compare(past.groups, snapshot, to=f"the run {since}", at=past.taken_at)
    if since is None:
        earlier = review.last_before(state, snapshot.taken_at.date())
    elif (day := _as_day(since)) is not None:
        earlier = review.last_until(state, day)
    elif (path := Path(since)).exists():
        earlier = review.load_earlier(path)
    else:
        message = f"{since!r} is neither a run of this account, nor a day (yyyy-mm-dd), nor a file."
        raise click.BadParameter(message, param_hint="--since")
    if earlier is None:
        return None
    if earlier.account_id != snapshot.account_id:
        message = f"the report is of the account `{earlier.account_id}`"
        raise membership.FileError([membership.Problem(since or str(state), None, message)])
    to = f"the report of {earlier.made_at:%Y-%m-%d %H:%M} UTC"
    return review.compare(earlier.groups, snapshot, to=to, at=earlier.made_at)


def _as_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _names_format() -> bool:
    """Return whether the command line names a format, before the command or after it."""
    context = click.get_current_context()
    at = (context, context.parent or context)
    return any(each.get_parameter_source("format") is ParameterSource.COMMANDLINE for each in at)


def _check_suffix(output: Path, *, is_named: bool) -> None:
    """Reject a name that says another format than those of a report."""
    suffix = output.suffix.lower()
    is_device = output.exists() and not output.is_file()
    if suffix and suffix not in _BY_SUFFIX and not is_named and not is_device:
        known = ", ".join(_BY_SUFFIX)
        message = f"{output} must end in one of {known}, or --format must say what it is"
        raise click.BadParameter(message, param_hint="--output")


def _write(
    made: Review,
    output: Path | None,
    target: OutputFile | None,
    settings: Settings,
    *,
    is_named: bool,
) -> None:
    suffix = output.suffix.lower() if output is not None and not is_named else ""
    text = _rendered(made, _BY_SUFFIX.get(suffix, settings.format))
    if target is None:
        print_result(text)
        return
    target.write(text)
    if settings.is_json:
        print_json(
            {
                "format": "cld-user-groups/report/1",
                "account": made.account_id,
                "output": str(output),
                "findings": len(made.findings),
            }
        )
    print_message(
        f"Wrote the report to {output}; things to look at: {len(made.findings)}.",
        quiet=settings.quiet,
    )


def _rendered(made: Review, format: str) -> str:  # noqa: A002
    match format:
        case "json":
            return review.render_json(made)
        case "html":
            return review.render_html(made)
        case "markdown":
            return review.render_markdown(made)
        case "csv":
            return as_csv(
                Table(
                    format="cld-user-groups/review/1",
                    account=made.account_id,
                    key="rows",
                    columns=tuple(map(Column, review.COLUMNS)),
                    rows=list(review.rows(made)),
                )
            )
        case _:
            return review.render_text(made)


def _keep(made: Review, state: Path, *, quiet: bool) -> None:
    """Keep a report for the next one; that it cannot be kept takes nothing from this one."""
    try:
        review.keep(made, state)
    except OSError as error:
        print_message(
            f"This report is not kept for the next one to compare with: {error}.", quiet=quiet
        )
