"""The tests of the real account, run against the emulator, also where it fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from cld_user_groups.emulator import Emulator, EmulatorUser

ROOT = Path(__file__).resolve().parents[2]
USER = "0abed8dfcc039ea05e2a1d494fd442"
WRITES = (
    "createUserGroup",
    "updateUserGroup",
    "deleteUserGroup",
    "addUserToUserGroup",
    "removeUserFromUserGroup",
)
WRITE = {"CLOUDINARY_CONTRACT_WRITE": "1"}
OPTIONS = ("-v", "-m", "live", "-p", "no:cacheprovider", "tests/live")
# A run within this process is within another, whose hooks of the interpreter it must leave alone.
OWN_HOOKS = [
    argument
    for name in ("faulthandler", "unraisableexception", "threadexception")
    for argument in ("-p", f"no:{name}")
]


def more(value: object) -> Any:
    """Return a case for `make test FULL=1`: each is a run of pytest."""
    return pytest.param(value, marks=pytest.mark.exhaustive)


class Account:
    """An emulated account on a socket, and the run against it."""

    def __init__(self, url: str, emulator: Emulator) -> None:
        self.emulator = emulator
        self.environment = {
            "CLOUDINARY_ACCOUNT_URL": "account://k:s@acc",
            "CLOUDINARY_CONTRACT_SERVER_URL": url,
        }

    def run(self, **environment: str) -> tuple[int, str]:
        """Run the tests in this process, and return the exit status and the report."""
        handler = signal.getsignal(signal.SIGTERM)
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as report:
            for name, value in (self.environment | environment).items():
                patch.setenv(name, value)
            patch.chdir(ROOT)
            try:
                status = pytest.main([*OPTIONS, *OWN_HOOKS])
            finally:
                signal.signal(signal.SIGTERM, handler)
        return int(status), report.getvalue()


@pytest.fixture
def serve() -> Iterator[Callable[[Emulator], Account]]:
    with ExitStack() as stack:
        yield lambda emulator: Account(stack.enter_context(emulator.serve()).url, emulator)


@pytest.fixture
def observed(serve: Callable[[Emulator], Account]) -> Account:
    return serve(Emulator())


def test_it_only_reads(observed: Account):
    before = observed.emulator.groups
    status, text = observed.run()
    assert status == 0, text
    assert "8 skipped" in text
    assert observed.emulator.groups == before
    for operation_id in WRITES:
        observed.emulator.calls.assert_not_called(operation_id)


@pytest.mark.parametrize("wire", ["observed", more("documented")])
def test_with_write_it_calls_all_on_its_own_group_and_names_each_shape(
    serve: Callable[[Emulator], Account], wire: Any
):
    account = serve(Emulator(wire=wire))
    before = account.emulator.groups
    status, text = account.run(**WRITE)
    assert status == 0, text
    assert account.emulator.groups == before
    calls = account.emulator.calls
    for operation_id in WRITES:
        calls.assert_called(operation_id, status=200)
    calls.assert_called("addUserToUserGroup", user_id=USER, status=200)
    assert calls.of("createUserGroup")[0].json["name"].startswith("cld-user-groups contract check")
    existing = {group.id for group in before}
    assert not [call for call in calls if call.method != "GET" and call.group_id in existing]
    shape = "observed" if wire == "observed" else "published"
    assert f"addUserToUserGroup responds in the {shape} shape" in text
    assert f"deleteUserGroup responds in the {shape} shape" in text


def test_the_user_can_be_named(observed: Account):
    added = observed.emulator.add_user_account("Someone")
    status, text = observed.run(**WRITE, CLOUDINARY_CONTRACT_USER_ID=added.id)
    assert status == 0, text
    users = {call.user_id for call in observed.emulator.calls.of("addUserToUserGroup")}
    assert users == {added.id}


def test_an_account_without_users_fails_and_nothing_is_created(
    serve: Callable[[Emulator], Account],
):
    emulator = Emulator(users=[EmulatorUser("u", "User", "user@example.com")], groups=[])
    status, text = serve(emulator).run(**WRITE)
    assert status == 1
    assert "name one in CLOUDINARY_CONTRACT_USER_ID" in text
    emulator.calls.assert_not_called("createUserGroup")


# What goes wrong: each leaves a group behind if nobody removes it.
TROUBLES: dict[str, Callable[[Emulator], Any]] = {
    "creating is applied, and the connection dropped": lambda emulator: emulator.fail(
        "createUserGroup", drop="after"
    ),
    "creating is applied, and the response another group": lambda emulator: emulator.fail(
        "createUserGroup",
        status=200,
        body='{"id": "7f08f1f1fc910bf1f25274aef11d27", "name": "Designers"}',
        apply=True,
    ),
    "renaming is applied, and the response broken": lambda emulator: emulator.fail(
        "updateUserGroup", status=200, body="{", apply=True
    ),
    "deleting fails twice": lambda emulator: emulator.fail("deleteUserGroup", status=400, times=2),
}


@pytest.mark.parametrize(
    "trouble", [each if at == 0 else more(each) for at, each in enumerate(TROUBLES)]
)
def test_a_failure_is_reported_and_the_group_is_removed_all_the_same(
    observed: Account, trouble: str
):
    before = observed.emulator.groups
    TROUBLES[trouble](observed.emulator)
    status, text = observed.run(**WRITE)
    assert status == 1, text
    assert observed.emulator.groups == before


def test_a_group_that_cannot_be_removed_is_named(observed: Account):
    observed.emulator.fail("deleteUserGroup", status=403, times=None)
    status, text = observed.run(**WRITE)
    (left,) = [each for each in observed.emulator.groups if "contract check" in each.name]
    assert status == 1
    assert f"remove these groups by hand: {left.id}" in text


@pytest.mark.parametrize("number", [more(signal.SIGINT), signal.SIGTERM])
def test_an_interrupted_run_removes_the_group_and_fails(observed: Account, number: int):
    before = observed.emulator.groups
    observed.emulator.fail("updateUserGroup", status=None, delay=60)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *OPTIONS],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "", **observed.environment, **WRITE},
        stdout=subprocess.PIPE,
        text=True,
    )
    while not observed.emulator.calls.of("updateUserGroup"):
        assert process.poll() is None
        time.sleep(0.02)
    assert observed.emulator.groups != before
    process.send_signal(number)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 2, text
    assert observed.emulator.groups == before


def test_a_response_that_is_not_as_documented_fails(observed: Account):
    body = '{"user_groups": [{"id": "g", "name": "n", "colour": "red"}]}'
    observed.emulator.fail("getUserGroups", status=200, body=body)
    status, text = observed.run()
    assert status == 1
    assert "$.user_groups[0].colour: expected no such field" in text


def test_wrong_credentials_fail_and_are_not_shown(observed: Account):
    status, text = observed.run(CLOUDINARY_ACCOUNT_URL="account://a-key:a-wrong-secret@acc")
    assert status == 1
    assert "Invalid credentials" in text
    assert "a-wrong-secret" not in text


def test_without_credentials_nothing_is_run_and_the_variables_are_named(observed: Account):
    observed.environment = {}
    status, text = observed.run()
    assert status == 2
    assert "nothing was checked" in text
    assert "CLOUDINARY_ACCOUNT_URL" in text
    assert len(observed.emulator.calls) == 0


def test_it_is_deselected_by_default():
    with redirect_stdout(StringIO()) as report:
        pytest.main(["--collect-only", "-q", str(ROOT / "tests/live/test_account.py"), *OWN_HOOKS])
    assert "15 deselected" in report.getvalue()
