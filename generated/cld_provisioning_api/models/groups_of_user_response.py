# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class GroupsOfUserResponse(Model):
    """The user groups that a user is in."""

    groups: list[GroupOfUser]
    """The groups."""


from ..models.group_of_user import GroupOfUser  # noqa: E402
