# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from typing import Any

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class ErrorDetail(Model):
    """What went wrong."""

    message: str | None = None
    """A sentence for a person."""
    category: str | None = None
    """Whose error it is, such as `user_error`. Only the Permissions API."""
    code: str | None = None
    """What went wrong, such as `ACCOUNTS_00005`. Only the Permissions API."""
    details: Any | None = None
    """What else is known, such as `{"fields":["principal_type"]}`. Only the Permissions API."""
