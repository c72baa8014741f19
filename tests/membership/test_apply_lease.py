"""Applying a plan under a lease that is lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define

from cld_user_groups.emulator import Emulator
from cld_user_groups.membership import (
    Plan,
    Progress,
    RedisLease,
    Result,
    Status,
    Stop,
    load_run,
    state_directory,
)

from .accounts import add, client_of, emulated, members, plan_for
from .applied import WAYS, Clock, with_threads

Apply = Callable[..., Result]
LOST = "the lease had ended in Redis"
pytestmark = pytest.mark.usefixtures("waits")


@define
class Held:
    """A lease that a test takes away."""

    loss: str = ""

    def lose(self, *unused: object) -> None:
        self.loss = LOST


@pytest.fixture
def emulator() -> Emulator:
    return emulated({"a": []}, [f"u{number}" for number in range(20)])


@pytest.fixture
def plan(emulator: Emulator) -> Plan:
    with client_of(emulator) as client:
        return plan_for(client, *(add("a", f"u{number}") for number in range(10)))


@pytest.mark.parametrize("run", WAYS)
def test_a_run_whose_lease_is_lost_starts_no_more_changes(run, emulator, plan, tmp_path):
    lease = Held()

    def lose_after_three(progress: Progress) -> None:
        if progress.ended == 3:
            lease.lose()

    result = run(
        emulator,
        plan,
        state_dir=tmp_path,
        lease=lease,
        concurrency=2,
        on_progress=lose_after_three,
    )
    done = [outcome for outcome in result.outcomes if outcome.status is Status.DONE]
    assert 3 <= len(done) <= 4  # what was in flight has ended
    assert len(members(emulator)["a"]) == len(done)
    assert len(result.left) == 10 - len(done)
    assert (result.stopped, result.detail, result.is_complete) == (Stop.LEASE, LOST, False)
    end = load_run(state_directory("acc", tmp_path), result.run).end
    assert end is not None
    assert (end.stopped, end.detail) == (Stop.LEASE, LOST)


def test_a_lease_that_is_lost_at_the_start_lets_nothing_be_written(emulator, plan, tmp_path):
    unused = RedisLease("redis://127.0.0.1:1", "acc")
    result = with_threads(emulator, plan, state_dir=tmp_path, lease=unused)
    assert (result.stopped, result.detail) == (Stop.LEASE, "the lease is not held")
    assert members(emulator)["a"] == set()


def test_a_lease_lost_after_the_last_change_has_started_changes_nothing(emulator, plan, tmp_path):
    lease = Held()
    result = with_threads(emulator, plan, state_dir=tmp_path, lease=lease, on_progress=lease.lose)
    assert result.is_complete
    assert result.stopped is None


@pytest.mark.parametrize("run", WAYS)
def test_a_run_that_waits_for_the_quota_ends_when_its_lease_is_lost(run, emulator, plan, tmp_path):
    clock, lease = Clock(), Held()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.slept > 100:
            lease.lose()

    async def sleep_async(seconds: float) -> None:
        sleep(seconds)

    emulator.fail("addUserToUserGroup", status=420, headers={"retry-after": "3000"}, times=None)
    options: dict[str, Any] = {"sleep": sleep if run is with_threads else sleep_async}
    result = run(
        emulator, plan, state_dir=tmp_path, lease=lease, max_wait=3600, now=clock.now, **options
    )
    assert result.stopped is Stop.LEASE
    assert 100 < clock.slept < 110
