"""A plan is applied by a client with a limiter: what that holds back was not sent."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from tests.membership.accounts import add, client_over, emulated, plan_for

from cld_user_groups import CldProvisioning, utils
from cld_user_groups.emulator import Emulator
from cld_user_groups.limits import LocalLimiter
from cld_user_groups.membership.applying import apply
from cld_user_groups.membership.grants import GroupRef
from cld_user_groups.membership.model import Action, Change
from cld_user_groups.membership.pace import Reply, ReplyKind
from cld_user_groups.membership.result import Status, Stop
from cld_user_groups.membership.scheduler import Scheduler

from .conftest import Workers

HELD = Reply(kind=ReplyKind.THROTTLED, status_code=429, was_sent=False, retry_after=0.1)


@pytest.fixture
def emulator() -> Emulator:
    """An account with users for many additions."""
    return emulated({"b": ["u3"]}, [f"u{number}" for number in range(40)])


def client_of(emulator: Emulator, limiter: Any) -> CldProvisioning:
    return client_over(emulator.transport(), emulator.account_id, limiter=limiter)


def refusals(emulator: Emulator) -> int:
    return sum(call.status in (420, 429) for call in emulator.calls)


def test_what_was_held_back_is_neither_a_refusal_nor_a_sign_of_load() -> None:
    group = GroupRef(id="g", name="g")
    changes = [Change(action=Action.CREATE_GROUP, group=group) for _ in range(2)]
    scheduler = Scheduler(changes, concurrency=2)
    now = 1000.0
    for _ in range(20):
        assert scheduler.start(now) == [0, 1]
        for position in (0, 1):
            scheduler.finish(position, HELD, now)
        now += 0.1
    assert scheduler.stopped is None
    assert scheduler.pace.at_once == 2


def test_what_is_released_gradually_after_a_reset_is_no_wait_for_quota() -> None:
    group = GroupRef(id="g", name="g")
    scheduler = Scheduler([Change(action=Action.CREATE_GROUP, group=group)], remaining=990)
    assert scheduler.start(1000.0) == [0]
    scheduler.finish(0, evolve(HELD, status_code=420), 1000.0)
    assert scheduler.start(1000.1) == [0]
    scheduler.finish(0, evolve(HELD, status_code=420, retry_after=1800), 1000.1)
    assert scheduler.stopped is Stop.QUOTA


@pytest.mark.usefixtures("waits")
def test_a_run_that_backs_off_is_not_slowed_down_by_the_limiter_too(
    emulator: Emulator, tmp_path: Path
) -> None:
    client = client_of(emulator, LocalLimiter())
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 40)))
    headers = {"retry-after": "0"}
    emulator.fail(
        "addUserToUserGroup", status=429, headers=headers, times=None, probability=0.25, seed=1
    )
    slept = 0.0

    def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds
        utils.wait(seconds)  # the limiter's clock goes on

    now = emulator.clock.now()
    result = apply(
        client, plan, state_dir=tmp_path, sleep=sleep, now=lambda: now + timedelta(seconds=slept)
    )
    assert result.is_complete
    assert slept <= 0.5 * refusals(emulator)


@pytest.mark.usefixtures("waits")
def test_a_run_stops_before_it_is_refused_and_the_rest_was_not_sent(
    emulator: Emulator, tmp_path: Path
) -> None:
    client = client_of(emulator, LocalLimiter(reserve=5))
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 30)))
    emulator.set_quota(100, 15)
    result = apply(client, plan, state_dir=tmp_path, concurrency=4)
    assert result.stopped is Stop.QUOTA
    assert result.resume_at is not None
    assert {outcome.status for outcome in result.left} == {Status.NOT_STARTED}
    assert refusals(emulator) == 0


@pytest.mark.parametrize("reserve", [None, 2])
def test_a_run_that_may_wait_for_the_quota_waits_for_it_once(
    reserve: int | None, emulator: Emulator, tmp_path: Path, waits: list[float]
) -> None:
    emulator.clock.set(emulator.clock.now().replace(minute=30, second=0))
    client = client_of(emulator, LocalLimiter(reserve=reserve))
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 25)))
    emulator.set_quota(20, 8)

    def sleep(seconds: float) -> None:
        emulator.clock.advance(seconds=seconds)
        utils.wait(seconds)  # which the fixture `waits` records: the limiter's clock goes on

    result = apply(
        client,
        plan,
        state_dir=tmp_path,
        concurrency=4,
        max_wait=3600,
        sleep=sleep,
        now=emulator.clock.now,
    )
    assert result.is_complete
    assert 1799 < sum(waits) < 1830


def test_a_run_on_one_machine_heeds_what_another_has_learned_through_redis(
    emulator: Emulator, tmp_path: Path, workers: Workers
) -> None:
    client = client_of(emulator, workers.new(reserve=3))
    plan = plan_for(client, *(add("b", f"u{number}") for number in range(10, 30)))
    emulator.set_quota(100, 8)
    with client_of(emulator, workers.new()) as other:
        for _ in range(3):
            other.user_groups.list()
    result = apply(client, plan, snapshot=None, state_dir=tmp_path, concurrency=4)
    assert result.stopped is Stop.QUOTA
    assert {outcome.status for outcome in result.left} == {Status.NOT_STARTED}
    assert refusals(emulator) == 0
    with client_of(emulator, workers.new()) as other:
        other.user_groups.list()  # the reserve is left to those who have none
