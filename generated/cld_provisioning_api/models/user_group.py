from __future__ import annotations

import datetime

from attrs import define

from ..types import Model


@define(weakref_slot=False)
class UserGroup(Model):
    """A user group. Users and dates are there only where extended details were asked for."""

    id: str | None = None
    """The group's ID."""
    name: str | None = None
    """The group's name."""
    users: list[UserGroupUser] | None = None
    """The users in the group. Only with extended details."""
    created_at: datetime.datetime | None = None
    """When the group was created. Only with extended details."""
    updated_at: datetime.datetime | None = None
    """When the group was last changed. Only with extended details."""


from ..models.user_group_user import UserGroupUser  # noqa: E402
