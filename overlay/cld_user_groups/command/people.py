"""The users of the account, all of them: who they are, and whether they can log in."""

from __future__ import annotations

from attrs import frozen

from cld_provisioning_api.api.users.get_users import GetUsersRequest
from cld_provisioning_api.models import User
from cld_user_groups import CldProvisioning
from cld_user_groups._engine.resource import send_each
from cld_user_groups._find_users import read_pages


@frozen(kw_only=True)
class Everyone:
    """The users of an account.

    Attributes:
        users: The users.
        complete: Whether the server showed that these are all: its pages came to an end, rather
            than repeat themselves.
    """

    users: tuple[User, ...]
    complete: bool


def read_everyone(client: CldProvisioning) -> Everyone:
    """Read all users of an account, at one request for each 100 users and one more.

    Args:
        client: The client of the account.

    Raises:
        CloudinaryError, httpx.TransportError: They cannot be read.
    """
    seen: dict[str, User] = {}
    complete = send_each(
        read_pages(seen, GetUsersRequest), lambda query: client.users.list(request=query)
    )
    return Everyone(users=tuple(seen.values()), complete=complete)


def state_of(user: User) -> str | None:
    """Return "pending", "disabled" or "active"; None where the API does not tell."""
    if user.pending:
        return "pending"
    if user.enabled is None:
        return None
    return "active" if user.enabled else "disabled"
