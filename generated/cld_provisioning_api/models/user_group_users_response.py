from __future__ import annotations

from attrs import define

from ..types import Model


@define(weakref_slot=False)
class UserGroupUsersResponse(Model):
    """The users in a user group."""

    users: list[UserGroupUser] | None = None
    """The users."""


from ..models.user_group_user import UserGroupUser  # noqa: E402
