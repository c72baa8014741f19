"""What the interop run says and ends in; its peers themselves run in `make interop`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cld_user_groups.emulator import OPERATION_IDS

from . import documents, scripts, sdk_calls

interop = scripts.load("interop")

Peer = Callable[..., None]


def peer(problem: str | None = None, *, broken: str | None = None) -> Peer:
    """Return a stand-in for a peer, that has this problem with its last operation."""

    def run(results: Any, *arguments: Any) -> None:
        if broken is not None:
            raise RuntimeError(broken)
        for operation_id in OPERATION_IDS:
            results.note("a peer", operation_id, None)
        results.note("a peer", OPERATION_IDS[-1], problem)

    return run


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs the script with stand-ins, and returns its exit status and what it printed."""

    def ran(python_peer: Peer, prism: Peer | None) -> tuple[int, str]:
        monkeypatch.setattr(interop, "find_node", lambda: None if prism is None else "node")
        monkeypatch.setattr(interop, "run_prism", prism)
        monkeypatch.setattr(interop, "run_python_peer", python_peer)
        status = interop.main()
        return status, capsys.readouterr().out

    return ran


def test_a_run_without_problems_ends_in_0_and_lists_what_was_asked(run: Any):
    status, text = run(peer(), peer())
    assert status == 0
    assert "getUserGroups            4 ok\n" in text
    assert "not run" not in text


def test_a_problem_ends_in_1_and_is_told(run: Any):
    status, text = run(peer(), peer("it went wrong"))
    assert status == 1
    assert "removeUserFromUserGroup  1 of 8 FAILED" in text
    assert "a peer, removeUserFromUserGroup: it went wrong" in text


def test_a_peer_that_cannot_run_ends_in_1_and_the_others_run(run: Any):
    status, text = run(peer(), peer(broken="Prism did not start"))
    assert status == 1
    assert "Prism did not start" in text
    assert "getUserGroups            3 ok" in text


def test_without_node_that_is_said_and_the_others_run(run: Any):
    status, text = run(peer(), None)
    assert status == 0
    assert "Prism: not run, Node is not here\n" in text
    assert "getUserGroups            3 ok" in text


def test_every_operation_is_asked_with_every_argument_that_is_its_own():
    per_call = {"retries", "server_url", "timeout_ms", "http_headers"}
    for operation_id, (method, arguments) in interop.CALLS.items():
        assert f"user_groups.{method}" == sdk_calls.METHODS[operation_id]
        everything = list(sdk_calls.arguments(operation_id))[-1].keys() - per_call
        if "request" in arguments:
            assert arguments["request"].keys() == everything
        else:
            assert arguments.keys() == everything
    assert interop.CALLS.keys() == documents.operations(documents.load()).keys()
