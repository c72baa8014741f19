"""Check a plan before its first write; if a check fails, nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from .identity import Directory
from .model import Action, Breach, Plan, Snapshot
from .planning import fingerprint
from .planning._occupied import awaited_additions
from .problems import quoted
from .undo_order import leads_to

# How far the clock of the machine on which a plan was created may be ahead.
_MOST_SKEW = timedelta(hours=1)


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
    if plan.created_at > now + _MOST_SKEW:
        raise StalePlan(
            f"the plan was created at {plan.created_at:%Y-%m-%d %H:%M:%S %Z}, and it is "
            f"{now:%Y-%m-%d %H:%M:%S %Z} now: one of the clocks is wrong"
        )
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
        StalePlan: A group that the plan touches has changed, a name that it needs is taken, or an
            e-mail in the plan is not that of the user.
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
    directory = Directory(snapshot)
    changed += [
        difference
        for change in plan.changes
        for user in (change.user, *change.members)
        if user is not None and (difference := directory.contradiction(user))
    ]
    if changed:
        raise StalePlan(f"the account has changed since the plan was created: {'; '.join(changed)}")


def check_saved(plan: Plan, snapshot: Snapshot) -> None:
    """Validate a plan that comes from a file: for its own day, and as a plan would be made.

    Args:
        plan: The plan, as `load_plan` returned it.
        snapshot: The account, just read.

    Raises:
        StalePlan: It is for another day, a membership that it adds has ended since, or it adds a
            user who does not exist.
        ValueError: A removal does not wait for an addition, and could leave a group empty.
    """
    _check_day(plan, snapshot)
    missing = [
        f"no user has the id {quoted(change.user.id)}"
        for change in plan.changes
        if change.user is not None and change.user.id in snapshot.missing_ids
    ]
    if missing:
        raise StalePlan("; ".join(missing))
    members = {
        group.id: len(group.members)
        for group in snapshot.groups
        if group.id in plan.fingerprints and group.id not in plan.allow_empty
    }
    needs = [change.depends_on for change in plan.changes]
    for position, addition in awaited_additions(plan.changes, members).items():
        if not leads_to(position, addition, needs):
            raise ValueError(
                f"change {position} could leave the group {plan.changes[position].group.name!r} "
                f"empty: it does not depend on {addition}, which adds somebody"
            )


def _check_day(plan: Plan, snapshot: Snapshot) -> None:
    """Validate that the day for which a plan was made is the one on which the account was read."""
    created = plan.created_at.astimezone(UTC).date()
    planned = plan.today or created
    day = snapshot.taken_at.date()
    server_day = day if snapshot.server_time is None else snapshot.server_time.date()
    if planned not in (created, day, server_day):
        raise StalePlan(f"the plan is for the memberships of {planned}, and today is {day} (UTC)")
    day = planned if planned in (day, server_day) else max(day, server_day)
    ended = [
        f"the membership of {quoted(change.user.email or change.user.id)} in "
        f"{quoted(change.group.name)} has ended on {change.until}"
        for change in plan.changes
        if change.user is not None and change.until is not None and change.until < day
    ]
    if ended:
        raise StalePlan("; ".join(ended))


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
