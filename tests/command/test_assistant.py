"""`mcp` over real pipes, and docs/assistant.md as it stands there."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from tests.support.code_blocks import ROOT
from tools.docs.transcript import comparable, steps

from .shell import SAMPLE

PAGE = (ROOT / "docs/assistant.md").read_text("utf-8")
CALL = re.compile(r"^```text\n> (\w+) (\{.*\})\n(.*)\n(\{(?:.*\n)+?)```", re.MULTILINE)
SAVED_PLAN = re.compile(r"~/\.local/state/\S+\.json")
QUOTA = re.compile(r"\d+ (?=left of the quota)")
COMMAND = [sys.executable, "-m", "cld_user_groups"]


@contextmanager
def asking(*arguments: str, **environment: str) -> Generator[Callable[..., Any]]:
    """Start a server as a client does; yield what calls a method of the client."""
    from mcp import Client, StdioServerParameters

    command, *first = COMMAND
    passed = {name: os.environ[name] for name in os.environ if name.startswith(("CLOUD", "XDG"))}
    server = StdioServerParameters(
        command=command, args=[*first, *arguments], env={**passed, **environment}
    )
    with start_blocking_portal() as portal:
        with portal.wrap_async_context_manager(Client(server)) as client:
            yield lambda method, *given: portal.call(getattr(client, method), *given)


def test_an_assistant_is_served_over_standard_input_and_output(shell):
    with asking("mcp") as ask:
        tools = ask("list_tools").tools
        result = ask("call_tool", "list_members", {"group": "Designers"})
    assert "propose" in [tool.name for tool in tools]
    assert {each["email"] for each in result.structured_content["members"]} == {
        "john@example.com", "harry@example.com",
    }  # fmt: skip
    assert (shell.writes(), shell.members()) == (0, SAMPLE)
    (call,) = shell.json("runs --assistant")["calls"]
    assert (call["tool"], call["requests"]) == ("list_members", 1)


def test_the_servers_of_the_documented_file_can_be_started(shell):
    (text,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    ((_, entry),) = json.loads(text)["mcpServers"].items()
    assert entry["command"].endswith("/.venv/bin/cld-user-groups")
    shell.write("version: 1\ngroups: {Marketing: {members: [maria@example.com]}}\n")
    profiles = shell.write('[production]\naccount_id = "acc"\n', "profiles.toml")
    arguments = [Path(each).name if "/" in each else each for each in entry["args"]]

    environment = {"CLOUDINARY_PROFILES_FILE": str(shell.folder / profiles), **entry["env"]}
    with asking(*arguments, **environment) as ask:
        (content,) = ask("read_resource", "cld-user-groups://file").contents
    assert json.loads(content.text)["groups"][0]["name"] == "Marketing"


def test_the_documented_session_is_what_happens(shell):
    events = [(match.start(), match) for match in CALL.finditer(PAGE)]
    commands = [(step.span[0], step) for step in steps(PAGE)]
    plan = ""
    assert (len(events), len(commands)) == (4, 2)
    with asking("mcp") as ask:
        for _, event in sorted([*events, *commands], key=lambda each: each[0]):
            if not isinstance(event, re.Match):
                line = SAVED_PLAN.sub(plan, event.name).split()
                done = shell(*line[1:])
                printed, expected = (QUOTA.sub("", text) for text in (done.output, event.text))
                assert comparable(printed) == comparable(expected), done.output
                continue
            name, arguments, text, data = event.groups()
            before = shell.writes()
            result = ask("call_tool", name, json.loads(arguments))
            assert result.content[0].text == text
            shown = json.loads(data)
            assert shown == {key: result.structured_content[key] for key in shown}
            assert shell.writes() == before
            plan = (result.structured_content.get("saved") or {"path": plan})["path"]
    assert shell.members() == SAMPLE


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, None])
def test_a_server_ends_with_its_input_or_by_a_signal(shell, number):
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    server = subprocess.Popen([*COMMAND, "mcp"], text=True, **pipes)
    assert server.stdin is not None
    assert server.stdout is not None
    request = {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}}
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    assert json.loads(server.stdout.readline())["id"] == 1
    if number is not None:
        server.send_signal(number)
        assert server.wait(20) == 0
    assert server.communicate(timeout=20)[1] == ""
    assert server.returncode == 0


@pytest.mark.parametrize(
    ("file", "said"),
    [("groups: [", "groups.yaml:2"), ("version: 1\naccount: other\ngroups: {}\n", "groups.yaml")],
)
def test_a_file_that_is_not_valid_is_an_error_at_once(shell, file, said):
    shell.write(file)
    shell("mcp --file groups.yaml", code=1, out="", err=said)
