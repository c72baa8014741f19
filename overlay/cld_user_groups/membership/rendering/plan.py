"""A plan as text for a terminal, as Markdown for a pull request, as an HTML page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os.path import commonprefix

from attrs import define, field

from cld_user_groups.membership.grants import GroupRef, RoleEffect
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
_REJECTED = "Rejected by the guards; nothing is written"
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
    """The changes of one group: `itself` are those of the group, the others by their action."""

    group: GroupRef
    itself: dict[Action, Change] = field(factory=dict[Action, Change])
    others: dict[Action, list[Change]] = field(factory=dict[Action, list[Change]])
    effects: list[RoleEffect] = field(factory=list[RoleEffect])
    grants_nothing: str = ""

    def add(self, change: Change) -> None:
        """Add a change."""
        if change.action in _SIGNS:
            self.itself[change.action] = change
        else:
            self.others.setdefault(change.action, []).append(change)

    @property
    def head(self) -> Change | None:
        """The change of the group itself that has the reason."""
        return next((self.itself[action] for action in _COUNTED if action in self.itself), None)

    @property
    def gone(self) -> tuple[UserRef, ...]:
        """The members that a deletion of the group removes."""
        deleted = self.itself.get(Action.DELETE_GROUP)
        return deleted.members if deleted is not None else ()

    def rows(self) -> Iterator[tuple[str, str, str, Change | None]]:
        """Yield who is added and removed, and the roles: the name, the ID, and the change.

        A deletion has no change for each of its members.
        """
        for verb, action in (("add", Action.ADD_USER), ("remove", Action.REMOVE_USER)):
            for change in self.others.get(action, ()):
                user = change.user
                yield verb, shown(user.text) if user else "", user.id if user else "", change
        for change in self.others.get(Action.ASSIGN_ROLE, ()):
            if change.role is not None:
                yield "add", f"role {shown(change.role.text)}", change.role.role_id, change
        yield from (("remove", shown(user.text), user.id, None) for user in self.gone)

    @property
    def size(self) -> int:
        """How many rows it has."""
        return sum(map(len, (*self.others.values(), self.gone)))

    @property
    def told(self) -> dict[str, str | int]:
        """What a table says of it, by its columns: numbers are of members, and of roles."""
        added, removed, assigned = (
            len(self.others.get(action, ()))
            for action in (Action.ADD_USER, Action.REMOVE_USER, Action.ASSIGN_ROLE)
        )
        return {
            "Change": ", ".join(each.value.partition("_")[0] for each in self.itself),
            "Add": added,
            "Remove": removed + len(self.gone),
            "Roles": assigned or "",
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

    def means(self, quote: Callable[[str], str] = shown) -> Iterator[tuple[str, bool]]:
        """Yield what it gives and no longer gives, a role each, and if that is full control."""
        for each in self.effects:
            yield _effect(each, quote), each.full_control
        if self.nothing:
            yield self.nothing, False

    @property
    def nothing(self) -> str:
        """That the group grants nothing, where somebody comes or goes, or ""."""
        return "" if self.effects or not self.size else self.grants_nothing


class _View:
    """What the renderings of a plan share: its groups, or a table of them, and its lists."""

    def __init__(self, plan: Plan, *, summary: bool = False) -> None:
        self.plan = plan
        self.sections = _sections(plan)
        self.overview: list[tuple[str, ...]] = []
        self.breaches = said_once(each.message for each in plan.breaches)
        self.lists = {
            "Roles": role_lines(plan),
            "Held back": said_once(plan.held_back),
            "Warnings": said_once(plan.warnings),
            # What is held back is shown by itself.
            "Notes": said_once(note for note in plan.notes if note not in plan.held_back),
        }
        is_long = len(self.sections) > 1 and sum(each.size for each in self.sections) > _SCREEN
        if self.sections and (summary or is_long):
            self._shorten()
        if summary:
            self.sections = []

    def _shorten(self) -> None:
        """Make the table of the groups, and say once what several of them do not grant."""
        for text, title in _GRANT_NOTHING.items():
            if alike := [each for each in self.sections if each.nothing == text]:
                groups = _some([each.group for each in alike])
                self.lists["Roles"].append(f"{title}: {groups}.")
            for section in alike:
                section.grants_nothing = ""
        refused = {breach.group.key for breach in self.plan.breaches if breach.group is not None}
        rows = [
            {
                "Group": each.group.name,
                **each.told,
                "Guards": "refused" if each.group.key in refused else "passed",
            }
            for each in self.sections
        ]
        names = [name for name in rows[0] if any(row[name] != "" for row in rows)]
        self.overview = [tuple(names), *(tuple(str(row[name]) for name in names) for row in rows)]

    def place(self, change: Change) -> str:
        """Return where a change is asked for, or ""."""
        if change.line is None:
            return ""
        if change.source in ("", self.plan.source):
            return f"line {change.line}"
        return f"{shown(change.source)}:{change.line}"

    def remarks(self, change: Change | None) -> list[str]:
        """Return why and where a change is asked for, as far as is known."""
        if change is None:
            return []
        reason = shown(change.reason) if change.reason else ""
        return [remark for remark in (reason, self.place(change)) if remark]

    def summary(self) -> str:
        """Return the counts of the plan in a sentence."""
        plan = self.plan
        if not plan.changes:
            goal = "the account matches the file" if plan.digest else "everything is in place"
            return f"Nothing to do: {'all that is left is held back' if plan.held_back else goal}."
        counts = plan.counts()
        parts = [
            f"{counted(counts[action], noun)} {verb}"
            for action, (noun, verb) in _COUNTED.items()
            if counts.get(action)
        ]
        ends = f" {counted(plan.removals, 'membership')} would end in total." * bool(plan.removals)
        return f"{joined(parts)}.{ends}"

    def requests(self) -> str:
        """Describe how many requests the plan needs and how many are left."""
        plan, counts, most = self.plan, self.plan.counts(), len(self.plan.changes)
        needed = f"{counted(most, 'request')} needed"
        deleted = 0 if plan.roles is None else counts["delete_group"]
        for what, count in {"check": counts.get("assign_role", 0), "record": deleted}.items():
            if reads := READS_OF_ROLES * count:
                needed += f", and at most {reads:,} to {what} roles"
                most += reads
        if plan.roles is not None and plan.roles.requests:
            needed += f", after {counted(plan.roles.requests, 'request')} that read roles"
        if plan.requests_left is None:
            return f"{needed}; how many are left of the quota is not known."
        lacking = " That is not enough." if plan.requests_left < most else ""
        return f"{needed}; {plan.requests_left} left of the quota.{lacking}"


def _sections(plan: Plan) -> list[_Section]:
    """Return the changes of a plan by group, in the order in which the plan first names them."""
    found: dict[str, _Section] = {}
    for change in plan.changes:
        found.setdefault(change.group.key, _Section(change.group)).add(change)
    if plan.roles is None:
        return list(found.values())
    for section in found.values():
        if Action.CREATE_GROUP in section.itself and Action.ASSIGN_ROLE not in section.others:
            section.grants_nothing = _NEW_GRANTS_NOTHING
    for group in plan.roles.global_only:
        if (shows_none := found.get(group.key)) is not None:
            shows_none.grants_nothing = _GRANTS_NOTHING
    for effect in plan.roles.effects:
        if (gives := found.get(effect.group.key)) is not None:
            gives.effects.append(effect)
    return list(found.values())


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


def _effect(effect: RoleEffect, quote: Callable[[str], str]) -> str:
    when, one, many, tail = "from now on", "has", "have", "it already"
    if effect.effect == "ends":
        when, one, many, tail = "no longer", "keeps", "keep", "it"
    having = [(each.people, f"through {quote(each.group.name)}") for each in effect.through]
    having += [(effect.own, "as an own role")] if effect.own else []
    parts = [
        f"through this group {when}: {quote(effect.text)}, {counted(effect.people, 'person')}",
        *(f"{count:,} {one if count == 1 else many} {tail} {how}" for count, how in having),
    ]
    if effect.not_known:
        parts.append(f"of {effect.not_known:,} it is not known whether they {many} {tail}")
    return "; ".join(parts)


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
    data = {"plan": plan, "view": _View(plan), "names": names or {}, "rejected": _REJECTED}
    return render("plan.html.jinja", data)


def render_markdown(plan: Plan, *, summary: bool = False) -> str:
    """Return a plan as Markdown (CommonMark; the table of a long plan, or summary, is GitHub's)."""
    return "\n".join(_markdown(_View(plan, summary=summary))) + "\n"


def _markdown(view: _View) -> Iterator[str]:
    def ended(change: Change | None) -> str:
        return "".join(f", {code_span(remark)}" for remark in view.remarks(change))

    plan = view.plan
    yield f"# Plan for account {code_span(plan.account_id)}"
    yield ""
    yield f"From {code_span(plan.source)}. {view.summary()}"
    if plan.changes:
        yield from (view.requests(), "")
        yield from (f"**{_REJECTED}:**", "") if plan.breaches else ("Guards: passed.",)
        yield from (f"- {code_span(text)}" for text in view.breaches)
    for number, (name, *cells) in enumerate(view.overview):
        row = [code_span(name).replace("|", "\\|") if number else name, *cells]
        yield from () if number else ("",)
        yield f"| {' | '.join(row)} |"
        yield from () if number else (f"|{' --- |' * len(row)}",)
    for section in view.sections:
        yield from ("", f"## {code_span(section.group.name)}", "")
        if section.head is not None:
            yield f"- **{section.title(code_span)}**{ended(section.head)}"
        for verb, name, _, change in section.rows():
            yield f"- {verb} {code_span(name)}{ended(change)}"
        for text, is_full_control in section.means(code_span):
            yield f"- **{text}**" if is_full_control else f"- {text}"
    for title, texts in view.lists.items():
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

    return "\n".join(_text(_View(plan, summary=summary), paint)) + "\n"


def _text_table(table: Sequence[Sequence[str]], paint: Callable[..., str]) -> Iterator[str]:
    head, *rows = ([shown(name), *cells] for name, *cells in table)
    widths = [min(max(map(len, cells)), _WIDEST) for cells in zip(head, *rows, strict=True)]
    is_number = [cells[0].isdigit() for cells in zip(*rows, strict=True)]
    for row in ([each.upper() for each in head], *rows):
        padded = zip(row, widths, is_number, strict=True)
        line = "  ".join(
            text.rjust(width) if right else text.ljust(width) for text, width, right in padded
        )
        code = _RED if row[-1] == "refused" else _BOLD if row[-1] == "GUARDS" else ""
        yield paint(line.rstrip(), code)
    yield ""


def _text(view: _View, paint: Callable[..., str]) -> Iterator[str]:
    plan, lists = view.plan, view.lists
    yield f"Plan for account {shown(plan.account_id)}, from {shown(plan.source)}"
    yield ""
    if view.overview:
        yield from _text_table(view.overview, paint)
    for section in view.sections:
        yield from _section(section, view, paint)
        yield ""
    yield view.summary()
    if plan.changes:
        yield view.requests()
    yield from lists["Roles"]
    yield from (paint(f"Note: {printable(text)}", _DIM) for text in lists["Notes"])
    yield from (paint(f"Warning: {printable(text)}", _YELLOW) for text in lists["Warnings"])
    refused = {"Held back": (_YELLOW, lists["Held back"]), _REJECTED: (_RED, view.breaches)}
    for title, (color, texts) in refused.items():
        if texts:
            yield paint(f"{title}:", color, _BOLD)
            yield from (paint(f"  {printable(text)}", color) for text in texts)
    if plan.changes and not plan.breaches:
        yield "Guards: passed."


def _section(section: _Section, view: _View, paint: Callable[..., str]) -> Iterator[str]:
    done = (sign for action, sign in _SIGNS.items() if action in section.itself)
    mark, color = next(done, (" ", ""))
    words = [*filter(None, [section.title()]), *view.remarks(section.head)]
    tail = f"  {'; '.join(words)}" if words else ""
    yield paint(f"{mark} {shown(section.group.name)}", color, _BOLD) + paint(tail, _DIM)
    rows = [*section.rows()]
    width = min(max((len(name) for _, name, _, _ in rows), default=0), _WIDEST)
    for verb, name, _, change in rows:
        mark, color = ("+", _GREEN) if verb == "add" else ("-", _RED)
        if change and change.role and change.role.is_full_control:
            color = f"{_YELLOW};{_BOLD}"
        said = paint(f"    {mark} {name.ljust(width) if change else name}", color)
        tail = "; ".join(view.remarks(change))
        yield f"{said}  {paint(tail, _DIM)}" if tail else said.rstrip()
    for text, is_full_control in section.means():
        yield "    " + paint(text, *((_RED, _BOLD) if is_full_control else ()))
