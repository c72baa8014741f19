"""One async client for many event loops, on real sockets; and no connection is left open."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import trio
from tests.support.fault_calls import ACCOUNT, CREATE, LIST, SECURITY
from tests.support.fault_server import FaultServer, Request, Stall, Step, response

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, maybe_applied, models
from cld_user_groups._engine import http_client
from cld_user_groups.errors import ClientClosed

pytestmark = pytest.mark.usefixtures("nothing_left_open")
Run = Callable[[Callable[[], Awaitable[Any]]], Any]


def respond(request: Request) -> Step:
    body = LIST.body if request.method == "GET" else CREATE.body
    return response(200, body, keep_alive=True)


def run_asyncio(main: Callable[[], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        return await main()

    return asyncio.run(run())


runs = pytest.mark.parametrize("run", [run_asyncio, trio.run], ids=["asyncio", "trio"])


@runs
def test_one_client_serves_one_event_loop_after_another(run: Run) -> None:
    async def job() -> models.UserGroupsResponse:
        await client.user_groups.create(name="Designers")
        return await client.user_groups.list()

    with FaultServer(respond=respond) as server:
        client = AsyncCldProvisioning(SECURITY, ACCOUNT, server_url=server.url)
        assert [run(job) for _ in range(3)] == [LIST.result] * 3
        server.wait_for_hang_up()  # each loop closed its connections
        run(client.close)
        with pytest.raises(ClientClosed):
            run(job)
    # Within a loop the connection is kept, and no loop has that of another.
    assert [request.connection for request in server.requests] == [1, 1, 2, 2, 3, 3]


@runs
def test_an_event_loop_that_is_over_is_forgotten(run: Run) -> None:
    async def job() -> None:
        loops.append(weakref.ref(http_client._running_loop()))
        await client.user_groups.list()

    loops: list[weakref.ref[Any]] = []
    with FaultServer(respond=respond) as server:
        client = AsyncCldProvisioning(SECURITY, ACCOUNT, server_url=server.url)
        for _ in range(3):
            run(job)
        gc.collect()
        assert [loop() for loop in loops] == [None] * 3


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_an_event_loop_that_only_was_closed_is_forgotten_by_the_next() -> None:
    async def job() -> None:
        await client.user_groups.list()

    def run_and_close() -> weakref.ref[Any]:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(job())
        loop.close()
        return weakref.ref(loop)

    with FaultServer(respond=respond) as server:
        client = AsyncCldProvisioning(SECURITY, ACCOUNT, server_url=server.url)
        loops = [run_and_close() for _ in range(3)]
        run_asyncio(job)
        gc.collect()
        assert [loop() for loop in loops] == [None] * 3


def test_one_client_serves_asyncio_and_trio() -> None:
    async def job() -> Any:
        return await client.user_groups.list()

    with FaultServer(respond=respond) as server:
        client = AsyncCldProvisioning(SECURITY, ACCOUNT, server_url=server.url)
        assert run_asyncio(job) == trio.run(job) == run_asyncio(job) == LIST.result
        server.wait_for_hang_up()


def test_one_client_serves_event_loops_in_many_threads_at_once() -> None:
    def work(number: int) -> None:
        async def job() -> None:
            await asyncio.gather(*(client.user_groups.list() for _ in range(5)))

        barrier.wait(60)
        run_asyncio(job)

    barrier = threading.Barrier(4)
    with FaultServer(respond=respond) as server, ThreadPoolExecutor(4) as threads:
        client = AsyncCldProvisioning(SECURITY, ACCOUNT, server_url=server.url)
        list(threads.map(work, range(4)))
        server.wait_for_hang_up()
    assert len(server.requests) == 20


def test_closing_in_one_event_loop_ends_the_calls_of_another() -> None:
    """Not at once: the connections of a loop can be closed in it only."""

    async def job() -> None:
        await client.user_groups.list(timeout_ms=1_000)

    def close() -> None:
        server.wait_for_requests(1)
        run_asyncio(client.close)

    with FaultServer(Stall()) as server, ThreadPoolExecutor(1) as threads:
        client = AsyncCldProvisioning(SECURITY, ACCOUNT, server_url=server.url)
        closing = threads.submit(close)
        with pytest.raises(ClientClosed):
            run_asyncio(job)
        closing.result()
        server.wait_for_hang_up()


@pytest.mark.parametrize("number", range(3))
def test_closing_while_first_calls_begin_leaves_no_connection(number: int) -> None:
    def use(_: int) -> None:
        barrier.wait(60)
        try:
            assert client.user_groups.list() == LIST.result
        except (ClientClosed, httpx.TransportError) as error:  # it was in flight, or was not begun
            assert not maybe_applied(error)  # noqa: PT017

    def close() -> None:
        barrier.wait(60)
        client.close()

    barrier = threading.Barrier(9)
    with FaultServer(respond=respond) as server, ThreadPoolExecutor(9) as threads:
        # A thread that waits for a response notices at its time limit only.
        client = CldProvisioning(SECURITY, ACCOUNT, server_url=server.url, timeout_ms=2_000)
        closing = threads.submit(close)
        list(threads.map(use, range(8)))
        closing.result()
        server.wait_for_hang_up()
