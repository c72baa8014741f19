"""The inverse of a run, as a plan: a pure function of its journal and the account as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve

from .directory import Directory
from .effects import with_effects
from .guards import Protected, check_guards
from .journal import UNDO_OF
from .model import (
    Action,
    Change,
    GroupRef,
    GuardLimits,
    Outcome,
    Plan,
    Snapshot,
    Status,
    UserRef,
)
from .order import make_before_break
from .planning import EXPIRES_AFTER, fingerprint, note_on_roles
from .runs import Run
from .staleness import difference_of


def undo_plan(
    run: Run,
    snapshot: Snapshot,
    *,
    now: datetime,
    limits: GuardLimits | None = None,
    protect: Sequence[str] = (),
    allow_removals: int | None = None,
) -> Plan:
    """Return the plan that reverts what a run has done.

    Only changes that still hold are reverted: what has changed since is left alone. One that the
    journal does not confirm is reverted if the account shows it. A group that the run deleted is
    created again, with a new ID and its members; one that it created is deleted if nobody else is
    in it. The plan's notes name all that is left alone or is not confirmed; where what the run did
    still stands, that is held back, and a run of the plan is incomplete. Nobody is removed whom
    the run's file protects.

    Args:
        run: The run.
        snapshot: The account as it is now.
        now: When the plan is created, as an aware datetime.
        limits: How much may be removed. Default: the guards' own.
        protect: IDs, e-mails and globs of members who are never removed, besides those of the run.
        allow_removals: How many removals a human has allowed.

    Raises:
        ValueError: The run was on another account.
    """
    if run.header.account != snapshot.account_id:
        raise ValueError(
            f"the run {run.id} was on account {run.header.account!r}, not {snapshot.account_id!r}"
        )
    account = Directory(snapshot)
    applied, doubtful = _applied(run, account)
    inverse = _Inverse(applied, account, Protected(run.header.plan.protect, snapshot))
    for outcome in reversed(applied):
        inverse.revert(outcome)
    for outcome in doubtful:
        shows = ", but the account shows it: it is undone too"
        shows = shows if outcome in applied else ", and the account does not show it"
        inverse.note(outcome.change, f"is not confirmed by the journal{shows}")
    members = {group.id: len(group.members) for group in snapshot.groups}
    changes = make_before_break(inverse.steps, members)
    touched = {change.group.id for change in changes}
    plan = Plan(
        account_id=snapshot.account_id,
        source=UNDO_OF + run.id,
        created_at=now,
        expires_at=now + EXPIRES_AFTER,
        changes=changes,
        fingerprints={
            group.id: fingerprint(group) for group in snapshot.groups if group.id in touched
        },
        requests_left=snapshot.requests_left,
        notes=(*inverse.notes, *note_on_roles(changes)),
        held_back=tuple(inverse.held_back),
        limits=limits or GuardLimits(),
        protect=(*run.header.plan.protect, *protect),
    )
    plan = evolve(plan, breaches=check_guards(plan, snapshot, plan.limits, allow_removals))
    return with_effects(plan, snapshot)


def _applied(run: Run, account: Directory) -> tuple[list[Outcome], list[Outcome]]:
    """Return what a run has done, and what is doubtful, some of which the account shows."""
    applied: list[Outcome] = []
    doubtful: list[Outcome] = []
    for outcome in run.outcomes:
        if outcome.status is Status.UNKNOWN:
            change = outcome.change
            if change.action is Action.CREATE_GROUP and outcome.group_id is None:
                named = account.named(change.group.name)
                outcome = evolve(outcome, group_id=named[-1].id if named else None)
            doubtful.append(outcome)
            if difference_of(outcome, account):
                continue
        elif outcome.status is not Status.DONE:
            continue
        applied.append(outcome)
    return applied, doubtful


class _Inverse:
    """Revert one change after another, the latest first, on a model of the account.

    Each step depends on the earlier ones that it cannot do without.
    """

    def __init__(
        self, applied: Sequence[Outcome], account: Directory, protected: Protected
    ) -> None:
        self.notes: list[str] = []
        self.held_back: list[str] = []
        self.steps: list[Change] = []
        self._names = {group.id: group.name for group in account.groups()}
        self._members = {group.id: dict(account.members(group.id)) for group in account.groups()}
        self._directory = account
        self._protected = protected
        self._freed: dict[str, int] = {}
        self._recreated: dict[str, tuple[GroupRef, int]] = {}
        self._doomed = self._find_doomed(applied)

    def revert(self, outcome: Outcome) -> None:
        """Add the steps that revert a change, or a note why there are none."""
        change, group_id = outcome.change, outcome.group_id
        if group_id is None:
            self._hold(change, "the journal does not name its group's ID")
            return
        match change.action:
            case Action.CREATE_GROUP:
                self._uncreate(outcome, group_id)
            case Action.RENAME_GROUP:
                self._rename_back(outcome, group_id)
            case Action.DELETE_GROUP:
                self._recreate(outcome, group_id)
            case Action.ADD_USER | Action.REMOVE_USER:
                assert change.user is not None
                is_addition = change.action is Action.ADD_USER
                (self._remove if is_addition else self._restore)(outcome, group_id, change.user)

    def note(self, change: Change, what: str) -> None:
        """Add a note about a change."""
        self.notes.append(f"{_describe(change)} {what}.")

    def _leave(self, change: Change, why: str) -> None:
        """Add a note about a change that does not stand any more."""
        self.note(change, f"is left alone: {why}")

    def _hold(self, change: Change, why: str) -> None:
        """Add a note about a change that still stands, and that is not reverted."""
        self._leave(change, why)
        self.held_back.append(self.notes[-1])

    def _find_doomed(self, applied: Sequence[Outcome]) -> frozenset[str]:
        """Return the groups that the run created and that hold nobody but whom it put there."""
        put: dict[str, set[str]] = {}
        created: dict[str, str] = {}
        for outcome in applied:
            change, group_id = outcome.change, outcome.group_id or ""
            if change.action is Action.CREATE_GROUP:
                created[group_id] = change.group.name
            elif change.action is Action.ADD_USER and change.user is not None:
                put.setdefault(group_id, set()).add(change.user.id)
        return frozenset(
            group_id
            for group_id, name in created.items()
            if self._names.get(group_id) == name
            and self._members[group_id].keys() <= put.get(group_id, set())
            and not any(
                self._protected(member.id, member.email)
                for member in self._members[group_id].values()
            )
        )

    def _uncreate(self, outcome: Outcome, group_id: str) -> None:
        if group_id not in self._names:
            self._leave(outcome.change, "the group no longer exists")
            return
        if group_id not in self._doomed:
            why = "the group has another name or other members since, or members who are protected"
            self._hold(outcome.change, why)
            return
        name = self._names.pop(group_id)
        members = self._members[group_id].values()
        users = tuple(UserRef(id=member.id, email=member.email) for member in members)
        ref = GroupRef(id=group_id, name=name)
        self._freed[name] = self._step(Action.DELETE_GROUP, ref, outcome, members=users)

    def _rename_back(self, outcome: Outcome, group_id: str) -> None:
        change, old_name = outcome.change, outcome.change.old_name or ""
        name = change.group.name
        if self._names.get(group_id) == old_name:
            self._leave(change, "the group has that name again")
        elif self._names.get(group_id) != name:
            self._hold(change, "the group has another name since, or is gone")
        elif self._is_taken(old_name):
            self._hold(change, f"another group is called {old_name!r}")
        else:
            self._names[group_id] = old_name
            ref = GroupRef(id=group_id, name=old_name)
            needed = self._name_freed(old_name)
            self._freed[name] = self._step(Action.RENAME_GROUP, ref, outcome, needed, old_name=name)

    def _remove(self, outcome: Outcome, group_id: str, user: UserRef) -> None:
        if group_id in self._doomed:
            return  # it goes with the group
        if user.id not in self._members.get(group_id, {}):
            self._leave(outcome.change, "the user is no longer in the group")
        elif why := self._protected(user.id, user.email):
            self._hold(outcome.change, f"the user {why}")
        else:
            del self._members[group_id][user.id]
            ref = GroupRef(id=group_id, name=self._names[group_id])
            self._step(Action.REMOVE_USER, ref, outcome, user=user)

    def _restore(self, outcome: Outcome, group_id: str, user: UserRef) -> None:
        if group_id in self._recreated:
            ref, creation = self._recreated[group_id]
            self._step(Action.ADD_USER, ref, outcome, (creation,), user=user)
        elif group_id not in self._names:
            self._hold(outcome.change, "the group no longer exists")
        elif user.id in self._members[group_id]:
            self._leave(outcome.change, "the user is in the group again")
        else:
            ref = GroupRef(id=group_id, name=self._names[group_id])
            self._step(Action.ADD_USER, ref, outcome, user=user)

    def _recreate(self, outcome: Outcome, group_id: str) -> None:
        change, name = outcome.change, outcome.change.group.name
        if self._is_taken(name):
            users = {user.id for user in change.members}
            has_all = any(
                found == name and self._members[other].keys() >= users
                for other, found in self._names.items()
            )
            (self._leave if has_all else self._hold)(change, "a group of that name exists")
            return
        ref = GroupRef(id=None, name=name)
        creation = self._step(Action.CREATE_GROUP, ref, outcome, self._name_freed(name))
        self._recreated[group_id] = ref, creation
        for user in change.members:
            self._step(Action.ADD_USER, ref, outcome, (creation,), user=user)
        self.notes.append(f"The group {name!r} comes back with a new ID: it was {group_id}.")
        self.notes.append(
            f"Roles and shares depend on the ID of a group: those of {name!r} do not come back."
        )

    def _is_taken(self, name: str) -> bool:
        recreated = (ref.name for ref, _ in self._recreated.values())
        return name in self._names.values() or name in recreated

    def _name_freed(self, name: str) -> tuple[int, ...]:
        return (self._freed[name],) if name in self._freed else ()

    def _step(
        self,
        action: Action,
        ref: GroupRef,
        outcome: Outcome,
        depends_on: tuple[int, ...] = (),
        *,
        user: UserRef | None = None,
        old_name: str | None = None,
        members: tuple[UserRef, ...] = (),
    ) -> int:
        step = Change(
            action=action,
            group=ref,
            user=None if user is None else self._directory.current(user),
            old_name=old_name,
            members=members,
            reason=f"undoes change {outcome.position + 1}",
            depends_on=depends_on,
        )
        self.steps.append(step)
        return len(self.steps) - 1


def _describe(change: Change) -> str:
    name = repr(change.group.name)
    who = (change.user.email or change.user.id) if change.user is not None else ""
    return {
        Action.CREATE_GROUP: f"The creation of the group {name}",
        Action.RENAME_GROUP: f"The rename of {change.old_name!r} to {name}",
        Action.ADD_USER: f"The addition of {who} to {name}",
        Action.REMOVE_USER: f"The removal of {who} from {name}",
        Action.DELETE_GROUP: f"The deletion of the group {name}",
    }[change.action]
