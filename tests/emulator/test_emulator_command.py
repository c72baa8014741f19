"""``python -m cld_user_groups.emulator``: as a process where that matters, else in this one."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import httpx
import pytest

from cld_user_groups.emulator.__main__ import main

from .conftest import ACCOUNT, DESIGNERS

COMMAND = [sys.executable, "-W", "error", "-m", "cld_user_groups.emulator"]


@contextmanager
def running(*arguments: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Start the command, and yield the process and its first line."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate(timeout=60)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Run the command in this process; return its exit code, stdout and stderr."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run_main(*arguments: str) -> tuple[int, str, str]:
        try:
            exit_code = main(arguments)
        except SystemExit as exit_:
            exit_code = int(exit_.code or 0)
        return exit_code, *capsys.readouterr()

    yield run_main
    for number, handler in handlers.items():
        signal.signal(number, handler)


def address(line: str) -> str:
    found = re.search(r"http://\S+:\d+", line)
    assert found is not None, line
    return found[0]


@pytest.mark.skipif(sys.platform == "win32", reason="the signals are POSIX ones")
@pytest.mark.parametrize(
    ("stop", "arguments", "deleted"),
    [
        (signal.SIGINT, [], {"ok": True}),
        (signal.SIGTERM, ["--wire", "documented"], {"message": "ok"}),
    ],
)
def test_it_prints_one_line_and_serves_until_a_signal(
    stop: signal.Signals, arguments: list[str], deleted: dict[str, object]
) -> None:
    arguments += ["--account-id", "a b", "--api-key", "the-key", "--api-secret", "hidden-secret"]
    with running(*arguments) as (process, line):
        url = f"{address(line)}/v1_1/provisioning/accounts/a%20b/user_groups/{DESIGNERS}"
        response = httpx.delete(url, auth=("the-key", "hidden-secret"), trust_env=False)
        process.send_signal(stop)
        stdout, stderr = process.communicate(timeout=60)
    assert response.json() == deleted
    assert address(line).startswith("http://127.0.0.1:")
    assert "'a b'" in line
    assert "the-key" in line
    assert "hidden" not in line
    assert (process.returncode, stdout, stderr) == (0, "", "")


def test_an_ipv6_address_is_in_brackets_and_the_rest_has_defaults() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with running("--host", "::1") as (_, line):
        assert address(line).startswith("http://[::1]:")
        url = f"{address(line)}{ACCOUNT}/user_groups"
        assert httpx.get(url, auth=("k", "s"), trust_env=False).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--port", "65536"], "a port is a number from 0 to 65535, not '65536'"),
        (["--port", "-1"], "a port is a number"),
        (["--port", "http"], "a port is a number"),
        (["--port", "1_000"], "a port is a number"),
        (["--port", "9" * 5000], "a port is a number"),
        (["--host", ""], "cannot listen on '' port 0: the host is empty"),
        (["--host", "203.0.113.1"], "cannot listen on '203.0.113.1' port 0: "),
        (["--host", "host.invalid"], "cannot listen on 'host.invalid' port 0: "),
        (["--host", "x" * 100], "cannot listen on"),
        (["--wire", "telepathic"], "invalid choice: 'telepathic'"),
        (["--account-id", ""], "account_id must not be empty"),
        (["--api-key", "key:hidden"], "api_key must not contain a colon"),
        (["--api-secret", ""], "api_secret must not be empty"),
        (["--unknown"], "unrecognized arguments: --unknown"),
    ],
)
def test_an_invalid_argument_is_one_clear_line(
    run: Callable[..., tuple[int, str, str]], arguments: list[str], reason: str
) -> None:
    exit_code, stdout, stderr = run(*arguments)
    assert exit_code == (1 if reason.startswith("cannot listen") else 2)
    assert stdout == ""
    assert stderr.count("\n") == 1
    assert reason in stderr
    assert "hidden" not in stderr


def test_a_taken_port_is_one_clear_line(run: Callable[..., tuple[int, str, str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        exit_code, _, stderr = run("--port", str(port))
    assert exit_code == 1
    assert stderr.count("\n") == 1
    assert f"cannot listen on '127.0.0.1' port {port}: Address already in use" in stderr


def test_an_error_ends_the_process_with_its_exit_code() -> None:
    result = subprocess.run(
        [*COMMAND, "--unknown"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith("error: unrecognized arguments: --unknown\n")


def test_a_missing_uvicorn_is_one_clear_line(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "cld_user_groups.emulator.server", raising=False)
    exit_code, stdout, stderr = run()
    assert (exit_code, stdout, stderr.count("\n")) == (1, "", 1)
    assert 'pip install "./cld-user-groups[emulator]"' in stderr
