# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class SubAccountSummary(Model):
    """A product environment. The published document marks no field as required; one without an
    ID cannot be named, so here the ID is."""

    id: str
    """The product environment's ID."""
    name: str | None = None
    """Its name."""
    description: str | None = None
    """Its description."""
    cloud_name: str | None = None
    """Its cloud name."""
    enabled: bool | None = None
    """Whether it is enabled."""
