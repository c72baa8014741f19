from __future__ import annotations

from attrs import define

from ..types import Model


@define(weakref_slot=False)
class Acknowledgement(Model):
    """What deleting a user group was seen to answer."""

    ok: bool | None = None
    """Whether it was done. Only true was ever seen."""
