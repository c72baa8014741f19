"""The recipe of docs/fleets.md: real Celery workers on a real Redis, and several accounts."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import redis
from tests.support import code_blocks
from tests.support.code_blocks import ROOT, Block
from tests.support.forked import forked_command
from tests.support.redis_server import RedisServer, ending_with_the_tests
from tests.support.waiting import eventually

from cld_user_groups.emulator import Emulator, EmulatorUser
from cld_user_groups.emulator.server import EmulatorServer
from cld_user_groups.membership import list_runs, state_directory

from .accounts import members
from .watched import Watched, Write

ACCOUNTS = ["acc-1", "acc-2", "acc-3"]
USERS = [f"u{number:02}" for number in range(40)]
WANTED = {"new": set(USERS[:25]), "kept": set(USERS[4:20]), "untouched": {"u39"}}
# More than are sent at once: a run that is killed leaves some undone.
CHANGES = 1 + 25 + 8 + 4
FILE = f"""\
version: 1
guards: {{max_removals_per_group: 100%}}
groups:
  new: {{members: [{", ".join(f"{user}@example.com" for user in sorted(WANTED["new"]))}]}}
  kept: {{members: [{", ".join(f"{user}@example.com" for user in sorted(WANTED["kept"]))}]}}
"""
# The recipe, with the waits of a test.
BRISK = """\
from cld_user_groups.membership import RedisLease
from fleet import app

app.conf.broker_transport_options = {"visibility_timeout": 1}
RedisLease.__init__.__kwdefaults__["lifetime"] = 4.0
"""


def lone_run() -> Block:
    """Return the document's program of one run under a lease."""
    (one,) = code_blocks.blocks("docs/fleets.md")
    return one


class Stop:
    """A point that the accounts reach and stay at until a test lets them go on."""

    def __init__(self) -> None:
        self.is_reached = threading.Event()
        self._may_go_on = threading.Event()

    def stay(self) -> None:
        self.is_reached.set()
        assert self._may_go_on.wait(180)

    def go_on(self) -> None:
        self._may_go_on.set()


class Accounts:
    """Several emulated accounts behind one address, as in the API.

    Attributes:
        stops: Where they stop, by the number of writes.
    """

    account_id = api_key = api_secret = ""  # the server shows them; each account has its own

    def __init__(self) -> None:
        self.emulators = {account: self._account(account) for account in ACCOUNTS}
        self.watched = {account: Watched(each) for account, each in self.emulators.items()}
        self.stops: dict[int, Stop] = {}
        self._writes = 0
        for each in self.watched.values():
            each.before_write = self._note

    def _account(self, account_id: str) -> Emulator:
        people = [EmulatorUser(name, name, f"{name}@example.com") for name in USERS]
        emulator = Emulator(account_id, f"key-{account_id}", users=people, groups=())
        emulator.add_group("kept", users=USERS[12:24], group_id="id-kept")
        emulator.add_group("untouched", users=["u39"], group_id="id-untouched")
        return emulator

    def _note(self, write: Write) -> None:
        self._writes += 1
        if stop := self.stops.get(self._writes):
            stop.stay()

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        account_id = scope["path"].split("/")[4]
        await self.emulators[account_id].asgi(scope, receive, send)


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with the recipe, and a file for each account."""
    (tmp_path / "fleet.py").write_text((ROOT / "examples/fleet.py").read_text("utf-8"))
    (tmp_path / "brisk.py").write_text(BRISK)
    for account in ACCOUNTS:
        (tmp_path / "files").mkdir(exist_ok=True)
        (tmp_path / "files" / f"{account}.yaml").write_text(FILE)
    return tmp_path


@pytest.fixture
def environment(
    accounts: Accounts, folder: Path, redis_server: RedisServer
) -> Iterator[Mapping[str, str]]:
    """The environment of the workers."""
    with EmulatorServer(cast("Emulator", accounts)) as server:
        yield {
            **os.environ,
            "FLEET_REDIS": redis_server.url,
            "FLEET_FILES": str(folder / "files"),
            "XDG_STATE_HOME": str(folder),
            "CLOUDINARY_PROVISIONING_SERVER_URL": server.url,
            **{f"KEY_{account}": f"key-{account}:s" for account in ACCOUNTS},
        }


@contextmanager
def celery(folder: Path, environment: Mapping[str, str], *arguments: str) -> Iterator[None]:
    """Run a process of Celery, and all that it starts; kill it at the end."""
    command = [sys.executable, "-m", "celery", "-A", "brisk", *arguments]
    with (folder / "celery.log").open("ab") as log:
        process = subprocess.Popen(
            ending_with_the_tests(command),
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def worker(folder: Path, environment: Mapping[str, str]) -> Any:
    """Run a worker with two processes."""
    options = ("--concurrency", "2", "--loglevel", "INFO", "--without-gossip", "--without-mingle")
    return celery(folder, environment, "worker", *options)


def enqueue(store: redis.Redis, folder: Path, environment: Mapping[str, str]) -> None:
    """Put the task of each account into the queue twice, one after the other."""
    code = "from fleet import follow_all; follow_all()"
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True)
    messages = cast("list[bytes]", store.lrange("celery", 0, -1))
    assert len(messages) == len(ACCOUNTS)
    store.delete("celery")
    store.rpush("celery", *(each for message in messages for each in (message, message)))


@pytest.mark.skipif(sys.platform == "win32", reason="Celery has no workers for it")
def test_accounts_match_their_files_despite_doubled_tasks_and_dead_workers(
    accounts, folder, redis_server, environment
):
    log = folder / "celery.log"
    # Further apart than the requests in flight, so that both kill a run with much left to do.
    in_one, in_all = accounts.stops[5], accounts.stops[len(ACCOUNTS) * 15] = Stop(), Stop()
    with redis.Redis.from_url(redis_server.url) as store:
        enqueue(store, folder, environment)
        with worker(folder, environment):
            eventually(in_one.is_reached.is_set, log=log, seconds=180)
            os.kill(holder_of_a_lease(store), signal.SIGKILL)
            in_one.go_on()
            eventually(in_all.is_reached.is_set, log=log, seconds=180)
        in_all.go_on()
        time.sleep(1.1)  # from then on, what the dead worker had is delivered again
        assert any(0 < len(each.applied) < CHANGES for each in accounts.watched.values())
        with worker(folder, environment):
            eventually(lambda: not store.exists("celery", "unacked"), log=log, seconds=180)
    for account, emulator in accounts.emulators.items():
        assert members(emulator) == WANTED, log.read_text("utf-8")
        writes = accounts.watched[account].applied
        assert len(writes) == len(set(writes)) == CHANGES
    runs = [
        summary.run
        for account in ACCOUNTS
        for summary in list_runs(state_directory(account, folder / "cld-user-groups"))
    ]
    ends = [run.end for run in runs if run is not None]
    assert ends.count(None) >= 2  # the runs that were killed
    assert all(end.verified for end in ends if end is not None)


def holder_of_a_lease(store: redis.Redis) -> int:
    """Return the process of a run in progress."""
    (key,) = cast("list[bytes]", store.keys("cld-user-groups:lease:*"))
    process: int = json.loads(cast("bytes", store.get(key)))["holder"]["pid"]
    return process


def test_what_can_pass_is_tried_again_and_what_needs_a_human_is_not(accounts, folder, environment):
    faults = ({"status": 501}, {"status": 200, "body": "<html>"}, {"status": 401})
    for account, fault in zip(ACCOUNTS, faults, strict=True):
        accounts.emulators[account].fail("getUserGroups", **fault)
    # Without a worker, a task that is to be tried again is so at once.
    code = f"from fleet import follow_file; [follow_file.apply(args=[each]) for each in {ACCOUNTS}]"
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True)
    found = [members(accounts.emulators[account])["kept"] for account in ACCOUNTS]
    assert found == [WANTED["kept"], WANTED["kept"], set(USERS[12:24])]


@pytest.mark.skipif(sys.platform == "win32", reason="it is a line of a Unix shell")
def test_the_line_of_shell_makes_each_account_what_its_file_says(
    accounts, folder, environment, redis_server
):
    (line,) = re.findall(
        r"^ls files .*$", (ROOT / "docs/fleets.md").read_text("utf-8"), re.MULTILINE
    )
    profiles = "".join(
        f"[{account}]\naccount_id = '{account}'\n"
        f"credentials.environment = {{ key = 'KEY_{number}', secret = 'SECRET' }}\n"
        for number, account in enumerate(ACCOUNTS)
    )
    (folder / "profiles.toml").write_text(profiles)
    (folder / "files" / f"{ACCOUNTS[-1]}.yaml").unlink()  # two processes tell as much as three
    program = folder / "programs/cld-user-groups"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(forked_command())} "$@"\n')
    program.chmod(0o700)
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env={
            **environment,
            "PATH": f"{program.parent}:{environment['PATH']}",
            "CLOUDINARY_PROFILES_FILE": "profiles.toml",
            "CLOUDINARY_LEASE_URL": redis_server.url,
            "SECRET": "s",
            **{f"KEY_{number}": f"key-{account}" for number, account in enumerate(ACCOUNTS)},
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    done_in = [account for account, each in accounts.emulators.items() if members(each) == WANTED]
    assert done_in == ACCOUNTS[:-1]


def test_the_program_under_a_lease_makes_the_account_what_its_file_says(
    accounts, environment, monkeypatch, tmp_path, redis_server
):
    for name in ("XDG_STATE_HOME", "CLOUDINARY_PROVISIONING_SERVER_URL"):
        monkeypatch.setenv(name, environment[name])
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", "account://key-acc-1:s@acc-1")
    monkeypatch.setenv("CLOUDINARY_LEASE_URL", redis_server.url)
    monkeypatch.chdir(tmp_path)
    Path("groups.yaml").write_text(FILE)
    code_blocks.run(lone_run())
    assert members(accounts.emulators["acc-1"]) == WANTED
