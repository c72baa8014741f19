"""The httpx client of a client: its semaphore, and what is closed when."""

from __future__ import annotations

import asyncio
import inspect
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import anyio
import httpx
import pytest

from cld_user_groups import CldProvisioning, Security
from cld_user_groups._engine import http_client
from cld_user_groups._engine.http_client import (
    MAX_IN_FLIGHT,
    AsyncHttpClient,
    FairSemaphore,
    HttpClient,
)
from cld_user_groups.errors import ClientClosed

REQUEST = httpx.Request("GET", "https://api.cloudinary.com")
SECURITY = Security("key", "secret")
CLOSED = "^the client is closed: create a new one$"


class Closable(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport, or a stream below one, that records whether it was closed."""

    closed = 0

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1
        await anyio.lowlevel.checkpoint()  # where a cancellation is raised


def response(stream: Closable) -> httpx.Response:
    return httpx.Response(200, extensions={"network_stream": stream})


def sync_client() -> tuple[HttpClient, Closable]:
    transport = Closable()
    http = HttpClient(None, lambda: httpx.Client(transport=transport, mounts={"http://": None}))
    return http, transport


def async_client() -> tuple[AsyncHttpClient, Closable]:
    transport = Closable()
    http = AsyncHttpClient(
        None, lambda: httpx.AsyncClient(transport=transport, mounts={"http://": None})
    )
    return http, transport


def test_a_turn_beyond_the_limit_is_waited_for_and_the_wait_is_measured() -> None:
    http, _ = sync_client()
    connections = http.get()
    assert http.get() is connections
    assert [http.enter(connections) for _ in range(MAX_IN_FLIGHT)] == [0.0] * MAX_IN_FLIGHT
    timer = threading.Timer(0.05, http.leave, [connections])
    timer.start()
    assert 0.02 < http.enter(connections) < 30
    timer.join()


def test_an_async_turn_beyond_the_limit_is_waited_for_and_measured() -> None:
    async def check() -> None:
        http, _ = async_client()
        connections = await http.get()
        assert await http.get() is connections
        waits = [await http.enter(connections) for _ in range(MAX_IN_FLIGHT)]
        assert waits == [0.0] * MAX_IN_FLIGHT
        async with anyio.create_task_group() as group:

            async def leave_later() -> None:
                await anyio.sleep(0.05)
                await http.leave(connections)

            group.start_soon(leave_later)
            assert 0.02 < await http.enter(connections) < 30
        await http.close()

    asyncio.run(check())


async def of(value: Any) -> Any:
    """Return what a method of either client returns."""
    return await value if inspect.isawaitable(value) else value


def places(connections: Any) -> int:
    """Return how many more requests may be in flight."""
    semaphore = connections.semaphore
    if isinstance(semaphore, FairSemaphore):
        return [semaphore.try_acquire() for _ in range(50)].count(True)
    return semaphore.value


on_backends = pytest.mark.parametrize("backend", ["asyncio", "trio"])
either = pytest.mark.parametrize("make", [sync_client, async_client])


@on_backends
@pytest.mark.parametrize(
    ("kind", "own_kind"), [(HttpClient, httpx.Client), (AsyncHttpClient, httpx.AsyncClient)]
)
def test_a_callers_client_has_no_turns_and_is_not_closed(
    kind: Any, own_kind: Any, backend: str
) -> None:
    async def check() -> None:
        transport = Closable()
        http = kind(own := own_kind(transport=transport), own_kind)
        connections = await of(http.get())
        assert (connections.client, connections.semaphore) == (own, None)
        assert await of(http.enter(connections)) == 0.0
        await of(http.close())
        with pytest.raises(ClientClosed, match=CLOSED):
            await of(http.get())
        assert transport.closed == 0

    anyio.run(check, backend=backend)


@either
@pytest.mark.parametrize("has_stream", [True, False])
def test_a_call_that_races_close_closes_what_it_opened(make: Any, has_stream: bool) -> None:
    async def check() -> None:
        http, transport = make()
        assert http.is_closed is False
        connections = await of(http.get())
        await of(http.enter(connections))
        await of(http.close())
        await of(http.close())
        assert transport.closed == 1
        stream = Closable()
        with anyio.CancelScope() as scope:  # an async call does so even if it is cancelled
            scope.cancel()
            done = response(stream) if has_stream else httpx.Response(200)
            await of(http.leave(connections, REQUEST, done))
        assert (transport.closed, stream.closed) == (2, has_stream)
        with pytest.raises(ClientClosed, match=CLOSED):
            await of(http.enter(connections))
        assert transport.closed == 2  # it has opened nothing
        assert places(connections) == MAX_IN_FLIGHT
        closer: Any = getattr(connections, "closer", None)
        assert closer is None or closer.ag_frame is None  # nothing is left for the end of the loop

    asyncio.run(check())


@either
def test_limit_that_grows_lets_more_requests_in_at_once(make: Any) -> None:
    async def grow() -> int:
        http, _ = make()
        await of(http.get())
        http.most_in_flight = 30
        found = places(await of(http.get()))
        await of(http.close())
        return found

    assert asyncio.run(grow()) == 30


def lanes() -> tuple[HttpClient, list[Closable]]:
    """Return a client, and the transport of each httpx client that it creates."""
    made: list[Closable] = []

    def make() -> httpx.Client:
        made.append(Closable())
        return httpx.Client(transport=made[-1])

    return HttpClient(None, make), made


def test_each_request_in_flight_has_a_client_to_itself() -> None:
    http, made = lanes()
    connections = http.get()
    first, second, third = (httpx.Request("GET", REQUEST.url) for _ in range(3))
    for request in (first, second):
        http.enter(connections)
        connections.lend(request)
    http.leave(connections, first)
    last = connections.lend(third)
    http.leave(connections, second)
    assert (len(made), last) == (2, connections.client)
    http.close()
    assert [transport.closed for transport in made] == [1, 1]  # also that in use


def test_connections_that_were_idle_for_5_seconds_are_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    http, made = lanes()
    connections = http.get()
    requests = [httpx.Request("GET", REQUEST.url) for _ in range(4)]
    for request in requests:
        http.enter(connections)
        connections.lend(request)
    for request in requests:
        http.leave(connections, request)
    for number in range(8):
        now += 0 if number % 2 else 4.9
        http.enter(connections)
        connections.lend(REQUEST)
        http.leave(connections, REQUEST)
    assert [transport.closed for transport in made] == [0, 1, 1, 1]
    assert connections.clients() == [connections.client]


@contextmanager
def acting_before(function: str, line: int, act: Callable[[], object]) -> Iterator[None]:
    """Act before a line of a function, by its number from 0, if it has so many."""

    def watch(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_name == function and event == "line":
            lines.append(frame.f_lineno)
            if len(lines) == line + 1:
                act()
        return watch

    lines: list[int] = []
    before = sys.gettrace()
    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(before)
    assert lines


def press_ctrl_c() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("line", range(9))
def test_a_client_that_is_put_back_may_be_taken_at_once(line: int) -> None:
    """As another thread would take it, between two lines."""
    http, _ = lanes()
    connections = http.get()

    def take_all() -> None:
        for _ in connections.clients():
            connections.lend(httpx.Request("GET", REQUEST.url))

    http.enter(connections)
    connections.lend(REQUEST)
    with acting_before("take_back", line, take_all):
        http.leave(connections, REQUEST)
    http.close()


def lend(http: HttpClient, count: int) -> list[httpx.Request]:
    """Return requests in flight, each with a client to itself."""
    requests = [httpx.Request("GET", REQUEST.url) for _ in range(count)]
    for request in requests:
        http.enter(http.get())
        http.get().lend(request)
    return requests


@pytest.mark.parametrize("function", ["lend", "take_back"])
@pytest.mark.parametrize("line", range(9))
def test_closing_between_two_lines_leaves_nothing_open(function: str, line: int) -> None:
    """As another thread would close it."""
    http, made = lanes()
    connections = http.get()
    for request in reversed(lend(http, 3)):
        http.leave(connections, request)
    http.enter(connections)
    with acting_before(function, line, http.close):
        used = connections.lend(REQUEST)
        if function == "lend":
            assert used.is_closed is http.is_closed
        http.leave(connections, REQUEST)
    http.close()
    assert all(transport.closed for transport in made)


@pytest.mark.parametrize("line", range(9))
def test_ctrl_c_while_a_client_is_put_back_frees_its_turn(line: int) -> None:
    http, _ = lanes()
    connections = http.get()
    [request] = lend(http, 1)
    with suppress(KeyboardInterrupt), acting_before("take_back", line, press_ctrl_c):
        http.leave(connections, request)
    assert all(connections.semaphore.try_acquire() for _ in range(MAX_IN_FLIGHT))
    http.close()


def test_all_connections_that_were_idle_too_long_are_closed_by_one_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    http, made = lanes()
    for request in lend(http, 9):
        http.leave(http.get(), request)
    now += 5
    [request] = lend(http, 1)
    http.leave(http.get(), request)
    assert [transport.closed for transport in made] == [0, *[1] * 7, 0]
    http.close()


def test_closing_closes_all_though_one_raises() -> None:
    class Failing(Closable):
        def close(self) -> None:
            super().close()
            raise KeyboardInterrupt

        async def aclose(self) -> None:
            self.close()

    async def close_async() -> None:
        made.clear()
        http = AsyncHttpClient(None, lambda: httpx.AsyncClient(transport=make()))
        connections = await http.get()
        for _ in range(3):
            connections.lend(httpx.Request("GET", REQUEST.url))
        with pytest.raises(KeyboardInterrupt):
            await http.close()

    def make() -> Failing:
        made.append(Failing())
        return made[-1]

    made: list[Failing] = []
    http = HttpClient(None, lambda: httpx.Client(transport=make()))
    lend(http, 3)
    with pytest.raises(KeyboardInterrupt):
        http.close()
    assert [transport.closed for transport in made] == [1, 1, 1]
    anyio.run(close_async, backend="trio")
    assert [transport.closed for transport in made] == [1, 1, 1]


def test_forked_process_does_not_wait_for_a_thread_that_reads_certificates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read() -> ssl.SSLContext:
        if not reading.is_set():
            reading.set()
            go_on.wait(60)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def call() -> None:
        with suppress(httpx.ConnectError):
            client.user_groups.list(retries=None)

    monkeypatch.setattr("httpx.create_ssl_context", read)
    reading, go_on = threading.Event(), threading.Event()
    client = CldProvisioning(SECURITY, "acc", server_url="http://127.0.0.1:9")
    other, own = (threading.Thread(target=call, daemon=True) for _ in range(2))
    other.start()
    reading.wait(60)
    http_client._forget_all()  # as in the forked process, which does not have the other thread
    own.start()
    own.join(5)
    is_done = not own.is_alive()
    go_on.set()
    other.join(60)
    own.join(60)
    client.close()
    assert is_done
