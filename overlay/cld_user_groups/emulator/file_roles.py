"""The roles that a file has for the emulator, under a key that no other reader accepts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from cld_provisioning_api.models import PrincipalType
from cld_user_groups.identity import email_key
from cld_user_groups.membership import FileError, Problem
from cld_user_groups.membership.files.fields import Fields, Items, Node
from cld_user_groups.membership.problems import quoted

from .account import EmulatorGroup, EmulatorUser
from .roles import REFUSALS, SAMPLE_ROLES, EmulatedRoles, EmulatorRole, PermissionsError

KEY: Final = "emulator"
_WITHIN: Final = ("folder_id", "collection_id")
_ROLE: Final = ("id", "name", "scope_type", "permission_type", "management_type", "description")


class _Assignment(NamedTuple):
    line: int
    group: str | None
    user: str | None
    role: str
    scope_id: str | None
    within: dict[str, str]


class FileRoles:
    """Reads the roles of a file, and who has them.

    First what the file says, then, once its users and groups have IDs, to whom it is assigned.
    """

    def __init__(self) -> None:
        self._source = ""
        self._refused_with: int | None = None
        self._roles: list[EmulatorRole] = []
        self._assignments: list[_Assignment] = []

    def read(self, node: Node, fields: Fields) -> None:
        """Read the value of the key; problems are added to `fields`."""
        self._source = fields.source
        values = fields.table(node, f"`{KEY}`", ("permissions", "roles", "assignments"))
        if values is None:
            return
        status = fields.whole(values.get("permissions"), "`permissions`")
        if status is not None and status not in REFUSALS:
            known = ", ".join(map(str, REFUSALS))
            fields.problem(values["permissions"].line, f"`permissions` must be one of {known}")
        self._refused_with = status
        for item in _items(values.get("roles"), "`roles`", fields):
            self._read_role(item, fields)
        for item in _items(values.get("assignments"), "`assignments`", fields):
            self._read_assignment(item, fields)

    def _read_role(self, node: Node, fields: Fields) -> None:
        values = fields.table(node, "a role", _ROLE)
        if values is None:
            return
        role_id = fields.text(values.get("id"), "`id`")
        if role_id is None:
            fields.problem(node.line, "a role needs an `id`")
            return
        self._roles.append(
            EmulatorRole(
                role_id,
                fields.text(values.get("name"), "`name`") or role_id,
                fields.choice(values.get("scope_type"), "`scope_type`", "prodenv", "account"),
                fields.choice(
                    values.get("permission_type"), "`permission_type`", "global", "content"
                ),
                fields.choice(
                    values.get("management_type"), "`management_type`", "custom", "system"
                ),
                fields.text(values.get("description"), "`description`"),
            )
        )

    def _read_assignment(self, node: Node, fields: Fields) -> None:
        known = ("group", "user", "role", "scope_id", *_WITHIN)
        values = fields.table(node, "an assignment", known)
        if values is None:
            return
        texts = {name: fields.text(values.get(name), f"`{name}`") for name in known}
        group, user, role = texts["group"], texts["user"], texts["role"]
        if role is None or (group is None) is (user is None):
            fields.problem(node.line, "an assignment needs a `role`, and a `group` or a `user`")
            return
        within = {name: text for name in _WITHIN if (text := texts[name]) is not None}
        found = _Assignment(node.line, group, user, role, texts["scope_id"], within)
        self._assignments.append(found)

    def assigned(
        self, users: Iterable[EmulatorUser], groups: Iterable[EmulatorGroup]
    ) -> EmulatedRoles:
        """Return the roles, with who has them: groups by name or ID, users by e-mail or ID.

        Raises:
            FileError: A role is not there, or cannot be assigned so, or nobody is called so.
        """
        found = EmulatedRoles((*SAMPLE_ROLES, *self._roles), {}, self._refused_with)
        by_group = {name: each.id for each in groups for name in (each.name, each.id)}
        by_user = {name: each.id for each in users for name in (email_key(each.email), each.id)}
        problems: list[Problem] = []
        for line, group, user, role, scope_id, within in self._assignments:
            group_id = None if group is None else by_group.get(group)
            user_id = None if user is None else by_user.get(user, by_user.get(email_key(user)))
            principal_id = group_id or user_id
            if principal_id is None:
                named = f"group {quoted(group)}" if group else f"user {quoted(user or '')}"
                problems.append(Problem(self._source, line, f"there is no {named} in the file"))
                continue
            kind: PrincipalType = "user" if group is None else "group"
            try:
                found.assign(principal_id, role, scope_id, principal_type=kind, **within)
            except PermissionsError as error:
                message = f"{quoted(role)} cannot be assigned: {error}"
                problems.append(Problem(self._source, line, message))
        if problems:
            raise FileError(problems)
        return found


def _items(node: Node | None, what: str, fields: Fields) -> Iterator[Node]:
    if isinstance(node, Items):
        yield from node.items
    elif node is not None:
        fields.problem(node.line, f"{what} must be a list")
