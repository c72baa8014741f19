from __future__ import annotations

from attrs import define

from ..types import Model


@define(weakref_slot=False)
class UserGroupsResponse(Model):
    """The user groups of an account."""

    user_groups: list[UserGroup] | None = None
    """The groups."""


from ..models.user_group import UserGroup  # noqa: E402
