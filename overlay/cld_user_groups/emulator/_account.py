"""The state of the emulated account: its users, its groups, and who is in which."""

import secrets
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import attrs

from ._messages import RejectedError
from ._models import EmulatorGroup, EmulatorUser


@attrs.define
class _Record:
    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    members: dict[str, EmulatorUser]

    def snapshot(self) -> EmulatorGroup:
        return EmulatorGroup(
            id=self.id,
            name=self.name,
            users=self.members.values(),
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


class Account:
    """Users and groups, with the rules of the API.

    Args:
        users: The account's users. Members of the groups belong to the account in any case.
        groups: The account's groups.

    Raises:
        ValueError: An ID or a group name occurs twice.
    """

    def __init__(self, users: Iterable[EmulatorUser], groups: Iterable[EmulatorGroup]) -> None:
        self._users: dict[str, EmulatorUser] = {}
        self._groups: dict[str, _Record] = {}
        self._ids_by_name: dict[str, str] = {}
        for user in users:
            self.add_user(user)
        for group in groups:
            for user in group.users:
                if self._users.get(user.id) != user:
                    self.add_user(user)
            members = {user.id: user for user in group.users}
            self._insert(_Record(group.id, group.name, group.created_at, group.updated_at, members))

    @property
    def users(self) -> tuple[EmulatorUser, ...]:
        """All users of the account, in the order in which they were added."""
        return tuple(self._users.values())

    @property
    def groups(self) -> tuple[EmulatorGroup, ...]:
        """All groups of the account, in the order in which they were created."""
        return tuple(record.snapshot() for record in self._groups.values())

    def add_user(self, user: EmulatorUser) -> None:
        """Add a user to the account.

        Raises:
            ValueError: The ID is taken.
        """
        if user.id in self._users:
            raise ValueError(f"the account already has a user with the id {user.id!r}")
        self._users[user.id] = user

    def get_user(self, user_id: str) -> EmulatorUser:
        """Return a user, who must exist (404)."""
        user = self._users.get(user_id)
        if user is None:
            raise RejectedError(404, "User not found")
        return user

    def replace_user(self, user: EmulatorUser) -> None:
        """Replace the user with the same ID, who must exist (404)."""
        self.get_user(user.id)
        self._users[user.id] = user
        for record in self._groups.values():
            if user.id in record.members:
                record.members[user.id] = user

    def remove_user(self, user_id: str, now: datetime) -> None:
        """Remove a user, who must exist (404), from the account and from every group."""
        self.get_user(user_id)
        for record in self._groups.values():
            if record.members.pop(user_id, None) is not None:
                record.updated_at = now
        del self._users[user_id]

    def groups_of(self, user_id: str) -> list[EmulatorGroup]:
        """Return the groups of a user, who must exist (404)."""
        self.get_user(user_id)
        records = self._groups.values()
        return [record.snapshot() for record in records if user_id in record.members]

    def group_counts(self) -> Counter[str]:
        """Return the number of groups by user ID."""
        return Counter(user_id for record in self._groups.values() for user_id in record.members)

    def create_group(
        self,
        name: str,
        now: datetime,
        *,
        group_id: str | None = None,
        user_ids: Iterable[str] = (),
    ) -> EmulatorGroup:
        """Create a group. The name must be free (409), the users must exist (404)."""
        members = {user_id: self.get_user(user_id) for user_id in user_ids}
        return self._insert(_Record(group_id or self._new_id(), name, now, now, members))

    def get_group(self, group_id: str) -> EmulatorGroup:
        """Return a group, which must exist (404)."""
        return self._record(group_id).snapshot()

    def rename_group(self, group_id: str, name: str, now: datetime) -> EmulatorGroup:
        """Rename a group. Its own name is free for it, another group's is not (409)."""
        record = self._record(group_id)
        self._require_free_name(name, but_for=group_id)
        del self._ids_by_name[record.name]
        self._ids_by_name[name] = group_id
        record.name = name
        record.updated_at = now
        return record.snapshot()

    def delete_group(self, group_id: str) -> None:
        """Delete a group, which must exist (404)."""
        record = self._record(group_id)
        del self._groups[group_id]
        del self._ids_by_name[record.name]

    def add_member(self, group_id: str, user_id: str, now: datetime) -> EmulatorGroup:
        """Add a user to a group, who must not be a member yet (409)."""
        record = self._record(group_id)
        user = self.get_user(user_id)
        if user_id in record.members:
            raise RejectedError(409, "User is already in the user group")
        record.members[user_id] = user
        record.updated_at = now
        return record.snapshot()

    def remove_member(self, group_id: str, user_id: str, now: datetime) -> EmulatorGroup:
        """Remove a user from a group, who must be a member (404)."""
        record = self._record(group_id)
        self.get_user(user_id)
        if user_id not in record.members:
            raise RejectedError(404, "User is not in the user group")
        del record.members[user_id]
        record.updated_at = now
        return record.snapshot()

    def _insert(self, record: _Record) -> EmulatorGroup:
        if record.id in self._groups:
            raise ValueError(f"the account already has a user group with the id {record.id!r}")
        self._require_free_name(record.name)
        self._groups[record.id] = record
        self._ids_by_name[record.name] = record.id
        return record.snapshot()

    def _new_id(self) -> str:
        while True:
            group_id = secrets.token_hex(15)
            if group_id not in self._groups:
                return group_id

    def _require_free_name(self, name: str, *, but_for: str | None = None) -> None:
        if self._ids_by_name.get(name, but_for) != but_for:
            raise RejectedError(409, "A user group with this name already exists")

    def _record(self, group_id: str) -> _Record:
        record = self._groups.get(group_id)
        if record is None:
            raise RejectedError(404, "User group not found")
        return record
