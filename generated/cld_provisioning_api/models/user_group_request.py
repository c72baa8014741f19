# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from typing import NotRequired, TypedDict

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class UserGroupRequest(Model):
    """The fields of a group to create or change. A group without a name makes no sense, so the
    name is required."""

    name: str
    """The group's name. Not blank, and not the name of another group."""
    extended_details: bool | None = None
    """Whether to return a group's users and dates (true) or only its ID and name (false, the
    default)."""


class UserGroupRequestTypedDict(TypedDict):
    """UserGroupRequest as a dict."""

    name: str
    extended_details: NotRequired[bool | None]
