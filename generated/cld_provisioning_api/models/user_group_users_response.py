# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class UserGroupUsersResponse(Model):
    """The users in a user group."""

    users: list[UserGroupUser]
    """The users."""


from ..models.user_group_user import UserGroupUser  # noqa: E402
