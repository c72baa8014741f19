from __future__ import annotations

from attrs import define

from ..types import Model


@define(weakref_slot=False)
class UserGroupUser(Model):
    """A user in a user group."""

    id: str | None = None
    """The user's ID."""
    name: str | None = None
    """The user's name."""
    email: str | None = None
    """The user's e-mail address."""
