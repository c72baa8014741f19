"""The emulated account: its users, its groups, who is in which, and the rules of the API."""

import secrets
import threading
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from .clock import EmulatorClock
from .messages import RejectedError
from .models import EmulatorGroup, EmulatorUser
from .reading import require_name


class EmulatedAccount:
    """The account, which tests read and change behind the API's back; the base of ``Emulator``.

    None of it is recorded, uses up quota, or meets a fault. A user or a group is given as the
    object or as its ID.
    """

    def __init__(
        self, users: Iterable[EmulatorUser], groups: Iterable[EmulatorGroup], clock: EmulatorClock
    ) -> None:
        # Held while a request is handled, too.
        self._lock = threading.RLock()
        self.clock = clock
        self._initial = tuple(users), tuple(groups)
        self._restore()

    def _restore(self) -> None:
        users, groups = self._initial
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
        """Add a user to the account, but to no group.

        Args:
            name: The user's full name.
            email: The e-mail address; made from the name by default.
            user_id: The user's ID; a new one by default.
            role: The role in the account.
            pending: Whether the invitation has not been accepted yet.
            enabled: Whether the user may log in.
            last_login: When the user logged in last, with a time zone.

        Returns:
            The user that was added.

        Raises:
            ValueError: The ID is taken.
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
        """Change fields of a user, and return the user; None leaves a field as it is.

        Raises:
            ValueError: The user does not exist.
        """
        fields: dict[str, Any] = {
            "name": name,
            "email": email,
            "role": role,
            "pending": pending,
            "enabled": enabled,
            "last_login": last_login,
        }
        changes = {field: value for field, value in fields.items() if value is not None}
        with self._lock:
            before = self._user(user)
            after = self._users[before.id] = attrs.evolve(before, **changes)
            for group in self._groups_of(before.id):
                members = [after if each.id == after.id else each for each in group.users]
                self._groups[group.id] = attrs.evolve(group, users=members)
        return after

    def remove_user_account(self, user: EmulatorUser | str) -> None:
        """Remove a user from the account, and from every group.

        Raises:
            ValueError: The user does not exist.
        """
        with self._lock:
            removed = self._user(user)
            for group in self._groups_of(removed.id):
                self._replace(group, users=_without(removed, group))
            del self._users[removed.id]

    def add_group(
        self, name: str, *, users: Iterable[EmulatorUser | str] = (), group_id: str | None = None
    ) -> EmulatorGroup:
        """Add a user group.

        Args:
            name: The group's name.
            users: Its members, who must belong to the account.
            group_id: The group's ID; a new one by default.

        Returns:
            The group that was added.

        Raises:
            ValueError: The name or the ID is taken, or a user does not exist.
        """
        with self._lock:
            members = {user.id: user for user in map(self._user, users)}
            return self._insert_group(
                EmulatorGroup(
                    id=group_id or secrets.token_hex(15),
                    name=require_name(name),
                    users=members.values(),
                    created_at=self.clock.now(),
                )
            )

    def rename_group(self, group: EmulatorGroup | str, name: str) -> EmulatorGroup:
        """Rename a user group, and return it.

        Raises:
            ValueError: The group does not exist, or another group has the name.
        """
        with self._lock:
            before = self._group(group)
            self._require_free_name(require_name(name), but_for=before.id)
            del self._ids_by_name[before.name]
            self._ids_by_name[name] = before.id
            return self._replace(before, name=name)

    def remove_group(self, group: EmulatorGroup | str) -> None:
        """Remove a user group.

        Raises:
            ValueError: The group does not exist.
        """
        with self._lock:
            removed = self._group(group)
            del self._groups[removed.id], self._ids_by_name[removed.name]

    def add_member(self, group: EmulatorGroup | str, user: EmulatorUser | str) -> EmulatorGroup:
        """Add a user to a user group, and return the group.

        Raises:
            ValueError: The group or the user does not exist, or the user is a member.
        """
        with self._lock:
            before, member = self._group(group), self._user(user)
            if before.has(member.id):
                raise RejectedError(409, "User is already in the user group")
            return self._replace(before, users=(*before.users, member))

    def remove_member(self, group: EmulatorGroup | str, user: EmulatorUser | str) -> EmulatorGroup:
        """Remove a user from a user group, and return the group.

        Raises:
            ValueError: The group or the user does not exist, or the user is no member.
        """
        with self._lock:
            before, member = self._group(group), self._user(user)
            if not before.has(member.id):
                raise RejectedError(404, "User is not in the user group")
            return self._replace(before, users=_without(member, before))

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

    def _group_counts(self) -> Counter[str]:
        return Counter(user.id for group in self._groups.values() for user in group.users)

    def _insert_user(self, user: EmulatorUser) -> None:
        if user.id in self._users:
            raise ValueError(f"the account already has a user with the id {user.id!r}")
        self._users[user.id] = user

    def _insert_group(self, group: EmulatorGroup) -> EmulatorGroup:
        if group.id in self._groups:
            raise ValueError(f"the account already has a user group with the id {group.id!r}")
        self._require_free_name(group.name)
        self._groups[group.id] = group
        self._ids_by_name[group.name] = group.id
        return group

    def _replace(self, group: EmulatorGroup, **changes: Any) -> EmulatorGroup:
        changed = attrs.evolve(group, **changes, updated_at=self.clock.now())
        self._groups[group.id] = changed
        return changed

    def _require_free_name(self, name: str, *, but_for: str | None = None) -> None:
        if self._ids_by_name.get(name, but_for) != but_for:
            raise RejectedError(409, "A user group with this name already exists")


def _without(member: EmulatorUser, group: EmulatorGroup) -> list[EmulatorUser]:
    return [user for user in group.users if user.id != member.id]
