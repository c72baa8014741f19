# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from attrs import define

from ..models.update_principal_roles_request_operation import (
    UpdatePrincipalRolesRequestOperation,
)
from ..types import Model


@define(kw_only=True, weakref_slot=False)
class UpdatePrincipalRolesRequest(Model):
    """A change of the roles of a principal."""

    operation: UpdatePrincipalRolesRequestOperation
    """Whether to assign the roles or to end their assignment."""
    principal: Principal
    """A user, a group or a key."""
    roles: list[RoleAssignment]
    """The roles."""


class UpdatePrincipalRolesRequestTypedDict(TypedDict):
    """UpdatePrincipalRolesRequest as a dict."""

    operation: UpdatePrincipalRolesRequestOperation
    principal: Principal | PrincipalTypedDict
    roles: Sequence[RoleAssignment | RoleAssignmentTypedDict]


from ..models.principal import (
    Principal,  # noqa: E402
    PrincipalTypedDict,  # noqa: E402
)
from ..models.role_assignment import (
    RoleAssignment,  # noqa: E402
    RoleAssignmentTypedDict,  # noqa: E402
)
