"""Applying a plan under a lease that is lost on the way."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import define

from cld_user_groups.membership import Change, Progress, RedisLease, Status, Stop

from .accounts import add
from .applied import Clock, statuses, with_threads

LOST = "the lease had ended in Redis"
pytestmark = pytest.mark.usefixtures("waits")


@define
class Held:
    """A lease that a test takes away."""

    loss: str = ""

    def lose(self, *unused: object) -> None:
        self.loss = LOST


@pytest.fixture
def changes() -> list[Change]:
    return [add("a", f"u{number}") for number in range(10, 20)]


def test_a_run_whose_lease_is_lost_starts_no_more_changes(account, changes):
    lease = Held()

    def lose_after_three(progress: Progress) -> None:
        if progress.ended == 3:
            lease.lose()

    result = account.apply(*changes, lease=lease, concurrency=2, on_progress=lose_after_three)
    done = statuses(result).count(Status.DONE)
    assert 3 <= done <= 4  # what was in flight has ended
    assert len(account.members["a"]) == 2 + done
    assert len(result.left) == 10 - done
    assert (result.stopped, result.detail, result.is_complete) == (Stop.LEASE, LOST, False)
    end = account.last_run(result.run).end
    assert (end.stopped, end.detail) == (Stop.LEASE, LOST)


def test_a_lease_that_is_lost_at_the_start_lets_nothing_be_written(one, changes):
    result = one.apply(*changes, lease=RedisLease("redis://127.0.0.1:1", "acc"))
    assert (result.stopped, result.detail) == (Stop.LEASE, "the lease is not held")
    assert one.members["a"] == {"u1", "u2"}


def test_a_lease_lost_after_the_last_change_has_started_changes_nothing(one, changes):
    lease = Held()
    result = one.apply(*changes, lease=lease, on_progress=lease.lose)
    assert result.is_complete
    assert result.stopped is None


def test_a_run_that_waits_for_the_quota_ends_when_its_lease_is_lost(account, changes):
    clock, lease = Clock(), Held()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.slept > 100:
            lease.lose()

    async def sleep_async(seconds: float) -> None:
        sleep(seconds)

    account.fail("addUserToUserGroup", status=420, headers={"retry-after": "3000"}, times=None)
    options: dict[str, Any] = {"sleep": sleep if account.way is with_threads else sleep_async}
    result = account.apply(*changes, lease=lease, max_wait=3600, now=clock.now, **options)
    assert result.stopped is Stop.LEASE
    assert 100 < clock.slept < 110
