"""One client for many threads, many tasks, forked processes; interrupts, and nothing left open."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from tests.faults.matrix import FAULTS
from tests.support.fault_calls import ACCOUNT, DELETE, GROUPS_PATH, LIST, SECURITY, error_of
from tests.support.fault_server import (
    FaultServer,
    HangUp,
    Request,
    Send,
    Stall,
    Step,
    not_http,
    response,
)
from tests.support.transport import Mode, both

from cld_provisioning_api.types import HttpRequest
from cld_user_groups import AsyncCldProvisioning, CldProvisioning, Security, models
from cld_user_groups._engine.http_client import Connections
from cld_user_groups.emulator import Emulator
from cld_user_groups.utils import BackoffStrategy, RetryConfig

THREADS = 16
TASKS = 100
# A call that meets many faults in a row is not to run out of time.
PATIENT = RetryConfig("backoff", BackoffStrategy(1, 5, 1.0, 3_600_000))
# "At once", on a machine that is busy with other tests.
AT_ONCE = 15.0
# The pool of httpcore takes time that grows with waiting requests times connections.
FEW_CONNECTIONS = httpx.Limits(max_connections=10)


class Faulty:
    """Responds to `get` with the requested group, and to every third request with a fault."""

    def __init__(self) -> None:
        self._random = random.Random(20)
        self._faults: list[Step] = [
            HangUp(),
            HangUp(reset=True),
            not_http(),
            response(503, keep_alive=True),
            response(429, headers={"Retry-After": "0"}, keep_alive=True),
            response(500, b"<html>", keep_alive=True),
            response(200, b'{"id": "someone', missing=1),
        ]

    def __call__(self, request: Request) -> Step:
        if self._random.random() < 1 / 3:
            return self._random.choice(self._faults)
        group = request.target.rpartition("/")[2]
        body = b'{"id": "%b", "name": "Group %b"}' % (group.encode(), group.encode())
        return response(200, body, {"X-Request-Id": f"for {group}"}, keep_alive=True)


def check_group(raw: Any, group_id: str) -> None:
    assert raw.parsed == models.UserGroup(id=group_id, name=f"Group {group_id}")
    assert raw.request_id == f"for {group_id}"


def test_threads_that_share_a_client_get_each_its_own_result(waits: list[float]) -> None:
    def work(thread: int) -> int:
        for turn in range(10):
            group_id = f"{thread}-{turn}"
            check_group(groups.get(group_id=group_id, retries=PATIENT), group_id)
        return thread

    with (
        FaultServer(respond=Faulty()) as server,
        # Without a limiter, whose waits are none before a retry.
        CldProvisioning(SECURITY, ACCOUNT, server_url=server.url, limiter=None) as client,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        groups = client.user_groups.with_raw_response
        assert list(pool.map(work, range(THREADS))) == list(range(THREADS))
    assert len(server.requests) == THREADS * 10 + len(waits)


def test_tasks_that_share_a_client_get_each_its_own_result(waits: list[float]) -> None:
    async def main() -> None:
        async with httpx.AsyncClient(limits=FEW_CONNECTIONS, trust_env=False) as http:
            client = AsyncCldProvisioning(
                SECURITY, ACCOUNT, server_url=server.url, client=http, limiter=None
            )
            groups = client.user_groups.with_raw_response

            async def work(task: int) -> None:
                check_group(await groups.get(group_id=f"{task}", retries=PATIENT), f"{task}")

            async with asyncio.TaskGroup() as tasks:
                for task in range(TASKS):
                    tasks.create_task(work(task))

    with FaultServer(respond=Faulty()) as server:
        asyncio.run(main())
    assert len(server.requests) == TASKS + len(waits)


class CallsInBetween(bytes):
    """A host name that lets another thread's call slip in when it is compared."""

    def __eq__(self, other: object) -> bool:
        in_between = threading.Thread(target=self.call)  # type: ignore[attr-defined]
        in_between.start()
        in_between.join()
        return bytes(self) == other

    __hash__ = bytes.__hash__


def test_a_call_of_another_thread_never_lends_its_host_or_credentials() -> None:
    with CldProvisioning(SECURITY, ACCOUNT) as client, httpx.Client() as http:
        session = client._session
        ours, request = session.authorize(), HttpRequest("GET", "/", {})
        connections = Connections(http)
        session.headers(connections, b"ours.invalid", ours, request)
        host = CallsInBetween(b"ours.invalid")
        host.call = lambda: session.headers(connections, b"theirs.invalid", ours, request)  # type: ignore[attr-defined]
        assert session.headers(connections, host, ours, request)["Host"] == "ours.invalid"


def test_keys_that_rotate_under_load_are_sent_in_pairs() -> None:
    pairs = [Security(f"key-{n}", f"secret-of-{n}") for n in range(50)]
    turn = iter(range(10**9))

    def respond(request: Request) -> Step:
        assert request.header("Authorization")
        return response(200, LIST.body, keep_alive=True)

    with (
        FaultServer(respond=respond) as server,
        CldProvisioning(
            lambda: pairs[next(turn) % len(pairs)], ACCOUNT, server_url=server.url
        ) as client,
        ThreadPoolExecutor(16) as pool,
    ):
        list(pool.map(lambda _: client.user_groups.list(), range(200)))
    sent = Counter(request.header("Authorization") for request in server.requests)
    expected = {httpx.BasicAuth(f"key-{n}", f"secret-of-{n}")._auth_header for n in range(50)}
    assert set(sent) == expected
    assert set(sent.values()) == {4}


# --- state, on the emulator


def break_often(emulator: Emulator) -> None:
    """Let many of the calls fail, in every way that a call recovers from."""
    for _ in range(4):
        for operation_id in ("getUserGroup", "addUserToUserGroup", "removeUserFromUserGroup"):
            emulator.fail(operation_id, status=503)
            emulator.fail(operation_id, drop="before")
            emulator.fail(operation_id, drop="after")
            emulator.fail(operation_id, drop="during")
            emulator.fail(operation_id, status=500, apply=True)
            emulator.fail(operation_id, status=429, headers={"Retry-After": "1"})
        emulator.fail("createUserGroup", status=503)
        emulator.fail("createUserGroup", status=420, headers={"Retry-After": "1"})
        emulator.fail("deleteUserGroup", drop="after")
        emulator.fail("deleteUserGroup", status=502)


@pytest.fixture
def emulator() -> Emulator:
    emulator = Emulator()
    for number in range(TASKS):
        emulator.add_user_account(f"User {number}", user_id=f"user-{number}")
    break_often(emulator)
    return emulator


def test_threads_lose_no_write_and_double_none(emulator: Emulator, waits: list[float]) -> None:
    def work(number: int) -> str:
        name, user_id = f"Team {number}", f"user-{number}"
        group_id = groups.create(name=name).id
        assert group_id is not None
        assert groups.add_user(group_id=group_id, user_id=user_id).id == user_id
        group = groups.get(group_id=group_id, extended_details=True)
        assert group.name == name
        assert [user.id for user in group.users or ()] == [user_id]
        left = groups.remove_user(group_id=group_id, user_id=user_id)
        assert left.users == []
        if number % 2:
            assert groups.delete(group_id=group_id).message == "ok"
        return name

    before = [group.name for group in emulator.groups]
    with (
        emulator.serve() as server,
        CldProvisioning(
            Security("k", "s"), ACCOUNT, server_url=server.url, retry_config=PATIENT
        ) as client,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        groups = client.user_groups
        names = list(pool.map(work, range(2 * THREADS)))
    expected = Counter([*before, *names[::2]])
    assert Counter(group.name for group in emulator.groups) == expected
    assert len(waits) > 30


def test_tasks_lose_no_write_and_double_none(emulator: Emulator, waits: list[float]) -> None:
    async def main(url: str) -> None:
        async with httpx.AsyncClient(limits=FEW_CONNECTIONS, trust_env=False) as http:
            client = AsyncCldProvisioning(
                Security("k", "s"), ACCOUNT, server_url=url, client=http, retry_config=PATIENT
            )
            groups = client.user_groups

            async def work(number: int) -> None:
                if number % 2:
                    created = await groups.create(name=f"Team {number}")
                    assert created.name == f"Team {number}"
                else:
                    user = await groups.add_user(group_id=full.id, user_id=f"user-{number}")
                    assert user.name == f"User {number}"

            async with asyncio.TaskGroup() as tasks:
                for number in range(TASKS):
                    tasks.create_task(work(number))

    full = emulator.add_group("Everyone")
    before = Counter(group.name for group in emulator.groups)
    with emulator.serve() as server:
        asyncio.run(main(server.url))
    added = Counter(group.name for group in emulator.groups) - before
    assert added == Counter(f"Team {number}" for number in range(1, TASKS, 2))
    members = next(group.users for group in emulator.groups if group.id == full.id)
    assert Counter(user.id for user in members) == Counter(
        f"user-{number}" for number in range(0, TASKS, 2)
    )
    assert waits


# --- forks


def in_a_fork(use: Callable[[], object]) -> None:
    """Run something in a forked process, which must not fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of other threads, in newer Pythons
        child = os.fork()
    if child == 0:
        status = 1
        try:
            use()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def use_sync(client: CldProvisioning, *ids: str) -> None:
    for group_id in ids:
        assert client.user_groups.get(group_id=group_id).id == group_id


async def use_async(client: AsyncCldProvisioning, *ids: str) -> None:
    for group_id in ids:
        assert (await client.user_groups.get(group_id=group_id)).id == group_id


def fork_sync(url: str) -> None:
    with CldProvisioning(SECURITY, ACCOUNT, server_url=url) as client:
        use_sync(client, "parent-1")
        in_a_fork(lambda: use_sync(client, "child-1", "child-2") or client.close())
        use_sync(client, "parent-2")


def fork_async(url: str) -> None:
    async def main() -> None:
        async with AsyncCldProvisioning(SECURITY, ACCOUNT, server_url=url) as client:

            def use() -> None:
                asyncio.events._set_running_loop(None)
                asyncio.run(use_async(client, "child-1", "child-2"))

            await use_async(client, "parent-1")
            in_a_fork(use)
            await use_async(client, "parent-2")

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("fork", [fork_sync, fork_async])
def test_a_forked_process_uses_connections_of_its_own(fork: Callable[[str], None]) -> None:
    def respond(request: Request) -> Step:
        group = request.target.rpartition("/")[2]
        return response(200, b'{"id": "%b", "name": "D"}' % group.encode(), keep_alive=True)

    with FaultServer(respond=respond) as server:
        fork(server.url)
    used = {r.target.rpartition("/")[2]: r.connection for r in server.requests}
    assert used == {"parent-1": 1, "child-1": 2, "child-2": 2, "parent-2": 1}


# --- interrupts


ASK_TO_WAIT = response(503, headers={"Retry-After": "20"}, keep_alive=True)


@pytest.mark.usefixtures("nothing_left_open")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(
    "step",
    [ASK_TO_WAIT, Stall(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", pause=0.02)],
    ids=["between attempts", "before the response", "during the response"],
)
def test_cancelling_a_call_ends_it_at_once_and_frees_its_connection(
    step: Step, backend: str
) -> None:
    async def main() -> None:
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(limits=limits, trust_env=False) as http:
            client = AsyncCldProvisioning(SECURITY, ACCOUNT, server_url=server.url, client=http)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.user_groups.list)
                await anyio.to_thread.run_sync(server.wait_for_requests, 1)
                await anyio.sleep(0.05)
                tasks.cancel_scope.cancel()
            assert await client.user_groups.list() == LIST.result

    began = time.monotonic()
    with FaultServer(step, response(200, LIST.body)) as server:
        anyio.run(main, backend=backend)
    assert time.monotonic() - began < AT_ONCE
    assert len(server.requests) == 2


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize("step", [ASK_TO_WAIT, Stall()], ids=["during a wait", "during a request"])
def test_ctrl_c_ends_a_call_at_once_and_the_client_goes_on(step: Step) -> None:
    def press() -> None:
        server.wait_for_requests(1)
        time.sleep(0.05)
        signal.pthread_kill(main, signal.SIGINT)

    main, began = threading.get_ident(), time.monotonic()
    with (
        FaultServer(step, response(200, LIST.body)) as server,
        CldProvisioning(SECURITY, ACCOUNT, server_url=server.url) as client,
        ThreadPoolExecutor(1) as threads,
    ):
        threads.submit(press)
        with pytest.raises(KeyboardInterrupt):
            client.user_groups.list()
        assert client.user_groups.list() == LIST.result
    assert time.monotonic() - began < AT_ONCE


# --- leaks


@both
@pytest.mark.usefixtures("nothing_left_open", "waits")
def test_no_fault_leaves_anything_open(mode: Mode) -> None:
    for step in FAULTS.values():
        script = [] if step is None else [step]
        timeout_ms = 100 if isinstance(step, Stall) else None
        with FaultServer(*script, refuse=step is None) as server:
            error_of(mode, DELETE, server.url, retry_config=None, timeout_ms=timeout_ms)


@pytest.mark.usefixtures("nothing_left_open")
def test_closing_a_client_closes_its_connections() -> None:
    def respond(request: Request) -> Step:
        return response(200, LIST.body, keep_alive=True)

    async def use() -> None:
        async with AsyncCldProvisioning(SECURITY, ACCOUNT, server_url=server.url) as client:
            await client.user_groups.list()
        with pytest.raises(RuntimeError, match="closed"):
            await client.user_groups.list()

    with FaultServer(respond=respond) as server:
        with CldProvisioning(SECURITY, ACCOUNT, server_url=server.url) as client:
            client.user_groups.list()
        with pytest.raises(RuntimeError, match="closed"):
            client.user_groups.list()
        asyncio.run(use())
        server.wait_for_hang_up()
    assert [request.target for request in server.requests] == [GROUPS_PATH] * 2
