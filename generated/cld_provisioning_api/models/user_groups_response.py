# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class UserGroupsResponse(Model):
    """The user groups of an account."""

    user_groups: list[UserGroup]
    """The groups."""


from ..models.user_group import UserGroup  # noqa: E402
