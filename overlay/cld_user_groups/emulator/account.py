"""The emulated account: its users, its groups, who is in which, and the rules of the API."""

import secrets
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from .clock import EmulatorClock
from .messages import RejectedError
from .roles import EmulatedRoles

_SAMPLE_MOMENT: Final = datetime(2016, 9, 27, 8, 0, 16, tzinfo=UTC)


@attrs.frozen
class EmulatorUser:
    """A user of the account.

    Attributes:
        id: The user's ID.
        name: The full name.
        email: The e-mail address.
        role: The role in the account.
        pending: Whether the invitation has not been accepted yet.
        enabled: Whether the user may log in.
        all_sub_accounts: Whether the user has access to every product environment.
        sub_account_ids: The product environments that the user has access to otherwise.
        created_at: When the user was added to the account.
        last_login: When the user logged in last, or None for never.
    """

    id: str
    name: str
    email: str
    role: str = attrs.field(default="media_library_user", kw_only=True)
    pending: bool = attrs.field(default=False, kw_only=True)
    enabled: bool = attrs.field(default=True, kw_only=True)
    all_sub_accounts: bool = attrs.field(default=True, kw_only=True)
    sub_account_ids: tuple[str, ...] = attrs.field(
        default=(), kw_only=True, converter=tuple[str, ...]
    )
    created_at: datetime = attrs.field(default=_SAMPLE_MOMENT, kw_only=True)
    last_login: datetime | None = attrs.field(default=None, kw_only=True)


@attrs.frozen(kw_only=True)
class EmulatorGroup:
    """A user group at one point in time.

    Attributes:
        id: The group's ID.
        name: The group's name.
        users: The members, in the order in which they were added.
        created_at: When the group was created.
        updated_at: When its name or its members changed last.
    """

    id: str
    name: str
    users: tuple[EmulatorUser, ...] = attrs.field(default=(), converter=tuple[EmulatorUser, ...])
    created_at: datetime = _SAMPLE_MOMENT
    updated_at: datetime = attrs.Factory(lambda group: group.created_at, takes_self=True)
    _user_ids: frozenset[str] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_user_ids", frozenset(user.id for user in self.users))

    def has(self, user_id: str) -> bool:
        """Return whether a user is a member."""
        return user_id in self._user_ids


# The sample account is the reference's.
_JOHN = EmulatorUser("0abed8dfcc039ea05e2a1d494fd442", "John Doe", "john@example.com")
_HARRY = EmulatorUser("asdf1234uiopjkl7890wernmjlcaeg", "Harry Potts", "harry@example.com")
_MARIA = EmulatorUser("3c7a1be0f4529d86e1b07c5a94d2f8", "Maria Rossi", "maria@example.com")
_CHEN = EmulatorUser("9e2f60d8a1c74b35f08d6e913ab7c4", "Chen Wei", "chen@example.com")
_AMARA = EmulatorUser("51d8c3f7e6a0429bb4f21e7d08c96a", "Amara Okafor", "amara@example.com")

SAMPLE_USERS: Final = (_JOHN, _HARRY, _MARIA, _CHEN, _AMARA)
SAMPLE_GROUPS: Final = (
    EmulatorGroup(id="7f08f1f1fc910bf1f25274aef11d27", name="Designers", users=(_JOHN, _HARRY)),
    EmulatorGroup(id="c2b9e47d1806f35a9d4e72b1c08f63", name="Marketing", users=(_MARIA,)),
)


class EmulatedAccount:
    """The account, which tests read and change behind the API's back; the base of ``Emulator``.

    None of it is recorded, uses up quota, or meets a fault. A user or a group is given as the
    object or as its ID. A change that the API would reject raises ``ValueError``: there is no such
    user or group, its ID or its name is taken, or a member is in the group already.
    """

    def __init__(
        self,
        users: Iterable[EmulatorUser],
        groups: Iterable[EmulatorGroup],
        roles: EmulatedRoles,
        clock: EmulatorClock,
    ) -> None:
        # Held while a request is handled, too.
        self._lock = threading.RLock()
        self.clock = clock
        self._initial = tuple(users), tuple(groups), roles.copy()
        self._restore()

    def _restore(self) -> None:
        users, groups, roles = self._initial
        self.roles = roles.copy()
        self._users: dict[str, EmulatorUser] = {}
        self._groups: dict[str, EmulatorGroup] = {}
        self._ids_by_name: dict[str, str] = {}
        for user in users:
            self._insert_user(user)
        for group in groups:
            for user in group.users:
                if self._users.get(user.id) != user:
                    self._insert_user(user)
            self._insert_group(group)

    @property
    def users(self) -> tuple[EmulatorUser, ...]:
        """All users of the account, in a group or not, in the order in which they were added."""
        with self._lock:
            return tuple(self._users.values())

    @property
    def groups(self) -> tuple[EmulatorGroup, ...]:
        """All user groups, with their users, in the order in which they were created."""
        with self._lock:
            return tuple(self._groups.values())

    def add_user_account(
        self,
        name: str,
        *,
        email: str | None = None,
        user_id: str | None = None,
        role: str = "media_library_user",
        pending: bool = False,
        enabled: bool = True,
        last_login: datetime | None = None,
    ) -> EmulatorUser:
        """Add a user to the account, but to no group, and return the user.

        Args:
            name: The user's full name.
            email: The e-mail address; made from the name by default.
            user_id: The user's ID; a new one by default.
            role: The role in the account.
            pending: Whether the invitation has not been accepted yet.
            enabled: Whether the user may log in.
            last_login: When the user logged in last, with a time zone.
        """
        user = EmulatorUser(
            user_id or secrets.token_hex(15),
            name,
            email or f"{'.'.join(name.lower().split()) or 'user'}@example.com",
            role=role,
            pending=pending,
            enabled=enabled,
            created_at=self.clock.now(),
            last_login=last_login,
        )
        with self._lock:
            self._insert_user(user)
        return user

    def update_user_account(
        self,
        user: EmulatorUser | str,
        *,
        name: str | None = None,
        email: str | None = None,
        role: str | None = None,
        pending: bool | None = None,
        enabled: bool | None = None,
        last_login: datetime | None = None,
    ) -> EmulatorUser:
        """Change fields of a user, and return the user; None leaves a field as it is."""
        fields: dict[str, Any] = {"name": name, "email": email, "role": role, "pending": pending}
        fields |= {"enabled": enabled, "last_login": last_login}
        changes = {field: value for field, value in fields.items() if value is not None}
        with self._lock:
            before = self._user(user)
            after = self._users[before.id] = attrs.evolve(before, **changes)
            for group in self._groups_of(before.id):
                members = [after if each.id == after.id else each for each in group.users]
                self._groups[group.id] = attrs.evolve(group, users=members)
        return after

    def remove_user_account(self, user: EmulatorUser | str) -> None:
        """Remove a user from the account, and from every group."""
        with self._lock:
            removed = self._user(user)
            for group in self._groups_of(removed.id):
                self.remove_member(group, removed)
            del self._users[removed.id]
            self.roles.end(removed.id, "user")

    def add_group(
        self, name: str, *, users: Iterable[EmulatorUser | str] = (), group_id: str | None = None
    ) -> EmulatorGroup:
        """Add a user group, and return it.

        Args:
            name: The group's name.
            users: Its members, who must belong to the account.
            group_id: The group's ID; a new one by default.
        """
        with self._lock:
            members = {user.id: user for user in map(self._user, users)}.values()
            group_id, now = group_id or secrets.token_hex(15), self.clock.now()
            return self._insert_group(
                EmulatorGroup(id=group_id, name=require_name(name), users=members, created_at=now)
            )

    def rename_group(self, group: EmulatorGroup | str, name: str) -> EmulatorGroup:
        """Rename a user group, and return it."""
        with self._lock:
            return self._replace(self._group(group), name=require_name(name))

    def remove_group(self, group: EmulatorGroup | str) -> None:
        """Remove a user group."""
        with self._lock:
            removed = self._group(group)
            del self._groups[removed.id], self._ids_by_name[removed.name]
            self.roles.end(removed.id)

    def add_member(self, group: EmulatorGroup | str, user: EmulatorUser | str) -> EmulatorGroup:
        """Add a user to a user group, and return the group."""
        with self._lock:
            before, member = self._group(group), self._user(user)
            if before.has(member.id):
                raise RejectedError(409, "User is already in the user group")
            return self._replace(before, users=(*before.users, member))

    def remove_member(self, group: EmulatorGroup | str, user: EmulatorUser | str) -> EmulatorGroup:
        """Remove a user from a user group, and return the group."""
        with self._lock:
            before, member = self._group(group), self._user(user)
            if not before.has(member.id):
                raise RejectedError(404, "User is not in the user group")
            return self._replace(before, users=[u for u in before.users if u.id != member.id])

    def _user(self, user: EmulatorUser | str) -> EmulatorUser:
        found = self._users.get(user if isinstance(user, str) else user.id)
        if found is None:
            raise RejectedError(404, "User not found")
        return found

    def _group(self, group: EmulatorGroup | str) -> EmulatorGroup:
        found = self._groups.get(group if isinstance(group, str) else group.id)
        if found is None:
            raise RejectedError(404, "User group not found")
        return found

    def _groups_of(self, user_id: str) -> list[EmulatorGroup]:
        return [group for group in self._groups.values() if group.has(user_id)]

    def _insert_user(self, user: EmulatorUser) -> None:
        if user.id in self._users:
            raise ValueError(f"the account already has a user with the id {user.id!r}")
        self._users[user.id] = user

    def _insert_group(self, group: EmulatorGroup) -> EmulatorGroup:
        if group.id in self._groups:
            raise ValueError(f"the account already has a user group with the id {group.id!r}")
        return self._put(group)

    def _replace(self, group: EmulatorGroup, **changes: Any) -> EmulatorGroup:
        return self._put(attrs.evolve(group, **changes, updated_at=self.clock.now()), group.name)

    def _put(self, group: EmulatorGroup, name_before: str | None = None) -> EmulatorGroup:
        if self._ids_by_name.get(group.name, group.id) != group.id:
            raise RejectedError(409, "A user group with this name already exists")
        if name_before is not None:
            del self._ids_by_name[name_before]
        self._groups[group.id] = group
        self._ids_by_name[group.name] = group.id
        return group


def require_name(value: object) -> str:
    """Return a value that is a valid name of a group, or reject it (400)."""
    if value is None:
        raise RejectedError(400, "Missing required parameter - name")
    if not isinstance(value, str):
        raise RejectedError(400, "Invalid value for parameter name: must be a string")
    if not value.strip():
        raise RejectedError(400, "Invalid value for parameter name: must not be blank")
    return value
