"""Responses that never stall and never end: a byte at a time, or one 1xx after another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
import pytest
from attrs import frozen
from tests.faults.test_loops import runs
from tests.support.fault_calls import ACCOUNT, GROUP, SECURITY
from tests.support.fault_server import Connection, FaultServer, Step
from tests.support.transport import FakeTransport

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, maybe_applied

pytestmark = pytest.mark.usefixtures("nothing_left_open")
Run = Callable[[Callable[[], Awaitable[Any]]], Any]

LIMIT_MS = 150
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"


@frozen
class Trickle:
    """Sends some bytes at once, then a byte every few milliseconds, for as long as it can."""

    first: bytes
    part: bytes

    def play(self, connection: Connection) -> bool:
        connection.send(self.first, None)
        connection.send(self.part * 1000, 0.005)
        return False


BODY = Trickle(HEAD + b"Content-Length: 100000\r\n\r\n", b" ")
GZIPPED = Trickle(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n")
LINES = Trickle(HEAD, b"X-Header: x\r\n")
INFORMATIONAL = Trickle(b"", PROCESSING)


@pytest.mark.parametrize("step", [BODY, GZIPPED], ids=["length", "chunks"])
def test_a_body_that_trickles_ends_a_sync_call_at_its_limit(step: Step) -> None:
    with FaultServer(step) as server:
        with CldProvisioning(SECURITY, ACCOUNT, server_url=server.url) as client:
            with pytest.raises(httpx.ReadTimeout, match=r"after 0.15 s: a longer timeout_ms"):
                client.user_groups.list(retries=None, timeout_ms=LIMIT_MS)


@runs
@pytest.mark.parametrize(
    ("step", "seconds"),
    [(BODY, "0.15"), (GZIPPED, "0.15"), (LINES, "0.6"), (INFORMATIONAL, "0.6")],
    ids=["length", "chunks", "headers", "informational"],
)
def test_whatever_trickles_ends_an_async_call_at_its_limit(
    run: Run, step: Step, seconds: str
) -> None:
    async def call() -> None:
        async with AsyncCldProvisioning(SECURITY, ACCOUNT, server_url=server.url) as client:
            with anyio.fail_after(30):
                with pytest.raises(httpx.ReadTimeout, match=rf"after {seconds} s:") as raised:
                    await client.user_groups.delete(
                        group_id=GROUP, retries=None, timeout_ms=LIMIT_MS
                    )
            assert maybe_applied(raised.value)
            assert raised.value.request.headers["authorization"] == "***"

    with FaultServer(step) as server:
        run(call)


@runs
def test_a_transport_that_hangs_ends_an_async_call_at_its_limit(run: Run) -> None:
    class Hanging(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await anyio.sleep(60)
            raise AssertionError

    async def call() -> None:
        http = httpx.AsyncClient(transport=Hanging(), timeout=0.02)
        async with AsyncCldProvisioning(SECURITY, ACCOUNT, client=http) as client:
            with pytest.raises(httpx.ReadTimeout, match=r"after 0.08 s"):
                await client.user_groups.list(retries=None)

    run(call)


@runs
def test_a_cancellation_by_the_caller_stays_one(run: Run) -> None:
    async def call() -> None:
        async with AsyncCldProvisioning(SECURITY, ACCOUNT, server_url=server.url) as client:
            with anyio.move_on_after(0.1) as scope:
                await client.user_groups.list(retries=None)
            assert scope.cancelled_caught
            with anyio.move_on_after(0.1) as scope:
                await client.user_groups.list(retries=None, timeout_ms=60_000)
            assert scope.cancelled_caught

    with FaultServer(INFORMATIONAL, BODY) as server:
        run(call)


@runs
def test_a_call_without_limits_is_not_limited(run: Run) -> None:
    async def call() -> None:
        http = httpx.AsyncClient(transport=transport, timeout=None)
        async with AsyncCldProvisioning(SECURITY, ACCOUNT, client=http) as client:
            assert (await client.user_groups.list()).user_groups == []

    transport = FakeTransport(httpx.Response(200, json={"user_groups": []}))
    run(call)
