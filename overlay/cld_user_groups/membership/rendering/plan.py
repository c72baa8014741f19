"""A plan as text for a terminal, as Markdown for a pull request, as an HTML page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os.path import commonprefix

from attrs import define, field

from cld_user_groups.membership.grants import GroupRef, RoleEffect, RoleEffects
from cld_user_groups.membership.model import Action, Change, Plan, UserRef
from cld_user_groups.membership.problems import printable
from cld_user_groups.membership.scheduler import READS_OF_ROLES

from .environment import code_span, counted, joined, render, shown

_GREEN, _RED, _YELLOW, _BOLD, _DIM = "32", "31", "33", "1", "2"
_WIDEST = 44
_NAMED = 5  # of many groups
_SCREEN = 24  # changes: a plan with more, of several groups, begins with a table of the groups
_MANY = 3  # texts that share their advice
_NEW_GRANTS_NOTHING = "a new group grants no role"
_GRANTS_NOTHING = "it grants no global role"
# The same of several groups.
_GRANT_NOTHING = {
    _NEW_GRANTS_NOTHING: "New groups, which grant no role",
    _GRANTS_NOTHING: "Groups that grant no global role",
}
# Of a group itself: the sign and the color in a terminal.
_SIGNS = {
    Action.DELETE_GROUP: ("-", _RED),
    Action.CREATE_GROUP: ("+", _GREEN),
    Action.RENAME_GROUP: ("~", _YELLOW),
}
_COUNTED = {
    Action.CREATE_GROUP: ("group", "to create"),
    Action.RENAME_GROUP: ("group", "to rename"),
    Action.ADD_USER: ("membership", "to add"),
    Action.ASSIGN_ROLE: ("role", "to assign"),
    Action.REMOVE_USER: ("membership", "to remove"),
    Action.DELETE_GROUP: ("group", "to delete"),
}


@define
class _Section:
    """The changes of one group: `itself` are those of the group, not of its members."""

    group: GroupRef
    itself: dict[Action, Change] = field(factory=dict[Action, Change])
    added: list[Change] = field(factory=list[Change])
    removed: list[Change] = field(factory=list[Change])
    assigned: list[Change] = field(factory=list[Change])
    effects: list[RoleEffect] = field(factory=list[RoleEffect])
    grants_nothing: str = ""

    @property
    def head(self) -> Change | None:
        """The change of the group itself that has the reason."""
        actions = (Action.CREATE_GROUP, Action.RENAME_GROUP, Action.DELETE_GROUP)
        return next((self.itself[action] for action in actions if action in self.itself), None)

    @property
    def nothing(self) -> str:
        """That the group grants nothing, where somebody comes or goes, or ""."""
        return "" if self.effects or not any(self.rows()) else self.grants_nothing

    @property
    def gone(self) -> tuple[UserRef, ...]:
        """The members that a deletion of the group removes."""
        deleted = self.itself.get(Action.DELETE_GROUP)
        return deleted.members if deleted is not None else ()

    def rows(self) -> Iterator[tuple[str, str, str, Change | None]]:
        """Yield who is added and removed, and the roles: the name, the ID, and the change.

        A deletion has no change for each of its members.
        """
        for verb, changes in (("add", self.added), ("remove", self.removed)):
            for change in changes:
                yield verb, _person(change.user), change.user.id if change.user else "", change
        for change in self.assigned:
            if change.role is not None:
                yield "add", f"role {shown(change.role.text)}", change.role.role_id, change
        yield from (("remove", _person(user), user.id, None) for user in self.gone)

    @property
    def size(self) -> int:
        """How many rows it has."""
        return sum(map(len, (self.added, self.removed, self.assigned, self.gone)))

    @property
    def told(self) -> dict[str, str | int]:
        """What a table says of it, by its columns: numbers are of members, and of roles."""
        verbs = (each.value.partition("_")[0] for each in self.itself)
        return {
            "Change": ", ".join(verbs),
            "Add": len(self.added),
            "Remove": len(self.removed) + len(self.gone),
            "Roles": len(self.assigned) or "",
        }

    def title(self, quote: Callable[[str], str] = shown) -> str:
        """Describe what is done to the group itself, or return ""."""
        parts: list[str] = []
        if Action.CREATE_GROUP in self.itself:
            parts.append("create")
        if (renamed := self.itself.get(Action.RENAME_GROUP)) is not None:
            parts.append(f"rename from {quote(renamed.old_name or '')}")
        if Action.DELETE_GROUP in self.itself:
            parts.append(f"delete, with {counted(len(self.gone), 'member')}")
        return "; ".join(parts)


def _sections(plan: Plan) -> list[_Section]:
    """Return the changes of a plan by group, in the order in which the plan first names them."""
    found: dict[str, _Section] = {}
    for change in plan.changes:
        section = found.setdefault(change.group.key, _Section(change.group))
        match change.action:
            case Action.ADD_USER:
                section.added.append(change)
            case Action.REMOVE_USER:
                section.removed.append(change)
            case Action.ASSIGN_ROLE:
                section.assigned.append(change)
            case action:
                section.itself[action] = change
    if plan.roles is not None:
        _add_effects(plan.roles, found)
    return list(found.values())


def _add_effects(roles: RoleEffects, sections: Mapping[str, _Section]) -> None:
    for section in sections.values():
        if Action.CREATE_GROUP in section.itself and not section.assigned:
            section.grants_nothing = _NEW_GRANTS_NOTHING
    for group in roles.global_only:
        if (shows_none := sections.get(group.key)) is not None:
            shows_none.grants_nothing = _GRANTS_NOTHING
    for effect in roles.effects:
        if (gives := sections.get(effect.group.key)) is not None:
            gives.effects.append(effect)


def _person(user: UserRef | None) -> str:
    """Return a user's e-mail, or else the ID."""
    return "" if user is None else shown(user.text)


def _place(change: Change, plan: Plan) -> str:
    """Return where a change is asked for, or ""."""
    if change.line is None:
        return ""
    if change.source in ("", plan.source):
        return f"line {change.line}"
    return f"{shown(change.source)}:{change.line}"


def _remarks(change: Change | None, plan: Plan) -> list[str]:
    """Return why and where a change is asked for, as far as is known."""
    if change is None:
        return []
    reason = shown(change.reason) if change.reason else ""
    return [remark for remark in (reason, _place(change, plan)) if remark]


def _summary(plan: Plan) -> str:
    """Return the counts of a plan in a sentence."""
    if not plan.changes:
        goal = "the account matches the file" if plan.digest else "everything is in place"
        return f"Nothing to do: {'all that is left is held back' if plan.held_back else goal}."
    counts = plan.counts()
    parts = [
        f"{counted(counts[action], noun)} {verb}"
        for action, (noun, verb) in _COUNTED.items()
        if counts.get(action)
    ]
    ends = f" {counted(plan.removals, 'membership')} would end in total." if plan.removals else ""
    return f"{joined(parts)}.{ends}"


def _notes(plan: Plan) -> list[str]:
    """Return the notes of a plan that do not say what is held back, which is shown by itself."""
    return said_once(note for note in plan.notes if note not in plan.held_back)


def said_once(texts: Iterable[str]) -> list[str]:
    """Return texts, with the advice that several of them end with only once, after the last."""
    found: dict[str, list[str]] = {}
    for text in texts:
        found.setdefault(next(_advice(text), text), []).append(text)
    lines: list[str] = []
    for last, alike in found.items():
        if len(alike) < _MANY:
            lines += alike
            continue
        backwards = commonprefix([text[::-1] for text in alike])  # noqa: RUF071 - characters
        *_, advice = (last, *_advice(backwards[::-1]))
        said_of = [text.removesuffix(f"; {advice}") for text in alike]
        lines += said_of
        if said_of != alike:
            lines.append(f"For these {len(alike)}: {advice}")
    return lines


def _advice(text: str) -> Iterator[str]:
    """Yield the ends of a text that may be advice, the shortest first: none begins in a name."""
    parts = text.split("; ")
    for at in range(len(parts) - 1, 0, -1):
        if (end := "; ".join(parts[at:])).count("`") % 2 == 0:
            yield end


def _overview(plan: Plan, sections: Sequence[_Section]) -> list[tuple[str, ...]]:
    """Return a table of the groups: its head, and a row each, the name first."""
    refused = {breach.group.key for breach in plan.breaches if breach.group is not None}
    guards = ("refused" if each.group.key in refused else "passed" for each in sections)
    rows = [
        {"Group": each.group.name, **each.told, "Guards": verdict}
        for each, verdict in zip(sections, guards, strict=True)
    ]
    names = [name for name in (rows[0] if rows else ()) if any(row[name] != "" for row in rows)]
    return [tuple(names), *(tuple(str(row[name]) for name in names) for row in rows)]


def _parts(
    plan: Plan, *, summary: bool = False
) -> tuple[Sequence[_Section], Sequence[Sequence[str]], list[str]]:
    """Return the sections, a table of the groups in a long plan or a summary, and the roles."""
    sections, lines = _sections(plan), role_lines(plan)
    is_long = len(sections) > 1 and sum(each.size for each in sections) > _SCREEN
    if not sections or not (summary or is_long):
        return sections, (), lines
    for text, title in _GRANT_NOTHING.items():
        if alike := [each for each in sections if each.nothing == text]:
            lines.append(f"{title}: {_some([each.group for each in alike])}.")
        for section in alike:
            section.grants_nothing = ""  # which is said once
    return () if summary else sections, _overview(plan, sections), lines


def _requests(plan: Plan) -> str:
    """Describe how many requests a plan needs and how many are left."""
    counts, most = plan.counts(), len(plan.changes)
    needed = f"{counted(most, 'request')} needed"
    if checks := READS_OF_ROLES * counts.get("assign_role", 0):
        needed += f", and at most {checks:,} to check roles"
        most += checks
    if plan.roles is not None:
        if records := READS_OF_ROLES * counts["delete_group"]:
            needed += f", and at most {records:,} to record roles"
            most += records
        if plan.roles.requests:
            needed += f", after {counted(plan.roles.requests, 'request')} that read roles"
    if plan.requests_left is None:
        return f"{needed}; how many are left of the quota is not known."
    lacking = " That is not enough." if plan.requests_left < most else ""
    return f"{needed}; {plan.requests_left} left of the quota.{lacking}"


def _effects(section: _Section, quote: Callable[[str], str] = shown) -> Iterator[tuple[str, bool]]:
    """Yield what a group gives and no longer gives, a role each, and if that is full control."""
    for each in section.effects:
        yield _effect(each, quote), each.full_control
    if section.nothing:
        yield section.nothing, False


def _effect(effect: RoleEffect, quote: Callable[[str], str]) -> str:
    ends = effect.effect == "ends"

    def keep(count: int) -> str:
        verb = ("keeps" if ends else "has") if count == 1 else ("keep" if ends else "have")
        return f"{count:,} {verb} it" if ends else f"{count:,} {verb} it already"

    others = [
        *(f"{keep(each.people)} through {quote(each.group.name)}" for each in effect.through),
        *([f"{keep(effect.own)} as an own role"] if effect.own else ()),
    ]
    if effect.not_known:
        whether = "keep it" if ends else "have it already"
        others.append(f"of {effect.not_known:,} it is not known whether they {whether}")
    when = "no longer" if ends else "from now on"
    said = f"through this group {when}: {quote(effect.text)}, {counted(effect.people, 'person')}"
    return "; ".join([said, *others])


def role_lines(plan: Plan) -> list[str]:
    """Return what a plan gives and ends over all groups, and what of it is not known, once."""
    roles = plan.roles
    if roles is None:
        return []
    lines: list[str] = []
    for verb, count in {"begin": roles.begin, "end": roles.end}.items():
        is_sure = not any(each.not_known for each in roles.effects if each.effect == f"{verb}s")
        if count.roles:
            full = f", {count.full_control:,} with full control" if count.full_control else ""
            said = f"{counted(count.roles, 'role')}{full}, for {counted(count.people, 'person')}"
            lines.append(f"Roles that {verb}: {said}{'' if is_sure else ', perhaps more'}.")
        elif not is_sure:
            lines.append(f"Roles that {verb}: perhaps some.")
    deleted = {each.group for each in plan.changes if each.action is Action.DELETE_GROUP}
    if unknown := [each for each in roles.not_known if each not in deleted]:
        # A note gives the reason with the groups that are deleted.
        reason = f": {roles.not_known_because}" if len(unknown) == len(roles.not_known) else ""
        lines.append(f"Roles that are not known: those of {_some(unknown)}{reason}.")
    if roles.global_only:
        lines.append(
            "Roles in folders and collections are known only of groups that are shown to have some."
        )
    if roles.effects and roles.own_roles != "known":
        reads = "--roles=people reads that"
        why = reads if roles.own_roles == "not_read" else roles.not_known_because
        lines.append(f"Whether people hold these roles themselves is not known: {why}.")
    return lines


def _some(groups: Sequence[GroupRef]) -> str:
    """Return the names of groups, of many the first and how many others."""
    more = f" and {counted(n, 'other group')}" if (n := len(groups) - _NAMED) > 0 else ""
    return ", ".join(shown(each.name) for each in groups[:_NAMED]) + more


def render_html(plan: Plan, *, names: Mapping[str, str] | None = None) -> str:
    """Return a plan as an HTML document, with the names of users, by ID, where they are given."""
    sections, overview, roles = _parts(plan)
    data = {
        "plan": plan,
        "names": names or {},
        "notes": _notes(plan),
        "breaches": said_once(each.message for each in plan.breaches),
        "held_back": said_once(plan.held_back),
        "warnings": said_once(plan.warnings),
        "sections": sections,
        "overview": overview,
        "summary": _summary(plan),
        "requests": _requests(plan),
        "roles": roles,
        "effects": _effects,
        "place": _place,
        "remarks": _remarks,
    }
    return render("plan.html.jinja", data)


def render_markdown(plan: Plan, *, summary: bool = False) -> str:
    """Return a plan as Markdown (CommonMark; the table of a long plan, or summary, is GitHub's)."""
    return "\n".join(_markdown(plan, summary=summary)) + "\n"


def _markdown_table(table: Sequence[Sequence[str]]) -> Iterator[str]:
    if not table:
        return
    head, *rows = table
    yield from ("", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}")
    for name, *cells in rows:
        quoted = code_span(name).replace("|", "\\|")
        yield f"| {' | '.join([quoted, *cells])} |"


def _markdown(plan: Plan, *, summary: bool) -> Iterator[str]:
    def ended(change: Change | None) -> str:
        return "".join(f", {code_span(remark)}" for remark in _remarks(change, plan))

    yield f"# Plan for account {code_span(plan.account_id)}"
    yield ""
    yield f"From {code_span(plan.source)}. {_summary(plan)}"
    if plan.changes:
        yield from (_requests(plan), "")
        if plan.breaches:
            yield from ("**Rejected by the guards; nothing is written:**", "")
            messages = said_once(each.message for each in plan.breaches)
            yield from (f"- {code_span(printable(each))}" for each in messages)
        else:
            yield "Guards: passed."
    sections, overview, roles = _parts(plan, summary=summary)
    yield from _markdown_table(overview)
    for section in sections:
        yield from ("", f"## {code_span(section.group.name)}", "")
        if section.head is not None:
            yield f"- **{section.title(code_span)}**{ended(section.head)}"
        for verb, name, _, change in section.rows():
            yield f"- {verb} {code_span(name)}{ended(change)}"
        for text, is_full_control in _effects(section, code_span):
            yield f"- **{text}**" if is_full_control else f"- {text}"
    lists = {
        "Roles": roles,
        "Held back": said_once(plan.held_back),
        "Warnings": said_once(plan.warnings),
        "Notes": _notes(plan),
    }
    for title, texts in lists.items():
        if texts:
            yield from ("", f"## {title}", "")
            yield from (f"- {code_span(text)}" for text in texts)


def render_text(plan: Plan, *, color: bool = False, summary: bool = False) -> str:
    """Return a plan as text: the difference by group, the guards' verdict, the requests.

    Args:
        plan: The plan.
        color: Whether to use the colors of a terminal.
        summary: Whether to show a table of the groups instead of each change.
    """

    def paint(text: str, *codes: str) -> str:
        chosen = ";".join(filter(None, codes))
        return f"\x1b[{chosen}m{text}\x1b[0m" if color and text and chosen else text

    return "\n".join(_text(plan, paint, summary=summary)) + "\n"


def _text_table(table: Sequence[Sequence[str]], paint: Callable[..., str]) -> Iterator[str]:
    if not table:
        return
    head, *rows = ([shown(name), *cells] for name, *cells in table)
    widths = [min(max(map(len, cells)), _WIDEST) for cells in zip(head, *rows, strict=True)]
    is_number = [cells[0].isdigit() for cells in zip(*rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = zip(cells, widths, is_number, strict=True)
        return "  ".join(
            text.rjust(width) if right else text.ljust(width) for text, width, right in padded
        ).rstrip()

    yield paint(line([each.upper() for each in head]), _BOLD)
    yield from (paint(line(row), _RED if row[-1] == "refused" else "") for row in rows)
    yield ""


def _text(plan: Plan, paint: Callable[..., str], *, summary: bool) -> Iterator[str]:
    yield f"Plan for account {shown(plan.account_id)}, from {shown(plan.source)}"
    yield ""
    sections, overview, roles = _parts(plan, summary=summary)
    yield from _text_table(overview, paint)
    for section in sections:
        yield from _section(section, plan, paint)
        yield ""
    yield _summary(plan)
    if plan.changes:
        yield _requests(plan)
    yield from roles
    yield from (paint(f"Note: {printable(note)}", _DIM) for note in _notes(plan))
    warnings, held_back = said_once(plan.warnings), said_once(plan.held_back)
    yield from (paint(f"Warning: {printable(text)}", _YELLOW) for text in warnings)
    if held_back:
        yield paint("Held back:", _YELLOW, _BOLD)
        yield from (paint(f"  {printable(held)}", _YELLOW) for held in held_back)
    if plan.breaches:
        yield paint("Rejected by the guards; nothing is written:", _RED, _BOLD)
        messages = said_once(each.message for each in plan.breaches)
        yield from (paint(f"  {printable(each)}", _RED) for each in messages)
    elif plan.changes:
        yield "Guards: passed."


def _section(section: _Section, plan: Plan, paint: Callable[..., str]) -> Iterator[str]:
    done = (sign for action, sign in _SIGNS.items() if action in section.itself)
    mark, color = next(done, (" ", ""))
    words = [*filter(None, [section.title()]), *_remarks(section.head, plan)]
    tail = f"  {'; '.join(words)}" if words else ""
    yield paint(f"{mark} {shown(section.group.name)}", color, _BOLD) + paint(tail, _DIM)
    rows = [*section.rows()]
    width = min(max((len(name) for _, name, _, _ in rows), default=0), _WIDEST)
    for verb, name, _, change in rows:
        mark, color = ("+", _GREEN) if verb == "add" else ("-", _RED)
        if change and change.role and change.role.is_full_control:
            color = f"{_YELLOW};{_BOLD}"
        said = paint(f"    {mark} {name.ljust(width) if change else name}", color)
        tail = "; ".join(_remarks(change, plan))
        yield f"{said}  {paint(tail, _DIM)}" if tail else said.rstrip()
    for text, is_full_control in _effects(section):
        yield "    " + paint(text, *((_RED, _BOLD) if is_full_control else ()))
