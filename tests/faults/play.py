"""Play a way out of a call in asyncio, in trio or in threads."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import Any, Literal

import httpx
import trio
from attrs import frozen
from tests.faults.places import Place, Scene
from tests.support.fault_calls import _TLS, ACCOUNT, SECURITY, Operation

from cld_user_groups import AsyncCldProvisioning, CldProvisioning
from cld_user_groups.utils import waiting_disabled

Runtime = Literal["asyncio", "trio", "threads"]
RUNTIMES: tuple[Runtime, ...] = ("asyncio", "trio", "threads")
End = Literal["cancel", "timeout", "interrupt", "close"]

# Long enough for a call to get from what can be seen of it to what it waits in.
_SETTLE = 0.01
# With close(), a thread notices only at its time limit.
_TIMEOUT_MS: dict[End | None, int] = {"close": 500}


@frozen
class Way:
    """A way out of a call.

    Attributes:
        place: Where the call is, or what it meets.
        end: What ends it there, or None if the place does.
        runtimes: Where it exists.
    """

    place: Place
    end: End | None = None
    runtimes: tuple[Runtime, ...] = RUNTIMES


def play(way: Way, operation: Operation, runtime: Runtime) -> tuple[BaseException | None, int]:
    """Play a way out, and return what was raised and how many requests of the operation arrived."""
    with ExitStack() as stack:
        if way.end is None:
            stack.enter_context(waiting_disabled())
        scene = stack.enter_context(way.place(operation))
        if way.end == "interrupt":
            stack.enter_context(_interrupt(scene))
        error = _PLAY[runtime](way, operation, scene)
        found = [(method, target.partition("?")[0]) for method, target in scene.requests()]
        return error, found.count((operation.method, operation.path))


@contextmanager
def _interrupt(scene: Scene) -> Iterator[None]:
    """Press Ctrl-C once the call is at its place."""

    def press() -> None:
        is_there = scene.arrived()
        time.sleep(_SETTLE)
        if is_there and is_running:
            signal.pthread_kill(main, signal.SIGINT)

    is_running = True
    main = threading.get_ident()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield
    finally:
        is_running = False
        thread.join()
        signal.signal(signal.SIGINT, before)


def _in_threads(way: Way, operation: Operation, scene: Scene) -> BaseException | None:
    def close() -> None:
        scene.arrived()
        time.sleep(_SETTLE)
        client.close()

    with ExitStack() as stack:
        http = None
        if not _is_own(way, scene):
            http = stack.enter_context(httpx.Client(**_HTTP | scene.http(False)))
        settings = _settings(way, scene) | scene.settings(False)
        client = stack.enter_context(CldProvisioning(client=http, **settings))
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
        if not await asyncio.to_thread(scene.arrived):
            return
        await asyncio.sleep(_SETTLE)
        if way.end == "close":
            await act()
        else:
            act()

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
        if not await trio.to_thread.run_sync(scene.arrived, abandon_on_cancel=True):
            return
        await trio.sleep(_SETTLE)
        if way.end == "close":
            await act()
        else:
            act()

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
                if nursery.cancel_scope.cancel_called:
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
        if not _is_own(way, scene):
            http = await stack.enter_async_context(httpx.AsyncClient(**_HTTP | scene.http(True)))
        settings = _settings(way, scene) | scene.settings(True)
        yield await stack.enter_async_context(AsyncCldProvisioning(client=http, **settings))


def _is_own(way: Way, scene: Scene) -> bool:
    return scene.is_own or way.end == "close"  # which leaves a caller's client alone


def _settings(way: Way, scene: Scene) -> dict[str, Any]:
    return {
        "security": SECURITY,
        "account_id": ACCOUNT,
        "server_url": scene.url,
        "timeout_ms": _TIMEOUT_MS.get(way.end, 60_000),
    }
