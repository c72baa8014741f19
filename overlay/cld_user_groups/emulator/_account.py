"""The state of the emulated account: its users, its groups, and who is in which."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import attrs

from ._messages import RefusedError

_SAMPLE_MOMENT: Final = datetime(2016, 9, 27, 8, 0, 16, tzinfo=UTC)


@attrs.frozen
class EmulatorUser:
    """A user of the account."""

    id: str
    name: str
    email: str


@attrs.frozen(kw_only=True)
class EmulatorGroup:
    """A user group as it stood when it was asked for."""

    id: str
    name: str
    users: tuple[EmulatorUser, ...] = attrs.field(default=(), converter=tuple[EmulatorUser, ...])
    created_at: datetime = _SAMPLE_MOMENT
    updated_at: datetime = attrs.Factory(lambda group: group.created_at, takes_self=True)


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
            users=tuple(self.members.values()),
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


class Account:
    """Users and groups, with the rules of the API: what is missing or taken is refused.

    Args:
        users: The account's users. Members of the groups belong to the account in any case.
        groups: The account's groups.

    Raises:
        ValueError: An id or a group name occurs twice.
    """

    def __init__(self, users: Iterable[EmulatorUser], groups: Iterable[EmulatorGroup]) -> None:
        self._users: dict[str, EmulatorUser] = {}
        self._groups: dict[str, _Record] = {}
        self._ids_by_name: dict[str, str] = {}
        for user in users:
            self.add_user_account(user)
        for group in groups:
            for user in group.users:
                if self._users.get(user.id) != user:
                    self.add_user_account(user)
            self._insert(
                group.id, group.name, group.users, group.created_at, updated_at=group.updated_at
            )

    @property
    def users(self) -> tuple[EmulatorUser, ...]:
        """All users of the account."""
        return tuple(self._users.values())

    @property
    def groups(self) -> tuple[EmulatorGroup, ...]:
        """All groups of the account, in the order in which they were made."""
        return tuple(record.snapshot() for record in self._groups.values())

    def add_user_account(self, user: EmulatorUser) -> None:
        """Add a user to the account."""
        if user.id in self._users:
            raise ValueError(f"the account already has a user with the id {user.id!r}")
        self._users[user.id] = user

    def create_group(
        self,
        name: str,
        now: datetime,
        *,
        group_id: str | None = None,
        user_ids: Iterable[str] = (),
    ) -> EmulatorGroup:
        """Create a group. The name must be free (409), the users must exist (404)."""
        users = [self._user(user_id) for user_id in user_ids]
        return self._insert(group_id or self._new_id(), name, users, now).snapshot()

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

    def add_member(
        self, group_id: str, user_id: str, now: datetime
    ) -> tuple[EmulatorUser, EmulatorGroup]:
        """Add a user to a group, unless the user is in it (409)."""
        record = self._record(group_id)
        user = self._user(user_id)
        if user_id in record.members:
            raise RefusedError(409, "User is already in the user group")
        record.members[user_id] = user
        record.updated_at = now
        return user, record.snapshot()

    def remove_member(self, group_id: str, user_id: str, now: datetime) -> EmulatorGroup:
        """Remove a user from a group, in which the user must be (404)."""
        record = self._record(group_id)
        self._user(user_id)
        if user_id not in record.members:
            raise RefusedError(404, "User is not in the user group")
        del record.members[user_id]
        record.updated_at = now
        return record.snapshot()

    def _insert(
        self,
        group_id: str,
        name: str,
        users: Iterable[EmulatorUser],
        created_at: datetime,
        *,
        updated_at: datetime | None = None,
    ) -> _Record:
        if group_id in self._groups:
            raise ValueError(f"the account already has a user group with the id {group_id!r}")
        self._require_free_name(name)
        members = {user.id: user for user in users}
        record = _Record(group_id, name, created_at, updated_at or created_at, members)
        self._groups[group_id] = record
        self._ids_by_name[name] = group_id
        return record

    def _new_id(self) -> str:
        while True:
            group_id = secrets.token_hex(15)
            if group_id not in self._groups:
                return group_id

    def _require_free_name(self, name: str, *, but_for: str | None = None) -> None:
        if self._ids_by_name.get(name, but_for) != but_for:
            raise RefusedError(409, "A user group with this name already exists")

    def _record(self, group_id: str) -> _Record:
        record = self._groups.get(group_id)
        if record is None:
            raise RefusedError(404, "User group not found")
        return record

    def _user(self, user_id: str) -> EmulatorUser:
        user = self._users.get(user_id)
        if user is None:
            raise RefusedError(404, "User not found")
        return user
