"""A plan as text for a terminal, as Markdown for a pull request, as an HTML page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from attrs import define, field

from cld_user_groups.membership.grants import GroupRef, RoleEffect, RoleEffects
from cld_user_groups.membership.model import Action, Change, Plan, UserRef
from cld_user_groups.membership.problems import printable
from cld_user_groups.membership.scheduler import READS_OF_ROLES

from .environment import code_span, counted, joined, render, shown

_GREEN, _RED, _YELLOW, _BOLD, _DIM = "32", "31", "33", "1", "2"
_WIDEST = 44
_NAMED = 5  # of many groups
# Of a group itself: the sign and the color in a terminal.
_SIGNS = {
    Action.DELETE_GROUP: ("-", _RED),
    Action.CREATE_GROUP: ("+", _GREEN),
    Action.RENAME_GROUP: ("~", _YELLOW),
}
_COUNTED = {
    Action.CREATE_GROUP: ("group", "to create"),
    Action.RENAME_GROUP: ("group", "to rename"),
    Action.ADD_USER: ("user", "to add"),
    Action.ASSIGN_ROLE: ("role", "to assign"),
    Action.REMOVE_USER: ("user", "to remove"),
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
            section.grants_nothing = "a new group grants no role"
    for group in roles.global_only:
        if (shows_none := sections.get(group.key)) is not None:
            shows_none.grants_nothing = "it grants no global role"
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
    return [note for note in plan.notes if note not in plan.held_back]


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
    if section.grants_nothing and not section.effects and any(section.rows()):
        yield section.grants_nothing, False


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
    said = f"through this group {when}: {quote(effect.text)}, {_people(effect.people)}"
    return "; ".join([said, *others])


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


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
            said = f"{counted(count.roles, 'role')}{full}, for {_people(count.people)}"
            lines.append(f"Roles that {verb}: {said}{'' if is_sure else ', perhaps more'}.")
        elif not is_sure:
            lines.append(f"Roles that {verb}: perhaps some.")
    deleted = {each.group for each in plan.changes if each.action is Action.DELETE_GROUP}
    if unknown := [each for each in roles.not_known if each not in deleted]:
        names = ", ".join(shown(each.name) for each in unknown[:_NAMED])
        more = f" and {counted(n, 'other group')}" if (n := len(unknown) - _NAMED) > 0 else ""
        # A note gives the reason with the groups that are deleted.
        reason = f": {roles.not_known_because}" if len(unknown) == len(roles.not_known) else ""
        lines.append(f"Roles that are not known: those of {names}{more}{reason}.")
    if roles.global_only:
        lines.append(
            "Roles in folders and collections are known only of groups that are shown to have some."
        )
    if roles.effects and roles.own_roles != "known":
        reads = "--roles=people reads that"
        why = reads if roles.own_roles == "not_read" else roles.not_known_because
        lines.append(f"Whether people hold these roles themselves is not known: {why}.")
    return lines


def render_html(plan: Plan) -> str:
    """Return a plan as an HTML document."""
    data = {
        "plan": plan,
        "notes": _notes(plan),
        "sections": _sections(plan),
        "summary": _summary(plan),
        "requests": _requests(plan),
        "roles": role_lines(plan),
        "effects": _effects,
        "place": _place,
        "remarks": _remarks,
    }
    return render("plan.html.jinja", data)


def render_markdown(plan: Plan) -> str:
    """Return a plan as Markdown (CommonMark)."""
    return "\n".join(_markdown(plan)) + "\n"


def _markdown(plan: Plan) -> Iterator[str]:
    def ended(change: Change | None) -> str:
        return "".join(f", {code_span(remark)}" for remark in _remarks(change, plan))

    yield f"# Plan for account {code_span(plan.account_id)}"
    yield ""
    yield f"From {code_span(plan.source)}. {_summary(plan)}"
    if plan.changes:
        yield from (_requests(plan), "")
        if plan.breaches:
            yield from ("**Rejected by the guards; nothing is written:**", "")
            yield from (f"- {code_span(printable(each.message))}" for each in plan.breaches)
        else:
            yield "Guards: passed."
    for section in _sections(plan):
        yield from ("", f"## {code_span(section.group.name)}", "")
        if section.head is not None:
            yield f"- **{section.title(code_span)}**{ended(section.head)}"
        for verb, name, _, change in section.rows():
            yield f"- {verb} {code_span(name)}{ended(change)}"
        for text, is_full_control in _effects(section, code_span):
            yield f"- **{text}**" if is_full_control else f"- {text}"
    lists = {
        "Roles": role_lines(plan),
        "Held back": plan.held_back,
        "Warnings": plan.warnings,
        "Notes": _notes(plan),
    }
    for title, texts in lists.items():
        if texts:
            yield from ("", f"## {title}", "")
            yield from (f"- {code_span(text)}" for text in texts)


def render_text(plan: Plan, *, color: bool = False) -> str:
    """Return a plan as text: the difference by group, the guards' verdict, the requests.

    Args:
        plan: The plan.
        color: Whether to use the colors of a terminal.
    """

    def paint(text: str, *codes: str) -> str:
        chosen = ";".join(filter(None, codes))
        return f"\x1b[{chosen}m{text}\x1b[0m" if color and text and chosen else text

    return "\n".join(_text(plan, paint)) + "\n"


def _text(plan: Plan, paint: Callable[..., str]) -> Iterator[str]:
    yield f"Plan for account {shown(plan.account_id)}, from {shown(plan.source)}"
    yield ""
    for section in _sections(plan):
        yield from _section(section, plan, paint)
        yield ""
    yield _summary(plan)
    if plan.changes:
        yield _requests(plan)
    yield from role_lines(plan)
    yield from (paint(f"Note: {printable(note)}", _DIM) for note in _notes(plan))
    yield from (paint(f"Warning: {printable(text)}", _YELLOW) for text in plan.warnings)
    if plan.held_back:
        yield paint("Held back:", _YELLOW, _BOLD)
        yield from (paint(f"  {printable(held)}", _YELLOW) for held in plan.held_back)
    if plan.breaches:
        yield paint("Rejected by the guards; nothing is written:", _RED, _BOLD)
        yield from (paint(f"  {printable(each.message)}", _RED) for each in plan.breaches)
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
