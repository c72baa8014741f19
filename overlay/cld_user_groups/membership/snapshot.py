"""Read an account into a snapshot, with the fewest requests: one, and one per 100 unknown people.

Where a rule of the file is about roles, they are read too.

A generator decides what to read; the sync and the async function each drive it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, TypeAlias

import attrs

from cld_provisioning_api.models import (
    Principal,
    User,
    UserGroupsResponse,
    UserGroupUser,
    UserGroupUsersResponse,
    UsersResponse,
)
from cld_user_groups import RawResponse
from cld_user_groups._engine.retry import parse_http_date
from cld_user_groups._find_users import MAX_ITEMS, FoundUsers, send_each, send_each_async
from cld_user_groups.client import AsyncCldProvisioning, CldProvisioning

from . import pace
from .directory import unknown_people
from .model import Desired, Group, Member, Snapshot
from .problems import AccountError, Problem, quoted
from .roles import each_read

#: IDs that are in no group are looked up if that takes at most two requests. Otherwise they are
#: accepted as they are: the API rejects adding a user who does not exist.
MAX_IDS = 2 * MAX_ITEMS

_Client: TypeAlias = CldProvisioning | AsyncCldProvisioning
_Listed: TypeAlias = UserGroupUser | User


class State(StrEnum):
    """Whether a user can log in. `PENDING` was invited and has not joined yet."""

    ACTIVE = "active"
    PENDING = "pending"
    DISABLED = "disabled"
    UNKNOWN = "unknown"


def login_state(user: User) -> State:
    """Return whether a user can log in, as far as the API says."""
    if user.pending:
        return State.PENDING
    if user.enabled is None:
        return State.UNKNOWN
    return State.ACTIVE if user.enabled else State.DISABLED


def read_account(
    client: CldProvisioning,
    desired: Desired | None = None,
    today: date | None = None,
    *,
    keep_quota: int = 0,
) -> Snapshot:
    """Read all groups of an account with their members, and the people whom a file names.

    Args:
        client: The client of the account.
        desired: The file whose people are looked up where no group knows them, and whose rules may
            need the roles of groups and users. Default: none.
        today: The day for which memberships are wanted: nobody whose membership has ended is
            looked up. Default: today, in UTC.
        keep_quota: How many requests of the quota are left to others by reading the roles that the
            rules of the file need.

    Raises:
        AccountError: The response contradicts itself: two groups of one ID, or no ID.
        CloudinaryError: The response is an error.
        httpx.TransportError: No response was received.
    """
    return send_each(_read(client, desired, today, keep_quota), lambda response: response)


async def read_account_async(
    client: AsyncCldProvisioning,
    desired: Desired | None = None,
    today: date | None = None,
    *,
    keep_quota: int = 0,
) -> Snapshot:
    """Read an account as `read_account` does."""
    return await send_each_async(_read(client, desired, today, keep_quota), lambda call: call)


def _read(
    client: _Client, desired: Desired | None, today: date | None, keep_quota: int
) -> Generator[Any, Any, Snapshot]:
    """Yield each call, as the client makes it, and expect its response."""
    taken_at = datetime.now(UTC)
    calls = client.user_groups.with_raw_response
    account_id = client.user_groups.account_id
    response: RawResponse[UserGroupsResponse] = yield calls.list(extended_details=True)
    requests_left = response.rate_limit.remaining
    known: dict[str, Member] = {}
    groups: list[Group] = []
    for listed in response.parsed.user_groups or ():
        group_id = listed.id or ""
        users: Iterable[_Listed] | None = listed.users
        if users is None:  # the response does not say; nobody would be an empty list
            of_group: RawResponse[UserGroupUsersResponse]
            of_group = yield calls.list_users(group_id=group_id)
            users, requests_left = of_group.parsed.users or (), of_group.rate_limit.remaining
        groups.append(Group(id=group_id, name=listed.name or "", members=_members(users, known)))
    _check(account_id, groups)
    snapshot = Snapshot(
        account_id=account_id,
        groups=tuple(groups),
        requests_left=requests_left,
        quota_reset_at=response.rate_limit.reset,
        server_time=parse_http_date(response.headers.get("date") or ""),
        taken_at=taken_at,
    )
    if desired is None:
        return snapshot
    snapshot = yield from _look_up(client, snapshot, desired, today or taken_at.date())
    return (yield from _with_roles(client, snapshot, desired, keep_quota))


def _with_roles(
    client: _Client, snapshot: Snapshot, desired: Desired, keep_quota: int
) -> Generator[Any, Any, Snapshot]:
    """Read the roles that the rules of a file need; each request is sent once.

    Where they come slowly, the groups are read again: nothing is planned from an old account.
    """
    from .rules import role_principals  # what only looks at an account has none

    began = datetime.now(UTC)
    principals = [
        Principal(type=kind, id=each) for kind, each in role_principals(snapshot, desired)
    ]
    if not principals:
        return snapshot
    once, left = client.with_options(retries=None, limiter=None), snapshot.requests_left
    roles = yield from each_read(once, principals, None if left is None else left - keep_quota)
    left = None if left is None else max(0, left - roles.requests)
    if (datetime.now(UTC) - began).total_seconds() >= pace.LONG_PAUSE:
        fresh = yield from _read(client, None, None, keep_quota)
        people, missing, left = snapshot.people, snapshot.missing_ids, fresh.requests_left
        snapshot = attrs.evolve(fresh, people=people, missing_ids=missing)
    return attrs.evolve(snapshot, roles=roles, requests_left=left)


def _look_up(
    client: _Client, snapshot: Snapshot, desired: Desired, today: date
) -> Generator[Any, Any, Snapshot]:
    unknown = unknown_people(snapshot, desired, today)
    people: dict[str, Member] = {}
    missing: list[str] = []
    requests_left = snapshot.requests_left
    ids = unknown.ids
    if unknown.emails:
        of_emails: FoundUsers = yield client.users.find(emails=unknown.emails)
        _members((user for users in of_emails.by_email.values() for user in users), people)
        if requests_left is not None:
            requests_left = max(0, requests_left - -(-len(unknown.emails) // MAX_ITEMS))
        if ids:  # without those whose e-mail was found
            with_people = attrs.evolve(snapshot, people=tuple(people.values()))
            ids = unknown_people(with_people, desired, today).ids
    if len(ids) <= MAX_IDS:
        for start in range(0, len(ids), MAX_ITEMS):
            asked = ids[start : start + MAX_ITEMS]
            response: RawResponse[UsersResponse]
            response = yield client.users.with_raw_response.list(ids=list(asked))
            requests_left = response.rate_limit.remaining
            users = response.parsed.users or ()
            found = {user.id for user in users}
            _members(users, people)
            # Other users than those asked for: the filter was ignored, and there may be more.
            if found <= set(asked):
                missing += [user_id for user_id in asked if user_id not in found]
    return attrs.evolve(
        snapshot,
        people=tuple(people.values()),
        missing_ids=tuple(missing),
        requests_left=requests_left,
    )


def _members(users: Iterable[_Listed], known: dict[str, Member]) -> tuple[Member, ...]:
    """Return users as members, each once. Who is in many groups is one object in all of them."""
    found: dict[str, Member] = {}
    for user in users:
        user_id = user.id or ""
        member = known.get(user_id)
        if member is None or (member.email, member.name) != (user.email, user.name):
            member = Member(id=user_id, email=user.email, name=user.name)
            known.setdefault(user_id, member)
        found.setdefault(user_id, member)
    return tuple(found.values())


def _check(account_id: str, groups: Iterable[Group]) -> None:
    said: list[str] = []
    seen: dict[str, Group] = {}
    for group in groups:
        if not group.id.strip():
            said.append(f"the group {quoted(group.name)} has no ID in the response")
        elif seen.setdefault(group.id, group) is not group:
            said.append(f"two groups in the response have the ID {quoted(group.id)}")
        nameless = sum(not member.id.strip() for member in group.members)
        said += [f"a user in {quoted(group.name)} has no ID in the response"] * nameless
    if said:
        raise AccountError(Problem(account_id, None, each) for each in said)
