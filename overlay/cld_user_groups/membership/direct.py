"""Changes of one group's membership without a file: the same plans, guards and results.

from cld_user_groups.membership.direct import add_users

result = add_users(client, group_id="...", user_ids=[...])
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Literal, TypedDict, Unpack

from attrs import evolve, field, frozen

from cld_user_groups import AsyncCldProvisioning, CldProvisioning

from .applying import apply, apply_async
from .drafts import hold_to_guards
from .journal import Journal, NoJournal
from .model import Action, Change, Desired, DesiredGroup, DesiredMember, Group, Plan, Snapshot
from .planning import plan
from .result import Outcome, Result, Status
from .snapshot import read_account, read_account_async


class ApplyOptions(TypedDict, total=False):
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
    client: CldProvisioning,
    *,
    group_id: str,
    user_ids: Iterable[str],
    **options: Unpack[ApplyOptions],
) -> Result:
    """Add users to a group, many at once; those who are in it already are left alone.

    Args:
        client: The client.
        group_id: The group.
        user_ids: The users.
        options: See `ApplyOptions`.

    Returns:
        The result, with an outcome for each user, `ALREADY` for those who were in the group.

    Raises:
        ValueError: There is no such group, or an ID is not one.
        CloudinaryError, httpx.TransportError: The account cannot be read. Nothing was written.
    """
    return _apply(client, _Wanted(group_id, user_ids, "additive"), options)


async def add_users_async(
    client: AsyncCldProvisioning,
    *,
    group_id: str,
    user_ids: Iterable[str],
    **options: Unpack[ApplyOptions],
) -> Result:
    """Add users to a group, as `add_users` does."""
    return await _apply_async(client, _Wanted(group_id, user_ids, "additive"), options)


def set_members(
    client: CldProvisioning,
    *,
    group_id: str,
    user_ids: Iterable[str],
    allow_removals: int | None = None,
    **options: Unpack[ApplyOptions],
) -> Result:
    """Make users the members of a group: add those who are missing, then remove the others.

    The guards limit what an error can do, as they do for a file: without
    `allow_removals`, at most a quarter of the members is removed, or two, and never all.

    Args:
        client: The client.
        group_id: The group.
        user_ids: The IDs of all its members afterwards.
        allow_removals: The expected number of removals. It is accepted only if it is exact.
        options: See `ApplyOptions`.

    Returns:
        The result, with an outcome for each user: those wanted, and those removed.

    Raises:
        GuardBreached: Too many would be removed. Nothing was written.
        ValueError: There is no such group, or an ID is not one.
        CloudinaryError, httpx.TransportError: The account cannot be read. Nothing was written.
    """
    return _apply(client, _Wanted(group_id, user_ids, "exact", allow_removals), options)


async def set_members_async(
    client: AsyncCldProvisioning,
    *,
    group_id: str,
    user_ids: Iterable[str],
    allow_removals: int | None = None,
    **options: Unpack[ApplyOptions],
) -> Result:
    """Make users the members of a group, as `set_members` does."""
    wanted = _Wanted(group_id, user_ids, "exact", allow_removals)
    return await _apply_async(client, wanted, options)


def _checked(user_ids: Iterable[str]) -> dict[str, None]:
    """Return the IDs, each once, in their order."""
    if isinstance(user_ids, str):
        raise TypeError("user_ids must be an iterable of IDs, not one string")
    checked = dict.fromkeys(user_ids)
    for user_id in checked:
        if not isinstance(user_id, str) or not user_id.strip():
            raise ValueError(f"user_ids must be non-empty strings, not {user_id!r}")
    return checked


@frozen
class _Wanted:
    """Who should be in a group: these users too, or only they."""

    group_id: str
    user_ids: dict[str, None] = field(converter=_checked)
    mode: Literal["additive", "exact"]
    allow_removals: int | None = None

    def plan(self, snapshot: Snapshot) -> Plan:
        """Return the plan that leads there; raise ValueError where there is no such group."""
        group = self._group_of(snapshot)
        members = tuple(DesiredMember(id=user_id) for user_id in self.user_ids)
        desired = DesiredGroup(name=group.name, id=group.id, mode=self.mode, members=members)
        source = "add" if self.mode == "additive" else "set_members"
        now = datetime.now(UTC)
        file = Desired(source=source, digest="", groups=(desired,))
        found = plan(snapshot, file, now.date(), now=now)
        return hold_to_guards(found, snapshot, allow_removals=self.allow_removals)

    def with_members(self, result: Result, snapshot: Snapshot) -> Result:
        """Return the result with an outcome also for those who were in the group before."""
        group = self._group_of(snapshot)
        added = partial(Change, action=Action.ADD_USER, group=group.ref)
        stayed = (each.ref for each in group.members if each.id in self.user_ids)
        already = partial(Outcome, status=Status.ALREADY, group_id=group.id)
        outcomes = (
            already(position=position, change=added(user=user))
            for position, user in enumerate(stayed, len(result.outcomes))
        )
        return evolve(result, outcomes=(*result.outcomes, *outcomes))

    def _group_of(self, snapshot: Snapshot) -> Group:
        for group in snapshot.groups:
            if group.id == self.group_id:
                return group
        raise ValueError(f"the account has no group with the ID {self.group_id!r}")


def _apply(client: CldProvisioning, wanted: _Wanted, options: ApplyOptions) -> Result:
    snapshot = read_account(client)
    unrecorded: ApplyOptions = {"journal": NoJournal(), **options}
    result = apply(client, wanted.plan(snapshot), snapshot=snapshot, **unrecorded)
    return wanted.with_members(result, snapshot)


async def _apply_async(
    client: AsyncCldProvisioning, wanted: _Wanted, options: ApplyOptions
) -> Result:
    snapshot = await read_account_async(client)
    unrecorded: ApplyOptions = {"journal": NoJournal(), **options}
    result = await apply_async(client, wanted.plan(snapshot), snapshot=snapshot, **unrecorded)
    return wanted.with_members(result, snapshot)
