"""A plan as text for a terminal, as Markdown for a pull request, as an HTML page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import define, field

from cld_user_groups.membership.model import Action, Change, GroupRef, Plan, UserRef
from cld_user_groups.membership.problems import printable

from .environment import code_span, counted, joined, render, shown

_GREEN, _RED, _YELLOW, _BOLD, _DIM = "32", "31", "33", "1", "2"
_WIDEST = 44


@define
class Section:
    """The changes of one group.

    Attributes:
        group: The group.
        created: Its creation.
        renamed: Its new name.
        deleted: Its deletion.
        added: Who is added.
        removed: Who is removed.
    """

    group: GroupRef
    created: Change | None = None
    renamed: Change | None = None
    deleted: Change | None = None
    added: list[Change] = field(factory=list[Change])
    removed: list[Change] = field(factory=list[Change])

    @property
    def head(self) -> Change | None:
        """The change of the group itself."""
        return self.created or self.renamed or self.deleted

    @property
    def name(self) -> str:
        """The group's name, printable."""
        return shown(self.group.name)

    def title(self, quote: Callable[[str], str] = shown) -> str:
        """Describe what is done to the group itself, or return ""."""
        parts: list[str] = []
        if self.created is not None:
            parts.append("create")
        if self.renamed is not None:
            parts.append(f"rename from {quote(self.renamed.old_name or '')}")
        if self.deleted is not None:
            parts.append(f"delete, with {counted(len(self.deleted.members), 'member')}")
        return "; ".join(parts)


def sections(plan: Plan) -> list[Section]:
    """Return the changes of a plan by group, in the order in which the plan first names them."""
    found: dict[tuple[str | None, str], Section] = {}
    for change in plan.changes:
        key = (change.group.id, "" if change.group.id is not None else change.group.name)
        section = found.setdefault(key, Section(change.group))
        match change.action:
            case Action.CREATE_GROUP:
                section.created = change
            case Action.RENAME_GROUP:
                section.renamed = change
            case Action.DELETE_GROUP:
                section.deleted = change
            case Action.ADD_USER:
                section.added.append(change)
            case Action.REMOVE_USER:
                section.removed.append(change)
    return list(found.values())


def person(user: UserRef | None) -> str:
    """Return a user's e-mail, or else the ID."""
    if user is None:
        return ""
    return shown(user.email or user.id)


def place(change: Change, plan: Plan) -> str:
    """Return where a change is asked for, or ""."""
    if change.line is None:
        return ""
    if change.source in ("", plan.source):
        return f"line {change.line}"
    return f"{shown(change.source)}:{change.line}"


def remarks(change: Change, plan: Plan) -> list[str]:
    """Return why and where a change is asked for, as far as is known."""
    reason = shown(change.reason) if change.reason else ""
    return [remark for remark in (reason, place(change, plan)) if remark]


def summary(plan: Plan) -> str:
    """Return the counts of a plan in a sentence."""
    if not plan.changes:
        goal = "the account matches the file" if plan.digest else "everything is in place"
        return f"Nothing to do: {'all that is left is held back' if plan.held_back else goal}."
    counts = plan.counts()
    words = {
        Action.CREATE_GROUP: ("group", "to create"),
        Action.RENAME_GROUP: ("group", "to rename"),
        Action.ADD_USER: ("user", "to add"),
        Action.REMOVE_USER: ("user", "to remove"),
        Action.DELETE_GROUP: ("group", "to delete"),
    }
    parts = [
        f"{counted(counts[action], noun)} {verb}"
        for action, (noun, verb) in words.items()
        if counts[action]
    ]
    ends = f" {counted(plan.removals, 'membership')} would end in total." if plan.removals else ""
    return f"{joined(parts)}.{ends}"


def notes(plan: Plan) -> list[str]:
    """Return the notes of a plan that do not say what is held back, which is shown by itself."""
    return [note for note in plan.notes if note not in plan.held_back]


def requests(plan: Plan) -> str:
    """Describe how many requests a plan needs and how many are left."""
    needed = counted(len(plan.changes), "request")
    if plan.requests_left is None:
        return f"{needed} needed; how many are left of the quota is not known."
    lacking = " That is not enough." if plan.requests_left < len(plan.changes) else ""
    return f"{needed} needed; {plan.requests_left} left of the quota.{lacking}"


def render_html(plan: Plan) -> str:
    """Return a plan as an HTML document."""
    data = {
        "plan": plan,
        "notes": notes(plan),
        "sections": sections(plan),
        "summary": summary(plan),
        "requests": requests(plan),
        "person": person,
        "place": place,
        "remarks": remarks,
    }
    return render("plan.html.jinja", data)


def render_markdown(plan: Plan) -> str:
    """Return a plan as Markdown (CommonMark)."""
    return "\n".join(_lines(plan)) + "\n"


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
        yield f"- **{section.title(code_span)}**{_remarks(section.head, plan)}"
    for change in section.added:
        yield f"- add {code_span(person(change.user))}{_remarks(change, plan)}"
    for change in section.removed:
        yield f"- remove {code_span(person(change.user))}{_remarks(change, plan)}"
    for user in section.deleted.members if section.deleted else ():
        yield f"- remove {code_span(person(user))}"


def _remarks(change: Change, plan: Plan) -> str:
    return "".join(f", {code_span(remark)}" for remark in remarks(change, plan))


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
        if section.deleted:
            mark, color = "-", _RED
        elif section.created:
            mark, color = "+", _GREEN
        elif section.renamed:
            mark, color = "~", _YELLOW
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
