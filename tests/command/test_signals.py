"""Ctrl-C and SIGTERM in a real process: nothing more starts, what is in flight ends."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest
from tests.support.waiting import eventually

from cld_user_groups.command import running
from cld_user_groups.membership import RunSummary, Status, list_runs, state_directory

from .shell import AS_EDITED, EDITED, Shell

PEOPLE = 40


@pytest.fixture
def slow(shell: Shell) -> str:
    """A file that adds many people, on a server that takes its time for each."""
    people = [
        shell.emulator.add_user_account(f"P {n}", email=f"p{n}@example.com") for n in range(PEOPLE)
    ]
    shell.emulator.fail("addUserToUserGroup", status=None, delay=0.25, times=None)
    rows = "".join(f"Crowd,{user.email}\n" for user in people)
    return shell.write(f"group,email\n{rows}", "groups.csv")


# What a shell starts in the background ignores SIGINT from its start, as its exec'd program does.
IN_BACKGROUND = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]


def start(path: str, *before: str, options: Sequence[str] = ()) -> subprocess.Popen[str]:
    command = ["-m", "cld_user_groups", "apply", path, "--yes", "--concurrency", "4", *options]
    return subprocess.Popen(
        [*before, sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def crowd(shell: Shell) -> int:
    return len(shell.members().get("Crowd", ()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_first_signal_lets_flights_end_and_the_same_command_resumes(shell, slow, number):
    process = start(slow)
    eventually(lambda: crowd(shell) >= 4)
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "Traceback" not in errors
    assert "Stopped early: the run was interrupted." in output
    assert f"To resume: cld-user-groups apply {slow}" in output
    added = crowd(shell)
    assert 4 <= added < PEOPLE
    (summary,) = list_runs(state_directory("acc"))
    assert len(summary.run.confirmed) == added + 1  # the group itself
    assert not summary.run.unconfirmed

    shell.emulator.clear_faults()
    shell("apply", slow, "--yes", code=0)
    assert crowd(shell) == PEOPLE


def test_a_second_ctrl_c_stops_at_once_and_leaves_a_journal(shell, slow):
    shell.emulator.clear_faults()
    shell.emulator.fail("addUserToUserGroup", status=None, delay=600, times=None)
    process = start(slow)
    eventually(lambda: len(shell.emulator.calls.of("addUserToUserGroup")) == 4)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)  # two signals at once would be one
    process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:  # they were one, on a busy machine
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "Traceback" not in errors
    assert "stopped at once" in errors
    (summary,) = list_runs(state_directory("acc"))
    assert len(summary.run.unconfirmed) == 4


def test_ctrl_c_after_the_last_change_never_says_nothing_was_written(shell, monkeypatch):
    monkeypatch.setattr(running, "forget_groups", interrupted)
    document = shell.json("apply", shell.write(EDITED), "--yes")
    assert shell.members() == AS_EDITED
    assert (document["error"]["kind"], document["exit_code"]) == ("incomplete", 5)
    (summary,) = list_runs(state_directory("acc"))
    assert f"runs show {summary.id}" in document["error"]["message"]


def interrupted(account_id: str) -> None:
    raise KeyboardInterrupt


def test_an_interrupt_of_the_last_read_says_what_was_written(shell):
    shell.emulator.fail("getUserGroups", status=None, delay=1, times=None)
    process = start(shell.write(EDITED), options=["--format", "json"])
    eventually(lambda: shell.members() == AS_EDITED)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    document = json.loads(output)
    assert (process.returncode, document["stopped"]) == (5, "requested")
    assert document["summary"]["done"] == 5
    assert "nothing was written" not in errors


def test_an_interrupt_during_a_wait_for_the_quota_says_what_was_written(shell, slow):
    shell.emulator.set_quota(100, 12)
    process = start(slow, options=["--max-wait", "2h"])
    while not process.stderr.readline().startswith("Waiting for the quota"):
        pass
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (5, False)
    assert "Stopped early: the run was interrupted." in output
    assert f"{crowd(shell) + 1} done" in output


@pytest.mark.parametrize("rounds", [3, pytest.param(40, marks=pytest.mark.exhaustive)], ids=str)
def test_no_storm_of_signals_hangs_a_run_or_hides_what_was_written(shell, rounds):
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    for round_ in range(rounds):
        where = f"seed {seed}, round {round_}"
        name = f"Crowd{round_}"
        people = [
            shell.emulator.add_user_account(f"P {n}", email=f"{name}-{n}@example.com")
            for n in range(12)
        ]
        shell.emulator.clear_faults()
        shell.emulator.fail("addUserToUserGroup", status=None, delay=0.1, times=None)
        rows = "".join(f"{name},{user.email}\n" for user in people)
        process = start(shell.write(f"group,email\n{rows}", "storm.csv"))
        eventually(lambda name=name: name in shell.members())  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.8))
        for _ in range(chance.randint(1, 6)):
            process.send_signal(chance.choice([signal.SIGINT, signal.SIGTERM]))
            time.sleep(chance.choice([0, 0.001, 0.003]))
        output, errors = process.communicate(timeout=60)
        assert "Traceback" not in errors, (where, errors)
        assert "nothing was written" not in errors, where
        assert process.returncode in (0, 5), (where, process.returncode, errors)
        assert ("done" in output) or ("were done" in errors), where
        if process.returncode == 0:  # the signals came after the report
            assert len(shell.members()[name]) == 12, where
        (summary,) = runs_of(shell, name)
        sent = {outcome.status for outcome in summary.run.outcomes}
        assert sent <= {Status.DONE, Status.UNKNOWN}, where
        confirmed = sum(outcome.change.user is not None for outcome in summary.run.confirmed)
        assert confirmed <= len(shell.members()[name]), where


def runs_of(shell: Shell, group: str) -> list[RunSummary]:
    return [
        summary
        for summary in list_runs(state_directory("acc"))
        if summary.run is not None
        and any(outcome.change.group.name == group for outcome in summary.run.outcomes)
    ]


def test_an_ignored_sigint_stays_ignored_and_sigterm_ends_a_run_in_order(shell, slow):
    process = start(slow, *IN_BACKGROUND)
    eventually(lambda: crowd(shell) >= 4)
    process.send_signal(signal.SIGINT)
    eventually(lambda: crowd(shell) >= 12)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors.count("Traceback")) == (5, 0)
    assert "Stopped early: the run was interrupted." in output
    (summary,) = list_runs(state_directory("acc"))
    assert len(summary.run.confirmed) == crowd(shell) + 1 < PEOPLE
    assert not summary.run.unconfirmed
