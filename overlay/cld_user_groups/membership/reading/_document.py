"""Read a whole file, from a tree or from rows, into a desired state."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, cast

from attrs import field, frozen

from cld_user_groups.identity import forbidden_character, name_key
from cld_user_groups.membership.model import DesiredGroup, GuardLimits
from cld_user_groups.membership.problems import quoted

from ._fields import Fields
from ._members import Include, read_members, read_rows
from ._rows import Row
from ._tree import Items, Node, Scalar, Table

_TOP = ("version", "account", "guards", "protect", "groups")
_GUARDS = ("max_removals", "max_removals_per_group")
_GROUP = (
    "name",
    "id",
    "previously",
    "mode",
    "state",
    "allow_empty",
    "allow_new",
    "members",
    "reason",
)  # fmt: skip
_PRESENT_ONLY = ("members", "mode", "previously", "allow_new")


@frozen(kw_only=True)
class Document:
    """The content of a file, before its name and its digest are added."""

    account: str | None = None
    guards: GuardLimits = field(factory=GuardLimits)
    protect: tuple[str, ...] = ()
    groups: tuple[DesiredGroup, ...] = ()


def read_tree(node: Node, fields: Fields, include: Include) -> Document:
    """Return the content of a YAML, JSON or TOML file; problems are added to `fields`."""
    values = fields.table(node, "the file", _TOP)
    if values is None:
        return Document()
    version = values.get("version")
    if version is None:
        fields.problem(node.line, "`version` is missing", "write `version: 1`")
    elif not isinstance(version, Scalar) or version.kind == "text" or version.text != "1":
        fields.problem(version.line, "`version` must be 1, the only supported version")
    groups = values.get("groups")
    if groups is None:
        fields.problem(node.line, "`groups` is missing")
    return Document(
        account=fields.text(values.get("account"), "`account`"),
        guards=_guards(values.get("guards"), fields),
        protect=_protect(values.get("protect"), fields),
        groups=() if groups is None else _groups(groups, fields, include),
    )


def read_group_rows(rows: Iterable[Row], fields: Fields) -> Document:
    """Return the content of a file of rows: every group that it names, exactly as it lists it."""
    by_key: dict[str, tuple[str, int, list[Row]]] = {}
    for row in rows:
        name = row.values.get("group")
        if name is None or not name_key(name):
            fields.problem(row.line, "the row names no group")
            continue
        if said := forbidden_character(name):
            fields.problem(row.line, f"{said} in the name of a group: {quoted(name)}")
            continue
        spelt, first, of_group = by_key.setdefault(name_key(name), (name, row.line, []))
        if spelt != name:
            fields.problem(
                row.line, f"the group {quoted(name)} is spelt {quoted(spelt)} on line {first}"
            )
        of_group.append(row)
    return Document(
        groups=tuple(
            DesiredGroup(
                name=name, members=read_rows(of_group, fields), source=fields.source, line=line
            )
            for name, line, of_group in by_key.values()
        )
    )


def _protect(node: Node | None, fields: Fields) -> tuple[str, ...]:
    """Return the entries of `protect`; one that can match nobody is a problem."""
    entries = fields.texts(node, "`protect`")
    for item in node.items if isinstance(node, Items) else ():
        entry = item.text.strip() if isinstance(item, Scalar) else ""
        if re.search(r"[\s,;]", entry) or forbidden_character(entry):
            fields.problem(
                item.line,
                f"{quoted(entry)} in `protect` can match nobody",
                "write each e-mail, ID or glob as an item of its own",
            )
    return entries


def _guards(node: Node | None, fields: Fields) -> GuardLimits:
    values = None if node is None else fields.table(node, "`guards`", _GUARDS)
    if values is None:
        return GuardLimits()
    total = fields.whole(values.get("max_removals"), "`max_removals`")
    share = fields.share(values.get("max_removals_per_group"), "`max_removals_per_group`")
    if share is None:
        return GuardLimits(max_removals=total)
    return GuardLimits(max_removals=total, max_removals_per_group=share)


def _groups(node: Node, fields: Fields, include: Include) -> tuple[DesiredGroup, ...]:
    if not isinstance(node, Table):
        fields.problem(node.line, "`groups` must be a mapping of names to groups")
        return ()
    found: list[DesiredGroup] = []
    labels: dict[str, int] = {}
    for key, value in node.entries:
        first = labels.setdefault(key.text, key.line)
        if first != key.line:
            fields.problem(
                key.line, f"the group {quoted(key.text)} occurs twice, first on line {first}"
            )
            continue
        group = _group(key, value, fields, include)
        if group is not None:
            found.append(group)
    _check_unique(found, fields)
    return tuple(found)


def _group(key: Scalar, node: Node, fields: Fields, include: Include) -> DesiredGroup | None:
    what = f"the group {quoted(key.text)}"
    if isinstance(node, Items):
        fields.problem(node.line, f"{what} must be a mapping", "put the list under `members:`")
        return None
    if isinstance(node, Scalar) and (node.kind == "null" or node.text in ("", "~", "null")):
        node = Table([], key.line)
    values = fields.table(node, what, _GROUP)
    if values is None:
        return None
    state = fields.choice(values.get("state"), "`state`", "present", "absent")
    name = fields.text(values.get("name"), "`name`", blank=True)
    group = DesiredGroup(
        name=key.text if name is None else name,
        id=fields.text(values.get("id"), "`id`"),
        previously=fields.texts(values.get("previously"), "`previously`"),
        mode=cast(
            Literal["exact", "additive"],
            fields.choice(values.get("mode"), "`mode`", "exact", "additive"),
        ),
        state=cast(Literal["present", "absent"], state),
        allow_empty=fields.flag(values.get("allow_empty"), "`allow_empty`"),
        allow_new=fields.flag(values.get("allow_new"), "`allow_new`"),
        members=(
            read_members(values["members"], fields, include)
            if state == "present" and not _is_null(values.get("members"))
            else ()
        ),
        reason=fields.text(values.get("reason"), "`reason`"),
        source=fields.source,
        line=key.line,
    )
    _check_group(group, what, values, fields)
    return group


def _is_null(node: Node | None) -> bool:
    """Return whether a value is absent: no key, or a key with no value."""
    if node is None:
        return True
    if not isinstance(node, Scalar):
        return False
    return node.kind == "null" or (node.kind == "plain" and node.text in ("", "~", "null"))


def _check_group(group: DesiredGroup, what: str, values: dict[str, Node], fields: Fields) -> None:
    if not name_key(group.name) and group.id is None:
        fields.problem(group.line, "a group's name is empty")
    # One that its ID pins may be called so already: planning rejects it as a new name.
    if group.id is None and (said := forbidden_character(group.name)):
        fields.problem(group.line, f"{said} in the name of a group: {quoted(group.name)}")
    if group.state == "absent":
        for key in _PRESENT_ONLY:
            if key in values:
                fields.problem(
                    values[key].line, f"{what} is to be absent: `{key}` is not allowed there"
                )
        return
    if _is_null(values.get("members")):
        fields.problem(
            group.line,
            f"{what} has no `members`",
            "for a group with nobody in it write `members: []` and `allow_empty: true`",
        )
        return
    members = values["members"]
    if isinstance(members, Items) and not members.items and not group.allow_empty:
        fields.problem(
            members.line,
            f"{what} is empty",
            "write `allow_empty: true` if nobody is to be in it",
        )


def _check_unique(groups: list[DesiredGroup], fields: Fields) -> None:
    """Note groups of one ID, and of one name unless their IDs tell them apart."""
    by_id: dict[str, DesiredGroup] = {}
    by_name: dict[str, list[DesiredGroup]] = {}
    for group in groups:
        if group.id is not None:
            first = by_id.setdefault(group.id, group)
            if first is not group:
                fields.problem(
                    group.line,
                    f"the groups {quoted(first.name)} (line {first.line}) and {quoted(group.name)} "
                    "have one `id`",
                )
        by_name.setdefault(name_key(group.name), []).append(group)
    for alike in by_name.values():
        if len(alike) > 1 and any(group.id is None for group in alike):
            first, *others = alike
            for group in others:
                fields.problem(
                    group.line,
                    f"the group {quoted(group.name)} occurs twice, first on line {first.line} "
                    f"as {quoted(first.name)}",
                )
