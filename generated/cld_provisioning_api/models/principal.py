# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from typing import TypedDict

from attrs import define

from ..models.principal_type import PrincipalType
from ..types import Model


@define(kw_only=True, weakref_slot=False)
class Principal(Model):
    """A user, a group or a key."""

    type: PrincipalType
    """What a principal is."""
    id: str
    """The principal's ID."""


class PrincipalTypedDict(TypedDict):
    """Principal as a dict."""

    type: PrincipalType
    id: str
