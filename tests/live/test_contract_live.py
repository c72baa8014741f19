"""The run against the real account, run against the emulator, also where steps fail."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.contract import scripts

from cld_user_groups.emulator import Emulator, EmulatorUser

contract_live = scripts.load("contract_live")

USER = "0abed8dfcc039ea05e2a1d494fd442"
WRITES = (
    "createUserGroup",
    "updateUserGroup",
    "deleteUserGroup",
    "addUserToUserGroup",
    "removeUserFromUserGroup",
)


class Account:
    """An emulated account on a socket, and the script to run against it."""

    def __init__(
        self,
        url: str,
        emulator: Emulator,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.url = url
        self.emulator = emulator
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.set(CLOUDINARY_ACCOUNT_URL="account://k:s@acc")

    def set(self, **environment: str) -> None:
        """Set the environment variables of the script: these and no others of the SDK's."""
        for name in ("CLOUDINARY_ACCOUNT_URL", "CLOUDINARY_CONTRACT_USER_ID"):
            self._monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run the script, and return its exit status and all that it wrote."""
        self._capsys.readouterr()
        status = contract_live.main(["--server-url", self.url, *arguments])
        written = self._capsys.readouterr()
        return status, written.out + written.err

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the script as a process of its own."""
        return subprocess.Popen(
            [sys.executable, contract_live.__file__, "--server-url", self.url, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture
def serve(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], waits: list[float]
) -> Iterator[Callable[[Emulator], Account]]:
    """Serves an emulator until the test is over. Nobody really waits between attempts."""
    with ExitStack() as stack:

        def served(emulator: Emulator) -> Account:
            server = stack.enter_context(emulator.serve())
            return Account(server.url, emulator, monkeypatch, capsys)

        yield served


@pytest.fixture(params=["observed", "documented"])
def account(request: pytest.FixtureRequest, serve: Callable[[Emulator], Account]) -> Account:
    return serve(Emulator(wire=request.param))


@pytest.fixture
def observed(serve: Callable[[Emulator], Account]) -> Account:
    """One whose answers have the observed shapes, where these do not matter."""
    return serve(Emulator())


def test_it_only_reads(account: Account):
    before = account.emulator.groups
    status, text = account.run()
    assert status == 0, text
    assert account.emulator.groups == before
    for operation_id in WRITES:
        account.emulator.calls.assert_not_called(operation_id)


def test_with_write_it_calls_every_operation_and_leaves_all_as_it_was(account: Account):
    before = account.emulator.groups
    status, text = account.run("--write")
    assert status == 0, text
    assert account.emulator.groups == before
    for operation_id in WRITES:
        account.emulator.calls.assert_called(operation_id, status=200)


def test_it_says_which_shape_was_answered(account: Account):
    _, text = account.run("--write")
    shape = "observed" if account.emulator.wire == "observed" else "published"
    assert f"addUserToUserGroup was answered in the {shape} shape" in text
    assert f"deleteUserGroup was answered in the {shape} shape" in text


def test_no_group_but_its_own_is_changed(observed: Account):
    observed.run("--write")
    created = observed.emulator.calls.of("createUserGroup")[0].json
    assert created["name"].startswith("cld-user-groups contract check 20")
    existing = {group.id for group in observed.emulator.groups}
    changes = [call for call in observed.emulator.calls if call.method != "GET"]
    assert changes
    assert not [call for call in changes if call.group_id in existing]


def test_the_user_is_one_that_is_in_a_group_already(observed: Account):
    observed.run("--write")
    observed.emulator.calls.assert_called("addUserToUserGroup", user_id=USER, status=200)


def test_the_user_can_be_named(observed: Account):
    added = observed.emulator.add_user_account("Someone")
    observed.set(CLOUDINARY_ACCOUNT_URL="account://k:s@acc", CLOUDINARY_CONTRACT_USER_ID=added.id)
    status, text = observed.run("--write")
    assert status == 0, text
    users = {call.user_id for call in observed.emulator.calls.of("addUserToUserGroup")}
    assert users == {added.id}


def test_an_account_without_users_to_add_is_a_failure_and_nothing_is_made(
    serve: Callable[[Emulator], Account],
):
    emulator = Emulator(users=[EmulatorUser("u", "User", "user@example.com")], groups=[])
    status, text = serve(emulator).run("--write")
    assert status == 1
    assert "name one in CLOUDINARY_CONTRACT_USER_ID" in text
    emulator.calls.assert_not_called("createUserGroup")


# What goes wrong: each leaves a group behind if nobody removes it.
TROUBLES: dict[str, Callable[[Emulator], Any]] = {
    "creating is refused": lambda emulator: emulator.fail("createUserGroup", status=403),
    "creating is answered by a dropped connection": lambda emulator: emulator.fail(
        "createUserGroup", drop="after"
    ),
    "creating is answered by an error, but done": lambda emulator: emulator.fail(
        "createUserGroup", status=500, apply=True
    ),
    "creating is answered by something else": lambda emulator: emulator.fail(
        "createUserGroup", status=200, body='{"id": 5}', apply=True
    ),
    "creating is answered with another group": lambda emulator: emulator.fail(
        "createUserGroup",
        status=200,
        body='{"id": "7f08f1f1fc910bf1f25274aef11d27", "name": "Designers"}',
        apply=True,
    ),
    "reading fails": lambda emulator: [
        emulator.fail("getUserGroup", status=None, times=3),
        emulator.fail("getUserGroup", status=400),
    ],
    "renaming fails": lambda emulator: emulator.fail("updateUserGroup", status=400),
    "renaming is done, but the answer is broken": lambda emulator: emulator.fail(
        "updateUserGroup", status=200, body="{", apply=True
    ),
    "adding fails": lambda emulator: emulator.fail("addUserToUserGroup", status=404),
    "removing fails": lambda emulator: emulator.fail("removeUserFromUserGroup", status=400),
    "deleting fails": lambda emulator: emulator.fail("deleteUserGroup", status=400),
    "deleting fails twice": lambda emulator: emulator.fail("deleteUserGroup", status=400, times=2),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_step_that_fails_is_reported_and_the_group_is_removed_all_the_same(
    observed: Account, trouble: str
):
    before = observed.emulator.groups
    TROUBLES[trouble](observed.emulator)
    status, text = observed.run("--write")
    assert status == 1, text
    assert "FAIL" in text
    assert observed.emulator.groups == before


def test_a_group_that_cannot_be_removed_is_named(observed: Account):
    observed.emulator.fail("deleteUserGroup", status=403, times=None)
    status, text = observed.run("--write")
    (left,) = [each for each in observed.emulator.groups if "contract check" in each.name]
    assert status == 1
    assert f"remove these groups by hand: {left.id}" in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_removes_the_group_and_fails(observed: Account, number: int):
    before = observed.emulator.groups
    observed.emulator.fail("updateUserGroup", status=None, delay=60)
    process = observed.start("--write")
    deadline = time.monotonic() + 30
    while not observed.emulator.calls.of("createUserGroup") and time.monotonic() < deadline:
        time.sleep(0.05)
    # By then it waits for the answer to the call that follows.
    time.sleep(0.5)
    assert observed.emulator.groups != before
    process.send_signal(number)
    text, _ = process.communicate(timeout=30)
    assert process.returncode == 130, text
    assert observed.emulator.groups == before


def test_an_answer_that_is_not_as_described_is_reported_and_a_failure(observed: Account):
    body = '{"user_groups": [{"id": "g", "name": "n", "colour": "red"}]}'
    observed.emulator.fail("getUserGroups", status=200, body=body)
    status, text = observed.run()
    assert status == 1
    assert "differs: getUserGroups answer $.user_groups[0].colour: expected no such field" in text


def test_an_answer_without_what_it_is_for_is_a_failure(observed: Account):
    observed.emulator.fail("getUserGroups", status=200, body="{}")
    status, text = observed.run()
    assert status == 1
    assert "the answer has no user_groups" in text


def test_wrong_credentials_are_a_failure_and_not_shown(observed: Account):
    observed.set(CLOUDINARY_ACCOUNT_URL="account://a-key:a-wrong-secret@acc")
    status, text = observed.run()
    assert status == 1
    assert "Invalid credentials" in text
    assert "a-wrong-secret" not in text


def test_without_credentials_it_names_the_variables_and_does_not_pass(observed: Account):
    observed.set()
    status, text = observed.run()
    assert status == 2
    for name in (
        "CLOUDINARY_ACCOUNT_URL",
        "CLOUDINARY_PROVISIONING_API_KEY",
        "CLOUDINARY_PROVISIONING_API_SECRET",
    ):
        assert name in text
    assert len(observed.emulator.calls) == 0


def test_without_an_account_it_names_the_variable_and_does_not_pass(observed: Account):
    observed.set(CLOUDINARY_PROVISIONING_API_KEY="k", CLOUDINARY_PROVISIONING_API_SECRET="s")
    status, text = observed.run()
    assert status == 2
    assert "CLOUDINARY_ACCOUNT_ID" in text


def test_the_process_itself_ends_in_a_failure_without_credentials(observed: Account):
    observed.set()
    process = observed.start()
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "CLOUDINARY_ACCOUNT_URL" in text


def test_a_server_that_is_not_there_is_a_failure(observed: Account):
    observed.url = "http://127.0.0.1:9"
    status, text = observed.run("--write")
    assert status == 1
    assert "ConnectError" in text
