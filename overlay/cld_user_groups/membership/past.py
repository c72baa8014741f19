"""An account as it was right after a run: as it is now, without what later runs did."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from attrs import frozen

from .history import in_order
from .identity import Directory
from .model import Action, Group, Member, Snapshot, UserRef
from .outcome import Outcome, Status
from .runs import Run


@frozen(kw_only=True)
class AsOf:
    """An account as it was right after a run.

    Attributes:
        snapshot: The account. What was changed elsewhere since, in the console for one, is in no
            journal, and is in it as if it had been so then.
        run: The run.
        notes: What is not certain, a sentence each.
    """

    snapshot: Snapshot
    run: Run
    notes: tuple[str, ...] = ()


def as_of(snapshot: Snapshot, runs: Iterable[Run], run: str) -> AsOf:
    """Return an account as it was right after a run.

    Args:
        snapshot: The account as it is now.
        runs: The runs on the account, in any order.
        run: The ID of the run.

    Raises:
        ValueError: There is no such run, or a run is of another account.
    """
    ordered = in_order(runs)
    others = [each.id for each in ordered if each.header.account != snapshot.account_id]
    if others:
        raise ValueError(f"the run {others[0]} was not on account {snapshot.account_id!r}")
    position = {each.id: at for at, each in enumerate(ordered)}.get(run)
    if position is None:
        raise ValueError(f"there is no run {run!r} on account {snapshot.account_id!r}")
    past = _Past(snapshot)
    for later in reversed(ordered[position + 1 :]):
        for outcome in reversed(later.outcomes):
            past.without(outcome, later)
    found = ordered[position]
    return AsOf(snapshot=past.snapshot(_end_of(found)), run=found, notes=tuple(past.notes))


def _end_of(run: Run) -> datetime:
    return run.header.started_at if run.end is None else run.end.at


class _Past:
    """Takes changes out of an account, the latest first."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._now = snapshot
        self._directory = Directory(snapshot)
        self._names = {group.id: group.name for group in snapshot.groups}
        self._members = {
            group.id: {member.id: member for member in group.members} for group in snapshot.groups
        }
        self.notes: list[str] = []

    def without(self, outcome: Outcome, run: Run) -> None:
        """Take a change out; note it where nothing tells whether it was applied."""
        group_id = outcome.group_id
        if outcome.status is Status.UNKNOWN:
            self.notes.append(
                f"Change {outcome.position + 1} of run {run.id} may have been applied or not; "
                f"it is left as it is now."
            )
        if outcome.status is not Status.DONE or group_id is None:
            return
        change = outcome.change
        match change.action:
            case Action.CREATE_GROUP:
                self._names.pop(group_id, None)
                self._members.pop(group_id, None)
            case Action.DELETE_GROUP:
                self._names[group_id] = change.group.name
                self._members[group_id] = {user.id: self._member(user) for user in change.members}
            case Action.RENAME_GROUP:
                if group_id in self._names:
                    self._names[group_id] = change.old_name or ""
            case Action.ADD_USER | Action.REMOVE_USER:
                self._without_membership(change.action, group_id, change.user)

    def _without_membership(self, action: Action, group_id: str, user: UserRef | None) -> None:
        members = self._members.get(group_id)
        if members is None or user is None:
            return  # somebody else has deleted the group since, and who was in it is not known
        if action is Action.ADD_USER:
            members.pop(user.id, None)
        else:
            members.setdefault(user.id, self._member(user))

    def _member(self, user: UserRef) -> Member:
        return self._directory.by_id(user.id) or Member(id=user.id, email=user.email)

    def snapshot(self, taken_at: datetime) -> Snapshot:
        """Return the account without what was taken out."""
        groups = tuple(
            Group(id=group_id, name=name, members=tuple(self._members[group_id].values()))
            for group_id, name in self._names.items()
        )
        return Snapshot(
            account_id=self._now.account_id,
            groups=groups,
            people=self._now.people,
            taken_at=taken_at,
        )
