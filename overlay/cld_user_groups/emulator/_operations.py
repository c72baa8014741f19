"""The eight operations: from parameters and a body to the JSON value that answers them."""

from collections.abc import Callable, Mapping
from datetime import datetime

import attrs

from ._account import Account, EmulatorGroup
from ._body import read_user_group_body
from ._messages import Wire


@attrs.frozen
class Arguments:
    """What an operation is called with."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    now: datetime

    @property
    def group_id(self) -> str:
        """The path's group id."""
        return self.path["group_id"]

    @property
    def user_id(self) -> str:
        """The path's user id."""
        return self.path["user_id"]

    @property
    def wants_extended_details(self) -> bool:
        """Whether the query asks for more than the basic shape of a group."""
        # The operations that take this in the query document no 400: anything else means "no".
        return self.query.get("extended_details") in ("true", "1")


class Operations:
    """The API's operations on one account.

    Args:
        account: The state to read and to change.
        wire: The shapes to answer in.
    """

    def __init__(self, account: Account, wire: Wire) -> None:
        self._account = account
        self._is_documented_wire = wire == "documented"
        self._by_id: dict[str, Callable[[Arguments], object]] = {
            "getUserGroups": self._list_groups,
            "createUserGroup": self._create_group,
            "getUserGroup": self._get_group,
            "updateUserGroup": self._update_group,
            "deleteUserGroup": self._delete_group,
            "getUsersInUserGroup": self._list_users,
            "addUserToUserGroup": self._add_user,
            "removeUserFromUserGroup": self._remove_user,
        }

    def perform(self, operation_id: str, arguments: Arguments) -> object:
        """Perform an operation and return what to answer 200 with.

        Raises:
            RefusedError: The operation was refused, and nothing was changed.
        """
        return self._by_id[operation_id](arguments)

    def _list_groups(self, arguments: Arguments) -> object:
        extended = arguments.wants_extended_details
        return {"user_groups": [_group(group, extended) for group in self._account.groups]}

    def _create_group(self, arguments: Arguments) -> object:
        wanted = read_user_group_body(arguments.body)
        group = self._account.create_group(wanted.name, arguments.now)
        return _group(group, wanted.extended_details)

    def _get_group(self, arguments: Arguments) -> object:
        group = self._account.get_group(arguments.group_id)
        return _group(group, arguments.wants_extended_details)

    def _update_group(self, arguments: Arguments) -> object:
        wanted = read_user_group_body(arguments.body)
        group = self._account.rename_group(arguments.group_id, wanted.name, arguments.now)
        return _group(group, wanted.extended_details)

    def _delete_group(self, arguments: Arguments) -> object:
        self._account.delete_group(arguments.group_id)
        return {"message": "ok"} if self._is_documented_wire else {"ok": True}

    def _list_users(self, arguments: Arguments) -> object:
        return {"users": self._account.get_group(arguments.group_id).users}

    def _add_user(self, arguments: Arguments) -> object:
        user, group = self._account.add_member(arguments.group_id, arguments.user_id, arguments.now)
        return user if self._is_documented_wire else {"users": group.users}

    def _remove_user(self, arguments: Arguments) -> object:
        group = self._account.remove_member(arguments.group_id, arguments.user_id, arguments.now)
        return {"users": group.users}


def _group(group: EmulatorGroup, extended: bool) -> dict[str, object]:
    answer: dict[str, object] = {"id": group.id, "name": group.name}
    if extended:
        answer["users"] = group.users
        answer["created_at"] = _timestamp(group.created_at)
        answer["updated_at"] = _timestamp(group.updated_at)
    return answer


def _timestamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
