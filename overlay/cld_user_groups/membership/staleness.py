"""Check a plan before its first write; if a check fails, nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain

from .directory import Directory
from .guards import Protected
from .model import Action, Breach, Change, Desired, DesiredGroup, DesiredMember, Plan, Snapshot
from .order import awaited_additions, leads_to, with_dependents
from .planning import fingerprint
from .problems import quoted
from .result import Outcome, Status
from .rules import readers_of, worsened

# How far the clock of the machine on which a plan was created may be ahead.
_MOST_SKEW = timedelta(hours=1)
_NEEDS_NAME = (Action.CREATE_GROUP, Action.RENAME_GROUP)
_FREES_NAME = (Action.RENAME_GROUP, Action.DELETE_GROUP)
_SHOWN = 10  # differences of a stale plan
_TAKES_ACCESS = (Action.REMOVE_USER, Action.DELETE_GROUP)


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
    """Validate a plan as far as possible without a request; `ValueError`: it is inconsistent."""
    if plan.account_id != account_id:
        raise WrongAccount(
            f"the plan is for account {plan.account_id!r}, the client's is {account_id!r}"
        )
    for change in plan.changes:
        if (manager := plan.managed.get(change.group.id or "")) is not None:
            name, by = quoted(change.group.name), quoted(manager)
            raise PlanRefused(f"the group {name} is managed by {by}, and never written")
    if plan.breaches:
        raise GuardBreached(plan.breaches)
    if now > plan.expires_at:
        raise StalePlan(f"the plan has expired at {plan.expires_at:%Y-%m-%d %H:%M:%S %Z}")
    if ended := ended_since(plan.changes, plan.created_at, now):
        raise StalePlan("; ".join(ended.values()))
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


def people_of(plan: Plan) -> Desired:
    """Return what makes `read_account` look up the users of a plan, and the roles for its rules."""
    ids = sorted({change.user.id for change in plan.changes if change.user is not None})
    members = tuple(DesiredMember(id=user_id) for user_id in ids)
    groups = (DesiredGroup(name="", state="absent", members=members),)
    return Desired(source="", digest="", groups=(*groups, *readers_of(plan)))


def roles_for(plan: Plan) -> Desired | None:
    """Return what makes `read_account` read the roles for the rules of a plan, if it has any."""
    readers = readers_of(plan)
    return Desired(source="", digest="", groups=readers) if readers else None


def check_account(plan: Plan, snapshot: Snapshot) -> None:
    """Validate that what the plan needs of the account is as it was when the plan was created."""
    account = Directory(snapshot)
    changed: list[str] = []
    for group_id, expected in plan.fingerprints.items():
        group = account.group(group_id)
        if group is None:
            changed.append(f"the group {group_id} no longer exists")
        elif fingerprint(group) != expected:
            changed.append(f"the group {group.name!r} has changed")
    taken = _names_taken(snapshot, plan.changes)
    changed += (
        f"a group {each.group.name!r} has appeared"
        for each in plan.changes
        if _is_named(each, taken)
    )
    users = chain.from_iterable((change.user, *change.members) for change in plan.changes)
    changed += filter(None, map(account.contradiction, filter(None, users)))
    changed += worsened(plan, range(len(plan.changes)), snapshot, snapshot).values()
    if changed:
        more = [f"and {len(changed) - _SHOWN} more"] if len(changed) > _SHOWN else []
        said = "; ".join([*changed[:_SHOWN], *more])
        raise StalePlan(f"the account has changed since the plan was created: {said}")


def _names_taken(snapshot: Snapshot, changes: Iterable[Change]) -> set[str]:
    """Return the names of the groups that changes neither rename nor delete."""
    freed = {change.group.id for change in changes if change.action in _FREES_NAME}
    return {group.name for group in snapshot.groups if group.id not in freed}


def _is_named(change: Change, taken: Collection[str]) -> bool:
    """Return whether a change gives a group a name that is taken."""
    return change.action in _NEEDS_NAME and change.group.name in taken


def check_saved(plan: Plan, snapshot: Snapshot) -> None:
    """Validate a plan that may come from a file: all of `check_account`, its day, its order.

    It holds for each plan that was made just now, too. `ValueError`: a removal does not wait for an
    addition, and could leave a group empty.
    """
    check_account(plan, snapshot)
    _check_day(plan, snapshot)
    missing = [
        f"no user has the id {quoted(change.user.id)}"
        for change in plan.changes
        if change.user is not None and change.user.id in snapshot.missing_ids
    ]
    if missing:
        raise StalePlan("; ".join(missing))
    needs = [change.depends_on for change in plan.changes]
    for position, addition in awaited_additions(plan.changes, plan.occupied(snapshot)).items():
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
    server_day = snapshot.server_day(day)
    if planned not in (created, day, server_day):
        raise StalePlan(f"the plan is for the memberships of {planned}, and today is {day} (UTC)")
    day = planned if planned in (day, server_day) else max(day, server_day)
    if ended := _ended_by(plan.changes, day):
        raise StalePlan("; ".join(ended.values()))


def ended_since(changes: Sequence[Change], began: datetime, now: datetime) -> dict[int, str]:
    """Return, by position, that the last day of an addition has passed at a midnight since."""
    today = now.astimezone(UTC).date()
    return _ended_by(changes, today) if began.astimezone(UTC).date() < today else {}


def _ended_by(changes: Sequence[Change], day: date) -> dict[int, str]:
    return {
        position: f"the membership of {quoted(change.user.text)} in "
        f"{quoted(change.group.name)} has ended on {change.until}"
        for position, change in enumerate(changes)
        if change.user is not None and change.until is not None and change.until < day
    }


def no_longer_fits(
    plan: Plan,
    outcomes: Sequence[Outcome],
    ended: Collection[int],
    before: Snapshot,
    after: Snapshot,
    now: datetime,
) -> dict[int, str]:
    """Return, by position, why changes that have not `ended` must not be sent after a wait.

    A group must be what the run has made of it. Where somebody else has changed it, where it no
    longer exists, or where a name that is needed is taken, its other changes must not be made.
    """
    positions = [at for at in range(len(outcomes)) if at not in ended]
    if now > plan.expires_at:
        return dict.fromkeys(positions, f"the plan has expired at {plan.expires_at:%Y-%m-%d %H:%M}")
    over = ended_since(plan.changes, plan.created_at, now)
    account = Directory(after)
    changed = _changed_groups(outcomes, before, account)
    created_by = creators(plan)
    protected = Protected(plan.protect, after)
    taken = _names_taken(after, [plan.changes[at] for at in positions])
    held: dict[int, str] = {}
    for at in positions:
        change = plan.changes[at]
        group_id = outcomes[created_by.get(at, at)].group_id or ""
        why = over.get(at) or changed.get(group_id, "")
        if _is_named(change, taken) and outcomes[at].status is not Status.UNKNOWN:
            why = why or f"a group {change.group.name!r} has appeared"
        for user in filter(None, (change.user, *change.members)):
            why = why or account.contradiction(user)
            if change.action in _TAKES_ACCESS and (said := protected(user.id, user.email)):
                why = why or f"{quoted(user.text)} {said}"
        if why:
            held[at] = why
    made = {
        outcome.change.group.name: outcome.group_id
        for outcome in outcomes
        if outcome.change.action is Action.CREATE_GROUP and outcome.group_id is not None
    }
    left = set(positions)
    while worse := worsened(plan, left - with_dependents(plan.changes, held), before, after, made):
        held |= worse  # what is held back makes room for nobody
    return held


def _changed_groups(
    outcomes: Sequence[Outcome], before: Snapshot, account: Directory
) -> dict[str, str]:
    """Return, by ID, how each group is not what the changes so far have made of it."""
    names = {group.id: group.name for group in before.groups}
    members = {group.id: {member.id for member in group.members} for group in before.groups}
    for outcome in outcomes:
        change, group_id = outcome.change, outcome.group_id
        is_made = outcome.holds or (
            outcome.status is Status.UNKNOWN and not difference_of(outcome, account)
        )
        if group_id is None or not is_made:
            continue
        if change.action is Action.DELETE_GROUP:
            names.pop(group_id, None)
        elif change.action in _NEEDS_NAME:
            names[group_id] = change.group.name
            members.setdefault(group_id, set())
        elif change.user is not None and group_id in members:
            members[group_id] -= {change.user.id}
            members[group_id] |= {change.user.id} if change.action is Action.ADD_USER else set()
    found: dict[str, str] = {}
    for group_id, name in names.items():
        group = account.group(group_id)
        if group is None:
            found[group_id] = f"the group {name!r} no longer exists"
        elif group.name != name or set(account.members(group_id)) != members[group_id]:
            found[group_id] = f"somebody else has changed the group {name!r}"
    return found


def creators(plan: Plan) -> dict[int, int]:
    """Return, for each change of a group that the plan creates, the position of that creation.

    `ValueError`: a change of a group without an ID does not depend on its creation.
    """
    found: dict[int, int] = {}
    for position, change in enumerate(plan.changes):
        if change.action is Action.CREATE_GROUP or change.group.id is not None:
            continue
        creation = Action.CREATE_GROUP, change.group.name
        for needed in change.depends_on:
            if creation == (plan.changes[needed].action, plan.changes[needed].group.name):
                found[position] = needed
                break
        else:
            raise ValueError(
                f"change {position} is about the group {change.group.name!r}, which has no ID, "
                "and does not depend on its creation"
            )
    return found


def difference_of(outcome: Outcome, account: Directory) -> str:
    """Return the difference between the account and one change, or ""."""
    change, name = outcome.change, outcome.change.group.name
    group = account.group(outcome.group_id)
    if change.action is Action.DELETE_GROUP:
        return "" if group is None else f"the group {name!r} still exists"
    if group is None:
        if change.action is Action.REMOVE_USER and outcome.holds:
            return ""
        if outcome.group_id is None and account.named(name):
            return f"the group {name!r} exists, and this run is not known to have created it"
        return f"the group {name!r} does not exist"
    if change.role is not None:
        if outcome.holds:
            return ""
        has = "is not known to have" if outcome.status is Status.UNKNOWN else "does not have"
        return f"the group {name!r} {has} the role {change.role.text}"
    if change.action in (Action.CREATE_GROUP, Action.RENAME_GROUP):
        return "" if group.name == name else f"the group {name!r} is called {group.name!r}"
    assert change.user is not None
    is_member = change.user.id in account.members(group.id)
    if is_member is (change.action is Action.ADD_USER):
        return ""
    person = change.user.text
    return f"{person} is {'still' if is_member else 'not'} in the group {name!r}"
