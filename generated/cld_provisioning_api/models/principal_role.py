# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class PrincipalRole(Model):
    """A role that is assigned to a principal."""

    id: str
    """The role's ID, such as `cld::role::prodenv::master_admin`, or `upload_manager_12334565` of
    a custom role."""
    name: str
    """The role's name."""
    management_type: str
    """Whether a role is one of the system or one of the account's own (custom)."""
    permission_type: str
    """Whether a role is global or for folders and collections (content)."""
    scope_type: str
    """Whether a role applies to the account or to product environments (prodenv)."""
    created_at: int
    """When the role was created, in seconds since 1970."""
    updated_at: int
    """When the role was last changed, in seconds since 1970."""
    description: str | None = None
    """What the role is for."""
    scope_id: str | None = None
    """The ID of the product environment that the assignment applies to, or `all`. Only where the
    scope is prodenv."""
    policy_parameters: PolicyParameters | None = None
    """What a role for content is restricted to - `folder_id` or `collection_id`."""


from ..models.policy_parameters import PolicyParameters  # noqa: E402
