"""Read an account into a snapshot, with the fewest requests: one, and one per 100 unknown people.

Sans-IO: a generator decides what to read and is sent the responses; the sync and the async
function each drive it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple, TypeAlias

import attrs

from cld_provisioning_api.models import (
    User,
    UserGroup,
    UserGroupsResponse,
    UserGroupUser,
    UserGroupUsersResponse,
    UsersResponse,
)
from cld_user_groups import RawResponse
from cld_user_groups._engine.retry import parse_http_date
from cld_user_groups._find_users import FoundUsers
from cld_user_groups.client import AsyncCldProvisioning, CldProvisioning

from .identity import unknown_people
from .model import Desired, Group, Member, Snapshot
from .problems import AccountError, Problem, quoted

#: IDs that are in no group are looked up if that takes at most two requests. Otherwise they are
#: accepted as they are: the API rejects adding a user who does not exist.
MAX_IDS = 200
_IDS_A_REQUEST = 100


def read_account(
    client: CldProvisioning, desired: Desired | None = None, today: date | None = None
) -> Snapshot:
    """Read all groups of an account with their members, and the people whom a file names.

    Args:
        client: The client of the account.
        desired: The file whose people are looked up where no group knows them. Default: none.
        today: The day for which memberships are wanted: nobody whose membership has ended is
            looked up. Default: today, in UTC.

    Raises:
        AccountError: The response contradicts itself: two groups of one ID, or no ID.
        CloudinaryError: The response is an error.
        httpx.TransportError: No response was received.
    """
    steps = _read(client.user_groups.account_id, desired, today)
    try:
        step = next(steps)
        while True:
            step = steps.send(_fetch(client, step))
    except StopIteration as done:
        snapshot: Snapshot = done.value
        return snapshot


async def read_account_async(
    client: AsyncCldProvisioning, desired: Desired | None = None, today: date | None = None
) -> Snapshot:
    """Read an account as `read_account` does."""
    steps = _read(client.user_groups.account_id, desired, today)
    try:
        step = next(steps)
        while True:
            step = steps.send(await _fetch_async(client, step))
    except StopIteration as done:
        snapshot: Snapshot = done.value
        return snapshot


class _ListGroups(NamedTuple):
    """All groups, with their members."""


class _ListMembers(NamedTuple):
    """The members of one group."""

    group_id: str


class _FindEmails(NamedTuple):
    """Users by e-mail, however many requests that takes."""

    emails: tuple[str, ...]


class _ListIds(NamedTuple):
    """Users by ID, at most 100."""

    ids: tuple[str, ...]


_Listed: TypeAlias = UserGroupUser | User
_Step: TypeAlias = _ListGroups | _ListMembers | _FindEmails | _ListIds


class _Fetched(NamedTuple):
    """The responses."""

    groups: Sequence[UserGroup] = ()
    users: Sequence[_Listed] = ()
    requests_left: int | None = None
    quota_reset_at: datetime | None = None
    server_time: datetime | None = None


def _fetch(client: CldProvisioning, step: _Step) -> _Fetched:
    groups, users = client.user_groups.with_raw_response, client.users
    match step:
        case _ListGroups():
            return _groups(groups.list(extended_details=True))
        case _ListMembers():
            return _users(groups.list_users(group_id=step.group_id))
        case _FindEmails():
            return _found(users.find(emails=step.emails))
        case _ListIds():
            return _users(users.with_raw_response.list(ids=list(step.ids)))


async def _fetch_async(client: AsyncCldProvisioning, step: _Step) -> _Fetched:
    groups, users = client.user_groups.with_raw_response, client.users
    match step:
        case _ListGroups():
            return _groups(await groups.list(extended_details=True))
        case _ListMembers():
            return _users(await groups.list_users(group_id=step.group_id))
        case _FindEmails():
            return _found(await users.find(emails=step.emails))
        case _ListIds():
            return _users(await users.with_raw_response.list(ids=list(step.ids)))


def _groups(listed: RawResponse[UserGroupsResponse]) -> _Fetched:
    return _Fetched(
        groups=listed.parsed.user_groups or (),
        requests_left=listed.rate_limit.remaining,
        quota_reset_at=listed.rate_limit.reset,
        server_time=parse_http_date(listed.headers.get("date") or ""),
    )


def _users(listed: RawResponse[UserGroupUsersResponse] | RawResponse[UsersResponse]) -> _Fetched:
    return _Fetched(users=listed.parsed.users or (), requests_left=listed.rate_limit.remaining)


def _found(found: FoundUsers) -> _Fetched:
    return _Fetched(users=[user for users in found.by_email.values() for user in users])


def _read(
    account_id: str, desired: Desired | None, today: date | None
) -> Generator[_Step, _Fetched, Snapshot]:
    taken_at = datetime.now(UTC)
    fetched = yield _ListGroups()
    requests_left = fetched.requests_left
    known: dict[str, Member] = {}
    groups: list[Group] = []
    for listed in fetched.groups:
        group_id = listed.id or ""
        users: Iterable[_Listed] | None = listed.users
        if users is None:  # the response does not say; nobody would be an empty list
            of_group = yield _ListMembers(group_id)
            users, requests_left = of_group.users, of_group.requests_left
        groups.append(Group(id=group_id, name=listed.name or "", members=_members(users, known)))
    _check(account_id, groups)
    snapshot = Snapshot(
        account_id=account_id,
        groups=tuple(groups),
        requests_left=requests_left,
        quota_reset_at=fetched.quota_reset_at,
        server_time=fetched.server_time,
        taken_at=taken_at,
    )
    if desired is None:
        return snapshot
    return (yield from _look_up(snapshot, desired, today or taken_at.date()))


def _look_up(
    snapshot: Snapshot, desired: Desired, today: date
) -> Generator[_Step, _Fetched, Snapshot]:
    unknown = unknown_people(snapshot, desired, today)
    people: dict[str, Member] = {}
    missing: list[str] = []
    requests_left = snapshot.requests_left
    ids = unknown.ids
    if unknown.emails:
        fetched = yield _FindEmails(unknown.emails)
        _members(fetched.users, people)
        if requests_left is not None:
            requests_left = max(0, requests_left - -(-len(unknown.emails) // 100))
        if ids:  # without those whose e-mail was found
            with_people = attrs.evolve(snapshot, people=tuple(people.values()))
            ids = unknown_people(with_people, desired, today).ids
    if len(ids) <= MAX_IDS:
        for start in range(0, len(ids), _IDS_A_REQUEST):
            asked = ids[start : start + _IDS_A_REQUEST]
            fetched = yield _ListIds(asked)
            requests_left = fetched.requests_left
            found = {user.id for user in fetched.users}
            _members(fetched.users, people)
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
    problems: list[Problem] = []
    seen: dict[str, Group] = {}
    for group in groups:
        if not group.id.strip():
            problems.append(
                Problem(
                    account_id, None, f"the group {quoted(group.name)} has no ID in the response"
                )
            )
        elif seen.setdefault(group.id, group) is not group:
            message = f"two groups in the response have the ID {quoted(group.id)}"
            problems.append(Problem(account_id, None, message))
        problems += [
            Problem(account_id, None, f"a user in {quoted(group.name)} has no ID in the response")
            for member in group.members
            if not member.id.strip()
        ]
    if problems:
        raise AccountError(problems)
