"""The account that a file of groups describes, for rehearsals on a copy of one's own.

Its roles, and who has them, stand under a key that no other reader accepts.
"""

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Final

from cld_provisioning_api.models import PrincipalType
from cld_user_groups.identity import email_key
from cld_user_groups.membership import DesiredGroup, DesiredMember, FileError, Problem
from cld_user_groups.membership.files import read_file_with
from cld_user_groups.membership.files.fields import Fields, Items, Node
from cld_user_groups.membership.problems import quoted

from .account import EmulatorGroup, EmulatorUser
from .messages import RejectedError
from .roles import REFUSALS, SAMPLE_ROLES, EmulatedRoles, EmulatorRole

KEY: Final = "emulator"
_WITHIN: Final = ("folder_id", "collection_id")
_ROLE: Final = ("id", "name", "scope_type", "permission_type", "management_type", "description")


def read_account_file(
    path: str | os.PathLike[str], today: date
) -> tuple[str | None, list[EmulatorUser], list[EmulatorGroup], EmulatedRoles]:
    """Return the account of a file, and its ID: planning its groups finds nothing to do in it."""
    roles = _FileRoles()
    desired = read_file_with(path, KEY, roles.read)
    present = [group for group in desired.groups if group.state == "present"]
    people = _NamedUsers()
    # Those with an ID first: others may name the same person by e-mail alone.
    members = [member for group in present for member in group.members]
    members += desired.users
    for member in sorted(members, key=lambda each: each.id is None):
        people.add(member)
    by_name: dict[str, DesiredGroup] = {}
    for group in present:
        first = by_name.setdefault(group.name, group)
        if first is not group:
            message = f"an account has one group {quoted(group.name)}, that of line {first.line}"
            people.problem(group, message)
    if people.problems:
        raise FileError(sorted(people.problems, key=lambda each: (each.source, each.line or 0)))
    groups = [
        EmulatorGroup(
            id=group.id or _stable_id("group", group.name),
            name=group.name,
            users=(
                people.user(member)
                for member in group.members
                if member.until is None or member.until >= today
            ),
        )
        for group in present
    ]
    users = list(people.users.values())
    return desired.account, users, groups, roles.assigned(users, groups)


class _NamedUsers:
    """The users whom a file names, by ID, by e-mail, or by both."""

    def __init__(self) -> None:
        self.users: dict[str, EmulatorUser] = {}
        self.problems: list[Problem] = []
        self._ids: dict[str, list[str]] = {}

    def add(self, member: DesiredMember) -> None:
        email = member.email or ""
        ids = self._ids.setdefault(email_key(email), []) if email else []
        if member.id is None:
            if len(ids) > 1:
                owners = ", ".join(map(quoted, ids))
                message = f"the e-mail {quoted(email)} is that of several users: {owners}"
                self.problem(member, message, "add the `id`")
            ids[:] = ids or [_stable_id("user", email_key(email))]
        elif member.id not in ids:
            ids.append(member.id)
        user_id = member.id or ids[0]
        known = self.users.get(user_id)
        if known is None or not known.email:
            self.users[user_id] = EmulatorUser(user_id, email or user_id, email)
        elif email and email_key(known.email) != email_key(email):
            message = f"the user {quoted(user_id)} has the e-mail {quoted(known.email)} elsewhere"
            self.problem(member, f"{message}, and {quoted(email)} here")

    def user(self, member: DesiredMember) -> EmulatorUser:
        return self.users[member.id or self._ids[email_key(member.email or "")][0]]

    def problem(self, entry: DesiredGroup | DesiredMember, message: str, hint: str = "") -> None:
        self.problems.append(Problem(entry.source, entry.line, message, hint))


def _stable_id(kind: str, text: str) -> str:
    """Return an ID that looks like those of the API, and is the same in every run."""
    return hashlib.sha256(f"{kind}:{text}".encode("utf-8", "surrogatepass")).hexdigest()[:30]


class _FileRoles:
    """The roles of a file, and who has them once its users and groups have IDs."""

    def __init__(self) -> None:
        self._source = ""
        self._refused_with: int | None = None
        self._roles: list[EmulatorRole] = []
        self._assignments: list[tuple[int, dict[str, str | None]]] = []

    def read(self, fields: Fields, node: Node, what: str) -> None:
        """Read the value of the key; problems are added to `fields`."""
        self._source = fields.source
        values = fields.table(node, what, ("permissions", "roles", "assignments"))
        if values is None:
            return
        status = fields.whole(values.get("permissions"), "`permissions`")
        if status is not None and status not in REFUSALS:
            refusals = ", ".join(map(str, REFUSALS))
            fields.problem(values["permissions"].line, f"`permissions` must be one of {refusals}")
        self._refused_with = status
        get, text, choice = values.get, fields.text, fields.choice
        for line, own in _tables(get("roles"), "`roles`", "a role", _ROLE, fields):
            role_id = text(own.get("id"), "`id`")
            if role_id is None:
                fields.problem(line, "a role needs an `id`")
                continue
            role = EmulatorRole(
                role_id,
                text(own.get("name"), "`name`") or role_id,
                choice(own.get("scope_type"), "`scope_type`", "prodenv", "account"),
                choice(own.get("permission_type"), "`permission_type`", "global", "content"),
                choice(own.get("management_type"), "`management_type`", "custom", "system"),
                text(own.get("description"), "`description`"),
            )
            self._roles.append(role)
        known, what = ("group", "user", "role", "scope_id", *_WITHIN), "an assignment"
        for line, own in _tables(get("assignments"), "`assignments`", what, known, fields):
            texts = {name: text(own.get(name), f"`{name}`") for name in known}
            if texts["role"] is None or (texts["group"] is None) is (texts["user"] is None):
                fields.problem(line, "an assignment needs a `role`, and a `group` or a `user`")
            else:
                self._assignments.append((line, texts))

    def assigned(
        self, users: Iterable[EmulatorUser], groups: Iterable[EmulatorGroup]
    ) -> EmulatedRoles:
        """Return the roles, with who has them: groups by name or ID, users by e-mail or ID."""
        found = EmulatedRoles((*SAMPLE_ROLES, *self._roles), {}, self._refused_with)
        ids = {("group", name): each.id for each in groups for name in (each.name, each.id)}
        for each in users:
            ids["user", email_key(each.email)] = ids["user", each.id] = each.id
        problems: list[Problem] = []
        for line, texts in self._assignments:
            kind: PrincipalType = "user" if texts["group"] is None else "group"
            name, role = texts[kind] or "", texts["role"] or ""
            principal_id = ids.get((kind, name))
            if principal_id is None and kind == "user":
                principal_id = ids.get((kind, email_key(name)))
            if principal_id is None:
                message = f"there is no {kind} {quoted(name)} in the file"
                problems.append(Problem(self._source, line, message))
                continue
            within = {name: text for name in _WITHIN if (text := texts[name])}
            try:
                found.assign(principal_id, role, texts["scope_id"], principal_type=kind, **within)
            except RejectedError as error:
                message = f"{quoted(role)} cannot be assigned: {error}"
                problems.append(Problem(self._source, line, message))
        if problems:
            raise FileError(problems)
        return found


def _tables(
    node: Node | None, what: str, each: str, known: Collection[str], fields: Fields
) -> Iterator[tuple[int, dict[str, Node]]]:
    """Yield the line and the values of each table of a list; what is none is a problem."""
    if isinstance(node, Items):
        for item in node.items:
            if (values := fields.table(item, each, known)) is not None:
                yield item.line, values
    elif node is not None:
        fields.problem(node.line, f"{what} must be a list")
