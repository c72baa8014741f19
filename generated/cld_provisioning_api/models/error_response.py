# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class ErrorResponse(Model):
    """The body of every documented error."""

    error: ErrorDetail | None = None
    """What went wrong."""


from ..models.error_detail import ErrorDetail  # noqa: E402
