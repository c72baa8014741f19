"""The outcome of a plan: a status for each change, what the account shows of it, the result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from attrs import evolve, frozen

from .identity import Directory
from .model import Action, Change, Snapshot


class Status(StrEnum):
    """The outcome of a change.

    `DONE` was applied by this run; `ALREADY` held before; `UNKNOWN` may have been applied by this
    run, although no response confirms it; `NOT_STARTED` was not sent.
    """

    DONE = "done"
    ALREADY = "already"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_STARTED = "not_started"


class Stop(StrEnum):
    """Why a run ended before all of its changes were tried."""

    UNAUTHORIZED = "unauthorized"
    FAILURES = "failures"
    QUOTA = "quota"
    REQUESTED = "requested"
    JOURNAL = "journal"
    LEASE = "lease"
    ABANDONED = "abandoned"


@frozen(kw_only=True)
class Outcome:
    """The outcome of one change.

    Attributes:
        position: The position of the change in the plan, from 0.
        change: The change.
        status: Its outcome.
        group_id: The ID of the group, that of a created group too; None where it is not known.
        request_id: The server's ID of the deciding request, or None.
        error: What went wrong, in a sentence, or "".
        in_place: Whether the account has what the change asks for although its status is `UNKNOWN`:
            this run or somebody else has applied it.
    """

    position: int
    change: Change
    status: Status
    group_id: str | None = None
    request_id: str | None = None
    error: str = ""
    in_place: bool = False

    @property
    def holds(self) -> bool:
        """Whether the account has what the change asks for."""
        return self.in_place or self.status in (Status.DONE, Status.ALREADY)


@frozen(kw_only=True)
class Progress:
    """How far a run has come, for a progress bar.

    Attributes:
        outcome: The change that has just ended, or None while the run waits.
        ended: How many changes have ended, whatever came of them.
        total: How many changes the plan has.
        waiting_until: When the run goes on, where it waits for the quota, or None.
    """

    outcome: Outcome | None
    ended: int
    total: int
    waiting_until: datetime | None = None


@frozen(kw_only=True)
class Result:
    """The outcome of a plan.

    Attributes:
        run: The ID of the run, which names its journal; "" where none was kept.
        outcomes: One for each change, in the plan's order.
        stopped: Why the run ended early, or None.
        detail: The reason in a sentence, or "".
        verified: Whether the account, read again afterwards, has all that the plan asks for; None
            where it was not or could not be read again.
        differences: What is missing, a sentence each.
        requests_left: How many requests are left of the quota, or None where the API did not say.
        resume_at: When the quota is renewed, where the run ended for want of it, or None.
        snapshot: The account, read again afterwards, or None.
    """

    run: str
    outcomes: tuple[Outcome, ...]
    stopped: Stop | None = None
    detail: str = ""
    verified: bool | None = None
    differences: tuple[str, ...] = ()
    requests_left: int | None = None
    resume_at: datetime | None = None
    snapshot: Snapshot | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the account has all that the plan asks for."""
        return self.verified is not False and all(outcome.holds for outcome in self.outcomes)

    @property
    def left(self) -> tuple[Outcome, ...]:
        """The outcomes that do not hold, as far as is known."""
        return tuple(outcome for outcome in self.outcomes if not outcome.holds)

    def counts(self) -> dict[str, int]:
        """Return how many changes have each status, every status named."""
        return {
            status.value: sum(outcome.status is status for outcome in self.outcomes)
            for status in Status
        }


def settle(outcomes: Sequence[Outcome], account: Directory) -> tuple[Outcome, ...]:
    """Return the outcomes; an unknown one that the account shows now is done.

    One that it does not show stays unknown: it may still come.

    Args:
        outcomes: The outcome of each change.
        account: The account, read after the last of them.
    """
    return tuple(
        evolve(outcome, status=Status.DONE, error="")
        if outcome.status is Status.UNKNOWN
        and not outcome.in_place
        and not difference_of(outcome, account)
        else outcome
        for outcome in outcomes
    )


def differences(outcomes: Sequence[Outcome], account: Directory) -> tuple[str, ...]:
    """Return the differences between the account and the changes, a sentence each.

    Args:
        outcomes: The outcome of each change.
        account: The account, read after the last of them.
    """
    return tuple(
        difference for outcome in outcomes if (difference := difference_of(outcome, account))
    )


def difference_of(outcome: Outcome, account: Directory) -> str:
    """Return the difference between the account and one change, or "".

    Args:
        outcome: The change, with the ID of its group.
        account: The account.
    """
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
    if change.action in (Action.CREATE_GROUP, Action.RENAME_GROUP):
        return "" if group.name == name else f"the group {name!r} is called {group.name!r}"
    assert change.user is not None
    is_member = change.user.id in account.members(group.id)
    if is_member is (change.action is Action.ADD_USER):
        return ""
    person = change.user.email or change.user.id
    return f"{person} is {'still' if is_member else 'not'} in the group {name!r}"
