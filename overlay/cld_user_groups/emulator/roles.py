"""The Permissions API of the emulator: roles, who has them, and its five operations."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeVar

import attrs
import msgspec

from cld_provisioning_api.api.principals.get_principal_roles import GetPrincipalRolesRequest
from cld_provisioning_api.api.principals.inspect import InspectRequest
from cld_provisioning_api.models import (
    InspectMultipleRequest,
    PrincipalType,
    ScopeType,
    UpdatePrincipalRolesRequest,
)
from cld_provisioning_api.types import decode

from .account import EmulatedAccount, EmulatorGroup, EmulatorUser
from .messages import Query, RawHeaders, RejectedError
from .operations import SAMPLE_ENVIRONMENT, Operation, handles

T = TypeVar("T")
_CREATED: Final = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
#: The status codes with which an account or a key without the Permissions API is refused.
REFUSALS: Final = (401, 403, 404, 500)
_CODES: Final = {400: "00005", 401: "00006", 403: "00007", 404: "00003", 409: "00008"}


class PermissionsError(RejectedError):
    """The Permissions API rejects a request, in a shape of its own."""

    def __init__(
        self, status: int, message: str, fields: Sequence[str] = (), headers: RawHeaders = ()
    ) -> None:
        super().__init__(status, message, headers)
        error = {
            "category": "server_error" if status >= 500 else "user_error",
            "code": f"ACCOUNTS_{_CODES.get(status, '00001')}",
            "message": message,
        }
        details = {"details": {"fields": [*fields]}} if fields else {}
        self.document = {"error": {**error, **details}}


@attrs.frozen
class EmulatorRole:
    """A role that can be assigned.

    Attributes:
        id: Its ID.
        name: Its name.
        scope_type: Whether it applies to the account or to product environments.
        permission_type: Whether it is for a folder or a collection ("content"), or global.
        management_type: Whether it is one of the system or of the account's own.
        description: What it is for, or None.
        updated_at: When it was last changed, in seconds since 1970.
    """

    id: str
    name: str
    scope_type: ScopeType = "prodenv"
    permission_type: Literal["global", "content"] = "global"
    management_type: Literal["system", "custom"] = "system"
    description: str | None = None
    updated_at: int = _CREATED

    @property
    def fields(self) -> dict[str, object]:
        """What both shapes of a role have."""
        return {**attrs.asdict(self), "created_at": _CREATED}


@attrs.frozen
class EmulatorAssignment:
    """A role that a principal has, and where.

    Attributes:
        role_id: The role's ID.
        scope_id: The product environment, or "all"; None for a role in the account.
        policy_parameters: The `folder_id` or the `collection_id` of a role for content.
    """

    role_id: str
    scope_id: str | None = None
    policy_parameters: Mapping[str, str] = attrs.field(factory=dict[str, str])


SAMPLE_ROLES: Final = (
    EmulatorRole("cld::role::account::master_admin", "Master Admin", "account"),
    EmulatorRole("cld::role::account::reports_viewer", "Reports Viewer", "account"),
    EmulatorRole("cld::role::prodenv::master_admin", "Master Admin"),
    EmulatorRole("cld::role::prodenv::media_editor", "Media Editor"),
    EmulatorRole("cld::role::prodenv::reports_viewer", "Reports Viewer"),
    EmulatorRole("cld::role::folder::contributor", "Contributor", permission_type="content"),
    EmulatorRole(
        *("campaign_contributor_12334565", "Campaign Contributor"),
        permission_type="content",
        management_type="custom",
    ),
)
_Key = tuple[PrincipalType, str]
SAMPLE_ASSIGNMENTS: Final[Mapping[_Key, tuple[EmulatorAssignment, ...]]] = {
    ("group", "7f08f1f1fc910bf1f25274aef11d27"): (
        EmulatorAssignment("cld::role::prodenv::media_editor", "all"),
        EmulatorAssignment(
            "campaign_contributor_12334565", SAMPLE_ENVIRONMENT, {"folder_id": "fg38a9b0c1d2e3f4"}
        ),
    ),
    ("user", "0abed8dfcc039ea05e2a1d494fd442"): (
        EmulatorAssignment("cld::role::account::master_admin"),
    ),
}


class EmulatedRoles:
    """The roles of the account, and who has them, which tests read and change.

    Args:
        roles: The roles that can be assigned.
        assignments: Who has which, by type and ID.
        refused_with: See the attribute.

    Attributes:
        refused_with: The status code of every response of the Permissions API, for an account or
            a key that does not have it: 401, 403, 404 or 500; or None.
        page_size: How many principals a page holds.
    """

    def __init__(
        self,
        roles: Iterable[EmulatorRole] = SAMPLE_ROLES,
        assignments: Mapping[_Key, tuple[EmulatorAssignment, ...]] = SAMPLE_ASSIGNMENTS,
        refused_with: int | None = None,
    ) -> None:
        self._lock = threading.RLock()
        self.refused_with = refused_with
        self.page_size = 100
        self._roles = {role.id: role for role in roles}
        self._assignments = dict(assignments)

    def copy(self) -> EmulatedRoles:
        """Return the same roles and assignments, which change on their own."""
        with self._lock:
            return EmulatedRoles(self._roles.values(), self._assignments, self.refused_with)

    @property
    def all(self) -> tuple[EmulatorRole, ...]:
        """The roles that can be assigned."""
        return tuple(self._roles.values())

    def define(self, role: EmulatorRole) -> None:
        """Add a role, or replace the one of its ID."""
        with self._lock:
            self._roles[role.id] = role

    def of(
        self, principal_id: str, principal_type: PrincipalType = "group"
    ) -> tuple[EmulatorAssignment, ...]:
        """Return what is assigned to a group, or to another principal."""
        return self._assignments.get((principal_type, principal_id), ())

    def assign(
        self,
        principal_id: str,
        role_id: str,
        scope_id: str | None = None,
        *,
        principal_type: PrincipalType = "group",
        **policy_parameters: str,
    ) -> None:
        """Assign a role to a group, or to another principal, if it is not assigned.

        Args:
            principal_id: The principal's ID.
            role_id: The role's ID.
            scope_id: The product environment; "all" by default where the role is for one.
            principal_type: What the principal is.
            **policy_parameters: The `folder_id` or `collection_id` of a role for content.

        Raises:
            ValueError: There is no such role, or a parameter of it is missing.
        """
        with self._lock:
            added = self._assignment(role_id, scope_id, policy_parameters)
            assigned = self.of(principal_id, principal_type)
            if added not in assigned:
                self._assignments[principal_type, principal_id] = (*assigned, added)

    def remove(
        self,
        principal_id: str,
        role_id: str,
        scope_id: str | None = None,
        *,
        principal_type: PrincipalType = "group",
        **policy_parameters: str,
    ) -> None:
        """End the assignment of a role; see `assign`.

        Raises:
            ValueError: There is no such role, or it is not assigned.
        """
        with self._lock:
            ended = self._assignment(role_id, scope_id, policy_parameters)
            assigned = self.of(principal_id, principal_type)
            if ended not in assigned:
                raise PermissionsError(404, "role is not assigned")
            left = tuple(each for each in assigned if each != ended)
            self._assignments[principal_type, principal_id] = left

    def end(self, principal_id: str, principal_type: PrincipalType = "group") -> None:
        """End all assignments of a group, or of another principal, as when it is deleted."""
        with self._lock:
            self._assignments.pop((principal_type, principal_id), None)

    def _assignment(
        self, role_id: str, scope_id: str | None, policy_parameters: Mapping[str, str]
    ) -> EmulatorAssignment:
        role = self._roles.get(role_id)
        if role is None:
            raise PermissionsError(404, "role not found")
        if (role.permission_type == "content") is not bool(policy_parameters):
            message = "only a role for content has policy parameters"
            raise PermissionsError(400, message, ["policy_parameters"])
        where = None if role.scope_type == "account" else scope_id or "all"
        return EmulatorAssignment(role_id, where, policy_parameters)

    def shown(self, key: _Key, wanted: Mapping[str, str]) -> list[dict[str, object]]:
        """Return the roles of a principal as JSON, those whose fields are as wanted."""
        found: list[dict[str, object]] = []
        for each in self._assignments.get(key, ()):
            own = {"scope_id": each.scope_id, "policy_parameters": dict(each.policy_parameters)}
            given = {name: value for name, value in own.items() if value not in (None, {})}
            fields = {**self._roles[each.role_id].fields, **given}
            where = {**fields, **each.policy_parameters}
            if all(where.get(name) in (value, "all") for name, value in wanted.items()):
                found.append(fields)
        return found

    def principals(self) -> list[_Key]:
        """Return the principals that have roles."""
        return [key for key, assigned in self._assignments.items() if assigned]


class PermissionsApi(EmulatedAccount):
    """The operations on roles."""

    _initial_roles: EmulatedRoles

    def _restore(self) -> None:
        super()._restore()
        self.roles = self._initial_roles.copy()

    def remove_group(self, group: EmulatorGroup | str) -> None:
        super().remove_group(group)
        self.roles.end(group if isinstance(group, str) else group.id)

    def remove_user_account(self, user: EmulatorUser | str) -> None:
        super().remove_user_account(user)
        self.roles.end(user if isinstance(user, str) else user.id, "user")

    @handles("getRoles")
    def _list_roles(self, _: Operation) -> object:
        within: dict[str, object] = {"policy_parameters": ["folder_id", "collection_id"]}
        more = {"content": within, "global": {}}
        return {"data": [{**each.fields, **more[each.permission_type]} for each in self.roles.all]}

    @handles("getPrincipalRoles")
    def _list_roles_of_principal(self, call: Operation) -> object:
        query = _read_query(GetPrincipalRolesRequest, call.query)
        key = self._principal(query.principal_type, query.principal_id)
        return {"data": self.roles.shown(key, _wanted(query))}

    @handles("inspect")
    def _inspect(self, call: Operation) -> object:
        query = _read_query(InspectRequest, call.query)
        wanted = _wanted(query)
        kind, principal_id = query.principal_type, query.principal_id
        if kind is None and principal_id is None:
            keys = [key for key in self.roles.principals() if self.roles.shown(key, wanted)]
        elif kind is None or principal_id is None:
            raise PermissionsError(400, "missing fields", ["principal_type", "principal_id"])
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
        self, keys: Sequence[_Key], cursor: str | None, wanted: Mapping[str, str]
    ) -> dict[str, object]:
        """Return a page of principals: the cursor says how many came before it."""
        try:
            start = int(base64.b64decode(cursor or "MA==", validate=True))
        except ValueError:
            raise PermissionsError(400, "invalid fields", ["cursor"]) from None
        end = start + self.roles.page_size
        shown = [
            {"type": key[0], "id": key[1], "roles": self.roles.shown(key, wanted)}
            for key in keys[start:end]
        ]
        following = base64.b64encode(b"%d" % end).decode() if end < len(keys) else None
        return {"data": {"principals": shown}, "next_cursor": following}

    def _principal(self, kind: PrincipalType, principal_id: str) -> _Key:
        """Return a principal that exists; keys are not emulated: any ID of one is accepted."""
        known: Mapping[str, Container[str]] = {"group": self._groups, "user": self._users}
        if not principal_id or principal_id not in known.get(kind, [principal_id]):
            raise PermissionsError(404, f"{kind} not found")
        return kind, principal_id


def _wanted(query: attrs.AttrsInstance) -> dict[str, str]:
    """Return the fields of a query by which roles are chosen."""
    names = ("scope_type", "scope_id", "permission_type", "management_type")
    found = {name: getattr(query, name, None) for name in (*names, "folder_id", "collection_id")}
    return {name: value for name, value in found.items() if value}


def _read_query(expected: type[T], query: Query) -> T:
    return _read(expected, msgspec.json.encode({name: text for name, text in query.pairs if text}))


def _read(expected: type[T], content: bytes) -> T:
    """Return a request as its generated model, or reject it (400); null is no value."""
    try:
        fields = decode(content, dict[str, Any])
        if nulls := [name for name, value in fields.items() if value is None]:
            raise PermissionsError(400, "invalid fields", nulls)
        return decode(content, expected)
    except msgspec.DecodeError as error:
        problem = "missing fields" if "missing required" in str(error) else "invalid fields"
        names = re.findall(r"`(?:\$\.)?([a-z_]+)", str(error))
        raise PermissionsError(400, problem, names) from None
