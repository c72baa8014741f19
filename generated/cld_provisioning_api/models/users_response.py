from __future__ import annotations

from attrs import define

from ..types import Model


@define(weakref_slot=False)
class UsersResponse(Model):
    """Users of an account."""

    users: list[User]
    """The users."""


from ..models.user import User  # noqa: E402
