# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class InspectResponse(Model):
    """A page of principals with their roles."""

    data: InspectedPrincipals
    """Principals with their roles."""
    next_cursor: str | None = None
    """The cursor of the next page; absent, null or empty on the last one."""


from ..models.inspected_principals import InspectedPrincipals  # noqa: E402
