"""The vendor's clients call every operation of the emulator, on a socket."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from benchmarks.environments import python
from tools.node_tools import install

from cld_user_groups.emulator import Emulator

from .calls import ACCOUNT, CALLS, KEY, SECRET
from .processes import node_or_skip

pytestmark = pytest.mark.interop

_PROGRAMS = Path(__file__).parent / "clients"
_CLIENTS = ["classic Python", "classic Node", "vendor SDK, documented", "vendor SDK, observed"]

Outcomes = dict[str, str | None]


def _run(emulator: Emulator, *command: str | Path) -> Outcomes:
    """Run a client's program, and return what it says is wrong with each operation."""
    with emulator.serve() as server:
        done = subprocess.run(
            [*command, server.url, ACCOUNT, KEY, SECRET, emulator.users[-1].id],
            # Nothing of the project's own environment, nor of the caller's account.
            env={
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("CLOUDINARY_", "PYTHON"))
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    return {report["operation"]: report["problem"] for report in reports}


@pytest.fixture(scope="module", params=_CLIENTS)
def client_run(request: pytest.FixtureRequest) -> tuple[Emulator, Outcomes]:
    """An emulator after a client has run against it, and what that client reports."""
    is_documented = request.param.endswith("documented")
    emulator = Emulator(ACCOUNT, KEY, SECRET, wire="documented" if is_documented else "observed")
    command: tuple[str | Path, ...]
    match request.param:
        case "classic Python":
            command = (python("classic"), _PROGRAMS / "classic.py")
        case "classic Node":
            node = node_or_skip()
            command = (node.program, _PROGRAMS / "classic.cjs", install(node, "cloudinary").folder)
        case _:
            command = (python("vendor"), _PROGRAMS / "vendor.py", emulator.wire)
    return emulator, _run(emulator, *command)


@pytest.mark.parametrize(
    "operation_id",
    [operation_id for operation_id, (resource, *_) in CALLS.items() if resource == "user_groups"],
)
def test_another_client_calls_each_operation(
    client_run: tuple[Emulator, Outcomes], operation_id: str
) -> None:
    emulator, outcomes = client_run
    assert outcomes[operation_id] is None
    assert any(call.status == 200 for call in emulator.calls.of(operation_id))
