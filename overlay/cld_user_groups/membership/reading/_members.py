"""Read the members of a group, from a tree or from rows, each with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from cld_user_groups.identity import email_key, forbidden_character
from cld_user_groups.membership.model import DesiredMember
from cld_user_groups.membership.problems import Problem, quoted

from ._fields import Fields
from ._rows import Row
from ._tree import Items, Node, Scalar, Table
from ._values import is_email

# Reads the rows of an included file, and returns them with the name to show for it. Problems of
# the file are added with its name; then there are no rows.
Include = Callable[[str, int], tuple[Fields, list[Row]]]


def read_members(node: Node, fields: Fields, include: Include) -> tuple[DesiredMember, ...]:
    """Return the members that a group's `members` lists or includes."""
    if isinstance(node, Table):
        return _unique(_included(node, fields, include), fields)
    if not isinstance(node, Items):
        fields.problem(node.line, "`members` must be a list, or `{from: FILE}`")
        return ()
    found: list[DesiredMember] = []
    for item in node.items:
        if isinstance(item, Table) and any(key.text == "from" for key, _ in item.entries):
            found += _included(item, fields, include)
        else:
            member = _member(item, fields)
            if member is not None:
                found.append(member)
    return _unique(found, fields)


def read_rows(rows: Iterable[Row], fields: Fields) -> tuple[DesiredMember, ...]:
    """Return the members that rows name."""
    return _unique(_from_rows(rows, fields), fields)


def _included(node: Table, fields: Fields, include: Include) -> list[DesiredMember]:
    values = fields.table(node, "`members`", ("from",))
    if values is None:
        return []
    path = fields.text(values.get("from"), "`from`")
    if path is None:
        if "from" not in values:
            fields.problem(node.line, "`members` must be a list, or `{from: FILE}`")
        return []
    of_file, rows = include(path, values["from"].line)
    return _from_rows(rows, of_file)


def _from_rows(rows: Iterable[Row], fields: Fields) -> list[DesiredMember]:
    found: list[DesiredMember] = []
    for line, values in rows:
        until = values.get("until")
        member = _checked(
            fields,
            line,
            user_id=values.get("id"),
            email=values.get("email"),
            until=None if until is None else fields.date_text(until, line, "`until`"),
            reason=values.get("reason"),
        )
        if member is not None:
            found.append(member)
    return found


def _member(node: Node, fields: Fields) -> DesiredMember | None:
    if isinstance(node, Scalar):
        email = fields.text(node, "a member")
        return None if email is None else _checked(fields, node.line, email=email)
    values = fields.table(node, "a member", ("email", "id", "until", "reason"))
    if values is None:
        return None
    user_id = fields.text(values.get("id"), "`id`")
    email = fields.text(values.get("email"), "`email`")
    until = fields.date(values.get("until"), "`until`")
    reason = fields.text(values.get("reason"), "`reason`")
    if user_id is None and email is None and ("id" in values or "email" in values):
        return None  # noted already
    return _checked(fields, node.line, user_id=user_id, email=email, until=until, reason=reason)


def _checked(
    fields: Fields,
    line: int,
    *,
    user_id: str | None = None,
    email: str | None = None,
    until: date | None = None,
    reason: str | None = None,
) -> DesiredMember | None:
    if user_id is None and email is None:
        fields.problem(line, "a member needs an `email` or an `id`")
        return None
    if email is not None:
        if said := forbidden_character(email):
            fields.problem(line, f"{said} in `email`: {quoted(email)}")
            return None
        email = email.strip()
        if not is_email(email):
            hint = "" if "@" in email else "write an ID as `{id: …}`"
            fields.problem(line, f"not an e-mail address: {quoted(email)}", hint)
            return None
    return DesiredMember(
        id=user_id, email=email, until=until, reason=reason, source=fields.source, line=line
    )


def _unique(found: Iterable[DesiredMember], fields: Fields) -> tuple[DesiredMember, ...]:
    """Return the members; one listed twice is a problem. Two users may share an e-mail."""
    members = tuple(found)
    seen: dict[tuple[str | None, str], DesiredMember] = {}
    for member in members:
        key = (member.id, "" if member.id is not None else email_key(member.email or ""))
        first = seen.setdefault(key, member)
        if first is not member:
            where = f"{first.source}:{first.line}" if first.source != member.source else first.line
            who = quoted(member.email or member.id or "")
            fields.problems.append(
                Problem(member.source, member.line, f"{who} occurs twice, first on line {where}")
            )
    return members
