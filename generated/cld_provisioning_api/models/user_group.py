# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

import datetime

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class UserGroup(Model):
    """A user group. Users and dates are present only with extended details."""

    id: str
    """The group's ID."""
    name: str
    """The group's name."""
    users: list[UserGroupUser] | None = None
    """The users in the group. Only with extended details: where they are absent (None), the
    response does not say who is in the group. That never means that nobody is."""
    created_at: datetime.datetime | None = None
    """When the group was created. Only with extended details."""
    updated_at: datetime.datetime | None = None
    """When the group was last changed. Only with extended details."""


from ..models.user_group_user import UserGroupUser  # noqa: E402
