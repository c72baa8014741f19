"""A real process is killed in the middle of a run, again and again; the next run goes on."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cld_user_groups import CldProvisioning
from cld_user_groups.emulator import Emulator
from cld_user_groups.membership.applying import apply
from cld_user_groups.membership.model import (
    Action,
    Desired,
    DesiredGroup,
    DesiredMember,
    GuardLimits,
    Plan,
)
from cld_user_groups.membership.planning import plan
from cld_user_groups.membership.runs import list_runs
from cld_user_groups.membership.snapshot import read_account
from cld_user_groups.membership.state import state_directory

from .accounts import SECURITY, emulated, members
from .watched import Watched, Write, write_of

USERS = [f"u{number:02}" for number in range(60)]
DESIRED = Desired(
    source="file",
    digest="",
    guards=GuardLimits(max_removals=1000, max_removals_per_group=1.0),
    groups=(
        DesiredGroup(name="new", members=tuple(DesiredMember(id=user) for user in USERS[:30])),
        DesiredGroup(
            name="kept",
            id="id-left",
            members=tuple(DesiredMember(id=user) for user in USERS[20:50]),
        ),
        DesiredGroup(name="gone", state="absent", allow_empty=True),
    ),
)
WANTED = {"new": set(USERS[:30]), "kept": set(USERS[20:50]), "untouched": {"u59"}}

PROGRAM = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from cld_user_groups import CldProvisioning, Security
from cld_user_groups.membership.applying import apply
from cld_user_groups.membership.plan_file import load_plan

client = CldProvisioning(account_id="acc", security=Security("k", "s"), server_url=sys.argv[1])
apply(client, load_plan(Path(sys.argv[2])), state_dir=Path(sys.argv[3]), concurrency=8)
"""


def make_plan(url: str) -> Plan:
    with CldProvisioning(account_id="acc", security=SECURITY, server_url=url) as client:
        return plan(read_account(client), DESIRED, date(2026, 1, 1), now=datetime.now(UTC))


def lines_of(directory: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in directory.glob("*.jsonl"))


def run_and_kill(url: str, made: Plan, state: Path, kill_after: int) -> bool:
    """Run a plan in another process; kill it once the journal has grown by some lines."""
    from cld_user_groups.membership.plan_file import save_plan

    directory = state_directory("acc", state)
    path = state / "plan.json"
    save_plan(made, path)
    before = lines_of(directory)
    with subprocess.Popen([sys.executable, "-c", PROGRAM, url, str(path), str(state)]) as process:
        while process.poll() is None:
            if lines_of(directory) >= before + kill_after:
                process.send_signal(signal.SIGKILL)
                process.wait()
                return True
            time.sleep(0.0005)
        assert process.returncode == 0
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_run_is_resumed_until_the_account_is_as_asked(tmp_path: Path) -> None:
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
    with emulator.serve() as server:
        for _ in range(40):
            made = make_plan(server.url)
            if not made.changes:
                break
            applied = len(watched.applied)
            if run_and_kill(server.url, made, tmp_path, chance.randint(1, 25)):
                kills += 1
            # Requests of the killed process may still be in the server's hands.
            time.sleep(0.1)
            planned |= {write_of(change, change.group.id) for change in made.changes}
            twice = Counter(watched.applied[applied:]).most_common(1)
            assert not twice or twice[0][1] == 1
        assert make_plan(server.url).changes == ()
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


def test_a_run_after_a_crash_holds_no_lock_of_the_dead(tmp_path: Path) -> None:
    emulator = emulated({"left": USERS[10:40], "gone": USERS[40:45]}, USERS)
    emulator.fail("*", status=None, delay=0.004, times=None)
    with emulator.serve() as server:
        made = make_plan(server.url)
        assert run_and_kill(server.url, made, tmp_path, 10)
        time.sleep(0.1)
        with CldProvisioning(account_id="acc", security=SECURITY, server_url=server.url) as client:
            assert apply(client, make_plan(server.url), state_dir=tmp_path).is_complete
