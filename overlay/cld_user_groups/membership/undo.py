"""The inverse of a run, as a plan: a pure function of its journal and the account as it is now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve

from .directory import Directory
from .effects import with_effects
from .grants import Grant, GroupRef
from .guards import Protected, check_guards
from .journal import UNDO_OF
from .model import Action, Change, GuardLimits, Plan, Snapshot, UserRef
from .order import make_before_break
from .planning import EXPIRES_AFTER, fingerprints_of, note_on_roles
from .problems import quoted
from .restoring import Restoration
from .result import Outcome, Status
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
    restoration: Restoration | None = None,
) -> Plan:
    """Return the plan that reverts what a run has done.

    Only changes that still hold are reverted: what has changed since is left alone. One that the
    journal does not confirm is reverted if the account shows it. A group that the run deleted is
    created again, with a new ID and its members; one that it created is deleted if nobody else is
    in it. The plan's notes name all that is left alone or is not confirmed; where what the run did
    still stands, that is held back, and a run of the plan is incomplete. Nobody is removed whom
    the run's file protects. Roles that the run has recorded are assigned to the group's new ID only
    with a `restoration`: the same roles, in the same place. One that cannot be is held back.

    Args:
        run: The run.
        snapshot: The account as it is now.
        now: When the plan is created, as an aware datetime.
        limits: How much may be removed. Default: the guards' own.
        protect: IDs, e-mails and globs of members who are never removed, besides those of the run.
        allow_removals: How many removals a human has allowed.
        restoration: What the roles of deleted groups need, of `read_restoration`, where a human
            wants them back. They come from the journal, a file that this user can edit.

    Raises:
        ValueError: The run was on another account.
    """
    if run.header.account != snapshot.account_id:
        raise ValueError(
            f"the run {run.id} was on account {run.header.account!r}, not {snapshot.account_id!r}"
        )
    account = Directory(snapshot)
    applied, doubtful = _applied(run, account)
    inverse = _Inverse(run, applied, account, snapshot, restoration)
    for outcome in reversed(applied):
        inverse.revert(outcome)
    for outcome in doubtful:
        shows = "and the account does not show it"
        if outcome in applied:
            shows = "but the account shows it: it is undone too"
        inverse.note(outcome.change, f"is not confirmed by the journal, {shows}")
    changes = make_before_break(inverse.steps, snapshot.sizes)
    plan = Plan(
        account_id=snapshot.account_id,
        source=UNDO_OF + run.id,
        created_at=now,
        expires_at=now + EXPIRES_AFTER,
        changes=changes,
        fingerprints=fingerprints_of(snapshot.groups, changes),
        requests_left=snapshot.requests_left,
        notes=(*inverse.notes, *note_on_roles(changes)),
        warnings=tuple(inverse.warnings),
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
        change = outcome.change
        if outcome.status is Status.UNKNOWN and change.role is None:
            if change.action is Action.CREATE_GROUP and outcome.group_id is None:
                named = account.named(change.group.name)
                outcome = evolve(outcome, group_id=named[-1].id if named else None)
            doubtful.append(outcome)
            if not difference_of(outcome, account):
                applied.append(outcome)
        elif outcome.status in (Status.DONE, Status.UNKNOWN):
            applied.append(outcome)
    return applied, doubtful


class _Inverse:
    """Revert one change after another, the latest first, on a model of the account.

    Each step depends on the earlier ones that it cannot do without.
    """

    def __init__(
        self,
        run: Run,
        applied: Sequence[Outcome],
        account: Directory,
        snapshot: Snapshot,
        restoration: Restoration | None,
    ) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.held_back: list[str] = []
        self.steps: list[Change] = []
        self._names = {group.id: group.name for group in account.groups()}
        self._members = {group.id: dict(account.members(group.id)) for group in account.groups()}
        self._directory = account
        self._protected = Protected(run.header.plan.protect, snapshot)
        self._run = run.id
        self._restoration = restoration
        self._freed: dict[str, int] = {}
        self._recreated: dict[str, tuple[GroupRef, int]] = {}
        self._doomed = frozenset(self._find_doomed(applied))

    def revert(self, outcome: Outcome) -> None:
        """Add the steps that revert a change, or a note why there are none."""
        if outcome.group_id is None:
            self._hold(outcome.change, "the journal does not name its group's ID")
            return
        revert = {
            Action.CREATE_GROUP: self._uncreate,
            Action.RENAME_GROUP: self._rename_back,
            Action.DELETE_GROUP: self._recreate,
            Action.ADD_USER: self._remove,
            Action.REMOVE_USER: self._restore,
            Action.ASSIGN_ROLE: self._unassign,
        }[outcome.change.action]
        revert(outcome, outcome.change, outcome.group_id)

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

    def _lack(self, what: str) -> None:
        """Note what cannot be restored."""
        self.notes.append(what)
        self.held_back.append(what)

    def _find_doomed(self, applied: Sequence[Outcome]) -> Iterator[str]:
        """Yield the groups that the run created and that hold nobody but whom it put there."""
        made = [(outcome.change, outcome.group_id or "") for outcome in applied]
        put = {
            (group_id, change.user.id)
            for change, group_id in made
            if change.action is Action.ADD_USER and change.user is not None
        }
        created = {at: each.group.name for each, at in made if each.action is Action.CREATE_GROUP}
        for group_id, name in created.items():
            if self._names.get(group_id) == name and not any(
                (group_id, each.id) not in put or self._protected(each.id, each.email)
                for each in self._members[group_id].values()
            ):
                yield group_id

    def _uncreate(self, outcome: Outcome, change: Change, group_id: str) -> None:
        if group_id not in self._names:
            self._leave(change, "the group no longer exists")
        elif group_id not in self._doomed:
            why = "the group has another name or other members since, or members who are protected"
            self._hold(change, why)
        else:
            name = self._names.pop(group_id)
            users = tuple(member.ref for member in self._members[group_id].values())
            ref = GroupRef(id=group_id, name=name)
            self._freed[name] = self._step(Action.DELETE_GROUP, ref, outcome, members=users)

    def _rename_back(self, outcome: Outcome, change: Change, group_id: str) -> None:
        name, old_name = change.group.name, change.old_name or ""
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

    def _remove(self, outcome: Outcome, change: Change, group_id: str) -> None:
        user = change.user
        if group_id in self._doomed or user is None:
            return  # it goes with the group
        if user.id not in self._members.get(group_id, {}):
            self._leave(change, "the user is no longer in the group")
        elif why := self._protected(user.id, user.email):
            self._hold(change, f"the user {why}")
        else:
            del self._members[group_id][user.id]
            ref = GroupRef(id=group_id, name=self._names[group_id])
            self._step(Action.REMOVE_USER, ref, outcome, user=user)

    def _restore(self, outcome: Outcome, change: Change, group_id: str) -> None:
        ref, needed = GroupRef(id=group_id, name=self._names.get(group_id, "")), tuple[int, ...]()
        if group_id in self._recreated:
            ref, creation = self._recreated[group_id]
            needed = (creation,)
        elif group_id not in self._names:
            self._hold(change, "the group no longer exists")
            return
        elif change.user is not None and change.user.id in self._members[group_id]:
            self._leave(change, "the user is in the group again")
            return
        self._step(Action.ADD_USER, ref, outcome, needed, user=change.user)

    def _recreate(self, outcome: Outcome, change: Change, group_id: str) -> None:
        name, users = change.group.name, {user.id for user in change.members}
        if self._is_taken(name):
            named = [each for each, found in self._names.items() if found == name]
            has_all = any(self._members[each].keys() >= users for each in named)
            (self._leave if has_all else self._hold)(change, "a group of that name exists")
            if self._restoration is not None:
                self._restore_roles_of_existing(outcome, self._restoration, named)
            return
        ref = GroupRef(id=None, name=name)
        creation = self._step(Action.CREATE_GROUP, ref, outcome, self._name_freed(name))
        self._recreated[group_id] = ref, creation
        for user in change.members:
            self._step(Action.ADD_USER, ref, outcome, (creation,), user=user)
        self.notes.append(f"The group {name!r} comes back with a new ID: it was {group_id}.")
        if self._restore_roles(outcome, ref, (creation,)):
            what, lack = "Shares depend", f"those of {name!r} do not come back"
        else:
            what, lack = "Roles and shares depend", f"{name!r} comes back without them"
        self.notes.append(f"{what} on the ID of a group: {lack}.")

    def _restore_roles(
        self,
        outcome: Outcome,
        ref: GroupRef,
        depends_on: tuple[int, ...] = (),
        granted: Iterable[Grant] = (),
    ) -> bool:
        """Add the steps that assign the recorded roles, one after another; return if any are known.

        They follow the people, whom the Permissions API then cannot keep from coming back. Whoever
        leaves another group for this one does so once they have ended: access is back by then.
        """
        name, record = quoted(ref.name), outcome.roles
        if self._restoration is None:
            if record is not None and (record.granted or record.unknown):
                self.warnings.append(
                    f"Roles of {name} that are not restored without --restore-roles (undo "
                    f"{self._run} --restore-roles): {'; '.join(record.texts)}."
                )
            return False
        if record is None:
            self._lack(f"The roles of {name} are not restored: the journal does not have them.")
            return False
        are_assigned = [grant.assignment for grant in granted]
        for grant in record.granted:
            if grant.assignment in are_assigned:
                self.notes.append(f"Already in place: {grant.text} for {name}.")
            elif why := self._restoration.obstacle(grant):
                self._lack(f"Not restored for {name}: {grant.text}: {why}.")
            else:
                step = self._step(Action.ASSIGN_ROLE, ref, outcome, depends_on, role=grant)
                depends_on = (*depends_on[:1], step) if ref.id is None else (step,)
        if record.unknown:
            self._lack(f"Not restored for {name}: what is not known: {record.unknown}.")
        return bool(record.granted)

    def _restore_roles_of_existing(
        self, outcome: Outcome, restoration: Restoration, named: Collection[str]
    ) -> None:
        """Restore roles to a group that an earlier undo of the run has created, if it has."""
        name, record = outcome.change.group.name, outcome.roles
        if record is not None and not (record.granted or record.unknown):
            return
        ours = (each for each in restoration.recreated.get(name, ()) if each in named)
        group_id = next(ours, None)
        before = f"The roles of {quoted(name)} are not restored: "
        texts = "" if record is None else f" ({'; '.join(record.texts)})"
        if group_id is None:
            self._lack(f"{before}no undo of the run is known to have created that group{texts}.")
        elif not self._members[group_id].keys() <= {user.id for user in outcome.change.members}:
            self._lack(f"{before}the group has other members since{texts}.")
        else:
            ref = GroupRef(id=group_id, name=name)
            self._restore_roles(outcome, ref, granted=restoration.granted.get(group_id, ()))

    def _unassign(self, outcome: Outcome, change: Change, group_id: str) -> None:
        if group_id in self._doomed:
            return  # it ends with the group
        if group_id not in self._names:
            self._leave(change, "the group no longer exists")
        else:
            self._hold(change, "an undo ends no role: end it yourself, if it is assigned")

    def _is_taken(self, name: str) -> bool:
        recreated = (ref.name for ref, _ in self._recreated.values())
        return name in self._names.values() or name in recreated

    def _name_freed(self, name: str) -> tuple[int, ...]:
        return (self._freed[name],) if name in self._freed else ()

    def _step(
        self,
        action: Action,
        group: GroupRef,
        outcome: Outcome,
        depends_on: tuple[int, ...] = (),
        *,
        user: UserRef | None = None,
        **details: Any,
    ) -> int:
        """Add a step, and return its position; the details are further fields of the change."""
        step = Change(
            action=action,
            group=group,
            user=None if user is None else self._directory.current(user),
            reason=f"undoes change {outcome.position + 1}",
            depends_on=depends_on,
            **details,
        )
        self.steps.append(step)
        return len(self.steps) - 1


def _describe(change: Change) -> str:
    name = repr(change.group.name)
    role = change.role.text if change.role is not None else ""
    who = change.user.text if change.user is not None else ""
    return {
        Action.CREATE_GROUP: f"The creation of the group {name}",
        Action.RENAME_GROUP: f"The rename of {change.old_name!r} to {name}",
        Action.ADD_USER: f"The addition of {who} to {name}",
        Action.REMOVE_USER: f"The removal of {who} from {name}",
        Action.DELETE_GROUP: f"The deletion of the group {name}",
        Action.ASSIGN_ROLE: f"The assignment of {role} to {name}",
    }[change.action]
