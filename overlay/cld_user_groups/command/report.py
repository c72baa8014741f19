"""What came of a run, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cld_user_groups.membership import (
    Action,
    Change,
    Outcome,
    Plan,
    Result,
    Status,
    Stop,
    printable,
)

_SIGNS = {
    Status.DONE: "done",
    Status.ALREADY: "already so",
    Status.FAILED: "FAILED",
    Status.UNKNOWN: "UNKNOWN",
    Status.NOT_STARTED: "not started",
}
_COLORS = {Status.DONE: "32", Status.FAILED: "31", Status.UNKNOWN: "33"}
_WIDTH = max(map(len, _SIGNS.values()))


def result_document(made: Plan, result: Result, code: int) -> dict[str, Any]:
    """Return what came of a plan, for JSON.

    Args:
        made: The plan.
        result: What came of it.
        code: The exit code.
    """
    return {
        "format": "cld-user-groups/result/1",
        "account": made.account_id,
        "source": made.source,
        "run": result.run or None,
        "complete": result.is_complete,
        "verified": result.verified,
        "differences": list(result.differences),
        "held_back": list(made.held_back),
        "warnings": list(made.warnings),
        "stopped": result.stopped,
        "detail": result.detail,
        "notes": list(made.notes),
        "summary": result.counts(),
        "changes": [outcome_document(outcome) for outcome in result.outcomes],
        "requests_left": result.requests_left,
        "resume_at": result.resume_at,
        "exit_code": code,
    }


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """Return what came of a change, for JSON."""
    change = outcome.change
    return {
        "action": change.action,
        "group": {"id": outcome.group_id, "name": change.group.name},
        "user": change.user and {"id": change.user.id, "email": change.user.email},
        "status": outcome.status,
        "error": outcome.error,
        "request_id": outcome.request_id,
    }


def result_text(
    made: Plan, result: Result, again: str, take_back: str, *, color: bool = False
) -> str:
    """Return what came of a plan: what was done, what was not and why, and how to go on.

    Args:
        made: The plan.
        result: What came of it.
        again: The command that goes on.
        take_back: The command that undoes the run.
        color: Whether to use the colors of a terminal.
    """
    return "\n".join(_lines(made, result, again, take_back, color=color))


def _lines(made: Plan, result: Result, again: str, take_back: str, *, color: bool) -> Iterator[str]:
    if not result.outcomes:
        account = printable(made.account_id)
        if result.is_complete:
            yield f"Nothing to do: account {account} is as asked."
        else:
            yield f"Nothing could be done, and account {account} is not as asked:"
            yield from _differences(result)
        return
    for outcome in result.outcomes:
        yield outcome_text(outcome, color=color)
    counts = {_SIGNS[Status(name)].lower(): count for name, count in result.counts().items()}
    yield ", ".join(f"{count} {name}" for name, count in counts.items() if count) + "."
    if result.stopped is not None:
        yield f"Stopped early: {printable(result.detail or result.stopped)}."
    if result.verified:
        is_recreated = _recreates(made)
        what = "its groups and their members are" if is_recreated else "it is"
        yield f"The account was read again: {what} as asked."
        if is_recreated or any(each.action is Action.DELETE_GROUP for each in made.changes):
            yield "Roles and shares were not read: those of a deleted group do not come back."
    elif result.verified is None:
        yield "The account was not read again."
    else:
        how = "was read again, and" if result.snapshot is not None else "was not read again; it"
        yield f"The account {how} is not as asked:"
        yield from _differences(result)
    if not result.is_complete:
        yield _way_on(result, again)
    if any(outcome.status in (Status.DONE, Status.UNKNOWN) for outcome in result.outcomes):
        yield f"To take it back: {take_back}"


def _differences(result: Result) -> Iterator[str]:
    return (f"  {printable(difference)}" for difference in dict.fromkeys(result.differences))


def _recreates(made: Plan) -> bool:
    """Return whether a plan undoes the deletion of a group."""
    is_undo = made.source.startswith("undo of ")
    return is_undo and any(each.action is Action.CREATE_GROUP for each in made.changes)


def _way_on(result: Result, again: str) -> str:
    when = ""
    if result.resume_at is not None:
        when = f", once the quota is renewed at {result.resume_at:%Y-%m-%d %H:%M:%S} UTC"
    if result.stopped is Stop.UNAUTHORIZED:
        when = ", once the key is allowed to"
    return f"To go on: {again}{when}"


def outcome_text(outcome: Outcome, *, color: bool = False) -> str:
    """Return what came of a change, in a line."""
    sign = f"{_SIGNS[outcome.status]:{_WIDTH}}"
    if color and (code := _COLORS.get(outcome.status)):
        sign = f"\x1b[{code}m{sign}\x1b[0m"
    why = f": {printable(outcome.error)}" if outcome.error else ""
    return f"  {sign}  {describe(outcome.change)}{why}"


def describe(change: Change) -> str:
    """Return a change in a few words, fit for a terminal."""
    name = printable(change.group.name)
    user = printable(change.user.email or change.user.id) if change.user else ""
    return {
        Action.CREATE_GROUP: f"create {name}",
        Action.RENAME_GROUP: f"rename {printable(change.old_name or '')} to {name}",
        Action.ADD_USER: f"add {user} to {name}",
        Action.REMOVE_USER: f"remove {user} from {name}",
        Action.DELETE_GROUP: f"delete {name}",
    }[change.action]
