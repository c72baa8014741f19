"""What groups grant, beside the groups and users that the commands show."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cld_user_groups.identity import printable

from . import membership
from .options import Settings
from .output import wrapped

if TYPE_CHECKING:
    from cld_user_groups.membership import Group, GroupRef, Roles


def print_roles(said: Mapping[str, Sequence[str]], settings: Settings) -> None:
    """Say what is granted, for people, by whose it is; a JSON document has it as a key.

    What is the same of several is said once: that it is not known, for one.
    """
    if settings.is_json:
        return
    titles: dict[tuple[str, ...], list[str]] = {}
    for title, texts in said.items():
        titles.setdefault(tuple(texts), []).append(printable(title))
    for texts, names in titles.items():
        named = ", and ".join([names[0], *(f"{name[0].lower()}{name[1:]}" for name in names[1:])])
        lines = [f"{named}:", *map(_indented, texts)]
        settings.say("\n".join(lines))


def _indented(text: str) -> str:
    """Return a text that is indented, on a terminal in all its lines."""
    if not sys.stderr.isatty():
        return f"  {text}"
    return "\n".join(wrapped(f"  {text}", shutil.get_terminal_size().columns, 4))


def in_a_table(roles: Roles, groups: Sequence[Group], settings: Settings) -> list[Sequence[str]]:
    """Return what each group grants, for the cells of a table; why it is not known is said once."""
    if settings.is_json:
        return [["; ".join(roles.texts(group.id))] for group in groups]
    unknown = [group for group in groups if roles.of(group.id) is None]
    if unknown:
        some = f"{len(unknown)} of the groups {'grants' if len(unknown) == 1 else 'grant'}"
        whose = "each group grants" if len(unknown) == len(groups) else some
        settings.say(f"What {whose} is not known: {roles.reason}.")
    return [["not known"] if group in unknown else roles.texts(group.id) for group in groups]


def of_groups(roles: Roles, groups: Iterable[Group | GroupRef]) -> list[dict[str, Any]]:
    """Return what groups grant, for a JSON document."""
    return [
        {"group": {"id": group.id, "name": group.name}, **roles.document(group.id)}
        for group in groups
    ]


def of_user(
    roles: Roles, user_id: str, groups: Sequence[Group | GroupRef]
) -> tuple[list[str], dict[str, Any]]:
    """Return what a user may do, own roles and those of groups, for people and as JSON."""
    names = {group.id or "": printable(group.name) for group in groups}
    texts: list[str] = []
    for grant, sources in roles.reach(user_id, names).items():
        through = ", ".join(names[each] for each in sources if each is not None)
        also = "own, and " if None in sources else ""
        texts.append(f"{grant.text} ({also}through {through})" if through else grant.text)
    unknown = [names[each] for each in names if roles.of(each) is None]
    if roles.of(user_id, "user") is None:
        unknown.insert(0, "own roles")
    if len(unknown) > len(names):
        texts = [f"not known: {roles.reason}"]
    elif unknown:
        texts.append(f"not known ({', '.join(unknown)}): {roles.reason}")
    document = {"own": roles.document(user_id, "user"), "through_groups": of_groups(roles, groups)}
    return texts or [membership.grants.NO_ROLE], document
