"""A review as rows, for a spreadsheet: one a membership, and one a person or group without any."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias

from .model import Membership, Review, ReviewedGroup
from .rendering import View

Value: TypeAlias = str | datetime | None

COLUMNS = (
    "group", "group_id", "email", "name", "user_id", "role", "state", "last_login", "since",
    "by", "run", "reason", "source", "until", "findings",
)  # fmt: skip


def rows(review: Review) -> Iterator[tuple[Value, ...]]:
    """Return the rows of a review, in the order of its groups; see `COLUMNS`.

    Args:
        review: The review.
    """
    view = View(review)
    for group in review.groups:
        for membership in group.members:
            yield _row(view, group, membership.user_id, membership)
        if not group.members:
            yield _row(view, group, None, None)
    for person in review.people:
        if person.id not in view.groups_of:
            yield _row(view, None, person.id, None)


def _row(
    view: View, group: ReviewedGroup | None, user_id: str | None, membership: Membership | None
) -> tuple[Value, ...]:
    person = view.people.get(user_id or "")
    of_group: tuple[Value, ...] = (group.name, group.id) if group else (None, None)
    of_person: tuple[Value, ...] = (None,) * 6
    if person is not None:
        of_person = (
            *(person.email, person.name, person.id, person.role),
            *(person.state.value, person.last_login),
        )
    of_membership: tuple[Value, ...] = (None,) * 6
    if membership is not None:
        until = membership.until.isoformat() if membership.until else None
        of_membership = (
            *(membership.since, membership.by, membership.run),
            *(membership.reason, membership.source, until),
        )
    found = view.kinds(user_id, group.id if group else None)
    return (*of_group, *of_person, *of_membership, "; ".join(found))
