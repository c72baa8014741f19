# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class PrincipalRoles(Model):
    """A principal with its roles."""

    type: str
    """What a principal is."""
    id: str
    """The principal's ID."""
    roles: list[PrincipalRole]
    """The roles that are assigned to it."""


from ..models.principal_role import PrincipalRole  # noqa: E402
