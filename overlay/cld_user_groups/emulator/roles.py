"""The roles of the emulated account, and who has them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal

import attrs

from cld_provisioning_api.models import PrincipalType, ScopeType

from .messages import RejectedError

SAMPLE_ENVIRONMENT: Final = "0aaaaa1bbbbb2ccccc3ddddd4eeeee5f"

_CREATED: Final = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
#: The status codes with which an account or a key without the Permissions API is refused.
REFUSALS: Final = (401, 403, 404, 500)


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
                raise RejectedError(404, "role is not assigned")
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
            raise RejectedError(404, "role not found")
        if (role.permission_type == "content") is not bool(policy_parameters):
            message = "only a role for content has policy parameters"
            raise RejectedError(400, message, ["policy_parameters"])
        where = None if role.scope_type == "account" else scope_id or "all"
        return EmulatorAssignment(role_id, where, policy_parameters)

    def shown(self, key: _Key, wanted: Mapping[str, str]) -> list[dict[str, object]]:
        """Return the roles of a principal as JSON, those whose fields are as wanted."""
        found: list[dict[str, object]] = []
        for each in self._assignments.get(key, ()):
            fields = self._roles[each.role_id].fields
            if each.scope_id is not None:
                fields["scope_id"] = each.scope_id
            if each.policy_parameters:
                fields["policy_parameters"] = dict(each.policy_parameters)
            where = {**fields, **each.policy_parameters}
            if all(where.get(name) in (value, "all") for name, value in wanted.items()):
                found.append(fields)
        return found

    def principals(self) -> list[_Key]:
        """Return the principals that have roles."""
        return [key for key, assigned in self._assignments.items() if assigned]
