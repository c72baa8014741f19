"""The operations: one handler each, from a request to the JSON value of a successful response.

A handler is a method of a class that ``Emulator`` inherits from, marked ``@handles`` with the
operation ID. It is given the request as an ``Operation``, and returns the body of a 200 or raises
``RejectedError``. Its route comes from the generated endpoint. To add a resource, write a module
with a class of handlers beside this one, and name the class as a base of ``Emulator``.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import attrs

from .account import EmulatedAccount
from .messages import Behavior, EmulatorRequest
from .models import SAMPLE_ENVIRONMENT, EmulatorGroup, EmulatorUser
from .reading import Query, read_group_body
from .users import select_users


@attrs.frozen
class Operation:
    """One request for an operation: what its handler is given.

    Attributes:
        path: The path parameters, decoded.
        query: The query parameters.
        request: The whole request.
    """

    path: Mapping[str, str]
    query: Query
    request: EmulatorRequest

    @property
    def wants_details(self) -> bool:
        """Whether the query asks for more than the basic shape of a group."""
        return self.query.boolean("extended_details") is True


Handler = Callable[[Any, Operation], object]
HandlerT = TypeVar("HandlerT", bound=Handler)

HANDLERS: Final[dict[str, Handler]] = {}
"""The handler of each operation."""


def handles(operation_id: str) -> Callable[[HandlerT], HandlerT]:
    """Register the handler of an operation of the OpenAPI document."""

    def register(handler: HandlerT) -> HandlerT:
        HANDLERS[operation_id] = handler
        return handler

    return register


class EmulatedApi(EmulatedAccount):
    """The operations on user groups and users."""

    _behavior: Behavior

    @handles("getUserGroups")
    def _list_groups(self, call: Operation) -> object:
        return {"user_groups": [_group(each, call.wants_details) for each in self.groups]}

    @handles("createUserGroup")
    def _create_group(self, call: Operation) -> object:
        name, extended = read_group_body(call.request)
        return _group(self.add_group(name), extended or call.wants_details)

    @handles("getUserGroup")
    def _get_group(self, call: Operation) -> object:
        return _group(self._group(call.path["group_id"]), call.wants_details)

    @handles("updateUserGroup")
    def _update_group(self, call: Operation) -> object:
        name, extended = read_group_body(call.request)
        return _group(
            self.rename_group(call.path["group_id"], name), extended or call.wants_details
        )

    @handles("deleteUserGroup")
    def _delete_group(self, call: Operation) -> object:
        self.remove_group(call.path["group_id"])
        return {"message": "ok"} if self._behavior.wire == "documented" else {"ok": True}

    @handles("getUsersInUserGroup")
    def _list_members(self, call: Operation) -> object:
        return _members(self._group(call.path["group_id"]))

    @handles("addUserToUserGroup")
    def _add_member(self, call: Operation) -> object:
        members = _members(self.add_member(call.path["group_id"], call.path["user_id"]))
        # The new member is the last one.
        return members["users"][-1] if self._behavior.wire == "documented" else members

    @handles("removeUserFromUserGroup")
    def _remove_member(self, call: Operation) -> object:
        return _members(self.remove_member(call.path["group_id"], call.path["user_id"]))

    @handles("getUsers")
    def _list_users(self, call: Operation) -> object:
        users = select_users(self.users, call.query, self._behavior)
        counts = self._group_counts()
        return {"users": [_user(user, counts[user.id]) for user in users]}

    @handles("getUser")
    def _get_user(self, call: Operation) -> object:
        user = self._user(call.path["user_id"])
        return _user(user, len(self._groups_of(user.id)))

    @handles("getGroupsForUser")
    def _list_groups_of_user(self, call: Operation) -> object:
        user = self._user(call.path["user_id"])
        return {"groups": [_group(each, details=False) for each in self._groups_of(user.id)]}

    @handles("getSubAccountsForUser")
    def _list_environments_of_user(self, call: Operation) -> object:
        user = self._user(call.path["user_id"])
        ids = user.sub_account_ids
        if user.all_sub_accounts:
            of_others = {each for other in self.users for each in other.sub_account_ids}
            ids = tuple(sorted({SAMPLE_ENVIRONMENT, *of_others}))
        return {"sub_accounts": [{"id": each, "name": each, "enabled": True} for each in ids]}


def _group(group: EmulatorGroup, details: bool) -> dict[str, object]:
    fields: dict[str, object] = {"id": group.id, "name": group.name}
    if details:
        fields |= _members(group)
        fields["created_at"] = _timestamp(group.created_at)
        fields["updated_at"] = _timestamp(group.updated_at)
    return fields


def _members(group: EmulatorGroup) -> dict[str, list[dict[str, str]]]:
    return {"users": [{"id": u.id, "name": u.name, "email": u.email} for u in group.users]}


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
