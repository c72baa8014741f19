"""Write an account as a file. Planning that file finds nothing to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cld_user_groups.identity import forbidden_character, name_key

from .files.fields import is_email
from .files.rows import write_csv
from .model import Member, Snapshot
from .problems import MembershipError, Problem, printable, quoted

# Longer keys need YAML's explicit form: a parser looks for the colon 1,024 characters far.
_LONGEST_KEY = 1000
# What every YAML parser reads as the text that it is, unless it is one of the words.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[ ._@-][A-Za-z0-9]+)*", re.ASCII)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def export(snapshot: Snapshot, *, users: Iterable[Member] = ()) -> str:
    """Return an account as a file in YAML, with the IDs of all groups and members.

    Args:
        snapshot: The account.
        users: Users to list beside the groups, for a copy of the account; those of them who are in
            a group are left out.
    """
    users = tuple(users)
    document = export_document(snapshot, users=users)
    lines = ["version: 1", f"account: {_scalar(snapshot.account_id)}"]
    lines.append("groups:" if snapshot.groups else "groups: {}")
    for group, (label, entry) in zip(snapshot.groups, document["groups"].items(), strict=True):
        key = _scalar(label)
        lines.append(f"  ? {key}\n  :" if len(key) > _LONGEST_KEY else f"  {key}:")
        lines += (f"    {each}: {_scalar(entry[each])}" for each in ("name", "id") if each in entry)
        lines += ["    members:"] if group.members else ["    allow_empty: true", "    members: []"]
        lines += _members("      - ", entry["members"], group.members)
    if others := document.get("users"):
        lines += ["users:", *_members("  - ", others, users)]
    return "\n".join(lines) + "\n"


def export_document(snapshot: Snapshot, *, users: Iterable[Member] = ()) -> dict[str, Any]:
    """Return what the file of `export` holds, with the same arguments, for JSON."""
    groups: dict[str, Any] = {}
    labels = {group.name for group in snapshot.groups}
    for group in snapshot.groups:
        label = group.name
        while label in groups or (label in labels and label != group.name):
            label += f" ({group.id})"
        entry: dict[str, Any] = {} if label == group.name else {"name": group.name}
        groups[label] = entry
        entry["id"] = group.id
        if not group.members:
            entry["allow_empty"] = True
        entry["members"] = [_identity(member) for member in group.members]
    document = {"version": 1, "account": snapshot.account_id, "groups": groups}
    members = {member.id for group in snapshot.groups for member in group.members}
    others = [_identity(user) for user in users if user.id not in members]
    return document | ({"users": others} if others else {})


def export_csv(snapshot: Snapshot) -> str:
    """Return an account as rows in CSV, one a membership, with the IDs of groups and members.

    A group without members has no row, and so is not in the file.

    Raises:
        MembershipError: Rows cannot hold the name or the ID of a group, or an ID of a member.
    """
    problems: list[Problem] = []
    rows: list[Iterable[str]] = [("group", "group_id", "email", "id")]
    for group in (each for each in snapshot.groups if each.members):
        texts = (group.name, group.id, *(member.id for member in group.members))
        wrong = next((text for text in texts if not _fits_a_cell(text)), None)
        if wrong is not None or not name_key(group.name):
            message = f"a row of CSV cannot hold {quoted(wrong or '')} of {quoted(group.name)}"
            problems.append(Problem("", None, message, "export the account as YAML"))
        for member in group.members:
            email = (member.email or "").strip()
            rows.append((group.name, group.id, email if is_email(email) else "", member.id))
    if problems:
        raise MembershipError(problems)
    return write_csv(rows)


def _fits_a_cell(text: str) -> bool:
    return text.strip() == text and not forbidden_character(text)


def _identity(member: Member) -> dict[str, str]:
    email = (member.email or "").strip()
    return {"email": email, "id": member.id} if is_email(email) else {"id": member.id}


def _members(
    dash: str, entries: Iterable[Mapping[str, str]], members: Iterable[Member]
) -> Iterator[str]:
    names = {member.id: member.name for member in members}
    for entry in entries:
        name = "" if "email" in entry else names[entry["id"]]
        pairs = ", ".join(f"{key}: {_scalar(text)}" for key, text in entry.items())
        yield f"{dash}{{{pairs}}}" + (f"  # {printable(name)}" if name else "")


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
