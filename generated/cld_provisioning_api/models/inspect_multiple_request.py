# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from attrs import define

from ..models.scope_type import ScopeType
from ..types import Model


@define(kw_only=True, weakref_slot=False)
class InspectMultipleRequest(Model):
    """The principals whose roles to return."""

    scope_type: ScopeType
    """Whether a role applies to the account or to product environments (prodenv)."""
    principals: list[Principal]
    """The principals. No maximum is published."""
    scope_id: str | None = None
    """The ID of the product environment that the roles apply to."""
    policy_parameters: PolicyParameters | None = None
    """What a role for content is restricted to - `folder_id` or `collection_id`."""
    cursor: str | None = None
    """The `next_cursor` of the page before, for the page after it."""


class InspectMultipleRequestTypedDict(TypedDict):
    """InspectMultipleRequest as a dict."""

    scope_type: ScopeType
    principals: Sequence[Principal | PrincipalTypedDict]
    scope_id: NotRequired[str | None]
    policy_parameters: NotRequired[PolicyParameters | None]
    cursor: NotRequired[str | None]


from ..models.policy_parameters import PolicyParameters  # noqa: E402
from ..models.principal import (
    Principal,  # noqa: E402
    PrincipalTypedDict,  # noqa: E402
)
