"""The account that a file of groups describes, for rehearsals on a copy of one's own."""

import hashlib
import os
from datetime import date

import attrs

from cld_user_groups.identity import email_key
from cld_user_groups.membership import DesiredGroup, DesiredMember, FileError, Problem, printable
from cld_user_groups.membership.files import read_file_with

from .account import EmulatorGroup, EmulatorUser
from .file_roles import KEY, FileRoles
from .roles import EmulatedRoles


@attrs.frozen(kw_only=True)
class FileAccount:
    """The account that a file describes; its ID is None where the file names none."""

    account_id: str | None
    users: list[EmulatorUser]
    groups: list[EmulatorGroup]
    roles: EmulatedRoles


def read_account_file(path: str | os.PathLike[str], today: date) -> FileAccount:
    """Return the account of a file: planning its groups finds nothing to do there.

    Memberships that have ended are left out, and so are groups that are to be absent.

    Raises:
        FileError: The file cannot be read, or is not valid, or contradicts itself.
    """
    roles = FileRoles()
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
            people.problem(
                group, f"an account has one group {_quoted(group.name)}, that of line {first.line}"
            )
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
    return FileAccount(
        account_id=desired.account,
        users=users,
        groups=groups,
        roles=roles.assigned(users, groups),
    )


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
                owners = ", ".join(map(_quoted, ids))
                message = f"the e-mail {_quoted(email)} is that of several users: {owners}"
                self.problem(member, message, "add the `id`")
            ids[:] = ids or [_stable_id("user", email_key(email))]
        elif member.id not in ids:
            ids.append(member.id)
        user_id = member.id or ids[0]
        known = self.users.get(user_id)
        if known is None or not known.email:
            self.users[user_id] = EmulatorUser(user_id, email or user_id, email)
        elif email and email_key(known.email) != email_key(email):
            message = f"the user {_quoted(user_id)} has the e-mail {_quoted(known.email)} elsewhere"
            self.problem(member, f"{message}, and {_quoted(email)} here")

    def user(self, member: DesiredMember) -> EmulatorUser:
        return self.users[member.id or self._ids[email_key(member.email or "")][0]]

    def problem(self, entry: DesiredGroup | DesiredMember, message: str, hint: str = "") -> None:
        self.problems.append(Problem(entry.source, entry.line, message, hint))


def _quoted(text: str) -> str:
    return f"`{printable(text)}`"


def _stable_id(kind: str, text: str) -> str:
    """Return an ID that looks like those of the API, and is the same in every run."""
    return hashlib.sha256(f"{kind}:{text}".encode("utf-8", "surrogatepass")).hexdigest()[:30]
