"""A plan as Markdown, for a pull request or a ticket."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cld_user_groups.membership.model import Change, Plan
from cld_user_groups.membership.problems import printable

from ._view import Section, notes, person, remarks, requests, sections, shown, summary

_BACKTICKS = re.compile("`+")


def render_markdown(plan: Plan) -> str:
    """Return a plan as Markdown (CommonMark)."""
    return "\n".join(_lines(plan)) + "\n"


def code_span(text: str) -> str:
    """Return text as a code span, where nothing is markup, a link or a mention."""
    shown_text = shown(text)
    longest = max(map(len, _BACKTICKS.findall(shown_text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown_text[0] in "` " or shown_text[-1] in "` " else ""
    return f"{fence}{pad}{shown_text}{pad}{fence}"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"# Plan for account {code_span(plan.account_id)}"
    yield ""
    yield f"From {code_span(plan.source)}. {summary(plan)}"
    if plan.changes:
        yield requests(plan)
        yield ""
        yield from _verdict(plan)
    for section in sections(plan):
        yield ""
        yield from _section(section, plan)
    lists = {"Held back": plan.held_back, "Warnings": plan.warnings, "Notes": notes(plan)}
    for title, texts in lists.items():
        if texts:
            yield from ("", f"## {title}", "")
            yield from (f"- {code_span(text)}" for text in texts)


def _verdict(plan: Plan) -> Iterator[str]:
    if not plan.breaches:
        yield "Guards: passed."
        return
    yield "**Rejected by the guards; nothing is written:**"
    yield ""
    for breach in plan.breaches:
        yield f"- {code_span(printable(breach.message))}"


def _section(section: Section, plan: Plan) -> Iterator[str]:
    yield f"## {code_span(section.group.name)}"
    yield ""
    if section.head is not None:
        yield f"- **{_title(section)}**{_remarks(section.head, plan)}"
    for change in section.added:
        yield f"- add {code_span(person(change.user))}{_remarks(change, plan)}"
    for change in section.removed:
        yield f"- remove {code_span(person(change.user))}{_remarks(change, plan)}"
    for user in section.deleted.members if section.deleted else ():
        yield f"- remove {code_span(person(user))}"


def _title(section: Section) -> str:
    if section.renamed is not None:
        return f"rename from {code_span(section.renamed.old_name or '')}"
    return section.title()


def _remarks(change: Change, plan: Plan) -> str:
    return "".join(f", {code_span(remark)}" for remark in remarks(change, plan))
