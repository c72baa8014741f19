"""A real process is killed in the middle of a run, again and again; the next run goes on."""

from __future__ import annotations

import random
import sys
from collections import Counter
from datetime import UTC, datetime

import pytest

from cld_user_groups.emulator import Emulator
from cld_user_groups.membership.applying import apply
from cld_user_groups.membership.model import (
    Action,
    Plan,
)
from cld_user_groups.membership.planning import plan
from cld_user_groups.membership.runs import list_runs
from cld_user_groups.membership.snapshot import read_account
from cld_user_groups.membership.state import state_directory

from .accounts import emulated, members
from .killable import client_at, run_and_kill
from .planned_accounts import file_of
from .watched import Watched, Write, write_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")

USERS = [f"u{number:02}" for number in range(60)]
FILE = file_of({"new": USERS[:30], "kept": USERS[20:50]}, kept="id-left")
WANTED = {"new": set(USERS[:30]), "kept": set(USERS[20:50]), "untouched": {"u59"}}


def make_plan(url: str) -> Plan:
    with client_at(url) as client:
        now = datetime.now(UTC)
        return plan(read_account(client), FILE, now.date(), now=now)


def test_a_killed_run_is_resumed_until_the_account_is_as_asked(tmp_path):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    print(f"seed {seed}")
    emulator = emulated({"left": USERS[10:40], "gone": USERS[40:45], "untouched": ["u59"]}, USERS)
    emulator.fail("*", status=None, delay=0.004, times=None)
    watched = Watched(emulator)
    planned: set[Write] = set()
    kills = 0

    def never_removes_who_is_wanted(write: Write) -> None:
        if write.action is Action.REMOVE_USER:
            assert write.about not in WANTED["kept"]

    watched.before_write = never_removes_who_is_wanted
    for _ in range(40):
        # Once the server has stopped, no request of the killed process is left in its hands.
        with emulator.serve() as server:
            made = make_plan(server.url)
            if not made.changes:
                break
            applied = len(watched.applied)
            kills += run_and_kill(server.url, made, tmp_path, chance.randint(5, 45))
        planned |= {write_of(change, change.group.id) for change in made.changes}
        twice = Counter(watched.applied[applied:]).most_common(1)
        assert not twice or twice[0][1] == 1
    assert made.changes == ()
    assert kills >= 2
    assert members(emulator) == WANTED
    assert max(Counter(watched.applied).values()) == 1  # over all runs, too
    assert_all_was_planned(watched.applied, planned, emulator)
    runs = list_runs(state_directory("acc", tmp_path))
    assert all(run.run is not None for run in runs)
    unfinished = [run for run in runs if run.run is not None and run.run.end is None]
    assert len(unfinished) >= kills - 1


def assert_all_was_planned(applied: list[Write], planned: set[Write], emulator: Emulator) -> None:
    created = {group.id for group in emulator.groups if group.name == "new"}
    for write in applied:
        in_plan = Write(
            write.action, None if write.group_id in created else write.group_id, write.about
        )
        assert write in planned or in_plan in planned


def test_a_run_after_a_crash_holds_no_lock_of_the_dead(tmp_path):
    emulator = emulated({"left": USERS[10:40], "gone": USERS[40:45]}, USERS)
    emulator.fail("*", status=None, delay=0.004, times=None)
    with emulator.serve() as server:
        assert run_and_kill(server.url, make_plan(server.url), tmp_path, 10)
    with emulator.serve() as server, client_at(server.url) as client:
        assert apply(client, make_plan(server.url), state_dir=tmp_path).is_complete
