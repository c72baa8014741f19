"""The command under a lease in a real Redis server."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import ExitStack
from typing import Any

import pytest
from tests.membership.watched import Watched, Write

from cld_user_groups.membership import RedisLease, account_lock, list_runs, state_directory

from .shell import AS_EDITED, EDITED, SAMPLE

KEY = "cld-user-groups:lease:acc"


def test_apply_and_undo_hold_the_lease_in_the_name_of_their_run(shell, redis_server, store):
    holders: set[Any] = set()
    watched = Watched(shell.emulator)
    watched.before_write = lambda write: holders.add(store.get(KEY))
    shell("--lease", redis_server.url, "apply", shell.write(EDITED), "--yes", code=0)
    assert shell.members() == AS_EDITED
    shell("undo --yes --lease", redis_server.url, "--allow-removals", "2", code=0, members=SAMPLE)
    runs = {summary.path.stem for summary in list_runs(state_directory("acc"))}
    assert len(runs) == len(holders) == 2
    assert all(any(run in holder.decode() for holder in holders) for run in runs)
    assert store.keys() == []


@pytest.mark.parametrize("command", ["apply", "undo"])
def test_a_run_of_another_machine_is_named_and_nothing_is_written(
    shell, redis_server, monkeypatch, command
):
    path = shell.write(EDITED)
    shell(f"apply {path} --yes", code=0)
    before = shell.writes()
    monkeypatch.setenv("CLOUDINARY_LEASE_URL", redis_server.url)
    arguments = [command, *([path] if command == "apply" else [])]
    with RedisLease(redis_server.url, "acc", run="20260102T030405.000006Z-abcd"):
        done = shell(*arguments, "--yes")
        assert shell(*arguments, "--dry-run").exit_code in (0, 3)
    assert done.exit_code == 1
    assert "is in progress: process " in done.stderr
    assert ", run 20260102T030405.000006Z-abcd, since " in done.stderr
    assert "nothing was written. Try again once it has ended." in done.stderr
    assert shell.writes() == before


def test_apply_waits_for_a_run_of_another_machine_where_it_may(shell, redis_server, store):
    store.set(KEY, "another", px=500)
    path = shell.write(EDITED)
    began = time.monotonic()
    shell(f"apply {path} --yes --max-wait 1m --lease", redis_server.url, code=0)
    assert time.monotonic() - began > 0.4


def test_apply_waits_for_a_run_of_this_machine_where_it_may(shell):
    path = shell.write(EDITED)
    with ExitStack() as stack:
        stack.enter_context(account_lock(state_directory("acc"), "acc"))
        threading.Timer(0.3, stack.close).start()
        shell(f"apply {path} --yes --max-wait 1m", code=0)


def test_a_run_that_loses_its_lease_is_incomplete_and_says_so(
    shell, redis_server, store, monkeypatch
):
    monkeypatch.setitem(RedisLease.__init__.__kwdefaults__, "lifetime", 0.6)
    watched = Watched(shell.emulator)

    def lose(write: Write) -> None:
        store.delete(KEY)
        time.sleep(1)

    watched.before_write = lose
    arguments = ("apply", shell.write(EDITED), "--yes", "--concurrency", "1")
    document = shell.json(*arguments, "--lease", redis_server.url)
    assert (document["exit_code"], document["complete"]) == (5, False)
    assert (document["stopped"], document["detail"]) == ("lease", "the lease had ended in Redis")
    assert document["summary"]["done"] == 1
    assert document["summary"]["not_started"] == 4
    watched.before_write = None
    shell(*arguments, code=0, members=AS_EDITED)


@pytest.mark.parametrize("options", [(), ("--debug",), ("--format", "json")])
def test_an_absent_redis_is_an_error_before_any_read_without_its_password(
    shell, redis_server, options
):
    redis_server.kill()
    url = redis_server.url.replace("//", "//:hunter2@")
    done = shell("apply", shell.write(EDITED), "--yes", "--lease", url, *options, code=1)
    assert f"from Redis at 127.0.0.1:{redis_server.port}: " in done.stderr
    assert "nothing was written. Try again once Redis responds, or without the lease" in done.stderr
    assert "hunter2" not in done.output
    assert len(shell.emulator.calls) == 0


def test_a_lease_without_redis_installed_says_what_to_install(shell, monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, "redis.lock", raising=False)
    done = shell("apply", shell.write(EDITED), "--yes", "--lease", "redis://127.0.0.1:1", code=1)
    assert 'pip install "./cld-user-groups[redis]"' in done.stderr


def test_a_lease_whose_url_is_not_valid_is_an_error(shell):
    done = shell("apply", shell.write(EDITED), "--yes", "--lease", "redis://:hun/ter2@127.0.0.1")
    assert done.exit_code == 1
    assert "the URL of the lease is not valid" in done.stderr
    assert "hun" not in done.output
