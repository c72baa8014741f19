"""Changes of one group's membership without a file: the same plans, guards and results.

from cld_user_groups.membership.direct import add_users

result = add_users(client, group_id="...", user_ids=[...])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TypedDict, Unpack

from attrs import evolve

from cld_user_groups import AsyncCldProvisioning, CldProvisioning

from .applying import apply
from .guards import check_guards
from .journal import Journal, NoJournal
from .model import Action, Change, Group, GroupRef, GuardLimits, Plan, Snapshot, UserRef
from .order import awaited_additions
from .outcome import Outcome, Result, Status
from .planning import EXPIRES_AFTER, fingerprint
from .snapshot import read_account, read_account_async


class Options(TypedDict, total=False):
    """How the changes are applied; see `apply`.

    Attributes:
        journal: Where to record them. Default: nowhere, and without a lock.
        concurrency: The maximum number of changes in flight. Default: 16.
        keep_quota: How many requests of the quota to leave to others. Default: 0.
        max_wait: The most seconds to wait for the quota to be renewed. Default: 0.
    """

    journal: Journal
    concurrency: int
    keep_quota: int
    max_wait: float


def add_users(
    client: CldProvisioning, *, group_id: str, user_ids: Iterable[str], **options: Unpack[Options]
) -> Result:
    """Add users to a group, many at once; those who are in it already are left alone.

    Args:
        client: The client.
        group_id: The group.
        user_ids: The users.
        options: See `Options`.

    Returns:
        The result, with an outcome for each user, `ALREADY` for those who were in the group.

    Raises:
        ValueError: There is no such group, or an ID is not one.
        CloudinaryError, httpx.TransportError: The account cannot be read. Nothing was written.
    """
    wanted = _checked(user_ids)
    return _apply(client, group_id, wanted, partial(_plan_additions, wanted=wanted), options)


async def add_users_async(
    client: AsyncCldProvisioning,
    *,
    group_id: str,
    user_ids: Iterable[str],
    **options: Unpack[Options],
) -> Result:
    """Add users to a group, as `add_users` does."""
    wanted = _checked(user_ids)
    make_plan = partial(_plan_additions, wanted=wanted)
    return await _apply_async(client, group_id, wanted, make_plan, options)


def set_members(
    client: CldProvisioning,
    *,
    group_id: str,
    user_ids: Iterable[str],
    allow_removals: int | None = None,
    **options: Unpack[Options],
) -> Result:
    """Make users the members of a group: add those who are missing, then remove the others.

    The guards limit what an error can do, as they do for a file: without
    `allow_removals`, at most a quarter of the members is removed, or two, and never all.

    Args:
        client: The client.
        group_id: The group.
        user_ids: The IDs of all its members afterwards.
        allow_removals: The expected number of removals. It is accepted only if it is exact.
        options: See `Options`.

    Returns:
        The result, with an outcome for each user: those wanted, and those removed.

    Raises:
        GuardBreached: Too many would be removed. Nothing was written.
        ValueError: There is no such group, or an ID is not one.
        CloudinaryError, httpx.TransportError: The account cannot be read. Nothing was written.
    """
    wanted = _checked(user_ids)
    make_plan = partial(_plan_membership, wanted=wanted, allow_removals=allow_removals)
    return _apply(client, group_id, wanted, make_plan, options)


async def set_members_async(
    client: AsyncCldProvisioning,
    *,
    group_id: str,
    user_ids: Iterable[str],
    allow_removals: int | None = None,
    **options: Unpack[Options],
) -> Result:
    """Make users the members of a group, as `set_members` does."""
    wanted = _checked(user_ids)
    make_plan = partial(_plan_membership, wanted=wanted, allow_removals=allow_removals)
    return await _apply_async(client, group_id, wanted, make_plan, options)


MakePlan = Callable[[Snapshot, Group], Plan]


def _apply(
    client: CldProvisioning,
    group_id: str,
    wanted: Mapping[str, None],
    make_plan: MakePlan,
    options: Options,
) -> Result:
    snapshot = read_account(client)
    group = _find(snapshot, group_id)
    plan = make_plan(snapshot, group)
    result = apply(client, plan, snapshot=snapshot, **_without_journal(options))
    return _with_members(result, group, wanted)


async def _apply_async(
    client: AsyncCldProvisioning,
    group_id: str,
    wanted: Mapping[str, None],
    make_plan: MakePlan,
    options: Options,
) -> Result:
    from .applying_async import apply_async

    snapshot = await read_account_async(client)
    group = _find(snapshot, group_id)
    plan = make_plan(snapshot, group)
    result = await apply_async(client, plan, snapshot=snapshot, **_without_journal(options))
    return _with_members(result, group, wanted)


def _without_journal(options: Options) -> Options:
    return {"journal": NoJournal(), **options}


def _with_members(result: Result, group: Group, wanted: Mapping[str, None]) -> Result:
    """Return the result with an outcome also for those who were in the group before."""
    ref = GroupRef(id=group.id, name=group.name)
    first = len(result.outcomes)
    stayed = tuple(
        Outcome(
            position=first + position,
            change=Change(
                action=Action.ADD_USER, group=ref, user=UserRef(id=member.id, email=member.email)
            ),
            status=Status.ALREADY,
            group_id=group.id,
        )
        for position, member in enumerate(member for member in group.members if member.id in wanted)
    )
    return evolve(result, outcomes=(*result.outcomes, *stayed))


def _plan_additions(snapshot: Snapshot, group: Group, wanted: Mapping[str, None]) -> Plan:
    return _plan(snapshot, group, "add", _additions(group, wanted))


def _plan_membership(
    snapshot: Snapshot, group: Group, wanted: Mapping[str, None], allow_removals: int | None
) -> Plan:
    added = _additions(group, wanted)
    ref = GroupRef(id=group.id, name=group.name)
    removed = tuple(
        Change(
            action=Action.REMOVE_USER,
            group=ref,
            user=UserRef(id=member.id, email=member.email),
        )
        for member in group.members
        if member.id not in wanted
    )
    changes = (*added, *removed)
    awaited = awaited_additions(changes, {group.id: len(group.members)})
    changes = tuple(
        evolve(change, depends_on=(awaited[position],)) if position in awaited else change
        for position, change in enumerate(changes)
    )
    plan = _plan(snapshot, group, "set_members", changes)
    limits = GuardLimits()
    return evolve(plan, breaches=check_guards(plan, snapshot, limits, allow_removals))


def _plan(snapshot: Snapshot, group: Group, source: str, changes: tuple[Change, ...]) -> Plan:
    now = datetime.now(UTC)
    return Plan(
        account_id=snapshot.account_id,
        source=source,
        created_at=now,
        expires_at=now + EXPIRES_AFTER,
        changes=changes,
        fingerprints={group.id: fingerprint(group)} if changes else {},
        requests_left=snapshot.requests_left,
    )


def _additions(group: Group, wanted: Iterable[str]) -> tuple[Change, ...]:
    current = {member.id for member in group.members}
    ref = GroupRef(id=group.id, name=group.name)
    return tuple(
        Change(action=Action.ADD_USER, group=ref, user=UserRef(id=user_id))
        for user_id in wanted
        if user_id not in current
    )


def _find(snapshot: Snapshot, group_id: str) -> Group:
    for group in snapshot.groups:
        if group.id == group_id:
            return group
    raise ValueError(f"the account has no group with the ID {group_id!r}")


def _checked(user_ids: Iterable[str]) -> dict[str, None]:
    """Return the IDs, each once, in their order."""
    if isinstance(user_ids, str):
        raise TypeError("user_ids must be an iterable of IDs, not one string")
    checked = dict.fromkeys(user_ids)
    for user_id in checked:
        if not isinstance(user_id, str) or not user_id.strip():
            raise ValueError(f"user_ids must be non-empty strings, not {user_id!r}")
    return checked
