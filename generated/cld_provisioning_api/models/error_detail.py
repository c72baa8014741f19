from __future__ import annotations

from attrs import define

from ..types import Model


@define(weakref_slot=False)
class ErrorDetail(Model):
    """What went wrong."""

    message: str | None = None
    """A sentence for a person."""
