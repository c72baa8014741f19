"""Guards: how much a plan may remove before a human must confirm it. Pure functions of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .model import Action, Breach, GroupRef, GuardLimits, Plan, Snapshot
from .planning._memberships import Protected
from .problems import quoted

#: How many people may be removed where a file sets no limit, however few memberships there are.
FREE_REMOVALS = 10
#: The share of all memberships that may end where a file sets no limit.
FREE_SHARE = 0.1
#: How many people may be removed from any group, however small it is.
FREE_REMOVALS_PER_GROUP = 2


def check_guards(
    plan: Plan,
    snapshot: Snapshot,
    limits: GuardLimits | None = None,
    allow_removals: int | None = None,
) -> tuple[Breach, ...]:
    """Return the guards that a plan does not pass; none if it may be applied.

    Args:
        plan: The plan.
        snapshot: The account that it is for, as it is now.
        limits: How much may be removed. Default: the plan's own.
        allow_removals: How many removals a human has allowed. It is accepted only if the plan has
            exactly that many. Members who are protected stay protected.
    """
    limits = plan.limits if limits is None else limits
    protected = _check_protected(plan, snapshot)
    removals = plan.removals
    if removals == 0 or allow_removals == removals:
        return protected
    losses = _losses(plan, snapshot)
    needed = f"if that is right, allow exactly {removals}: --allow-removals {removals}"
    if allow_removals is not None:
        needed = f"{allow_removals} removals were allowed, and the plan has {removals}; {needed}"
    found = [_check_total(plan, snapshot, limits, needed)]
    for loss in losses:
        empties = loss.after == 0 and loss.before > 0
        if empties and loss.group.id in plan.allow_empty:
            continue
        if empties:
            in_file = "say `allow_empty: true` for it in the file, or, " if plan.digest else ""
            found.append(_check_empty(loss, in_file + needed))
        found.append(None if loss.deleted else _check_share(loss, limits, needed))
    return (*protected, *(breach for breach in found if breach is not None))


class _Loss(NamedTuple):
    """What a plan removes from a group."""

    group: GroupRef
    before: int
    after: int
    removals: int
    deleted: bool


def _losses(plan: Plan, snapshot: Snapshot) -> list[_Loss]:
    before = {group.id: len(group.members) for group in snapshot.groups}
    refs: dict[str, GroupRef] = {}
    removed: dict[str, int] = {}
    added: dict[str, int] = {}
    found: list[_Loss] = []
    for change in plan.changes:
        group_id = change.group.id
        if group_id is None:
            continue
        if change.action is Action.ADD_USER:
            added[group_id] = added.get(group_id, 0) + 1
        elif change.action is Action.REMOVE_USER:
            refs[group_id] = change.group
            removed[group_id] = removed.get(group_id, 0) + 1
        elif change.action is Action.DELETE_GROUP and change.members:
            count = len(change.members)
            found.append(_Loss(change.group, before.get(group_id, count), 0, count, deleted=True))
    for group_id, count in removed.items():
        members = before.get(group_id, count)
        after = members - count + added.get(group_id, 0)
        found.append(_Loss(refs[group_id], members, after, count, deleted=False))
    return found


def _check_protected(plan: Plan, snapshot: Snapshot) -> tuple[Breach, ...]:
    protected = Protected(plan.protect, snapshot)
    found: list[Breach] = []
    for change in plan.changes:
        users = change.members
        if change.action is Action.REMOVE_USER and change.user is not None:
            users = (change.user,)
        kept = [user for user in users if protected(user.id, user.email)]
        if kept:
            who = ", ".join(quoted(user.email or user.id) for user in kept)
            message = f"{quoted(change.group.name)} loses members who are protected: {who}."
            found.append(
                Breach(guard="protected", message=message, group=change.group, removals=len(kept))
            )
    return tuple(found)


def _check_total(plan: Plan, snapshot: Snapshot, limits: GuardLimits, needed: str) -> Breach | None:
    memberships = plan.memberships
    if memberships is None:
        touched: Mapping[str, str] = plan.fingerprints
        memberships = sum(len(group.members) for group in snapshot.groups if group.id in touched)
    limit = limits.max_removals
    if limit is None:
        limit = max(FREE_REMOVALS, int(memberships * FREE_SHARE))
    if plan.removals <= limit:
        return None
    message = f"{plan.removals} of {memberships} memberships end; {limit} may; {needed}."
    return Breach(guard="max_removals", message=message, removals=plan.removals, limit=limit)


def _check_empty(loss: _Loss, needed: str) -> Breach:
    name = quoted(loss.group.name)
    if loss.deleted:
        message = f"{name} is deleted with {_members(loss.removals)} in it"
    else:
        message = f"{name} loses all its members"
    message += f"; {needed}."
    guard = "deletes_members" if loss.deleted else "empties_group"
    return Breach(guard=guard, message=message, group=loss.group, removals=loss.removals)


def _check_share(loss: _Loss, limits: GuardLimits, needed: str) -> Breach | None:
    # Rounded first: 0.29 * 100 is 28.999999999999996.
    share = round(loss.before * limits.max_removals_per_group, 6)
    limit = max(FREE_REMOVALS_PER_GROUP, int(share))
    if loss.removals <= limit:
        return None
    message = (
        f"{quoted(loss.group.name)} loses {loss.removals} of {_members(loss.before)}; {limit} may "
        f"be removed ({limits.max_removals_per_group:.0%}); {needed}."
    )
    return Breach(
        guard="max_removals_per_group",
        message=message,
        group=loss.group,
        removals=loss.removals,
        limit=limit,
    )


def _members(count: int) -> str:
    return "1 member" if count == 1 else f"{count} members"
