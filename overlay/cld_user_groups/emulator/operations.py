"""The operations: one handler each, from a request to the JSON value of a successful response.

To add a resource, write a class of handlers beside this one, and name it as a base of ``Emulator``.
"""

import base64
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, Literal, TypeVar

import attrs
import msgspec

from cld_provisioning_api.api.principals.get_principal_roles import GetPrincipalRolesRequest
from cld_provisioning_api.api.principals.inspect import InspectRequest
from cld_provisioning_api.models import (
    InspectMultipleRequest,
    PrincipalType,
    UpdatePrincipalRolesRequest,
)
from cld_provisioning_api.types import decode
from cld_user_groups.identity import email_key

from .account import EmulatedAccount, EmulatorGroup, EmulatorUser, require_name
from .messages import Operation, RejectedError, encode
from .roles import SAMPLE_ENVIRONMENT

# See the arguments of ``Emulator``.
Wire = Literal["observed", "documented"]
UsersFilters = Literal["applied", "ignored"]
UsersPaging = Literal["on_request", "always", "ignored"]

_MAX_ITEMS: Final = 100
_MAX_PAGE_SIZE: Final = 100
_SORT_KEYS: Final[dict[str, Callable[[EmulatorUser], Any]]] = {
    "name": lambda user: user.name.casefold(),
    "role": lambda user: user.role,
    "status": lambda user: "pending" if user.pending else "active" if user.enabled else "disabled",
    "activity": lambda user: user.last_login or user.created_at,
    "created_at": lambda user: user.created_at,
}


Handler = Callable[[Any, Operation], object]
T = TypeVar("T")
_Principal = tuple[PrincipalType, str]

HANDLERS: Final[dict[str, Handler]] = {}


def handles(operation_id: str) -> Callable[[Handler], Handler]:
    """Register the handler of an operation, which returns the body of a 200, or rejects it."""

    def register(handler: Handler) -> Handler:
        HANDLERS[operation_id] = handler
        return handler

    return register


class EmulatedApi(EmulatedAccount):
    """The operations on user groups, users and roles."""

    _wire: Wire
    _users_filters: UsersFilters
    _users_paging: UsersPaging

    @handles("getUserGroups")
    def _list_groups(self, call: Operation) -> object:
        return {"user_groups": [_group(each, call.wants_details) for each in self.groups]}

    @handles("createUserGroup")
    def _create_group(self, call: Operation) -> object:
        name, details = _read_group(call)
        return _group(self.add_group(name), details)

    @handles("getUserGroup")
    def _get_group(self, call: Operation) -> object:
        return _group(self._group(call.path["group_id"]), call.wants_details)

    @handles("updateUserGroup")
    def _update_group(self, call: Operation) -> object:
        name, details = _read_group(call)
        return _group(self.rename_group(call.path["group_id"], name), details)

    @handles("deleteUserGroup")
    def _delete_group(self, call: Operation) -> object:
        self.remove_group(call.path["group_id"])
        return {"message": "ok"} if self._wire == "documented" else {"ok": True}

    @handles("getUsersInUserGroup")
    def _list_members(self, call: Operation) -> object:
        return _members(self._group(call.path["group_id"]))

    @handles("addUserToUserGroup")
    def _add_member(self, call: Operation) -> object:
        members = _members(self.add_member(call.path["group_id"], call.path["user_id"]))
        # The new member is the last one.
        return members["users"][-1] if self._wire == "documented" else members

    @handles("removeUserFromUserGroup")
    def _remove_member(self, call: Operation) -> object:
        return _members(self.remove_member(call.path["group_id"], call.path["user_id"]))

    @handles("getUsers")
    def _list_users(self, call: Operation) -> object:
        counts = Counter(user.id for group in self.groups for user in group.users)
        return {"users": [_user(each, counts[each.id]) for each in self._select(call)]}

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

    @handles("getRoles")
    def _list_roles(self, _: Operation) -> object:
        roles = [each.fields for each in self.roles.all]
        for each in roles:
            if each["permission_type"] == "content":
                each["policy_parameters"] = ["folder_id", "collection_id"]
        return {"data": roles}

    @handles("getPrincipalRoles")
    def _list_roles_of_principal(self, call: Operation) -> object:
        query = _read_query(GetPrincipalRolesRequest, call)
        key = self._principal(query.principal_type, query.principal_id)
        return {"data": self.roles.shown(key, _wanted(query))}

    @handles("inspect")
    def _inspect(self, call: Operation) -> object:
        query = _read_query(InspectRequest, call)
        wanted = _wanted(query)
        kind, principal_id = query.principal_type, query.principal_id
        if kind is None and principal_id is None:
            keys = [key for key in self.roles.principals() if self.roles.shown(key, wanted)]
        elif kind is None or principal_id is None:
            raise RejectedError(400, "missing fields", ["principal_type", "principal_id"])
        else:
            keys = [self._principal(kind, principal_id)]
        return self._page(keys, query.cursor, wanted)

    @handles("inspectMultiple")
    def _inspect_multiple(self, call: Operation) -> object:
        body = _read(InspectMultipleRequest, call.request.body)
        keys = [self._principal(each.type, each.id) for each in body.principals]
        wanted = {**_wanted(body), **(body.policy_parameters or {})}
        return self._page(keys, body.cursor, wanted)

    @handles("updatePrincipalRoles")
    def _update_roles(self, call: Operation) -> object:
        body = _read(UpdatePrincipalRolesRequest, call.request.body)
        kind, principal_id = self._principal(body.principal.type, body.principal.id)
        change = self.roles.assign if body.operation == "add" else self.roles.remove
        for role in body.roles:
            where = role.policy_parameters or {}
            change(principal_id, role.id, role.scope_id, principal_type=kind, **where)
        return None

    def _page(
        self, keys: Sequence[_Principal], cursor: str | None, wanted: Mapping[str, str]
    ) -> object:
        """Return a page of principals: the cursor says how many came before it."""
        try:
            start = int(base64.b64decode(cursor or "MA==", validate=True))
        except ValueError:
            raise RejectedError(400, "invalid fields", ["cursor"]) from None
        end = start + self.roles.page_size
        shown = [
            {"type": kind, "id": each, "roles": self.roles.shown((kind, each), wanted)}
            for kind, each in keys[start:end]
        ]
        following = base64.b64encode(b"%d" % end).decode() if end < len(keys) else None
        return {"data": {"principals": shown}, "next_cursor": following}

    def _principal(self, kind: PrincipalType, principal_id: str) -> _Principal:
        """Return a principal that exists; keys are not emulated: any ID of one is accepted."""
        known: Mapping[str, Container[str]] = {"group": self._groups, "user": self._users}
        if not principal_id or principal_id not in known.get(kind, (principal_id,)):
            raise RejectedError(404, f"{kind} not found")
        return kind, principal_id

    def _select(self, call: Operation) -> list[EmulatorUser]:
        tests = list(_filters(call, self._wire)) if self._users_filters == "applied" else []
        selected = [user for user in self.users if all(test(user) for test in tests)]
        if sort_key := _SORT_KEYS.get(call.text("sort_by")):
            selected.sort(key=sort_key, reverse=call.text("sort_order") != "asc")
        page, size = call.positive_integer("page"), call.positive_integer("page_size")
        is_unpaged = self._users_paging == "on_request" and page is None and size is None
        if is_unpaged or self._users_paging == "ignored":
            return selected
        size = min(size or _MAX_PAGE_SIZE, _MAX_PAGE_SIZE)
        return selected[((page or 1) - 1) * size :][:size]


def _filters(call: Operation, wire: Wire) -> Iterable[Callable[[EmulatorUser], bool]]:
    if ids := set(call.array("ids")[:_MAX_ITEMS]):
        yield lambda user: user.id in ids
        if wire == "documented":
            # As published, the other filters are ignored together with this one.
            return
    if emails := {email_key(email) for email in call.array("emails")[:_MAX_ITEMS]}:
        yield lambda user: email_key(user.email) in emails
        if wire == "documented":
            return
    pending = call.boolean("pending")
    # As published, false means all users; the live test suites rely on "not pending".
    if pending or (pending is False and wire == "observed"):
        yield lambda user: user.pending is pending
    if prefix := call.text("prefix").casefold():
        # As published, the name; the documentation of the classic clients says name or e-mail.
        fields = ("name", "email") if wire == "observed" else ("name",)
        yield lambda user: any(getattr(user, f).casefold().startswith(prefix) for f in fields)
    if environment := call.text("sub_account_id"):
        yield lambda user: user.all_sub_accounts or environment in user.sub_account_ids
    after, before, wanted = call.day("from"), call.day("to"), call.boolean("last_login")
    if (after, before, wanted) != (None, None, None):
        is_inverted = (wanted is False) is not (call.text("union_type") == "exclude")
        yield lambda user: _logged_in(user, after, before) is not is_inverted


def _logged_in(user: EmulatorUser, after: date | None, before: date | None) -> bool:
    if user.last_login is None:
        return False
    return (after or date.min) < user.last_login.date() < (before or date.max)


def _read_group(call: Operation) -> tuple[str, bool]:
    """Return the name in a body, and whether details are requested, or reject it (400)."""
    fields = call.fields()
    name, extended = require_name(fields.get("name")), fields.get("extended_details", False)
    if not isinstance(extended, bool):
        raise RejectedError(400, "Invalid value for parameter extended_details: must be a boolean")
    return name, extended or call.wants_details


def _group(group: EmulatorGroup, details: bool) -> dict[str, object]:
    fields: dict[str, object] = {"id": group.id, "name": group.name}
    if details:
        fields |= _members(group)
        fields |= {"created_at": _time(group.created_at), "updated_at": _time(group.updated_at)}
    return fields


def _members(group: EmulatorGroup) -> dict[str, list[dict[str, str]]]:
    return {"users": [{"id": u.id, "name": u.name, "email": u.email} for u in group.users]}


def _user(user: EmulatorUser, group_count: int) -> dict[str, object]:
    names = ("id", "name", "role", "email", "pending", "enabled", "created_at", "all_sub_accounts")
    fields: dict[str, object] = {name: getattr(user, name) for name in names}
    fields |= {"created_at": _time(user.created_at), "group_count": group_count}
    if user.last_login is not None:
        fields["last_login"] = _time(user.last_login)
    return fields


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _wanted(query: attrs.AttrsInstance) -> dict[str, str]:
    """Return the fields of a query by which roles are chosen."""
    names = ("scope_type", "scope_id", "permission_type", "management_type")
    found = {name: getattr(query, name, None) for name in (*names, "folder_id", "collection_id")}
    return {name: value for name, value in found.items() if value}


def _read_query(expected: type[T], call: Operation) -> T:
    return _read(expected, encode({name: text for name, text in call.pairs if text}))


def _read(expected: type[T], content: bytes) -> T:
    """Return a request as its generated model, or reject it (400); null is no value."""
    try:
        fields = decode(content, dict[str, Any]).items()
        if nulls := [name for name, value in fields if value is None]:
            raise RejectedError(400, "invalid fields", nulls)
        return decode(content, expected)
    except msgspec.DecodeError as error:
        problem = "missing fields" if "missing required" in str(error) else "invalid fields"
        names = re.findall(r"`(?:\$\.)?([a-z_]+)", str(error))
        raise RejectedError(400, problem, names) from None
