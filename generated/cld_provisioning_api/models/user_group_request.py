from __future__ import annotations

from typing import NotRequired, TypedDict

from attrs import define

from ..types import Model


@define(weakref_slot=False)
class UserGroupRequest(Model):
    """What a group is created with or changed to. The published description marks no field as
    required; a group without a name makes no sense, so here the name is."""

    name: str
    """The group's name. Not blank, and not the name of another group."""
    extended_details: bool | None = None
    """Whether to answer a group's users and dates (true) or only its ID and name (false, the
    default)."""


class UserGroupRequestTypedDict(TypedDict):
    """UserGroupRequest as a dict."""

    name: str
    extended_details: NotRequired[bool | None]
