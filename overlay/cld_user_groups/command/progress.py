"""A progress bar, on a terminal; on anything else, only what a log should have."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from cld_user_groups.membership import Progress, Result

from .logs import json_log, log_event
from .output import has_color, print_message


@contextmanager
def progress_of(total: int, *, quiet: bool) -> Generator[Callable[[Progress], None]]:
    """Yield what shows the progress of a run on standard error.

    Args:
        total: How many changes the plan has.
        quiet: Whether to show nothing.
    """
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
    """Write how a run ended, where the log is JSON.

    Args:
        result: The outcome of its plan.
    """
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
    change = outcome.change
    log_event(
        "change",
        "info" if outcome.holds else "warning",
        action=change.action,
        group={"id": outcome.group_id, "name": change.group.name},
        user=change.user and {"id": change.user.id, "email": change.user.email},
        status=outcome.status,
        error=outcome.error or None,
        request_id=outcome.request_id,
        ended=progress.ended,
        total=progress.total,
    )


def _announce_wait(progress: Progress) -> None:
    if progress.waiting_until is not None:
        print_message(f"Waiting for the quota until {progress.waiting_until:%H:%M:%S} UTC.")
