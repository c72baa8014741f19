"""Run the SDK against another server of the description, and other clients against the emulator.

- Stoplight Prism serves openapi.yaml and validates each request, ours of both clients: every
  operation with every example, and every error that is described.
- The vendor's classic client and the vendor's generated SDK call every operation of the emulator,
  on a socket, each with a Python environment of its own.

All is installed below .bench/, once. Without Node the first part is left out, and that is said.
Ends in 1 if anything fails.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
import venv
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import yaml
from attrs import define, field

from cld_user_groups import (
    AsyncCldProvisioning,
    CldProvisioning,
    HookContext,
    Security,
    models,
)
from cld_user_groups.contract import ContractCheck
from cld_user_groups.emulator import OPERATION_IDS, Emulator

if TYPE_CHECKING:
    # For mypy this folder is a package; for Python it is where it finds modules.
    from tools.node_tools import BENCH, ROOT, Node, find_node, install
else:
    from node_tools import BENCH, ROOT, Node, find_node, install

PRISM = "5.16.0"
CLASSIC = "cloudinary==1.46.3"
VENDOR = "cloudinary-account-provisioning==0.1.3"

GROUP = "7f08f1f1fc910bf1f25274aef11d27"
USER = "0abed8dfcc039ea05e2a1d494fd442"
SECURITY = Security(provisioning_api_key="the-key", provisioning_api_secret="the-secret")
# How long Prism may take to start, in seconds.
PATIENCE = 60

# Each operation's method of the SDK, with all arguments.
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "getUserGroups": ("list", {"extended_details": True}),
    "createUserGroup": ("create", {"request": {"name": "Entwürfe", "extended_details": True}}),
    "getUserGroup": ("get", {"group_id": GROUP, "extended_details": False}),
    "updateUserGroup": (
        "update",
        {"group_id": GROUP, "name": "Designers", "extended_details": True},
    ),
    "deleteUserGroup": ("delete", {"group_id": GROUP}),
    "getUsersInUserGroup": ("list_users", {"group_id": GROUP}),
    "addUserToUserGroup": ("add_user", {"group_id": GROUP, "user_id": USER}),
    "removeUserFromUserGroup": ("remove_user", {"group_id": GROUP, "user_id": USER}),
}


@define
class Results:
    """What each peer was asked, by operation, and what was wrong."""

    counts: dict[tuple[str, str], int] = field(
        factory=lambda: defaultdict[tuple[str, str], int](int)
    )
    problems: list[tuple[str, str, str]] = field(factory=list[tuple[str, str, str]])

    def note(self, peer: str, operation_id: str, problem: str | None) -> None:
        """Count one question, and keep what was wrong with it."""
        self.counts[peer, operation_id] += 1
        if problem is not None:
            self.problems.append((peer, operation_id, problem))

    def table(self) -> str:
        """Return a line an operation and a column a peer: how many questions, or which failed."""
        peers = list(dict.fromkeys(peer for peer, _ in self.counts))
        rows = [
            ["operation", *peers],
            *([each, *(self._cell(peer, each) for peer in peers)] for each in OPERATION_IDS),
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        failures = [f"{peer}, {operation}: {text}" for peer, operation, text in self.problems]
        return "\n".join([*lines, "", *failures, ""] if failures else [*lines, ""])

    def _cell(self, peer: str, operation_id: str) -> str:
        asked = self.counts.get((peer, operation_id), 0)
        failed = sum(1 for each in self.problems if each[:2] == (peer, operation_id))
        if not asked:
            return "not asked"
        return f"{failed} of {asked} FAILED" if failed else f"{asked} ok"


def main() -> int:
    """Run all peers, print the table, and return the exit status."""
    results = Results()
    node = find_node()
    missing = [] if node else ["Prism: not run, Node is not here"]
    parts: list[Callable[[], None]] = [
        lambda: run_python_peer(results, "classic", CLASSIC, "observed"),
        lambda: run_python_peer(results, "vendor", VENDOR, "documented"),
        lambda: run_python_peer(results, "vendor", VENDOR, "observed"),
    ]
    if node is not None:
        parts.insert(0, lambda: run_prism(results, node))
    broken: list[str] = []
    for part in parts:
        try:
            part()
        except (RuntimeError, OSError) as problem:
            broken.append(str(problem))
    print(results.table())
    print("Of the observed shapes the vendor's SDK makes objects without fields: it takes them.")
    for line in (*missing, *broken):
        print(line)
    return 1 if results.problems or broken else 0


def run_prism(results: Results, node: Node) -> None:
    """Ask Prism, with both clients, for each example and each error of the description."""
    program = install(node, "@stoplight/prism-cli", PRISM)
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    with serve_prism(node, program) as url:
        check_that_prism_validates(url)
        ask_prism(results, f"Prism {PRISM}, sync", document, lambda *call: ask(url, *call))
        ask_prism(
            results,
            f"Prism {PRISM}, async",
            document,
            lambda *call: asyncio.run(ask_async(url, *call)),
        )


@contextmanager
def serve_prism(node: Node, program: Path) -> Iterator[str]:
    """Serve the description on a free port of loopback, until the block ends."""
    log = BENCH / "npm" / "prism.log"
    # With --errors, what is not valid is an error, and not only noted in a header.
    command = [node.program, program, "mock", "--errors", "-h", "127.0.0.1", "-p", "0"]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [*command, ROOT / "openapi.yaml"],
            env=node.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _address(process, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"listening on (http://[0-9.:]+)", log.read_text(encoding="utf-8"))
        if found:
            return found[1]
        time.sleep(0.1)
    raise RuntimeError(f"Prism did not start:\n{log.read_text(encoding='utf-8')}")


def check_that_prism_validates(url: str) -> None:
    """Make sure that a request that is not valid would be noticed.

    Raises:
        RuntimeError: It would not.
    """
    groups = f"{url}/v1_1/provisioning/accounts/acc/user_groups"
    wrong = {
        "a group without a name": httpx.post(groups, json={}, auth=("k", "s")),
        "a body that is not JSON": httpx.post(groups, content=b"name", auth=("k", "s")),
        "no credentials": httpx.get(groups),
        "a parameter that is not a boolean": httpx.get(
            groups, params={"extended_details": "perhaps"}, auth=("k", "s")
        ),
    }
    for what, answer in wrong.items():
        if answer.is_success:
            raise RuntimeError(f"Prism lets {what} pass: it does not validate")


class NoViolations:
    """A hook that fails on what Prism notes in a header."""

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        """Raise an AssertionError if Prism found something."""
        violations = response.headers.get("sl-violations")
        assert violations is None, violations


Ask = Callable[[str, dict[str, Any]], Any]


def ask_prism(results: Results, peer: str, document: Any, send: Ask) -> None:
    """Ask for everything that the description has an answer for."""
    operations = {
        operation["operationId"]: operation
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    }
    for operation_id, operation in operations.items():
        for example in operation["responses"]["200"]["content"]["application/json"]["examples"]:
            results.note(
                peer, operation_id, _problem(send, operation_id, f"example={example}", None)
            )
        for status in operation["responses"]:
            if status != "200":
                problem = _problem(send, operation_id, f"code={status}", int(status))
                results.note(peer, operation_id, problem)


def _problem(send: Ask, operation_id: str, prefer: str, status: int | None) -> str | None:
    """Return what was wrong with one question, or None."""
    method, arguments = CALLS[operation_id]
    try:
        result = send(method, {**arguments, "http_headers": {"Prefer": prefer}})
    except models.ErrorResponse as error:
        expected = error.status_code == status and error.data.error
        return None if expected else f"{prefer}: {type(error).__name__}: {error}"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
        return f"{prefer}: {type(error).__name__}: {error}"
    if status is not None:
        return f"{prefer}: no error, but {result!r}"
    return None if result.to_dict() else f"{prefer}: the result has no field"


def ask(url: str, method: str, arguments: dict[str, Any]) -> Any:
    """Make one call of the sync client."""
    hooks = (ContractCheck(), NoViolations())
    with CldProvisioning(
        account_id="acc", security=SECURITY, server_url=url, retry_config=None, hooks=hooks
    ) as client:
        return getattr(client.user_groups, method)(**arguments)


async def ask_async(url: str, method: str, arguments: dict[str, Any]) -> Any:
    """Make one call of the async client."""
    hooks = (ContractCheck(), NoViolations())
    async with AsyncCldProvisioning(
        account_id="acc", security=SECURITY, server_url=url, retry_config=None, hooks=hooks
    ) as client:
        return await getattr(client.user_groups, method)(**arguments)


def run_python_peer(results: Results, program: str, requirement: str, wire: Any) -> None:
    """Let another client of Python's call every operation of an emulator on a socket.

    Raises:
        RuntimeError: It cannot be installed, or it ended before it was through.
    """
    python = environment(program, requirement)
    name, _, version = requirement.partition("==")
    peer = f"{name} {version}" if program == "classic" else f"vendor's SDK {version}, {wire}"
    emulator = Emulator(wire=wire)
    with emulator.serve() as server:
        done = subprocess.run(
            [
                *(python, ROOT / "tools" / "interop" / f"{program}.py", server.url),
                *(server.account_id, server.api_key, server.api_secret),
                *(emulator.users[-1].id, wire),
            ],
            # Nothing of the project's own, nor of the caller's account.
            env={
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("CLOUDINARY_", "PYTHON"))
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for answer in answers:
        results.note(peer, answer["operation"], answer["problem"])
    called = {call.operation_id for call in emulator.calls if call.status == 200}
    if done.returncode or called != set(OPERATION_IDS):
        raise RuntimeError(f"{peer} did not get through: {done.stderr.strip()[-2000:]}")


def environment(name: str, requirement: str) -> Path:
    """Return the Python of an environment that has one requirement, made if it is not there yet.

    Raises:
        RuntimeError: It cannot be installed.
    """
    folder = BENCH / "interop" / name
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    installed = folder / "installed"
    if not installed.is_file() or installed.read_text(encoding="utf-8") != requirement:
        venv.create(folder, clear=True, with_pip=True)
        done = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", requirement],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{requirement} cannot be installed: {done.stderr.strip()}")
        installed.write_text(requirement, encoding="utf-8")
    return python


if __name__ == "__main__":
    sys.exit(main())
