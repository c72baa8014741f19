"""The parts that all renderings of a plan share."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

from cld_user_groups.membership.model import Action, Change, GroupRef, Plan, UserRef
from cld_user_groups.membership.problems import printable


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

    def title(self) -> str:
        """Describe the change of the group itself, or return ""."""
        if self.created is not None:
            return "create"
        if self.renamed is not None:
            return f"rename from {shown(self.renamed.old_name or '')}"
        if self.deleted is not None:
            return f"delete, with {counted(len(self.deleted.members), 'member')}"
        return ""


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


def shown(text: str) -> str:
    """Return text for one line: printable, and in quotes where it is blank."""
    printed = printable(text)
    return printed if printed.strip() else f'"{printed}"'


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
        return "Nothing to do: " + (
            "all that is left is held back." if plan.held_back else "the account is as asked."
        )
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


def counted(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def joined(parts: Iterable[str]) -> str:
    """Return parts as a list in a sentence."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
