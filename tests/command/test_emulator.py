"""`emulator` serves an account on a socket, as `python -m cld_user_groups.emulator` does."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="the signal is a POSIX one")
def test_it_serves_an_account_until_a_signal(shell, monkeypatch):
    program = [sys.executable, "-m", "cld_user_groups", "emulator", "--account-id", "mine"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            found = re.search(r"http://\S+:\d+", process.stdout.readline())
            assert found is not None
            monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", "account://k:s@mine")
            assert "Designers" in shell("export --server-url", found[0]).stdout
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_its_options_are_the_emulators_own(shell):
    shell("emulator --help", code=0)
    assert "Usage: cld-user-groups emulator" in shell("emulator -h").stdout
    done = shell("emulator --port nowhere", err="a port is a number")
    assert done.exit_code == 64  # not the 2 of its parser, which says that there are changes
    shell("emulator --host 256.256.256.256", code=1)


def test_a_server_that_cannot_start_leaves_its_process_signals_alone(shell):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    shell("emulator --host 256.256.256.256")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.skipif(sys.platform == "win32", reason="the signal is a POSIX one")
@pytest.mark.parametrize("name", ["groups.yaml", "groups.json"])
def test_an_export_can_be_rehearsed_on_a_copy(shell, monkeypatch, name):
    shell(f"export --output {name}", code=0)
    program = [sys.executable, "-m", "cld_user_groups", "emulator", "--from", name]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            greeting = process.stdout.readline()
            found = re.search(r"http://\S+:\d+", greeting)
            assert found is not None
            assert "account 'acc'" in greeting
            monkeypatch.setenv("CLOUDINARY_PROVISIONING_SERVER_URL", found[0])
            shell(f"plan {name} --detailed-exitcode", code=0)  # nothing to do
            shell("remove Designers john@example.com --yes", code=0)
            assert shell.members()["Designers"] == {"john", "harry"}
        finally:
            process.kill()
