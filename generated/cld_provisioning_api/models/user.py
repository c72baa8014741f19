# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

from __future__ import annotations

import datetime

from attrs import define

from ..types import Model


@define(kw_only=True, weakref_slot=False)
class User(Model):
    """A user of the account. The published document marks no field as required; a user without
    an ID cannot be addressed, so here the ID is."""

    id: str
    """The user's ID."""
    name: str | None = None
    """The user's full name."""
    first_name: str | None = None
    """The user's first name."""
    last_name: str | None = None
    """The user's last name."""
    role: str | None = None
    """The user's role in the account."""
    email: str | None = None
    """The user's e-mail address."""
    pending: bool | None = None
    """Whether the user was invited and has not joined yet."""
    enabled: bool | None = None
    """Whether the user may log in."""
    created_at: datetime.datetime | None = None
    """When the user was created."""
    updated_at: datetime.datetime | None = None
    """When the user was last changed."""
    last_login: datetime.datetime | None = None
    """When the user last logged in."""
    all_sub_accounts: bool | None = None
    """Whether the user has access to every product environment."""
    providers: list[str] | None = None
    """The identity providers that the user logs in with."""
    email_preferences: UserEmailPreferences | None = None
    """What the user wants to be told by e-mail."""
    account_id: str | None = None
    """The ID of the account."""
    two_factor: bool | None = None
    """Whether the user logs in with a second factor."""
    status: str | None = None
    """The user's status."""
    root: bool | None = None
    """Whether the user is the root user of the account."""
    technical_role: str | None = None
    """The user's technical role."""
    group_count: int | None = None
    """How many user groups the user is in."""
    sub_account_count: int | None = None
    """How many product environments the user has access to."""
    groups: list[GroupOfUser] | None = None
    """The user groups that the user is in. Published until version 0.1.6, and seen by one client
    since."""
    sub_account_ids: list[str] | None = None
    """The IDs of the product environments that the user can enter. Published until version
    0.1.6."""


from ..models.group_of_user import GroupOfUser  # noqa: E402
from ..models.user_email_preferences import UserEmailPreferences  # noqa: E402
