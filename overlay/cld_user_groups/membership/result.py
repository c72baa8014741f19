"""The result of a run: the outcome of each change, and how the run ended."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from .grants import RoleRecord
from .model import Change, Snapshot


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
        roles: What the group granted right before it was deleted; None where nothing was recorded.
    """

    position: int
    change: Change
    status: Status
    group_id: str | None = None
    request_id: str | None = None
    error: str = ""
    in_place: bool = False
    roles: RoleRecord | None = None

    @property
    def holds(self) -> bool:
        """Whether the account has what the change asks for."""
        return self.in_place or self.status in (Status.DONE, Status.ALREADY)


@frozen(kw_only=True)
class Progress:
    """How far a run has come, for a progress bar.

    Attributes:
        outcome: The change that has just ended, or None while the run waits.
        ended: How many changes have ended, successfully or not.
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
