"""Read a whole file, from a tree or from rows, into a desired state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date
from typing import Literal

from cld_user_groups.identity import email_key, forbidden_character, name_key
from cld_user_groups.membership.model import Desired, DesiredGroup, DesiredMember
from cld_user_groups.membership.problems import Problem, quoted

from .fields import Fields, Items, Node, Scalar, Table, TableNode, TextTable, is_email
from .restrictions import FILE_RULES, GROUP_RULES, read_guards, read_protect, read_rules
from .row_format import GROUP_KEYS, MEMBER_KEYS, RowFormat, read_format
from .rows import COLUMNS, GROUP_COLUMNS, ListedRow

# Reads the rows of a file that is included on a line, in a format, with these columns, and returns
# them with the name to show for it. Problems are added with its name; then there are no rows.
Include = Callable[[str, int, RowFormat, Collection[str]], tuple[Fields, list[ListedRow]]]

_TOP = ("version", "account", "guards", "protect", *FILE_RULES, "groups", "users")
_GROUP = (
    *("name", "id", "previously", "mode", "state", "allow_empty", "allow_new", "members"),
    *("reason", "managed_by", "owner", *GROUP_RULES),
)
_PRESENT_ONLY = ("members", "mode", "previously", "allow_new", *GROUP_RULES)


def read_tree(node: Node, fields: Fields, include: Include) -> Desired:
    """Return what a YAML, JSON or TOML file asks for; problems are added to `fields`."""
    values = fields.table(node, "the file", _TOP)
    if values is None:
        return Desired(source=fields.source, digest="")
    version = values.get("version")
    if version is None:
        fields.problem(node.line, "`version` is missing", "write `version: 1`")
    elif not isinstance(version, Scalar) or version.kind == "text" or version.text != "1":
        fields.problem(version.line, "`version` must be 1, the only supported version")
    groups = values.get("groups")
    if groups is None:
        fields.problem(node.line, "`groups` is missing")
    return Desired(
        source=fields.source,
        digest="",
        account=fields.text(values.get("account"), "`account`"),
        guards=read_guards(values.get("guards"), fields),
        protect=read_protect(values.get("protect"), fields),
        rules=read_rules(values, FILE_RULES, fields),
        groups=() if groups is None else _groups(groups, fields, include),
        users=_users(values.get("users"), fields),
    )


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


def _groups(node: Node, fields: Fields, include: Include) -> tuple[DesiredGroup, ...]:
    if not isinstance(node, Table):
        fields.problem(node.line, "`groups` must be a mapping of names to groups")
        return ()
    entries, found = _with_included(node, fields, include)
    labels: dict[str, int] = {}
    for key, value in entries:
        first = labels.setdefault(key.text, key.line)
        if first != key.line:
            message = f"the group {quoted(key.text)} occurs twice, first on line {first}"
            fields.problem(key.line, message)
            continue
        group = _group(key, value, fields, include)
        if group is not None:
            found.append(group)
    _check_unique(found, fields)
    return tuple(found)


def _with_included(
    node: Table, fields: Fields, include: Include
) -> tuple[list[tuple[Scalar, Node]], list[DesiredGroup]]:
    """Return the groups that are listed, and those of the file that `from` names."""
    if not any(key.text == "from" and isinstance(value, Scalar) for key, value in node.entries):
        return node.entries, []
    known = ("from", *GROUP_KEYS)
    how = TableNode([entry for entry in node.entries if entry[0].text in known], node.line)
    rows, of_file = _read_rows(how, "`groups`", known, fields, include)
    listed = [entry for entry in node.entries if entry[0].text not in known]
    return listed, [*read_group_rows(rows, of_file)]


def _read_rows(
    node: Table, what: str, known: Collection[str], fields: Fields, include: Include
) -> tuple[list[ListedRow], Fields]:
    """Return the rows of the file that `from` names, with its name; none with a problem."""
    values = fields.table(node, what, known)
    path = None if values is None else fields.text(values.get("from"), "`from`")
    if values is None or path is None:
        return [], fields
    columns = GROUP_COLUMNS if "names" in known else COLUMNS[1:]
    how = read_format(values, columns, fields)
    if how is None:
        return [], fields
    of_file, rows = include(path, values["from"].line, how, columns)
    return rows, of_file


def _group(key: Scalar, node: Node, fields: Fields, include: Include) -> DesiredGroup | None:
    what = f"the group {quoted(key.text)}"
    if isinstance(node, Items):
        fields.problem(node.line, f"{what} must be a mapping", "put the list under `members:`")
        return None
    if _is_null(node):
        node = TableNode([], key.line)
    values = fields.table(node, what, _GROUP)
    if values is None:
        return None
    state: Literal["present", "absent"] = fields.choice(
        values.get("state"), "`state`", "present", "absent"
    )
    name = fields.text(values.get("name"), "`name`", blank=True)
    managed_by = fields.text(values.get("managed_by"), "`managed_by`")
    mode: Literal["exact", "additive"] = fields.choice(
        values.get("mode"), "`mode`", "exact", "additive"
    )
    group = DesiredGroup(
        name=key.text if name is None else name,
        id=fields.text(values.get("id"), "`id`"),
        previously=fields.texts(values.get("previously"), "`previously`"),
        # Of a group that something else manages, a file need not say who is in it.
        mode="additive" if managed_by is not None and "members" not in values else mode,
        state=state,
        allow_empty=fields.flag(values.get("allow_empty"), "`allow_empty`"),
        allow_new=fields.flag(values.get("allow_new"), "`allow_new`"),
        managed_by=managed_by,
        owner=_owner(values.get("owner"), fields),
        members=(
            _members(values["members"], fields, include)
            if state == "present" and not _is_null(values.get("members"))
            else ()
        ),
        rules=read_rules(values, GROUP_RULES, fields),
        reason=fields.text(values.get("reason"), "`reason`"),
        source=fields.source,
        line=key.line,
    )
    _check_group(group, what, values, fields)
    return group


def _owner(node: Node | None, fields: Fields) -> str | None:
    """Return who answers for a group: a text, which is an e-mail where it has an @."""
    owner = fields.text(node, "`owner`")
    if node is None or owner is None:
        return None
    owner = owner.strip()
    if said := forbidden_character(owner):
        fields.problem(node.line, f"{said} in `owner`: {quoted(owner)}")
    elif "@" in owner and not is_email(owner):
        fields.problem(node.line, f"`owner` is not an e-mail address: {quoted(owner)}")
    return owner


def _is_null(node: Node | None) -> bool:
    """Return whether a value is absent: no key, or a key with no value."""
    return node.is_null if isinstance(node, Scalar) else node is None


def _check_group(group: DesiredGroup, what: str, values: dict[str, Node], fields: Fields) -> None:
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


def _members(node: Node, fields: Fields, include: Include) -> tuple[DesiredMember, ...]:
    """Return the members that a group's `members` lists or includes."""
    if isinstance(node, Table):
        return _unique(_included(node, fields, include), fields)
    if not isinstance(node, Items):
        fields.problem(node.line, "`members` must be a list, or `{from: FILE}`")
        return ()
    found: list[DesiredMember] = []
    for item in node.items:
        if isinstance(item, TableNode) and any(key.text == "from" for key, _ in item.entries):
            found += _included(item, fields, include)
        else:
            member = _member(item, fields)
            if member is not None:
                found.append(member)
    return _unique(found, fields)


def _included(node: Table, fields: Fields, include: Include) -> list[DesiredMember]:
    rows, of_file = _read_rows(node, "`members`", ("from", *MEMBER_KEYS), fields, include)
    if not rows and all(key.text != "from" for key, _ in node.entries):
        fields.problem(node.line, "`members` must be a list, or `{from: FILE}`")
    return _from_rows(rows, of_file)


def _users(node: Node | None, fields: Fields) -> tuple[DesiredMember, ...]:
    """Return the users that the file lists beside its groups."""
    if node is not None and not isinstance(node, Items):
        fields.problem(node.line, "`users` must be a list")
    items = node.items if isinstance(node, Items) else ()
    found = (_member(item, fields, "a user", ("email", "id")) for item in items)
    return _unique((user for user in found if user is not None), fields)


def _from_rows(rows: Iterable[ListedRow], fields: Fields) -> list[DesiredMember]:
    found: list[DesiredMember] = []
    for line, values in rows:
        text = values.get("until")
        until = None if text is None else fields.date_text(text, line, "`until`")
        member = _checked(
            fields, line, values.get("id"), values.get("email"), until, values.get("reason")
        )
        if member is not None:
            found.append(member)
    return found


def _member(
    node: Node,
    fields: Fields,
    what: str = "a member",
    known: Collection[str] = ("email", "id", "until", "reason"),
) -> DesiredMember | None:
    if isinstance(node, Scalar):
        email = fields.text(node, what)
        return None if email is None else _checked(fields, node.line, None, email)
    if isinstance(node, TextTable):
        texts = dict(node.pairs)
        is_plain = texts.keys() <= {"email", "id"} and len(texts) == len(node.pairs)
        if is_plain and all(map(str.strip, texts.values())):
            return _checked(fields, node.line, texts.get("id"), texts.get("email"))
    values = fields.table(node, what, known)
    if values is None:
        return None
    user_id = fields.text(values.get("id"), "`id`")
    email = fields.text(values.get("email"), "`email`")
    until = fields.date(values.get("until"), "`until`")
    reason = fields.text(values.get("reason"), "`reason`")
    if user_id is None and email is None and ("id" in values or "email" in values):
        return None  # noted already
    return _checked(fields, node.line, user_id, email, until, reason)


def _checked(
    fields: Fields,
    line: int,
    user_id: str | None,
    email: str | None,
    until: date | None = None,
    reason: str | None = None,
) -> DesiredMember | None:
    """Return a member; None, and a problem, where nobody can be meant."""
    if user_id is None and email is None:
        fields.problem(line, "a member needs an `email` or an `id`")
        return None
    if email is not None and not is_email(email):
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
            message = (
                f"{quoted(member.email or member.id or '')} occurs twice, first on line {where}"
            )
            fields.problems.append(Problem(member.source, member.line, message))
    return members
