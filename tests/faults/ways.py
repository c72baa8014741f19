"""Every way out of a call that is not a response: what is raised, and what is known of the write.

Each way is played to every operation, in asyncio, in trio and in threads, on real sockets.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any, Literal

import httpx
import trio
from attrs import field, frozen
from tests.faults.operations import (
    _TLS,
    ACCOUNT,
    OPERATIONS,
    SECURITY,
    USER_READS,
    Operation,
)
from tests.faults.server import FaultServer, HangUp, Stall, Step, answer

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, maybe_applied
from cld_user_groups._engine import http_client
from cld_user_groups.utils import waiting_disabled

Runtime = Literal["asyncio", "trio", "threads"]
RUNTIMES: tuple[Runtime, ...] = ("asyncio", "trio", "threads")
_ASYNC: tuple[Runtime, ...] = ("asyncio", "trio")
ALL_OPERATIONS = (*OPERATIONS, *USER_READS)

# Long enough for a call to get from what can be seen of it to what it then waits in.
_SETTLE = 0.03
# With close(), a thread notices only at its time limit.
_TIMEOUT_MS = {False: 5_000, True: 200}


class Boom(Exception):
    """An exception of a hook, or of a transport, that is nobody else's."""


# --- where a call is, when something ends it


@frozen
class Scene:
    """A server, and a client's settings, that bring a call to a place.

    Attributes:
        url: The server's address.
        requests: Returns the method and the target of each request that arrived.
        arrived: Waits until the call is at the place.
        http: Arguments of the httpx client.
        settings: Arguments of the client.
        is_crowded: Whether another call is in flight before, and holds what this one waits for.
        is_own: Whether the client has an httpx client of its own.
    """

    url: str
    requests: Callable[[], list[tuple[str, str]]]
    arrived: Callable[[], None] = lambda: None
    http: dict[str, Any] = field(factory=dict)
    settings: dict[str, Any] = field(factory=dict)
    is_crowded: bool = False
    is_own: bool = False


Place = Callable[[Operation], Any]  # a context manager that gives the scene


def _requests_of(server: FaultServer) -> list[tuple[str, str]]:
    return [(request.method, request.target) for request in server.requests]


@contextmanager
def _script(
    *script: Step,
    arrived: int = 0,
    http: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    is_crowded: bool = False,
    is_own: bool = False,
) -> Iterator[Scene]:
    """Give a server that plays a script; the call is there once so many requests arrived."""
    with FaultServer(*script) as server:
        yield Scene(
            server.url,
            partial(_requests_of, server),
            lambda: server.wait_for_requests(arrived),
            http or {},
            settings or {},
            is_crowded,
            is_own,
        )


def waiting_for_response(operation: Operation) -> Any:
    return _script(Stall(), arrived=1)


def reading_the_body(operation: Operation) -> Any:
    return _script(answer(200, operation.body, missing=3, stall=True), arrived=1)


def waiting_after_503(operation: Operation) -> Any:
    return _script(answer(503, headers={"Retry-After": "20"}), arrived=1)


def waiting_after_500(operation: Operation) -> Any:
    return _script(answer(500, headers={"Retry-After": "20"}), arrived=1)


def second_attempt_after_a_drop(operation: Operation) -> Any:
    return _script(HangUp(), Stall(), arrived=2)


def waiting_in_the_pool(operation: Operation) -> Any:
    limits = httpx.Limits(max_connections=1)
    return _script(Stall(), arrived=1, is_crowded=True, http={"limits": limits})


@contextmanager
def waiting_for_a_turn(operation: Operation) -> Iterator[Scene]:
    before = http_client.MAX_IN_FLIGHT
    http_client.MAX_IN_FLIGHT = 1  # type: ignore[misc]
    try:
        with _script(Stall(), arrived=1, is_crowded=True, is_own=True) as scene:
            yield scene
    finally:
        http_client.MAX_IN_FLIGHT = before  # type: ignore[misc]


@contextmanager
def connecting(operation: Operation) -> Iterator[Scene]:
    """A listener whose queue is full: the system lets every further connection wait."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(address)
        yield Scene(f"http://127.0.0.1:{address[1]}", list)


@contextmanager
def shaking_hands(operation: Operation) -> Iterator[Scene]:
    """A server that never speaks TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Scene(f"https://127.0.0.1:{listener.getsockname()[1]}", list)


@contextmanager
def opening_a_tunnel(operation: Operation) -> Iterator[Scene]:
    """A proxy that never responds to CONNECT."""
    with FaultServer(Stall()) as proxy:
        yield Scene(
            "https://api.invalid", list, partial(proxy.wait_for_requests, 1), {"proxy": proxy.url}
        )


# --- how it ends


End = Literal["cancel", "timeout", "interrupt", "close"]


@frozen
class Way:
    """A way out of a call.

    Attributes:
        name: The way, as the table has it.
        place: Where the call is.
        end: What ends it there, or None if the place itself does.
        runtimes: Where it exists.
    """

    name: str
    place: Place
    end: End | None = None
    runtimes: tuple[Runtime, ...] = RUNTIMES

    def __str__(self) -> str:
        return self.name


def play(way: Way, operation: Operation, runtime: Runtime) -> tuple[BaseException | None, int]:
    """Play a way out, and return what was raised and how many requests of the operation arrived."""
    with ExitStack() as stack:
        if way.end is None:
            stack.enter_context(waiting_disabled())
        scene = stack.enter_context(way.place(operation))
        if way.end == "interrupt":
            stack.enter_context(_interrupted(scene))
        error = _PLAY[runtime](way, operation, scene)
        own = (operation.method, operation.path)
        return error, scene.requests().count(own)


@contextmanager
def _interrupted(scene: Scene) -> Iterator[None]:
    """Press Ctrl-C once the call is there."""

    def press() -> None:
        scene.arrived()
        time.sleep(_SETTLE)
        signal.pthread_kill(main, signal.SIGINT)

    main = threading.get_ident()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)


def _in_threads(way: Way, operation: Operation, scene: Scene) -> BaseException | None:
    def close() -> None:
        scene.arrived()
        time.sleep(_SETTLE)
        client.close()

    with ExitStack() as stack:
        http = None
        if not (scene.is_own or way.end == "close"):
            http = stack.enter_context(httpx.Client(**_HTTP | scene.http))
        client = stack.enter_context(CldProvisioning(**_settings(way, scene), client=http))
        if way.end == "close":
            thread = threading.Thread(target=close)
            thread.start()
            stack.callback(thread.join)
        try:
            operation.bind(client)(**operation.arguments)
        except BaseException as error:
            return error
    return None


def _in_asyncio(way: Way, operation: Operation, scene: Scene) -> BaseException | None:
    async def at_the_place(act: Callable[[], Any]) -> None:
        await asyncio.to_thread(scene.arrived)
        await asyncio.sleep(_SETTLE)
        result = act()
        if result is not None and not isinstance(result, bool):
            await result

    async def main() -> None:
        async with _client(way, scene) as client, asyncio.timeout(None) as limit:
            tasks = []
            if scene.is_crowded:
                crowd = client.user_groups.get(group_id="crowd", retries=None)
                tasks.append(asyncio.create_task(crowd))
                await asyncio.to_thread(scene.arrived)
            call = asyncio.create_task(_call(client, operation))
            act: dict[End | None, Callable[[], Any]] = {
                "cancel": call.cancel,
                "timeout": lambda: limit.reschedule(0),
                "close": client.close,
            }
            if way.end in act:
                tasks.append(asyncio.create_task(at_the_place(act[way.end])))
            try:
                # Awaited by the task that the time limit and Ctrl-C cancel.
                await call
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    try:
        asyncio.run(main())
    except BaseException as error:
        return error
    return None


def _in_trio(way: Way, operation: Operation, scene: Scene) -> BaseException | None:
    raised: list[BaseException] = []

    async def at_the_place(act: Callable[[], Any]) -> None:
        await trio.to_thread.run_sync(scene.arrived)
        await trio.sleep(_SETTLE)
        result = act()
        if result is not None:
            await result

    async def crowd(client: AsyncCldProvisioning) -> None:
        await client.user_groups.get(group_id="crowd", retries=None)

    async def main() -> None:
        async with _client(way, scene) as client, trio.open_nursery() as nursery:
            if scene.is_crowded:
                nursery.start_soon(crowd, client)
                await trio.to_thread.run_sync(scene.arrived)
            act: dict[End | None, Callable[[], Any]] = {
                "cancel": nursery.cancel_scope.cancel,
                "close": client.close,
            }
            if way.end in act:
                nursery.start_soon(at_the_place, act[way.end])
            try:
                await _call(client, operation)
            except BaseException as error:
                raised.append(error)
                if isinstance(error, trio.Cancelled):
                    raise
            nursery.cancel_scope.cancel()

    trio.run(main)
    return raised[0] if raised else None


_PLAY = {"asyncio": _in_asyncio, "trio": _in_trio, "threads": _in_threads}
_HTTP: dict[str, Any] = {"verify": _TLS, "trust_env": False}


async def _call(client: AsyncCldProvisioning, operation: Operation) -> None:
    await operation.bind(client)(**operation.arguments)


@asynccontextmanager
async def _client(way: Way, scene: Scene) -> AsyncIterator[AsyncCldProvisioning]:
    async with AsyncExitStack() as stack:
        http = None
        if not (scene.is_own or way.end == "close"):
            http = await stack.enter_async_context(httpx.AsyncClient(**_HTTP | scene.http))
        yield await stack.enter_async_context(
            AsyncCldProvisioning(**_settings(way, scene), client=http)
        )


def _settings(way: Way, scene: Scene) -> dict[str, Any]:
    return {
        "security": SECURITY,
        "account_id": ACCOUNT,
        "server_url": scene.url,
        "timeout_ms": _TIMEOUT_MS[way.end == "close"],
        **scene.settings,
    }


# What a way out ends in, by what the operation does: how many requests arrived, the class of the
# exception, and a question mark where the write may have been applied.
ENDED = """
                                                      | reads       | create             | other writes
cancelled while waiting for its turn                  | 0 Cancelled | 0 Cancelled        | 0 Cancelled
cancelled while waiting for a connection of the pool  | 0 Cancelled | 0 Cancelled        | 0 Cancelled
cancelled while connecting                            | 0 Cancelled | 0 Cancelled        | 0 Cancelled
cancelled in the TLS handshake                        | 0 Cancelled | 0 Cancelled        | 0 Cancelled
cancelled while a proxy opens a tunnel                | 0 Cancelled | 0 Cancelled        | 0 Cancelled
cancelled while waiting for the response              | 1 Cancelled | 1 Cancelled?       | 1 Cancelled?
"""


WAYS = (
    Way("cancelled while waiting for its turn", waiting_for_a_turn, "cancel", _ASYNC),
    Way(
        "cancelled while waiting for a connection of the pool",
        waiting_in_the_pool,
        "cancel",
        _ASYNC,
    ),
    Way("cancelled while connecting", connecting, "cancel", _ASYNC),
    Way("cancelled in the TLS handshake", shaking_hands, "cancel", _ASYNC),
    Way("cancelled while a proxy opens a tunnel", opening_a_tunnel, "cancel", _ASYNC),
    Way("cancelled while waiting for the response", waiting_for_response, "cancel", _ASYNC),
    Way("cancelled while reading the response", reading_the_body, "cancel", _ASYNC),
    Way("cancelled in a wait after a 503", waiting_after_503, "cancel", _ASYNC),
    Way("cancelled in a wait after a 500", waiting_after_500, "cancel", _ASYNC),
    Way(
        "cancelled in the second attempt, after a lost response",
        second_attempt_after_a_drop,
        "cancel",
        _ASYNC,
    ),
    Way("asyncio.timeout while connecting", connecting, "timeout", ("asyncio",)),
    Way(
        "asyncio.timeout while waiting for the response",
        waiting_for_response,
        "timeout",
        ("asyncio",),
    ),
    Way("asyncio.timeout in a wait after a 500", waiting_after_500, "timeout", ("asyncio",)),
    Way("Ctrl-C while connecting", connecting, "interrupt"),
    Way("Ctrl-C while waiting for the response", waiting_for_response, "interrupt"),
    Way("Ctrl-C in a wait after a 503", waiting_after_503, "interrupt"),
    Way("Ctrl-C in a wait after a 500", waiting_after_500, "interrupt"),
    Way("close() while waiting for the response", waiting_for_response, "close"),
    Way("close() in a wait after a 503", waiting_after_503, "close"),
    Way("close() in a wait after a 500", waiting_after_500, "close"),
)


if __name__ == "__main__":
    from tests.faults.operations import CREATE, GET, UPDATE

    for way in WAYS:
        for runtime in way.runtimes:
            cells = []
            for operation in (GET, CREATE, UPDATE):
                began = time.monotonic()
                error, requests = play(way, operation, runtime)
                took = time.monotonic() - began
                doubt = "" if error is None else "?" * maybe_applied(error)
                cells.append(f"{requests} {type(error).__name__}{doubt} {took:.2f}")
            print(f"{way.name} ({runtime})", *cells, sep=" | ", flush=True)
