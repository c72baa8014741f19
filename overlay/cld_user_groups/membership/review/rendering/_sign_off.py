"""The sign-off section: a decision for each group, and who has made them."""

from __future__ import annotations

from collections.abc import Iterator

from cld_user_groups.membership.rendering._view import shown
from cld_user_groups.membership.rendering.markup import Content, Markup, element
from cld_user_groups.membership.rendering.page import cell, table
from cld_user_groups.membership.review.model import ReviewedGroup
from cld_user_groups.membership.review.words import View

_DECISIONS = ("Keep", "Change")
_HOW = (
    "To sign on paper, print this page. To sign on the screen, fill it in and print it to PDF: "
    "what is typed here is not saved anywhere else."
)


def sign_off(view: View) -> Iterator[Content]:
    """Return what is in the section."""
    yield element("p", _HOW)
    rows = [_row(view, number, group) for number, group in enumerate(view.review.groups)]
    columns = ("Group", "Members", "To look at", "Decision", "Remark")
    yield table("Decisions", columns, rows, class_="decisions")
    yield element(
        "div",
        _field("Reviewer"),
        _field("Role"),
        _field("Date"),
        _field("Signature"),
        class_="signature",
    )


def _row(view: View, number: int, group: ReviewedGroup) -> list[Content]:
    name = shown(group.name)
    whom: list[str | None] = [found.user_id for found in group.members]
    to_look_at = sum(bool(view.kinds(user_id, group.id)) for user_id in whom or [None])
    choices = [
        element("label", element("input", type="radio", name=f"decision-{number}"), choice)
        for choice in _DECISIONS
    ]
    label = f"Decision on {name}"
    return [
        cell(name, is_header=True),
        f"{len(group.members):,}",
        f"{to_look_at:,}",
        cell(element("div", choices, role="radiogroup", aria_label=label), class_="decision"),
        element("input", type="text", aria_label=f"Remark on {name}"),
    ]


def _field(name: str) -> Markup:
    return element("label", name, element("input", type="text"))
