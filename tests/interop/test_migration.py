"""Each pair of calls in the migration guides sends the same request and returns the same value."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import attrs
import msgspec
import pytest
from benchmarks.environments import python

from cld_user_groups import CldProvisioning, errors
from cld_user_groups.emulator import Call, Emulator

from .calls import ACCOUNT, GROUP, KEY, ROOT, SECRET, SECURITY, USER

pytestmark = pytest.mark.interop

_GUIDES = {"classic": "classic-client.md", "vendor": "vendor-sdk.md", "httpx": "requests.md"}
_PROGRAM = Path(__file__).parent / "clients" / "evaluate.py"
_CODE = re.compile(r"`([^`]+)`")


def rows(guide: str, heading: str) -> list[list[str]]:
    """Return the cells of the rows of the table below a heading."""
    text = (ROOT / "docs" / "migrate" / guide).read_text("utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[_CODE.sub(r"\1", cell) for cell in line[2:-2].split(" | ")] for line in lines[2:]]


def cases(heading: str) -> list[Any]:
    """Return the rows of all guides as pytest parameters."""
    return [
        pytest.param(client, row, id=f"{client}: {row[0]}")
        for client, guide in _GUIDES.items()
        for row in rows(guide, heading)
    ]


@attrs.frozen
class Stand:
    """An emulator on a socket, and another client's process that uses it."""

    emulator: Emulator
    url: str
    process: subprocess.Popen[str]

    @property
    def names(self) -> dict[str, str]:
        """The names that the expressions of both sides use: a group, a member, and another user."""
        return {"group_id": GROUP, "user_id": USER, "other_id": self.emulator.users[-1].id}

    def evaluate(self, expression: str) -> dict[str, Any]:
        """Return the outcome of an expression of the other client."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {"expression": expression, "names": self.names}
        print(json.dumps(request), file=self.process.stdin, flush=True)
        outcome: dict[str, Any] = json.loads(self.process.stdout.readline())
        return outcome


def start(client: str) -> Iterator[Stand]:
    """Start an emulator and a client's process; both end with the iterator."""
    # The vendor's SDK makes objects without values of the observed responses.
    wire = "documented" if client == "vendor" else "observed"
    emulator = Emulator(ACCOUNT, KEY, SECRET, wire=wire)
    program = sys.executable if client == "httpx" else python(client)
    with (
        emulator.serve() as server,
        subprocess.Popen(
            [program, _PROGRAM, client, server.url, ACCOUNT, KEY, SECRET],
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        yield Stand(emulator, server.url, process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def stands() -> Iterator[dict[str, Stand]]:
    started: dict[str, Iterator[Stand]] = {client: start(client) for client in _GUIDES}
    yield {client: next(iterator) for client, iterator in started.items()}
    for iterator in started.values():
        next(iterator, None)


def sent(calls: Sequence[Call]) -> list[tuple[str, str, list[tuple[str, str]], object]]:
    """Return what calls sent: a form's fields are those of a JSON body."""
    return [
        (call.method, call.path, sorted(call.query_items), call.json or dict(parse_qsl(call.body)))
        for call in calls
    ]


def plain(value: object) -> object:
    """Return a value as JSON has it, without what is absent."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    built: object = msgspec.to_builtins(value)
    if isinstance(built, dict):
        return {name: each for name, each in built.items() if each is not None}
    return built


@pytest.mark.parametrize(("client", "row"), cases("Calls"))
def test_pair_of_calls_is_the_same(
    stands: dict[str, Stand], client: str, row: tuple[str, str]
) -> None:
    stand = stands[client]
    before, now = row
    stand.emulator.reset()
    outcome = stand.evaluate(before)
    requests = sent(stand.emulator.calls)
    stand.emulator.reset()
    with CldProvisioning(account_id=ACCOUNT, security=SECURITY, server_url=stand.url) as ours:
        value = plain(eval(now, {"client": ours, **stand.names}))
    assert len(requests) == 1
    assert requests == sent(stand.emulator.calls)
    assert outcome == {"value": value}


@pytest.mark.parametrize(("client", "row"), cases("Errors"))
def test_status_raises_the_classes_of_the_table(
    stands: dict[str, Stand], client: str, row: tuple[str, str, str]
) -> None:
    stand = stands[client]
    status, before, now = row
    expressions = {
        "classic": "account.user_group(group_id)",
        "vendor": "client.user_groups.create(request={'name': 'Editors'})",
        "httpx": "http.get(f'/user_groups/{group_id}')",
    }
    stand.emulator.reset()
    stand.emulator.fail("getUserGroup", status=int(status))
    stand.emulator.fail("createUserGroup", status=int(status))
    raised = stand.evaluate(expressions[client])["error"]
    assert raised.rpartition(".")[2] == before.rpartition(".")[2]
    expected = eval(now, {"errors": errors})
    stand.emulator.reset()
    stand.emulator.fail("createUserGroup", status=int(status))
    with CldProvisioning(
        account_id=ACCOUNT, security=SECURITY, server_url=stand.url, retry_config=None
    ) as ours:
        with pytest.raises(expected) as caught:
            ours.user_groups.create(name="Editors")
    assert caught.type is expected
