"""The reports of this machine: one a day is kept, so that the next one tells what has changed."""

from __future__ import annotations

from datetime import UTC, date
from pathlib import Path

from cld_user_groups.membership.problems import FileError, Problem
from cld_user_groups.membership.state import make_private, replace_file

from .document import Earlier, load_earlier, render_json
from .model import Review

_DIRECTORY = "reviews"


def keep(review: Review, state: Path) -> None:
    """Keep a review as the one of its day, in place of an earlier one of that day.

    Args:
        review: The review, of the account as it is now.
        state: The directory of the account; see `state_directory`.

    Raises:
        OSError: It cannot be written.
    """
    directory = state / _DIRECTORY
    make_private(directory)
    path = directory / f"{review.made_at.astimezone(UTC).date()}.json"
    replace_file(path, render_json(review).encode())


def last_before(state: Path, day: date) -> Earlier | None:
    """Return the last kept review of an earlier day, or None.

    Not the last one of all: who makes a report as HTML and then as CSV gets the same changes twice.

    Args:
        state: The directory of the account; see `state_directory`.
        day: The day.
    """
    days = [kept for kept in _days(state) if kept < day]
    return _load(state, max(days)) if days else None


def last_until(state: Path, day: date) -> Earlier:
    """Return the last kept review of a day or an earlier one.

    Args:
        state: The directory of the account; see `state_directory`.
        day: The day.

    Raises:
        FileError: There is none.
    """
    days = _days(state)
    until = [kept for kept in days if kept <= day]
    if not until:
        there = ", ".join(map(str, days)) or "none"
        message = f"no report of {day} or before is kept here (kept: {there})"
        hint = "pass a report that was saved as JSON, or the ID of a run"
        raise FileError([Problem(str(state / _DIRECTORY), None, message, hint)])
    return _load(state, max(until))


def _days(state: Path) -> list[date]:
    days: list[date] = []
    for path in (state / _DIRECTORY).glob("*.json"):
        try:
            days.append(date.fromisoformat(path.stem))
        except ValueError:
            continue  # not one of ours
    return sorted(days)


def _load(state: Path, day: date) -> Earlier:
    return load_earlier(state / _DIRECTORY / f"{day}.json")
