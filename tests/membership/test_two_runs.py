"""Two runs on one account at once, as on two machines without a lease: more work, nothing wrong."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cld_user_groups.emulator import Emulator
from cld_user_groups.membership import (
    Action,
    Plan,
    Progress,
    RedisLease,
    Result,
    StalePlan,
    Stop,
    apply,
    plan,
    read_account,
)

from .accounts import client_of, emulated, members
from .planned_accounts import file_of
from .watched import Watched, Write, write_of

USERS = [f"u{number:02}" for number in range(30)]
BEFORE = {"kept": USERS[5:15], "gone": USERS[15:18], "untouched": USERS[29:]}
ONE = {"kept": USERS[:10], "new": USERS[3:9]}
OTHER = {"kept": USERS[8:20], "new": USERS[6:12]}
pytestmark = pytest.mark.usefixtures("waits")


class Machines:
    """Machines that each make an account what their own file says.

    Args:
        folder: Where they keep their journals and locks, each in a folder of its own.
        emulator: The account.
    """

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.planned: set[Write] = set()
        self._folder = folder
        self._emulator = emulator

    def run(
        self, name: str, groups: Mapping[str, list[str]], delay: float = 0.0, **options: Any
    ) -> Result | None:
        """Read, plan and apply; return None where the plan is stale."""
        time.sleep(delay)
        with client_of(self._emulator) as client:
            made = self._plan(groups)
            try:
                state = self._folder / name
                return apply(client, made, state_dir=state, concurrency=4, **options)
            except StalePlan:
                return None

    def _plan(self, groups: Mapping[str, list[str]]) -> Plan:
        with client_of(self._emulator) as client:
            now = datetime.now(UTC)
            made = plan(read_account(client), file_of(groups), date(2026, 1, 1), now=now)
        self.planned |= {write_of(change, None) for change in made.changes}
        return made


@pytest.mark.parametrize("second", [ONE, OTHER], ids=["the same file", "different files"])
def test_two_runs_at_once_do_only_what_files_ask_and_the_next_ends_it(tmp_path, second):
    chance = random.Random(seed := random.randrange(10**6))
    print(f"seed {seed}")
    for attempt in range(4):
        emulator = emulated(BEFORE, USERS)
        emulator.fail("*", status=None, delay=0.002, times=None)
        watched = Watched(emulator)
        watched.before_write = keeper_of_whom_both_want(emulator, ONE, second)
        machines = Machines(tmp_path / str(attempt), emulator)
        with ThreadPoolExecutor(2) as pool:
            runs = [
                pool.submit(machines.run, "one", ONE),
                pool.submit(machines.run, "other", second, chance.choice([0, 0, 0.01, 0.03])),
            ]
            results = [run.result() for run in runs]
        assert max(Counter(watched.applied).values()) == 1
        assert {Write(w.action, None, w.about) for w in watched.applied} <= machines.planned
        assert members(emulator)["untouched"] == set(BEFORE["untouched"])
        assert any(result is not None for result in results)

        watched.before_write = None
        last = machines.run("other", second)
        assert last.is_complete
        wanted = {name: set(users) for name, users in second.items()}
        assert members(emulator) == {**wanted, "untouched": set(BEFORE["untouched"])}


def test_an_emptied_redis_lets_in_a_second_run_and_nothing_is_done_twice(tmp_path, redis_server):
    emulator = emulated(BEFORE, USERS)
    watched = Watched(emulator)
    machines = Machines(tmp_path, emulator)
    is_halfway, may_go_on = threading.Event(), threading.Event()
    lost = RedisLease(redis_server.url, "acc", lifetime=3)

    def stay_halfway(progress: Progress) -> None:
        if progress.ended == 4:
            is_halfway.set()
            assert may_go_on.wait(60)
            while not lost.loss:
                time.sleep(0.01)

    def run_first() -> Result | None:
        with lost:
            return machines.run("one", ONE, lease=lost, on_progress=stay_halfway)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_first)
        assert is_halfway.wait(60)
        redis_server.restart_empty()
        with RedisLease(redis_server.url, "acc") as lease:
            second = machines.run("other", ONE, lease=lease)
            may_go_on.set()
            first = running.result()
            assert lease.loss == ""
    assert first.stopped is Stop.LEASE
    assert second.is_complete
    assert max(Counter(watched.applied).values()) == 1
    wanted = {name: set(users) for name, users in ONE.items()}
    assert members(emulator) == {**wanted, "untouched": set(BEFORE["untouched"])}


def keeper_of_whom_both_want(
    emulator: Emulator, one: Mapping[str, list[str]], second: Mapping[str, list[str]]
) -> Callable[[Write], None]:
    """Return a check that nobody is removed whom both files want in the group."""
    names = {group.id: group.name for group in emulator.groups}

    def check(write: Write) -> None:
        if write.action is Action.REMOVE_USER:
            name = names[write.group_id or ""]
            assert write.about not in set(one[name]) & set(second[name])

    return check
