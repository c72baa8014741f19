"""A caller's client of httpx2, and ours of httpx2: the same errors, of httpx2's own classes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any

import httpx2
import pytest
from tests.support.fault_calls import _TLS, ACCOUNT, CREATE, GET, SECURITY, Operation
from tests.support.fault_server import FaultServer, HangUp, Stall, Step, response
from tests.support.transport import Mode, both

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, maybe_applied, models
from cld_user_groups.emulator import Emulator

whose = pytest.mark.parametrize("is_own", [False, True], ids=["callers", "own"])


def call(mode: Mode, operation: Operation, url: str, *, is_own: bool, **settings: Any) -> Any:
    settings |= {"account_id": ACCOUNT, "security": SECURITY, "server_url": url}
    settings |= {"http_library": "httpx2"} if is_own else {}
    if mode == "sync":
        with httpx2.Client(verify=_TLS, trust_env=False) as http:
            given = {} if is_own else {"client": http}
            with CldProvisioning(**given, **settings) as client:
                return operation.bind(client)(**operation.arguments)

    async def main() -> Any:
        async with httpx2.AsyncClient(verify=_TLS, trust_env=False) as http:
            given = {} if is_own else {"client": http}
            async with AsyncCldProvisioning(**given, **settings) as client:
                return await operation.bind(client)(**operation.arguments)

    return asyncio.run(main())


@both
@whose
@pytest.mark.parametrize(
    ("step", "kind", "is_open"),
    [
        (HangUp(), httpx2.RemoteProtocolError, True),
        (Stall(), httpx2.ReadTimeout, True),
        (response(500), models.APIError, True),
        (response(200, b"<html>"), models.ResponseValidationError, True),
        (response(200, b"{}" * 400), models.ResponseValidationError, True),
        (response(302, b"", {"Location": "http://["}), models.APIError, False),
        (response(404), models.NotFound, False),
    ],
    ids=["drop", "stall", "500", "html", "large", "redirect", "404"],
)
def test_error_is_of_httpx2_and_says_whether_the_change_may_be_made(
    step: Step, kind: type[Exception], is_open: bool, is_own: bool, mode: Mode
) -> None:
    options = {"retry_config": None, "timeout_ms": 500, "max_response_bytes": 700}
    with FaultServer(step) as server, pytest.raises(kind) as caught:
        call(mode, CREATE, server.url, is_own=is_own, **options)
    assert maybe_applied(caught.value) is is_open
    if isinstance(caught.value, models.CloudinaryError):
        assert isinstance(caught.value.raw_response, httpx2.Response)
    else:
        assert caught.value.request.headers["Authorization"] == "***"


@both
@whose
def test_nothing_is_sent_where_nobody_listens(is_own: bool, mode: Mode) -> None:
    with FaultServer() as server:
        url = server.url
    with pytest.raises(httpx2.ConnectError) as caught:
        call(mode, CREATE, url, is_own=is_own, retry_config=None)
    assert maybe_applied(caught.value) is False


@both
@whose
def test_call_is_retried_over_httpx2(is_own: bool, mode: Mode) -> None:
    with FaultServer(HangUp(), response(503), response(200, GET.body)) as server:
        assert call(mode, GET, server.url, is_own=is_own) == GET.result
    agents = [each.header("User-Agent") or "" for each in server.requests]
    assert all(agent.startswith("cld-user-groups/") for agent in agents)


def test_emulator_responds_to_httpx2_in_process() -> None:
    emulator = Emulator(account_id=ACCOUNT, api_key="key", api_secret="not-a-real-secret")
    with httpx2.Client(transport=emulator.transport()) as http:
        client = CldProvisioning(SECURITY, ACCOUNT, client=http)
        assert client.user_groups.list().user_groups
        with pytest.raises(models.NotFound) as caught:
            client.user_groups.get(group_id="missing")
    assert isinstance(caught.value.raw_response, httpx2.Response)


@pytest.mark.exhaustive
def test_whole_fault_suite_holds_over_httpx2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.over_httpx2", "tests/faults"],
        env={**os.environ, "PYTEST_ADDOPTS": "", "PYTHONPATH": ""},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
