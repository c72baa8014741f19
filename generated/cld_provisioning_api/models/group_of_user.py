from __future__ import annotations

from attrs import define

from ..types import Model


@define(weakref_slot=False)
class GroupOfUser(Model):
    """A user group that a user is in."""

    id: str
    """The group's ID."""
    name: str
    """The group's name."""
