# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class UserSubAccountsResponse(Model):
    """The product environments that a user can enter."""

    sub_accounts: list[SubAccountSummary]
    """The product environments."""


from ..models.sub_account_summary import SubAccountSummary  # noqa: E402
