"""What a run reports: its progress, its exit code, and its result as text, table and JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cld_user_groups.identity import printable

from . import errors, membership
from .output import colored, has_color, json_log, log_event, print_message
from .tables import Cell, Table, columns

if TYPE_CHECKING:
    from cld_user_groups.membership import Change, Outcome, Plan, Progress, Result

# By status.
_SIGNS = {
    "done": "done",
    "already": "in place",
    "failed": "FAILED",
    "unknown": "UNKNOWN",
    "not_started": "not started",
}
_COLORS = {"done": "green", "failed": "red", "unknown": "yellow"}
_WIDTH = max(map(len, _SIGNS.values()))


def plan_table(plan: Plan) -> Table:
    """Return the changes of a plan, a row each, with the reason and the place."""
    rows = [(each, each.group.id, (each.reason, each.source, each.line)) for each in plan.changes]
    return _table_of("plan", plan.account_id, ("reason", "source", "line"), rows)


def result_table(account_id: str, outcomes: Iterable[Outcome]) -> Table:
    """Return the changes of a run, a row each, with their results."""
    results = ((each, (each.status, each.error, each.request_id)) for each in outcomes)
    rows = [(each.change, each.group_id, result) for each, result in results]
    return _table_of("result", account_id, ("status", "error", "request_id"), rows)


def _table_of(
    name: str,
    account_id: str,
    more: tuple[str, ...],
    rows: Sequence[tuple[Change, str | None, Sequence[Cell]]],
) -> Table:
    """Return a table of changes, with their roles where an undo assigns any."""
    users = [(each.user.email, each.user.id) if each.user else (None, None) for each, *_ in rows]
    cells: list[Sequence[Cell]] = [
        (each.action, each.group.name, email, group_id, user_id, *others)
        for (each, group_id, others), (email, user_id) in zip(rows, users, strict=True)
    ]
    if any(change.role is not None for change, *_ in rows):
        more += ("role",)
        roles = (None if each.role is None else each.role.text for each, *_ in rows)
        cells = [(*row, role) for row, role in zip(cells, roles, strict=True)]
    names = columns("action group email group_id user_id", *more)
    return Table(name, account_id, "changes", names, cells)


def result_document(plan: Plan, result: Result, code: int) -> dict[str, Any]:
    """Return the result of a plan, for JSON, with the exit code."""
    return {
        "format": "cld-user-groups/result/1",
        "account": plan.account_id,
        "source": plan.source,
        "run": result.run or None,
        "complete": result.is_complete,
        "verified": result.verified,
        "differences": result.differences,
        "held_back": plan.held_back,
        "warnings": plan.warnings,
        "stopped": result.stopped,
        "detail": result.detail,
        "notes": plan.notes,
        "summary": result.counts(),
        "changes": [outcome_document(outcome) for outcome in result.outcomes],
        "requests_left": result.requests_left,
        "resume_at": result.resume_at,
        "exit_code": code,
    }


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """Return the result of a change, for JSON."""
    change = outcome.change
    return {
        "action": change.action,
        "group": {"id": outcome.group_id, "name": change.group.name},
        "user": change.user and {"id": change.user.id, "email": change.user.email},
        "role": change.role and change.role.document,
        "status": outcome.status,
        "error": outcome.error,
        "request_id": outcome.request_id,
        "roles": outcome.roles and outcome.roles.document,
    }


def lines_on_roles(outcomes: Iterable[Outcome], *, only_unknown: bool = False) -> Iterator[str]:
    """Yield what was recorded of the roles of deleted groups, where that may be needed."""
    for outcome in outcomes:
        roles, name = outcome.roles, printable(outcome.change.group.name)
        if roles is None or outcome.status not in ("done", "unknown"):
            continue
        if roles.unknown or not only_unknown:
            yield f"Recorded roles of {name}: {printable('; '.join(roles.texts))}."


_NO_ROLES = "Of a deleted group, `undo` gives back roles only with --restore-roles, and no shares."


def _recreates(plan: Plan) -> bool:
    is_undo = plan.source.startswith(membership.journal.UNDO_OF)
    return is_undo and bool(plan.counts()["create_group"])


def _lines_on_ended(plan: Plan) -> Iterator[str]:
    """Yield what has ended with a deleted group, and is not back."""
    counts, is_recreated = plan.counts(), _recreates(plan)
    if "assign_role" in counts:
        yield "Shares of a deleted group do not come back."
    elif is_recreated:
        yield "Roles and shares of a deleted group do not come back by themselves."
    elif counts["delete_group"]:
        yield _NO_ROLES
    if is_recreated:
        yield from map(printable, plan.warnings)


def result_lines(
    plan: Plan, result: Result, resume: str, undo: str, *, color: bool
) -> Iterator[str]:
    """Yield the result of a plan: what was done, what was not and why, and how to resume it."""
    goal = "the file" if plan.digest else "the plan"
    differences = [f"  {printable(each)}" for each in dict.fromkeys(result.differences)]
    if not result.outcomes:
        account = printable(plan.account_id)
        if result.is_complete:
            yield f"Nothing to do: account {account} matches {goal}."
        else:
            yield f"Nothing could be done: account {account} does not match {goal}:"
            yield from differences
        return
    for outcome in result.outcomes:
        yield outcome_text(outcome, color=color)
    yield from lines_on_roles(result.outcomes)
    counts = {_SIGNS[name].lower(): count for name, count in result.counts().items()}
    yield ", ".join(f"{count} {name}" for name, count in counts.items() if count) + "."
    if result.stopped is not None:
        yield f"Stopped early: {printable(result.detail or result.stopped)}."
    if result.verified:
        what = "the groups and their members match" if _recreates(plan) else "the account matches"
        yield f"Verified: {what} {goal}."
        yield from _lines_on_ended(plan)
    elif result.verified is None:
        yield "The account was not read again."
    else:
        how = "" if result.snapshot is not None else ", which was not read again,"
        yield f"The account{how} does not match {goal}:"
        yield from differences
    if not result.is_complete:
        yield f"To resume: {resume}{_resumable_when(result)}"
    if any(outcome.status in ("done", "unknown") for outcome in result.outcomes):
        yield f"To undo: {undo}"


def _resumable_when(result: Result) -> str:
    if result.stopped == "unauthorized":
        return ", once the key is allowed to"
    if result.resume_at is not None:
        return f", once the quota is renewed at {result.resume_at:%Y-%m-%d %H:%M:%S} UTC"
    return ""


def outcome_text(outcome: Outcome, *, color: bool = False) -> str:
    """Return the result of a change, in a line."""
    name = _COLORS.get(outcome.status) if color else None
    sign = colored(f"{_SIGNS[outcome.status]:{_WIDTH}}", name)
    why = f": {printable(outcome.error)}" if outcome.error else ""
    return f"  {sign}  {describe_change(outcome.change)}{why}"


def describe_change(change: Change) -> str:
    """Return a change in a few words, fit for a terminal."""
    name = printable(change.group.name)
    user = printable(change.user.text) if change.user else ""
    return {
        "create_group": f"create {name}",
        "rename_group": f"rename {printable(change.old_name or '')} to {name}",
        "add_user": f"add {user} to {name}",
        "assign_role": f"assign {printable(change.role.text) if change.role else ''} to {name}",
        "remove_user": f"remove {user} from {name}",
        "delete_group": f"delete {name}",
    }[change.action]


@contextmanager
def progress_of(total: int, *, quiet: bool) -> Generator[Callable[[Progress], None]]:
    """Yield what shows the progress of a run on standard error."""
    if json_log() is not None:
        yield _log_progress
        return
    if quiet or not total:
        yield lambda progress: None
        return
    if not sys.stderr.isatty():
        yield _announce_wait
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(file=sys.stderr, no_color=not has_color(sys.stderr))
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Applying", total=total)

        def show(progress: Progress) -> None:
            waits = progress.waiting_until
            text = "Applying" if waits is None else f"Waiting for the quota until {waits:%H:%M} UTC"
            bar.update(task, completed=progress.ended, description=text)

        yield show


def log_run_ended(result: Result) -> None:
    """Write how a run ended, where the log is JSON."""
    log_event(
        "run_ended",
        "info" if result.is_complete else "warning",
        run=result.run or None,
        complete=result.is_complete,
        verified=result.verified,
        stopped=result.stopped,
        detail=result.detail or None,
        summary=result.counts(),
        requests_left=result.requests_left,
        resume_at=result.resume_at,
    )


def _log_progress(progress: Progress) -> None:
    outcome = progress.outcome
    if outcome is None:
        log_event("waiting", until=progress.waiting_until)
        return
    log_event(
        "change",
        "info" if outcome.holds else "warning",
        **outcome_document(outcome) | {"error": outcome.error or None},
        ended=progress.ended,
        total=progress.total,
    )


def _announce_wait(progress: Progress) -> None:
    if progress.waiting_until is not None:
        print_message(f"Waiting for the quota until {progress.waiting_until:%H:%M:%S} UTC.")


def code_of_result(result: Result) -> int:
    """Return the exit code; not 0 after an interrupt, so that a script stops."""
    is_done = result.is_complete and result.stopped is not membership.Stop.REQUESTED
    return errors.DONE if is_done else errors.INCOMPLETE


def code_of_plan(plan: Plan) -> int:
    """Return the exit code of a plan that is only shown."""
    if plan.breaches:
        return errors.GUARD
    return errors.INCOMPLETE if plan.held_back else errors.DONE
