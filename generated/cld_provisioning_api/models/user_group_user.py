# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class UserGroupUser(Model):
    """A user in a user group."""

    id: str
    """The user's ID."""
    name: str | None = None
    """The user's name."""
    email: str | None = None
    """The user's e-mail address."""
