"""`report`: the access review of the account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import evolve
from click.core import ParameterSource

from cld_user_groups._version import __version__

from . import membership
from .options import PLAN_FORMATS, Settings, command, force_option, ignore_file_option, number
from .output import print_json, print_message, print_result
from .output_file import OutputFile
from .screen import show
from .tables import Table, as_csv, columns

if TYPE_CHECKING:
    from cld_user_groups.membership import Desired, History, Snapshot
    from cld_user_groups.membership.review import Comparison, People, Review
    from cld_user_groups.membership.review.rendering import Value

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
    click.option(
        "--decisions",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Also write this CSV: a row for each membership, to decide on. plan --from-review "
        "reads it back.",
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
        "--file",
        metavar="FILE",
        help="Also take reasons, end dates, rules and owners from this file of groups. Default: "
        "the file of the profile.",
    ),
    ignore_file_option,
    click.option(
        "--roles",
        type=click.Choice(["groups", "people", "none"]),
        default="groups",
        show_default=True,
        help="Whose roles to read: what groups grant, also what people hold themselves, or none.",
    ),
    number("--unseen-days", 90, least=1, help="Report people who have not logged in for N days."),
    number("--ending-days", 30, help="Report memberships that end within N days."),
    formats=PLAN_FORMATS,
)
def report_command(
    settings: Settings,
    output: Path | None,
    decisions: Path | None,
    force: bool,
    as_of: str | None,
    since: str | None,
    file: str | None,
    ignore_file: bool,
    roles: str,
    unseen_days: int,
    ending_days: int,
) -> None:
    """Write the access review: who is in which group, since when, why, and who may do what.

    Nothing is written to the account. One report a day is kept on this machine, so that the next
    one tells what has changed.
    """
    review = membership.review
    file = file or (None if ignore_file else settings.groups_file)
    read = partial(membership.read_file, timeout=settings.source_timeout)
    desired = None if file is None else read(file)
    form = _format(settings, output)
    with settings.open_client() as client:
        membership.planning.check_is_for(desired, client.account_id)
        target = None
        if output is not None:
            if form is None:
                known = ", ".join(_BY_SUFFIX)
                message = f"{output} must end in one of {known}, or --format must say what it is"
                raise click.BadParameter(message, param_hint="--output")
            target = OutputFile(output, client.account_id, force=force)
        sheet = decisions and OutputFile(decisions, client.account_id, force=force)
        whose = None if roles == "none" else partial(_holders, roles, desired)
        snapshot, people = review.read_reviewed(client, whose)
        origin = review.Origin(
            server=client.server_url,
            by=membership.journal.author().name,
            api_key=client.shown_key,
            version=__version__,
            roles=roles,
        )
    state = membership.state_directory(snapshot.account_id)
    history = membership.read_history(state)
    notes: tuple[str, ...] = ()
    if as_of is not None:
        then = membership.as_of(snapshot, history.runs, as_of)
        position = next(at for at, run in enumerate(history.runs) if run.id == as_of)
        snapshot = evolve(then.snapshot, roles=snapshot.roles)
        history = membership.history_of(history.runs[: position + 1])
        notes = (*_NOTES_AS_OF, *then.notes)
    found = review.review(
        snapshot,
        people,
        history,
        now=datetime.now(UTC),
        desired=desired,
        changes=_changes(snapshot, history, since, state),
        as_of=as_of,
        unseen_days=unseen_days,
        ending_days=ending_days,
        notes=notes,
        origin=origin,
    )
    text = _rendered(found, form or settings.format)
    if sheet:
        # The mark tells spreadsheets that it is UTF-8.
        sheet.write(f"\ufeff{_csv(found, review.DECISION_COLUMNS, review.decision_rows(found))}")
        said = f"Wrote {found.memberships} memberships to decide on to {decisions}."
        print_message(said, quiet=settings.quiet)
    if target is None:
        if (form or settings.format) == "text":
            show(text, has_pager=not settings.no_pager)
        else:
            print_result(text)
    else:
        target.write(text)
        _print_written(found, output, settings)
    if as_of is None:
        _keep(found, state, quiet=settings.quiet)


def _holders(
    reach: str, desired: Desired | None, snapshot: Snapshot, people: People
) -> Sequence[str]:
    """Return whose own roles are to be known: everybody's, or those that the file's rules need."""
    if reach == "people":
        return [person.id for person in people.found]
    needed = () if desired is None else membership.rules.role_principals(snapshot, desired)
    return [user_id for kind, user_id in needed if kind == "user"]


_NOTES_AS_OF = (
    "Roles, states and last logins are current.",
    "What was changed elsewhere since that run, in the console for one, is in no journal, and is "
    "shown as if it had been so then.",
)


def _changes(
    snapshot: Snapshot, history: History, since: str | None, state: Path
) -> Comparison | None:
    """Return what has changed since what was asked for, or since the last report, if any."""
    review = membership.review
    if since is not None and any(run.id == since for run in history.runs):
        then = membership.as_of(snapshot, history.runs, since).snapshot
        to = f"the run {since}"
        return review.compare(then.groups, snapshot, to=to, at=then.taken_at, history=history)
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
    return review.compare(earlier.groups, snapshot, to=to, at=earlier.made_at, history=history)


def _as_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _format(settings: Settings, output: Path | None) -> str | None:
    """Return the format of a report: as the command line says, else as the name of the file does.

    None where neither says it; what is no ordinary file, a device for one, may have any name.
    """
    context = click.get_current_context()
    at = (context, context.parent or context)
    is_named = any(
        each.get_parameter_source("format") is ParameterSource.COMMANDLINE for each in at
    )
    suffix = "" if output is None else output.suffix.lower()
    if is_named or not suffix:
        return settings.format
    is_device = output is not None and output.exists() and not output.is_file()
    return _BY_SUFFIX.get(suffix, settings.format if is_device else None)


def _print_written(review: Review, output: Path | None, settings: Settings) -> None:
    findings = len(review.findings)
    if settings.is_json:
        print_json(
            {
                "format": "cld-user-groups/report/1",
                "account": review.account_id,
                "output": str(output),
                "findings": findings,
            }
        )
    said = f"Wrote the report to {output}; things to look at: {findings}."
    print_message(said, quiet=settings.quiet)


def _rendered(review: Review, format: str) -> str:  # noqa: A002
    pages = membership.review
    match format:
        case "json":
            return pages.render_json(review)
        case "html":
            return pages.render_html(review)
        case "markdown":
            return pages.render_markdown(review)
        case "csv":
            return _csv(review, pages.COLUMNS, pages.rows(review))
        case _:
            return pages.render_text(review)


def _csv(review: Review, names: Iterable[str], rows: Iterable[Sequence[Value]]) -> str:
    return as_csv(Table("review", review.account_id, "rows", columns(names), list(rows)))


def _keep(review: Review, state: Path, *, quiet: bool) -> None:
    """Store a report for the next one; a failure is reported, and this one is still written."""
    try:
        membership.review.keep(review, state)
    except OSError as error:
        said = f"This report is not kept for the next one to compare with: {error}."
        print_message(said, quiet=quiet)
