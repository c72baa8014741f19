"""A review as Markdown, for a ticket or a wiki."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cld_user_groups.membership.rendering.markdown import code_span
from cld_user_groups.membership.review.model import Kind, Review
from cld_user_groups.membership.review.words import (
    NO_LOGINS,
    View,
    address_of,
    details,
    event,
    moment,
    no_changes,
    subject,
    summary,
)


def render_markdown(review: Review) -> str:
    """Return a review as Markdown (CommonMark).

    Args:
        review: The review.
    """
    return "\n".join(_lines(View(review))) + "\n"


def _lines(view: View) -> Iterator[str]:
    review = view.review
    yield f"# Access review of account {code_span(review.account_id)}"
    yield ""
    yield f"Made on {moment(review.made_at)}. {summary(review)}"
    if review.as_of is not None:
        yield f"The groups are shown as they were right after the run {code_span(review.as_of)}."
    if review.notes:
        yield ""
        yield from (f"- {code_span(note)}" for note in review.notes)
    yield ""
    yield "## To look at"
    for kind, findings in view.by_kind.items():
        yield ""
        if kind is Kind.LAST_LOGIN_UNKNOWN and view.has_no_logins():
            yield NO_LOGINS
            continue
        yield f"**{view.title(kind)} ({len(findings):,})**"
        yield ""
        yield from (_item(subject(view, finding)) for finding in findings)
    if nothing := view.nothing_found():
        yield ""
        yield nothing
    yield ""
    yield "## What has changed"
    yield ""
    yield from _changes(view)
    yield ""
    yield "## Who is in what"
    for group in review.groups:
        yield ""
        yield f"### {code_span(group.name)}: {len(group.members):,}"
        yield ""
        for membership in group.members:
            yield _item([address_of(view.people[membership.user_id]), *details(membership)])


def _changes(view: View) -> Iterator[str]:
    changes = view.review.changes
    if changes is None or not changes.differences:
        yield no_changes(view.review)
        return
    yield f"Since {code_span(changes.to)} ({len(changes.differences):,}):"
    yield ""
    for found in changes.differences:
        user = [found.email or found.user_id] if found.user_id else []
        yield _item([found.group, event(found), *user])


def _item(words: Iterable[str]) -> str:
    return f"- {', '.join(map(code_span, words))}"
