"""Check a plan before its first write; if a check fails, nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from .model import Action, Breach, Plan, Snapshot
from .planning import fingerprint


class PlanRefused(Exception):  # noqa: N818 - reads as what is the case
    """A plan that must not be applied. Nothing was written."""


class WrongAccount(PlanRefused):
    """The plan is for another account than the client's."""


class GuardBreached(PlanRefused):
    """The plan does not pass its guards.

    Attributes:
        breaches: The guards.
    """

    def __init__(self, breaches: Sequence[Breach]) -> None:
        super().__init__("; ".join(breach.message for breach in breaches))
        self.breaches = tuple(breaches)


class StalePlan(PlanRefused):
    """The account has changed since the plan was created, or the plan has expired: plan again."""


def check_plan(plan: Plan, account_id: str, now: datetime) -> None:
    """Validate a plan as far as possible without a request.

    Args:
        plan: The plan.
        account_id: The client's account.
        now: The time, aware.

    Raises:
        PlanRefused: The plan is for another account, does not pass its guards, or has expired.
        ValueError: The plan is not consistent.
    """
    if plan.account_id != account_id:
        raise WrongAccount(
            f"the plan is for account {plan.account_id!r}, the client's is {account_id!r}"
        )
    if plan.breaches:
        raise GuardBreached(plan.breaches)
    if now > plan.expires_at:
        raise StalePlan(f"the plan has expired at {plan.expires_at:%Y-%m-%d %H:%M:%S %Z}")
    creators(plan)
    for change in plan.changes:
        group_id = change.group.id
        if group_id is not None and group_id not in plan.fingerprints:
            raise ValueError(f"the plan has no fingerprint of the group {group_id}")


def check_account(plan: Plan, snapshot: Snapshot) -> None:
    """Validate that the account is still as it was when the plan was created.

    Args:
        plan: The plan.
        snapshot: The account, just read.

    Raises:
        StalePlan: A group that the plan touches has changed, or a name that it needs is taken.
    """
    groups = {group.id: group for group in snapshot.groups}
    changed: list[str] = []
    for group_id, expected in plan.fingerprints.items():
        group = groups.get(group_id)
        if group is None:
            changed.append(f"the group {group_id} no longer exists")
        elif fingerprint(group) != expected:
            changed.append(f"the group {group.name!r} has changed")
    freed = {
        change.group.id
        for change in plan.changes
        if change.action in (Action.RENAME_GROUP, Action.DELETE_GROUP)
    }
    taken = {group.name for group in snapshot.groups if group.id not in freed}
    changed += [
        f"a group {change.group.name!r} has appeared"
        for change in plan.changes
        if change.action in (Action.CREATE_GROUP, Action.RENAME_GROUP)
        and change.group.name in taken
    ]
    if changed:
        raise StalePlan(f"the account has changed since the plan was created: {'; '.join(changed)}")


def creators(plan: Plan) -> dict[int, int]:
    """Return, for each change of a group that the plan creates, the position of that creation.

    Args:
        plan: The plan.

    Raises:
        ValueError: A change of a group without an ID does not depend on its creation.
    """
    found: dict[int, int] = {}
    for position, change in enumerate(plan.changes):
        if change.action is Action.CREATE_GROUP or change.group.id is not None:
            continue
        for needed in change.depends_on:
            creation = plan.changes[needed]
            if creation.action is Action.CREATE_GROUP and creation.group.name == change.group.name:
                found[position] = needed
                break
        else:
            raise ValueError(
                f"change {position} is about the group {change.group.name!r}, which has no ID, "
                "and does not depend on its creation"
            )
    return found
