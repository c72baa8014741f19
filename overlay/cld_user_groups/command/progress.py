"""A progress bar, on a terminal; on anything else, only what a log should have."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from cld_user_groups.membership import Progress

from .output import has_color, print_message


@contextmanager
def progress_of(total: int, *, quiet: bool) -> Generator[Callable[[Progress], None]]:
    """Yield what shows the progress of a run on standard error.

    Args:
        total: How many changes the plan has.
        quiet: Whether to show nothing.
    """
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


def _announce_wait(progress: Progress) -> None:
    if progress.waiting_until is not None:
        print_message(f"Waiting for the quota until {progress.waiting_until:%H:%M:%S} UTC.")
