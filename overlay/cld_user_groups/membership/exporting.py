"""Write an account as a file. Planning that file finds nothing to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .files.fields import is_email
from .model import Group, Member, Snapshot
from .problems import printable

# Longer keys need YAML's explicit form: a parser looks for the colon 1,024 characters far.
_LONGEST_KEY = 1000
# What every YAML parser reads as the text that it is, unless it is one of the words.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[ ._@-][A-Za-z0-9]+)*", re.ASCII)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def export(snapshot: Snapshot) -> str:
    """Return an account as a file in YAML, with the IDs of all groups and members."""
    lines = ["version: 1", f"account: {_scalar(snapshot.account_id)}"]
    lines.append("groups:" if snapshot.groups else "groups: {}")
    labels = {group.name for group in snapshot.groups}
    used: set[str] = set()
    for group in snapshot.groups:
        label = group.name
        while label in used or (label in labels and label != group.name):
            label += f" ({group.id})"
        used.add(label)
        lines += _group(group, label)
    return "\n".join(lines) + "\n"


def _group(group: Group, label: str) -> Iterator[str]:
    key = _scalar(label)
    yield f"  ? {key}\n  :" if len(key) > _LONGEST_KEY else f"  {key}:"
    if label != group.name:
        yield f"    name: {_scalar(group.name)}"
    yield f"    id: {_scalar(group.id)}"
    if not group.members:
        yield "    allow_empty: true"
        yield "    members: []"
        return
    yield "    members:"
    for member in group.members:
        yield f"      - {_member(member)}"


def _member(member: Member) -> str:
    user_id = _scalar(member.id)
    email = (member.email or "").strip()
    if is_email(email):
        return f"{{email: {_scalar(email)}, id: {user_id}}}"
    comment = f"  # {printable(member.name)}" if member.name else ""
    return f"{{id: {user_id}}}{comment}"


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    mark, digits = ("x", 2) if code < 0x100 else ("u", 4) if code < 0x10000 else ("U", 8)
    return f"\\{mark}{code:0{digits}x}"
