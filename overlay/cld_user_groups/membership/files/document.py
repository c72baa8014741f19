"""Read a whole file, from a tree or from rows, into a desired state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from cld_user_groups.identity import email_key, forbidden_character, name_key
from cld_user_groups.membership.model import Desired, DesiredGroup, DesiredMember
from cld_user_groups.membership.problems import Problem, quoted

from .fields import Fields, Items, Node, Readers, Scalar, Table, TableNode, TextTable, is_email
from .restrictions import FILE_RULES, GROUP_RULES, read_guards, read_protect, read_rules
from .row_format import GROUP_KEYS, MEMBER_KEYS, read_format
from .rows import COLUMNS, GROUP_COLUMNS, ListedRow

_TOP = ("version", "account", "guards", "protect", *FILE_RULES, "groups", "users")
_PRESENT_ONLY = ("members", "mode", "previously", "allow_new", *GROUP_RULES)
_IDENTITY: Readers = {"email": Fields.text, "id": Fields.text}
_MEMBER: Readers = {**_IDENTITY, "until": Fields.date, "reason": Fields.text}


def read_tree(node: Node, fields: Fields) -> Desired:
    """Return what a YAML, JSON or TOML file asks for; problems are added to `fields`."""
    values = fields.table(node, "the file", (*_TOP, *fields.others))
    if values is None:
        return Desired(source=fields.source, digest="")
    fields.read(values, fields.others)
    version = values.get("version")
    if version is None:
        fields.problem(node.line, "`version` is missing", "write `version: 1`")
    elif not isinstance(version, Scalar) or version.kind == "text" or version.text != "1":
        fields.problem(version.line, "`version` must be 1, the only supported version")
    if "groups" not in values:
        fields.problem(node.line, "`groups` is missing")
    readers: Readers = {
        "account": Fields.text,
        "guards": read_guards,
        "protect": read_protect,
        "groups": _groups,
        "users": _users,
    }
    rules = read_rules(values, FILE_RULES, fields)
    return Desired(source=fields.source, digest="", rules=rules, **fields.read(values, readers))


def read_group_rows(rows: Iterable[ListedRow], fields: Fields) -> tuple[DesiredGroup, ...]:
    """Return the groups of a file of rows: every one that it names, exactly as it lists it."""
    by_key: dict[tuple[str | None, str], tuple[str, int, list[ListedRow]]] = {}
    for row in rows:
        name = row.values.get("group")
        if name is None or not name_key(name):
            fields.problem(row.line, "the row names no group")
            continue
        if said := forbidden_character(name):
            fields.problem(row.line, f"{said} in the name of a group: {quoted(name)}")
            continue
        key = (row.values.get("group_id"), name_key(name))
        spelt, first, of_group = by_key.setdefault(key, (name, row.line, []))
        if spelt != name:
            message = f"the group {quoted(name)} is spelt {quoted(spelt)} on line {first}"
            fields.problem(row.line, message)
        of_group.append(row)
    groups = tuple(
        DesiredGroup(
            name=name,
            id=group_id,
            previously=tuple(
                dict.fromkeys(each for row in of_group if (each := row.values.get("previously")))
            ),
            members=_unique(_from_rows(of_group, fields), fields),
            source=fields.source,
            line=line,
        )
        for (group_id, _), (name, line, of_group) in by_key.items()
    )
    _check_unique(groups, fields)
    return groups


def _groups(fields: Fields, node: Node, what: str) -> tuple[DesiredGroup, ...]:
    if not isinstance(node, Table):
        fields.problem(node.line, f"{what} must be a mapping of names to groups")
        return ()
    entries, found = node.entries, list[DesiredGroup]()
    if any(key.text == "from" and isinstance(value, Scalar) for key, value in entries):
        known = ("from", *GROUP_KEYS)
        how = TableNode([entry for entry in entries if entry[0].text in known], node.line)
        rows, of_file = _read_rows(how, what, known, fields)
        entries = [entry for entry in entries if entry[0].text not in known]
        found += read_group_rows(rows, of_file)
    labels: dict[str, int] = {}
    for key, value in entries:
        first = labels.setdefault(key.text, key.line)
        if first != key.line:
            message = f"the group {quoted(key.text)} occurs twice, first on line {first}"
            fields.problem(key.line, message)
            continue
        group = _group(key, value, fields)
        if group is not None:
            found.append(group)
    _check_unique(found, fields)
    return tuple(found)


def _read_rows(
    node: Table, what: str, known: Collection[str], fields: Fields
) -> tuple[list[ListedRow], Fields]:
    """Return the rows of the file that `from` names, with its name; none with a problem."""
    values = fields.table(node, what, known) or {}
    path = fields.text(values.get("from"), "`from`")
    columns = GROUP_COLUMNS if "names" in known else COLUMNS[1:]
    how = None if path is None else read_format(values, columns, fields)
    if path is None or how is None or fields.include is None:
        return [], fields
    of_file, rows = fields.include(path, values["from"].line, how, columns)
    return rows, of_file


def _group(key: Scalar, node: Node, fields: Fields) -> DesiredGroup | None:
    what = f"the group {quoted(key.text)}"
    if isinstance(node, Items):
        fields.problem(node.line, f"{what} must be a mapping", "put the list under `members:`")
        return None
    if _is_null(node):
        node = TableNode([], key.line)
    values = fields.table(node, what, (*_GROUP, *GROUP_RULES))
    if values is None:
        return None
    is_absent = isinstance(state := values.get("state"), Scalar) and state.text == "absent"
    skipped = "members" if is_absent or _is_null(values.get("members")) else ""
    read = fields.read({each: values[each] for each in values if each != skipped}, _GROUP)
    if "managed_by" in read and "members" not in values:
        # Of a group that something else manages, a file need not say who is in it.
        read["mode"] = "additive"
    read.setdefault("name", key.text)
    rules = read_rules(values, GROUP_RULES, fields)
    group = DesiredGroup(**read, rules=rules, source=fields.source, line=key.line)
    _check_group(group, what, values, fields)
    return group


def _owner(fields: Fields, node: Node, what: str) -> str | None:
    """Return who answers for a group: a text, which is an e-mail where it has an @."""
    owner = (fields.text(node, what) or "").strip()
    if said := forbidden_character(owner):
        fields.problem(node.line, f"{said} in {what}: {quoted(owner)}")
    elif "@" in owner and not is_email(owner):
        fields.problem(node.line, f"{what} is not an e-mail address: {quoted(owner)}")
    return owner or None


def _is_null(node: Node | None) -> bool:
    """Return whether a value is absent: no key, or a key with no value."""
    return node.is_null if isinstance(node, Scalar) else node is None


def _check_group(
    group: DesiredGroup, what: str, values: Mapping[str, Node], fields: Fields
) -> None:
    if not name_key(group.name) and group.id is None:
        fields.problem(group.line, "a group's name is empty")
    # One that its ID pins may be called so already: planning rejects it as a new name.
    if group.id is None and (said := forbidden_character(group.name)):
        fields.problem(group.line, f"{said} in the name of a group: {quoted(group.name)}")
    members = values.get("members")
    if group.state == "absent":
        for key in (each for each in _PRESENT_ONLY if each in values):
            message = f"{what} is to be absent: `{key}` is not allowed there"
            fields.problem(values[key].line, message)
    elif "members" not in values and group.managed_by is not None:
        pass
    elif _is_null(members):
        hint = "for a group with nobody in it write `members: []` and `allow_empty: true`"
        fields.problem(group.line, f"{what} has no `members`", hint)
    elif isinstance(members, Items) and not members.items and not group.allow_empty:
        hint = "write `allow_empty: true` if nobody is to be in it"
        fields.problem(members.line, f"{what} is empty", hint)


def _check_unique(groups: Iterable[DesiredGroup], fields: Fields) -> None:
    """Note groups of one ID, and of one name unless their IDs tell them apart."""
    by_id: dict[str, DesiredGroup] = {}
    by_name: dict[str, list[DesiredGroup]] = {}
    for group in groups:
        by_name.setdefault(name_key(group.name), []).append(group)
        first = group if group.id is None else by_id.setdefault(group.id, group)
        if first is not group:
            names = f"{quoted(first.name)} (line {first.line}) and {quoted(group.name)}"
            fields.problem(group.line, f"the groups {names} have one `id`")
    for first, *others in by_name.values():
        for group in others if any(each.id is None for each in (first, *others)) else ():
            at = f"first on line {first.line} as {quoted(first.name)}"
            fields.problem(group.line, f"the group {quoted(group.name)} occurs twice, {at}")


def _members(fields: Fields, node: Node, what: str) -> tuple[DesiredMember, ...]:
    """Return the members that a group lists or includes."""
    if not isinstance(node, (Items, Table)):
        fields.problem(node.line, f"{what} must be a list, or `{{from: FILE}}`")
        return ()
    found: list[DesiredMember] = []
    for item in node.items if isinstance(node, Items) else [node]:
        is_file = isinstance(item, TableNode) and any(key.text == "from" for key, _ in item.entries)
        if isinstance(item, Table) and (is_file or item is node):
            rows, of_file = _read_rows(item, what, ("from", *MEMBER_KEYS), fields)
            if not is_file:
                fields.problem(node.line, f"{what} must be a list, or `{{from: FILE}}`")
            found += _from_rows(rows, of_file)
        elif (member := _member(item, fields, "a member", _MEMBER)) is not None:
            found.append(member)
    return _unique(found, fields)


def _users(fields: Fields, node: Node, what: str) -> tuple[DesiredMember, ...]:
    """Return the users that the file lists beside its groups."""
    if not isinstance(node, Items):
        fields.problem(node.line, f"{what} must be a list")
        return ()
    found = (_member(item, fields, "a user", _IDENTITY) for item in node.items)
    return _unique((user for user in found if user is not None), fields)


def _from_rows(rows: Iterable[ListedRow], fields: Fields) -> Iterator[DesiredMember]:
    for line, values in rows:
        read: dict[str, Any] = {key: values[key] for key in _MEMBER if key in values}
        if "until" in read:
            read["until"] = fields.date_text(read["until"], line, "`until`")
        if (member := _checked(fields, line, read)) is not None:
            yield member


def _member(node: Node, fields: Fields, what: str, readers: Readers) -> DesiredMember | None:
    if isinstance(node, Scalar):
        email = fields.text(node, what)
        return None if email is None else _checked(fields, node.line, {"email": email})
    if isinstance(node, TextTable):
        texts = dict(node.pairs)
        is_plain = texts.keys() <= _IDENTITY.keys() and len(texts) == len(node.pairs)
        if is_plain and all(map(str.strip, texts.values())):
            return _checked(fields, node.line, texts)
    values = fields.table(node, what, readers)
    if values is None:
        return None
    read = fields.read(values, readers)
    if _IDENTITY.keys() & values.keys() and not _IDENTITY.keys() & read.keys():
        return None  # noted already
    return _checked(fields, node.line, read)


def _checked(fields: Fields, line: int, values: dict[str, Any]) -> DesiredMember | None:
    """Return a member; None, and a problem, where nobody can be meant."""
    email: str | None = values.get("email")
    if email is None and "id" not in values:
        fields.problem(line, "a member needs an `email` or an `id`")
        return None
    if email is not None and not is_email(email):
        if said := forbidden_character(email):
            fields.problem(line, f"{said} in `email`: {quoted(email)}")
            return None
        values["email"] = email = email.strip()
        if not is_email(email):
            hint = "" if "@" in email else "write an ID as `{id: …}`"
            fields.problem(line, f"not an e-mail address: {quoted(email)}", hint)
            return None
    return DesiredMember(**values, source=fields.source, line=line)


def _unique(found: Iterable[DesiredMember], fields: Fields) -> tuple[DesiredMember, ...]:
    """Return the members; one listed twice is a problem. Two users may share an e-mail."""
    members = tuple(found)
    seen: dict[tuple[str | None, str], DesiredMember] = {}
    for member in members:
        key = (member.id, "" if member.id is not None else email_key(member.email or ""))
        first = seen.setdefault(key, member)
        if first is not member:
            where = f"{first.source}:{first.line}" if first.source != member.source else first.line
            name = quoted(member.email or member.id or "")
            message = f"{name} occurs twice, first on line {where}"
            fields.problems.append(Problem(member.source, member.line, message))
    return members


_GROUP: Readers = {
    "name": partial(Fields.text, blank=True),
    "id": Fields.text,
    "previously": Fields.texts,
    "mode": partial(Fields.choice, first="exact", second="additive"),
    "state": partial(Fields.choice, first="present", second="absent"),
    "allow_empty": Fields.flag,
    "allow_new": Fields.flag,
    "members": _members,
    "reason": Fields.text,
    "managed_by": Fields.text,
    "owner": _owner,
}
