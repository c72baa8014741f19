"""The changes of a plan, and what came of them, as tables."""

from __future__ import annotations

from collections.abc import Iterable

from cld_user_groups.membership import Change, Outcome, Plan

from .tables import Cell, Column, Table

_CHANGE = ("action", "group", "email", "group_id", "user_id")


def plan_table(made: Plan) -> Table:
    """Return the changes of a plan, a row each, with the reason and the place."""
    return Table(
        format="cld-user-groups/plan/1",
        account=made.account_id,
        key="changes",
        columns=tuple(map(Column, (*_CHANGE, "reason", "source", "line"))),
        rows=[
            (*_cells(change, change.group.id), change.reason, change.source, change.line)
            for change in made.changes
        ],
    )


def result_table(account_id: str, outcomes: Iterable[Outcome]) -> Table:
    """Return the changes of a run, a row each, with what came of them."""
    return Table(
        format="cld-user-groups/result/1",
        account=account_id,
        key="changes",
        columns=tuple(map(Column, (*_CHANGE, "status", "error", "request_id"))),
        rows=[
            (
                *_cells(outcome.change, outcome.group_id),
                outcome.status,
                outcome.error,
                outcome.request_id,
            )
            for outcome in outcomes
        ],
    )


def _cells(change: Change, group_id: str | None) -> tuple[Cell, ...]:
    user = change.user
    email, user_id = (user.email, user.id) if user else (None, None)
    return change.action, change.group.name, email, group_id, user_id
