"""What the journals tell of each membership: since which run, who, why, until when.

A pure function of the runs of an account. Journals are of one machine: what was changed elsewhere,
in the console for one, is not in them. So a period is to be compared with the account as it is.

    history = read_history(state_directory("acc"))
    period = history.current(group.id, user.id)
    if period is not None and period.since is not None:
        print(period.since.run, period.since.at, period.since.by.user, period.since.reason)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from operator import attrgetter
from pathlib import Path

from attrs import evolve, field, frozen

from .directory import Directory
from .grants import GroupRef
from .journal import Author, Header
from .model import Action, Group, Member, Snapshot, UserRef
from .result import Outcome, Status
from .runs import Run, RunSummary, list_runs

#: A group's ID and a user's.
Key = tuple[str, str]


@frozen(kw_only=True)
class Step:
    """What a run did to a membership.

    Attributes:
        header: Who applied which plan.
        outcome: The change and its result. `DONE`: this run did it. `ALREADY`: it was so
            before this run came. `UNKNOWN`: this run may have done it.
    """

    header: Header
    outcome: Outcome

    @property
    def run(self) -> str:
        """The ID of the run."""
        return self.header.run

    @property
    def at(self) -> datetime:
        """When the run began, in UTC."""
        return self.header.started_at

    @property
    def by(self) -> Author:
        """Who ran it."""
        return self.header.by

    @property
    def action(self) -> Action:
        """What was done: a user was added or removed, or the whole group deleted."""
        return self.outcome.change.action

    @property
    def status(self) -> Status:
        """Its result."""
        return self.outcome.status

    @property
    def reason(self) -> str:
        """Why, in the words of the file or of the command, or ""."""
        return self.outcome.change.reason

    @property
    def source(self) -> str:
        """The file that asked for it, or what created the plan ("add", "undo of RUN")."""
        return self.outcome.change.source or self.header.plan.source

    @property
    def line(self) -> int | None:
        """The line in that file, or None."""
        return self.outcome.change.line

    @property
    def until(self) -> date | None:
        """The last day for which the file asked for the membership, or None."""
        return self.outcome.change.until


@frozen(kw_only=True)
class Period:
    """A time in which a user was in a group, as far as the journals tell.

    Attributes:
        group: The group, by the name that it had last.
        user: The user.
        since: What began it, or None if it began before the first run that mentions it. Where an
            undo gave the membership back, what began it before it was lost.
        restored: The step of the undo that gave it back, or None.
        ended: What ended it, or None if no run did.
        is_open: Whether no run has ended it, or found it ended.
    """

    group: GroupRef
    user: UserRef
    since: Step | None = None
    restored: Step | None = None
    ended: Step | None = None
    is_open: bool = True

    @property
    def until(self) -> date | None:
        """The last day for which the membership was asked for, or None."""
        return None if self.since is None else self.since.until


@frozen(kw_only=True)
class History:
    """What the runs of an account did to its memberships.

    Attributes:
        runs: The runs, the earliest first.
        steps: For each group and user, by their IDs: every step, the earliest first.
        periods: For each group and user, by their IDs: the times of membership, the earliest first.
        groups: The groups that runs mention, by ID, each by the name that it had last.
        unreadable: The journals that cannot be read, and so are missing here.
    """

    runs: tuple[Run, ...] = ()
    steps: Mapping[Key, tuple[Step, ...]] = field(factory=dict[Key, tuple[Step, ...]])
    periods: Mapping[Key, tuple[Period, ...]] = field(factory=dict[Key, tuple[Period, ...]])
    groups: Mapping[str, GroupRef] = field(factory=dict[str, GroupRef])
    unreadable: tuple[RunSummary, ...] = ()

    def current(self, group_id: str, user_id: str) -> Period | None:
        """Return the period that no run has ended, or None.

        None means that the journals do not know the membership: where the account has it, it is
        older than they are, or was made elsewhere.
        """
        periods = self.periods.get((group_id, user_id), ())
        return periods[-1] if periods and periods[-1].is_open else None


def read_history(directory: Path) -> History:
    """Return the history of an account, from its directory; see `state_directory`."""
    found = list_runs(directory)
    history = history_of(summary.run for summary in found if summary.run is not None)
    return evolve(history, unreadable=tuple(each for each in found if each.run is None))


def history_of(runs: Iterable[Run]) -> History:
    """Return what runs of one account, in any order, did to its memberships."""
    ordered = tuple(sorted(runs, key=attrgetter("order")))
    tracker = _Tracker()
    for run in ordered:
        for outcome in run.outcomes:
            tracker.follow(Step(header=run.header, outcome=outcome))
    return History(
        runs=ordered,
        steps={key: tuple(steps) for key, steps in tracker.steps.items()},
        periods={
            key: tuple(evolve(period, group=tracker.groups[key[0]]) for period in periods)
            for key, periods in tracker.periods.items()
        },
        groups=tracker.groups,
    )


class _Tracker:
    """Follows the steps in order, and keeps what is known after each."""

    def __init__(self) -> None:
        self.steps: dict[Key, list[Step]] = {}
        self.periods: dict[Key, list[Period]] = {}
        self.groups: dict[str, GroupRef] = {}

    def follow(self, step: Step) -> None:
        """Follow a step. What was not applied, or is of an unknown group, changes nothing."""
        change, group_id = step.outcome.change, step.outcome.group_id
        if step.status in (Status.FAILED, Status.NOT_STARTED) or group_id is None:
            return
        # A plan names a group as it is called once the plan is done.
        group = self.groups[group_id] = GroupRef(id=group_id, name=change.group.name)
        if step.action is Action.DELETE_GROUP:
            self._delete(step, group)
        elif change.user is not None:
            follow = self._add if step.action is Action.ADD_USER else self._end
            follow(step, group, change.user)

    def _add(self, step: Step, group: GroupRef, user: UserRef) -> None:
        periods = self._record(step, group, user)
        if periods and periods[-1].is_open:
            if step.status is not Status.DONE:
                return  # it was there already, or whatever the request did, it still is
            # It could be added: so it had ended, and no run of this machine did that.
            periods[-1] = evolve(periods[-1], is_open=False)
        period = Period(group=group, user=user, since=step)
        if step.header.plan.undoes:
            lost = periods[-1] if periods else self._lost(step, group, user)
            period = evolve(period, since=lost.since if lost else None, restored=step)
        periods.append(period)

    def _lost(self, step: Step, group: GroupRef, user: UserRef) -> Period | None:
        """Return the membership of a group that the undone run has deleted: it had another ID."""
        for (_, user_id), found in self.periods.items():
            ended = found[-1].ended if user_id == user.id and found else None
            if ended is None or ended.action is not Action.DELETE_GROUP:
                continue
            if (ended.run, ended.outcome.change.group.name) == (
                step.header.plan.undoes,
                group.name,
            ):
                return found[-1]
        return None

    def _delete(self, step: Step, group: GroupRef) -> None:
        users = {user.id: user for user in step.outcome.change.members}
        for (group_id, user_id), periods in self.periods.items():
            if group_id == group.id and periods and periods[-1].is_open:
                users.setdefault(user_id, periods[-1].user)
        for user in users.values():
            self._end(step, group, user)

    def _end(self, step: Step, group: GroupRef, user: UserRef) -> None:
        periods = self._record(step, group, user)
        if step.status is Status.UNKNOWN:
            return  # it is one of the steps; the account tells whether it did anything
        if periods and periods[-1].is_open:
            periods[-1] = evolve(periods[-1], ended=step, is_open=False)
        elif step.status is Status.DONE:
            periods.append(Period(group=group, user=user, ended=step, is_open=False))

    def _record(self, step: Step, group: GroupRef, user: UserRef) -> list[Period]:
        key = (group.id or "", user.id)
        self.steps.setdefault(key, []).append(step)
        return self.periods.setdefault(key, [])


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
    """Return an account, given as it is now, as it was right after a run of its runs.

    Raises:
        ValueError: There is no such run, or a run is of another account.
    """
    ordered = sorted(runs, key=attrgetter("order"))
    others = [each.id for each in ordered if each.header.account != snapshot.account_id]
    if others:
        raise ValueError(f"the run {others[0]} was not on account {snapshot.account_id!r}")
    known = Directory(snapshot)
    groups = {each.id: (each.name, dict(known.members(each.id))) for each in snapshot.groups}
    notes: list[str] = []
    while ordered and ordered[-1].id != run:
        later = ordered.pop()
        for outcome in reversed(later.outcomes):
            if outcome.status is Status.DONE:
                _take_out(outcome, groups, known)
            elif outcome.status is Status.UNKNOWN:
                notes.append(
                    f"Change {outcome.position + 1} of run {later.id} may have been applied or "
                    f"not; it is left as it is now."
                )
    if not ordered:
        raise ValueError(f"there is no run {run!r} on account {snapshot.account_id!r}")
    found = ordered[-1]
    before = Snapshot(
        account_id=snapshot.account_id,
        groups=tuple(
            Group(id=group_id, name=name, members=tuple(members.values()))
            for group_id, (name, members) in groups.items()
        ),
        people=snapshot.people,
        taken_at=found.header.started_at if found.end is None else found.end.at,
    )
    return AsOf(snapshot=before, run=found, notes=tuple(notes))


def _take_out(
    outcome: Outcome, groups: dict[str, tuple[str, dict[str, Member]]], known: Directory
) -> None:
    """Take a change out of groups, each with its name and its members by ID."""
    change, group_id = outcome.change, outcome.group_id
    if group_id is None:
        return

    def member(user: UserRef) -> Member:
        return known.by_id(user.id) or Member(id=user.id, email=user.email)

    # Where somebody else has deleted the group since, who was in it is not known.
    members = groups[group_id][1] if group_id in groups else {}
    match change.action:
        case Action.CREATE_GROUP:
            groups.pop(group_id, None)
        case Action.DELETE_GROUP:
            groups[group_id] = change.group.name, {each.id: member(each) for each in change.members}
        case Action.RENAME_GROUP if group_id in groups:
            groups[group_id] = change.old_name or "", members
        case Action.ADD_USER if change.user is not None:
            members.pop(change.user.id, None)
        case Action.REMOVE_USER if change.user is not None:
            members.setdefault(change.user.id, member(change.user))
        case _:
            pass
