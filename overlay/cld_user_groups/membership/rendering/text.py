"""A plan as text, for a terminal or a log."""

from __future__ import annotations

from collections.abc import Iterator

from cld_user_groups.membership.model import Change, Plan
from cld_user_groups.membership.problems import printable

from ._view import Section, notes, person, remarks, requests, sections, shown, summary

_GREEN, _RED, _YELLOW, _BOLD, _DIM = "32", "31", "33", "1", "2"
_WIDEST = 44


def render_text(plan: Plan, *, color: bool = False) -> str:
    """Return a plan as text: the difference by group, the guards' verdict, the requests.

    Args:
        plan: The plan.
        color: Whether to use the colors of a terminal.
    """
    return "\n".join(_Text(plan, color=color).lines()) + "\n"


class _Text:
    def __init__(self, plan: Plan, *, color: bool) -> None:
        self.plan = plan
        self.color = color

    def lines(self) -> Iterator[str]:
        plan = self.plan
        yield f"Plan for account {shown(plan.account_id)}, from {shown(plan.source)}"
        yield ""
        for section in sections(plan):
            yield from self._section(section)
            yield ""
        yield summary(plan)
        if plan.changes:
            yield requests(plan)
        for note in notes(plan):
            yield self._paint(f"Note: {printable(note)}", _DIM)
        for warning in plan.warnings:
            yield self._paint(f"Warning: {printable(warning)}", _YELLOW)
        if plan.held_back:
            yield self._paint("Held back:", _YELLOW, _BOLD)
            for held in plan.held_back:
                yield self._paint(f"  {printable(held)}", _YELLOW)
        if plan.breaches:
            yield self._paint("Rejected by the guards; nothing is written:", _RED, _BOLD)
            for breach in plan.breaches:
                yield self._paint(f"  {printable(breach.message)}", _RED)
        elif plan.changes:
            yield "Guards: passed."

    def _section(self, section: Section) -> Iterator[str]:
        mark, color = " ", ""
        if section.created:
            mark, color = "+", _GREEN
        elif section.renamed:
            mark, color = "~", _YELLOW
        elif section.deleted:
            mark, color = "-", _RED
        words = [section.title()] if section.head else []
        if section.head is not None:
            words += remarks(section.head, self.plan)
        tail = f"  {'; '.join(words)}" if words else ""
        yield self._paint(f"{mark} {section.name}", color, _BOLD) + self._paint(tail, _DIM)
        yield from self._people(section)

    def _people(self, section: Section) -> Iterator[str]:
        gone = section.deleted.members if section.deleted else ()
        names = [person(change.user) for change in (*section.added, *section.removed)]
        names += [person(user) for user in gone]
        width = min(max(map(len, names), default=0), _WIDEST)
        for change in section.added:
            yield self._member("+", change, width, _GREEN)
        for change in section.removed:
            yield self._member("-", change, width, _RED)
        for user in gone:
            yield self._paint(f"    - {person(user)}", _RED)

    def _member(self, mark: str, change: Change, width: int, color: str) -> str:
        said = self._paint(f"    {mark} {person(change.user):{width}}", color)
        tail = "; ".join(remarks(change, self.plan))
        return f"{said}  {self._paint(tail, _DIM)}" if tail else said.rstrip()

    def _paint(self, text: str, *codes: str) -> str:
        codes = tuple(code for code in codes if code)
        if not self.color or not text or not codes:
            return text
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m"
