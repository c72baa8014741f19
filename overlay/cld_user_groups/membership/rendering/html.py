"""A plan as HTML: one file that needs nothing else, runs nothing, and prints well."""

from __future__ import annotations

from collections.abc import Iterator

from cld_user_groups.membership.model import Action, Change, Plan, UserRef

from ._view import Section, person, place, remarks, requests, sections, shown, summary
from .markup import Content, Markup, element
from .page import cell, page, table


def render_html(plan: Plan) -> str:
    """Return a plan as an HTML document."""
    return page(f"Plan for account {shown(plan.account_id)}", _parts(plan))


def _parts(plan: Plan) -> Iterator[Content]:
    made = f"{plan.created_at:%Y-%m-%d %H:%M %Z}"
    expires = f"{plan.expires_at:%Y-%m-%d %H:%M %Z}"
    yield element("p", f"From {shown(plan.source)}, made {made}, holds until {expires}.")
    yield element("p", summary(plan), f" {requests(plan)}" if plan.changes else "")
    yield from _verdict(plan)
    for section in sections(plan):
        yield _section(section, plan)
    if plan.notes:
        yield element("h2", "Notes")
        yield element("ul", [element("li", note) for note in plan.notes])


def _verdict(plan: Plan) -> Iterator[Content]:
    if plan.breaches:
        yield element(
            "section",
            element("h2", "Rejected by the guards; nothing is written", id="verdict"),
            element("ul", [element("li", breach.message) for breach in plan.breaches]),
            class_="refused",
            aria_labelledby="verdict",
        )
    elif plan.changes:
        yield element("p", "Guards: passed.")


def _section(section: Section, plan: Plan) -> Markup:
    caption = section.name
    if section.head is not None:
        caption += f" ({'; '.join((section.title(), *remarks(section.head, plan)))})"
    rows = [_row(change, plan) for change in (*section.added, *section.removed)]
    rows += [_gone(user) for user in section.deleted.members] if section.deleted else []
    columns = ("Change", "User", "ID", "Why", "Where")
    return table(caption, columns, rows, class_="changes")


def _row(change: Change, plan: Plan) -> list[Content]:
    user_id = shown(change.user.id) if change.user else ""
    mark = _ADDED if change.action is Action.ADD_USER else _REMOVED
    return [mark, person(change.user), user_id, change.reason, place(change, plan)]


def _gone(user: UserRef) -> list[Content]:
    return [_REMOVED, person(user), shown(user.id), "", ""]


_ADDED = cell("+ add", class_="short add")
_REMOVED = cell("\N{MINUS SIGN} remove", class_="short remove")
