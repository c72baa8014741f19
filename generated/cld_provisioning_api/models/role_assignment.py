# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from typing import NotRequired, TypedDict

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class RoleAssignment(Model):
    """A role, and what it applies to."""

    id: str
    """The role's ID."""
    scope_id: str | None = None
    """The ID of the product environment, or `all`."""
    policy_parameters: PolicyParameters | None = None
    """What a role for content is restricted to - `folder_id` or `collection_id`."""


class RoleAssignmentTypedDict(TypedDict):
    """RoleAssignment as a dict."""

    id: str
    scope_id: NotRequired[str | None]
    policy_parameters: NotRequired[PolicyParameters | None]


from ..models.policy_parameters import PolicyParameters  # noqa: E402
