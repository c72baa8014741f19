"""The operations: from parameters and a body to the JSON value of a successful response."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

import attrs

from ._account import Account
from ._body import UserGroupBody, read_user_group_body
from ._messages import Behavior
from ._models import EmulatorGroup, EmulatorUser
from ._query import Query
from ._routes import OPERATION_IDS
from ._users import select_users


@attrs.frozen
class Arguments:
    """The input of an operation."""

    path: Mapping[str, str]
    query: Query
    body: bytes
    content_type: bytes | None
    now: datetime

    @property
    def group_id(self) -> str:
        """The group ID of the path."""
        return self.path["group_id"]

    @property
    def user_id(self) -> str:
        """The user ID of the path."""
        return self.path["user_id"]

    @property
    def extended_details(self) -> bool:
        """Whether the query asks for more than the basic shape of a group."""
        return self.query.boolean("extended_details") is True

    def user_group_body(self) -> UserGroupBody:
        """Parse the body of a create or update request."""
        return read_user_group_body(self.body, self.content_type)


class Operations:
    """The API's operations on one account.

    Args:
        account: The state to read and to change.
        behavior: The alternatives to emulate.
    """

    def __init__(self, account: Account, behavior: Behavior) -> None:
        self._account = account
        self._behavior = behavior
        self._is_documented_wire = behavior.wire == "documented"

    def perform(self, operation_id: str, arguments: Arguments) -> object:
        """Perform an operation and return the body of the 200 response.

        Raises:
            RejectedError: The API rejects the request; nothing was changed.
        """
        return HANDLERS[operation_id](self, arguments)

    def list_groups(self, arguments: Arguments) -> object:
        """Perform getUserGroups."""
        extended = arguments.extended_details
        return {"user_groups": [_group(group, extended) for group in self._account.groups]}

    def create_group(self, arguments: Arguments) -> object:
        """Perform createUserGroup."""
        body = arguments.user_group_body()
        group = self._account.create_group(body.name, arguments.now)
        return _group(group, body.extended_details or arguments.extended_details)

    def get_group(self, arguments: Arguments) -> object:
        """Perform getUserGroup."""
        group = self._account.get_group(arguments.group_id)
        return _group(group, arguments.extended_details)

    def update_group(self, arguments: Arguments) -> object:
        """Perform updateUserGroup."""
        body = arguments.user_group_body()
        group = self._account.rename_group(arguments.group_id, body.name, arguments.now)
        return _group(group, body.extended_details or arguments.extended_details)

    def delete_group(self, arguments: Arguments) -> object:
        """Perform deleteUserGroup."""
        self._account.delete_group(arguments.group_id)
        return {"message": "ok"} if self._is_documented_wire else {"ok": True}

    def list_members(self, arguments: Arguments) -> object:
        """Perform getUsersInUserGroup."""
        return {"users": _members(self._account.get_group(arguments.group_id).users)}

    def add_member(self, arguments: Arguments) -> object:
        """Perform addUserToUserGroup."""
        group = self._account.add_member(arguments.group_id, arguments.user_id, arguments.now)
        members = _members(group.users)
        # The new member is the last one.
        return members[-1] if self._is_documented_wire else {"users": members}

    def remove_member(self, arguments: Arguments) -> object:
        """Perform removeUserFromUserGroup."""
        group = self._account.remove_member(arguments.group_id, arguments.user_id, arguments.now)
        return {"users": _members(group.users)}

    def list_users(self, arguments: Arguments) -> object:
        """Perform getUsers."""
        users = select_users(self._account.users, arguments.query, self._behavior)
        counts = self._account.group_counts()
        return {"users": [_user(user, counts[user.id]) for user in users]}

    def get_user(self, arguments: Arguments) -> object:
        """Perform getUser."""
        user = self._account.get_user(arguments.user_id)
        return _user(user, len(self._account.groups_of(user.id)))

    def list_groups_of_user(self, arguments: Arguments) -> object:
        """Perform getGroupsForUser."""
        groups = self._account.groups_of(arguments.user_id)
        return {"groups": [_group(group, extended=False) for group in groups]}


HANDLERS: Final[Mapping[str, Callable[[Operations, Arguments], object]]] = {
    "getUserGroups": Operations.list_groups,
    "createUserGroup": Operations.create_group,
    "getUserGroup": Operations.get_group,
    "updateUserGroup": Operations.update_group,
    "deleteUserGroup": Operations.delete_group,
    "getUsersInUserGroup": Operations.list_members,
    "addUserToUserGroup": Operations.add_member,
    "removeUserFromUserGroup": Operations.remove_member,
    "getUsers": Operations.list_users,
    "getUser": Operations.get_user,
    "getGroupsForUser": Operations.list_groups_of_user,
}
"""How the emulator performs each operation of the OpenAPI document."""


def require_handlers(operation_ids: Iterable[str]) -> None:
    """Check that the emulator can perform operations.

    Raises:
        NotImplementedError: It cannot perform one of them.
    """
    missing = ", ".join(each for each in operation_ids if each not in HANDLERS)
    if missing:
        raise NotImplementedError(
            f"the emulator does not implement {missing}: add to HANDLERS in {__name__}"
        )


require_handlers(OPERATION_IDS)


def _group(group: EmulatorGroup, extended: bool) -> dict[str, object]:
    fields: dict[str, object] = {"id": group.id, "name": group.name}
    if extended:
        fields["users"] = _members(group.users)
        fields["created_at"] = _timestamp(group.created_at)
        fields["updated_at"] = _timestamp(group.updated_at)
    return fields


def _members(users: Iterable[EmulatorUser]) -> list[dict[str, str]]:
    return [{"id": user.id, "name": user.name, "email": user.email} for user in users]


def _user(user: EmulatorUser, group_count: int) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": user.id,
        "name": user.name,
        "role": user.role,
        "email": user.email,
        "pending": user.pending,
        "enabled": user.enabled,
        "created_at": _timestamp(user.created_at),
        "all_sub_accounts": user.all_sub_accounts,
        "group_count": group_count,
    }
    if user.last_login is not None:
        fields["last_login"] = _timestamp(user.last_login)
    return fields


def _timestamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
