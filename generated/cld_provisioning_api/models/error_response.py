from __future__ import annotations

from attrs import define

from ..types import Model


@define(weakref_slot=False)
class ErrorResponse(Model):
    """The body of every documented error."""

    error: ErrorDetail | None = None
    """What went wrong."""


from ..models.error_detail import ErrorDetail  # noqa: E402
