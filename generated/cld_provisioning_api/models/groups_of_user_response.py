from __future__ import annotations

from attrs import define

from ..types import Model


@define(weakref_slot=False)
class GroupsOfUserResponse(Model):
    """The user groups that a user is in."""

    groups: list[GroupOfUser]
    """The groups."""


from ..models.group_of_user import GroupOfUser  # noqa: E402
