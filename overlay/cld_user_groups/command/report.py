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

from . import membership, options
from .options import PLAN_FORMATS, Settings, command, number, option
from .output import OutputFile, print_document, print_result
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
    option(
        "--output -o",
        "The file to write; .html, .csv, .json or .md say the format. Default: standard output.",
        type=click.Path(path_type=Path, dir_okay=False),
    ),
    option(
        "--decisions",
        "Also write this CSV: a row for each membership, to decide on. plan --from-review "
        "reads it back.",
        type=click.Path(path_type=Path, dir_okay=False),
    ),
    options.force,
    option("--as-of", "Show the groups as they were right after that run.", "RUN"),
    option(
        "--since",
        "Tell what has changed since a run, since the report of a day, or since a report that "
        "was saved as JSON. Default: the last report of an earlier day.",
        "RUN|DATE|FILE",
    ),
    option(
        "--file",
        "Also take reasons, end dates, rules and owners from this file of groups. Default: "
        "the file of the profile.",
        "FILE",
    ),
    options.ignore_file,
    option(
        "--roles",
        "Whose roles to read: what groups grant, also what people hold themselves, or none.",
        type=click.Choice(["groups", "people", "none"]),
        default="groups",
        show_default=True,
    ),
    number("--unseen-days", "Report people who have not logged in for N days.", 90, least=1),
    number("--ending-days", "Report memberships that end within N days.", 30),
    formats=PLAN_FORMATS,
)
def report_command(
    settings: Settings,
    /,
    output: Path | None,
    decisions: Path | None,
    force: bool,
    as_of: str | None,
    since: str | None,
    file: str | None,
    ignore_file: bool,
    roles: str,
    **days: int,
) -> None:
    """Write the access review: who is in which group, since when, why, and who may do what.

    Nothing is written to the account. One report a day is kept on this machine, so that the next
    one tells what has changed.
    """
    review = membership.review
    file = file or (None if ignore_file else settings.groups_file)
    read = partial(membership.read_file, timeout=settings.source_timeout)
    desired = None if file is None else read(file)
    with settings.open_client() as client:
        membership.planning.check_is_for(desired, client.account_id)
        form = _format(settings, output)
        target = output and OutputFile(output, client.account_id, force=force)
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
        notes=notes,
        origin=origin,
        **days,
    )
    text = _rendered(found, form)
    if sheet:
        # The mark tells spreadsheets that it is UTF-8.
        sheet.write(f"\ufeff{_csv(found, review.DECISION_COLUMNS, review.decision_rows(found))}")
        settings.say(f"Wrote {found.memberships} memberships to decide on to {decisions}.")
    if target:
        target.write(text)
        count, account_id = len(found.findings), found.account_id
        if settings.is_json:
            print_document("report", account=account_id, output=str(output), findings=count)
        settings.say(f"Wrote the report to {output}; things to look at: {count}.")
    elif form == "text":
        settings.show(text)
    else:
        print_result(text)
    if as_of is None:
        try:
            review.keep(found, state)
        except OSError as error:
            settings.say(f"This report is not kept for the next one to compare with: {error}.")


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


def _format(settings: Settings, output: Path | None) -> str:
    """Return the format of a report: as the command line says, else as the name of the file does.

    What is no ordinary file, a device for one, may have any name.
    """
    context = click.get_current_context()
    sources = [at.get_parameter_source("format") for at in (context, context.parent or context)]
    suffix = "" if output is None else output.suffix.lower()
    if output is None or not suffix or ParameterSource.COMMANDLINE in sources:
        return settings.format
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if output.exists() and not output.is_file():
        return settings.format
    known = ", ".join(_BY_SUFFIX)
    message = f"{output} must end in one of {known}, or --format must say what it is"
    raise click.BadParameter(message, param_hint="--output")


def _rendered(review: Review, form: str) -> str:
    pages = membership.review
    if form == "csv":
        return _csv(review, pages.COLUMNS, pages.rows(review))
    by_form = {"json": pages.render_json, "html": pages.render_html, "text": pages.render_text}
    return by_form.get(form, pages.render_markdown)(review)


def _csv(review: Review, names: Iterable[str], rows: Iterable[Sequence[Value]]) -> str:
    return as_csv(Table("review", review.account_id, "rows", columns(*names), list(rows)))
