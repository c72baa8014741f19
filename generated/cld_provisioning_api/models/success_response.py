from __future__ import annotations

from attrs import define

from ..types import Model


@define(weakref_slot=False)
class SuccessResponse(Model):
    """What an operation with nothing else to say is published to answer."""

    message: str | None = None
    """The word "ok"."""
