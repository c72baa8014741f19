"""Runs as their journals record them, for the tests of what is told from them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from attrs import evolve

from cld_user_groups.membership.grants import GroupRef
from cld_user_groups.membership.journal import Author, End, Header, PlanInfo
from cld_user_groups.membership.model import Change, UserRef
from cld_user_groups.membership.result import Outcome, Status
from cld_user_groups.membership.runs import Run

from . import accounts

BEGINNING = datetime(2026, 3, 1, 12, tzinfo=UTC)


def run_of(
    number: int,
    *changes: Change,
    status: Status = Status.DONE,
    account: str = "acc",
    source: str = "groups.yaml",
) -> Run:
    """Return the run of a day, all of whose changes have this status."""
    at = BEGINNING + timedelta(days=number)
    header = Header(
        run=f"run-{number}",
        tool="cld-user-groups 0",
        started_at=at,
        account=account,
        by=Author(user="ada", host="ops", pid=1),
        plan=PlanInfo(source=source, digest=f"{number:064}", created_at=at, changes=len(changes)),
    )
    outcomes = tuple(
        Outcome(position=position, change=change, status=status, group_id=change.group.id)
        for position, change in enumerate(changes)
    )
    return Run(header=header, outcomes=outcomes, end=End(at=at + timedelta(minutes=1)))


def joins(user: str, group: str, *, reason: str = "", until: date | None = None) -> Change:
    """Return the addition of a user to a group."""
    change = accounts.add(ref(group), user)
    return evolve(change, reason=reason, until=until, source="groups.yaml", line=7)


def leaves(user: str, group: str) -> Change:
    """Return the removal of a user from a group."""
    return evolve(accounts.remove(ref(group), user), reason="not listed")


def created(group: str) -> Change:
    """Return the creation of a group, as the journal has it once its ID is known."""
    return evolve(accounts.create(""), group=ref(group))


def renamed(group: str, old: str, new: str) -> Change:
    """Return a rename."""
    return evolve(accounts.rename(old, new), group=GroupRef(id=group, name=new))


def deleted(group: str, *users: str) -> Change:
    """Return the deletion of a group with these members."""
    members = tuple(UserRef(id=user, email=f"{user}@example.com") for user in users)
    return evolve(accounts.delete(group), group=ref(group), members=members)


def ref(group: str) -> GroupRef:
    """Return a reference to a group whose name is its ID in capitals."""
    return accounts.existing(group.upper(), group)
