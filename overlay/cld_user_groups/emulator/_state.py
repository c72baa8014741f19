"""The emulated account, as a test arranges and inspects it."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from ._body import require_name
from ._core import Core
from ._models import EmulatorGroup, EmulatorUser


class EmulatedAccount:
    """Reads and changes users and groups behind the API's back; the base class of ``Emulator``.

    None of it is recorded, uses up quota, or meets a fault. A user or a group is given as the
    object or as its ID.
    """

    _core: Core

    @property
    def users(self) -> tuple[EmulatorUser, ...]:
        """All users of the account, in a group or not."""
        with self._core.lock:
            return self._core.account.users

    @property
    def groups(self) -> tuple[EmulatorGroup, ...]:
        """All user groups of the account, with their users."""
        with self._core.lock:
            return self._core.account.groups

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
        with self._core.lock:
            user = EmulatorUser(
                user_id or secrets.token_hex(15),
                name,
                email or f"{'.'.join(name.lower().split()) or 'user'}@example.com",
                role=role,
                pending=pending,
                enabled=enabled,
                created_at=self._core.clock.now(),
                last_login=last_login,
            )
            self._core.account.add_user(user)
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
        """Change fields of a user; None leaves a field as it is.

        Returns:
            The user with the changes.

        Raises:
            ValueError: The user does not exist.
        """
        changes: dict[str, Any] = {
            "name": name,
            "email": email,
            "role": role,
            "pending": pending,
            "enabled": enabled,
            "last_login": last_login,
        }
        with self._core.lock:
            updated = attrs.evolve(
                self._core.account.get_user(_id(user)),
                **{field: value for field, value in changes.items() if value is not None},
            )
            self._core.account.replace_user(updated)
        return updated

    def remove_user_account(self, user: EmulatorUser | str) -> None:
        """Remove a user from the account, and from every group.

        Raises:
            ValueError: The user does not exist.
        """
        with self._core.lock:
            self._core.account.remove_user(_id(user), self._core.clock.now())

    def add_group(
        self,
        name: str,
        *,
        users: Iterable[EmulatorUser | str] = (),
        group_id: str | None = None,
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
        user_ids = [_id(user) for user in users]
        with self._core.lock:
            return self._core.account.create_group(
                require_name(name), self._core.clock.now(), group_id=group_id, user_ids=user_ids
            )

    def rename_group(self, group: EmulatorGroup | str, name: str) -> EmulatorGroup:
        """Rename a user group, and return it.

        Raises:
            ValueError: The group does not exist, or another group has the name.
        """
        with self._core.lock:
            return self._core.account.rename_group(
                _id(group), require_name(name), self._core.clock.now()
            )

    def remove_group(self, group: EmulatorGroup | str) -> None:
        """Remove a user group.

        Raises:
            ValueError: The group does not exist.
        """
        with self._core.lock:
            self._core.account.delete_group(_id(group))

    def add_member(self, group: EmulatorGroup | str, user: EmulatorUser | str) -> EmulatorGroup:
        """Add a user to a user group, and return the group.

        Raises:
            ValueError: The group or the user does not exist, or the user is a member.
        """
        with self._core.lock:
            return self._core.account.add_member(_id(group), _id(user), self._core.clock.now())

    def remove_member(self, group: EmulatorGroup | str, user: EmulatorUser | str) -> EmulatorGroup:
        """Remove a user from a user group, and return the group.

        Raises:
            ValueError: The group or the user does not exist, or the user is no member.
        """
        with self._core.lock:
            return self._core.account.remove_member(_id(group), _id(user), self._core.clock.now())


def _id(user_or_group: EmulatorUser | EmulatorGroup | str) -> str:
    return user_or_group if isinstance(user_or_group, str) else user_or_group.id
