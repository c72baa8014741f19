"""Who the users of an account are: role, state, last login; and how that is read.

Sans-IO: a generator decides which page or which users to list, and is sent the response.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping

from attrs import evolve, frozen

from cld_provisioning_api.api.users.get_users import GetUsersRequest
from cld_provisioning_api.models import User, UsersResponse
from cld_user_groups._find_users import MAX_ITEMS, read_pages, send_each
from cld_user_groups.client import CldProvisioning
from cld_user_groups.membership.model import Member, Snapshot
from cld_user_groups.membership.roles import roles_apart
from cld_user_groups.membership.snapshot import login_state, read_account

from .model import Person


@frozen(kw_only=True)
class People:
    """The users of an account, as they were read.

    Attributes:
        found: The users.
        complete: Whether there is no sign that the API has left users out.
    """

    found: tuple[Person, ...] = ()
    complete: bool = True


def read_people(client: CldProvisioning, snapshot: Snapshot) -> People:
    """Read all users of an account, and whoever is in a group.

    No page size and no end of the pages is published. So pages are read until one brings nobody
    new, and whoever is in a group but on no page is looked up by ID.

    Args:
        client: The client of the account.
        snapshot: The account's groups.

    Raises:
        CloudinaryError, httpx.TransportError: They cannot be read.
    """
    members = {member.id: member for group in snapshot.groups for member in group.members}
    return send_each(_read(members), lambda query: client.users.list(request=query))


def read_reviewed(
    client: CldProvisioning, whose: Callable[[Snapshot, People], Collection[str]] | None
) -> tuple[Snapshot, People]:
    """Read an account and its people, and the roles of groups and of whose IDs `whose` returns."""
    snapshot = read_account(client)
    people = read_people(client, snapshot)
    if whose is not None:
        asked = whose(snapshot, people)
        snapshot = evolve(snapshot, roles=roles_apart(client, snapshot.groups, asked))
    return snapshot, people


def _read(members: Mapping[str, Member]) -> Generator[GetUsersRequest, UsersResponse, People]:
    found: dict[str, User] = {}
    complete = yield from read_pages(found, GetUsersRequest)
    lacking = [user_id for user_id in members if user_id not in found]
    for start in range(0, len(lacking), MAX_ITEMS):
        asked = lacking[start : start + MAX_ITEMS]
        found |= {user.id: user for user in (yield GetUsersRequest(ids=asked)).users}
    unknown = [person_of(member) for user_id, member in members.items() if user_id not in found]
    people = [*map(_of_user, found.values()), *unknown]
    return People(found=tuple(people), complete=complete and not lacking)


def person_of(member: Member) -> Person:
    """Return what a group says of a person."""
    return Person(id=member.id, email=member.email, name=member.name)


def _of_user(user: User) -> Person:
    return Person(
        id=user.id,
        email=user.email,
        name=user.name,
        role=user.role,
        state=login_state(user),
        last_login=user.last_login,
    )
