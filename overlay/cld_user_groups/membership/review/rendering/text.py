"""A review as text, for a terminal or a mail."""

from __future__ import annotations

from collections.abc import Iterator

from cld_user_groups.membership.problems import printable
from cld_user_groups.membership.rendering._view import shown
from cld_user_groups.membership.review.model import Kind, Review
from cld_user_groups.membership.review.words import (
    NO_LOGINS,
    View,
    address_of,
    details,
    event,
    heading,
    introduction,
    no_changes,
    subject,
    summary,
)


def render_text(review: Review) -> str:
    """Return a review as text.

    Args:
        review: The review.
    """
    return "\n".join(_lines(View(review))) + "\n"


def _lines(view: View) -> Iterator[str]:
    review = view.review
    yield heading(review)
    yield introduction(review)
    yield summary(review)
    for note in review.notes:
        yield f"Note: {printable(note)}"
    for kind, findings in view.by_kind.items():
        yield ""
        if kind is Kind.LAST_LOGIN_UNKNOWN and view.has_no_logins():
            yield NO_LOGINS
            continue
        yield f"{view.title(kind)} ({len(findings):,})"
        for finding in findings:
            yield "  " + "  ".join(subject(view, finding))
    if nothing := view.nothing_found():
        yield ""
        yield nothing
    yield ""
    yield from _changes(view)
    for group in review.groups:
        yield ""
        yield f"{shown(group.name)} ({len(group.members):,})"
        for membership in group.members:
            person = address_of(view.people[membership.user_id])
            yield "  " + "  ".join([person, *details(membership)])


def _changes(view: View) -> Iterator[str]:
    changes = view.review.changes
    if sentence := no_changes(view.review):
        yield sentence
    elif changes is not None:
        yield f"Changes since {shown(changes.to)} ({len(changes.differences):,})"
        for found in changes.differences:
            person = f": {shown(found.email or found.user_id)}" if found.user_id else ""
            yield f"  {shown(found.group)}: {event(found)}{person}"
