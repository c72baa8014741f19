# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class PrincipalRolesResponse(Model):
    """The roles of a principal."""

    data: list[PrincipalRole]
    """The roles."""


from ..models.principal_role import PrincipalRole  # noqa: E402
