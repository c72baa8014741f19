"""`maybe_applied` finds what is known of a write, whatever the exception that arrives is like."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.support.fault_calls import ACCOUNT, CREATE, GET, SECURITY, call, error_of
from tests.support.fault_server import FaultServer, Stall, Step, response
from tests.support.transport import FakeTransport, Mode, both

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, HookContext, maybe_applied

# asyncio and httpcore leave sockets and coroutines of a closed loop to the garbage collector.
_left_over = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)


@pytest.fixture
def garbage() -> Iterator[None]:
    """Collect the garbage of a test before the next one."""
    yield
    gc.collect()


@dataclass(frozen=True)
class Frozen(Exception):
    reason: str = "frozen"


class Slotted(Exception):
    __slots__ = ("reason",)


class WithDelay(httpx.ReadError):
    retry_after = "soon"


@both
@pytest.mark.parametrize("kind", [Frozen, Slotted], ids=lambda kind: kind.__name__)
def test_an_exception_that_rejects_attributes_keeps_its_class(
    kind: type[Exception], mode: Mode
) -> None:
    class Hook:
        def after_response(self, *details: object) -> None:
            raise kind

    good = httpx.MockTransport(lambda request: httpx.Response(200, content=CREATE.body))
    error = error_of(mode, CREATE, transport=good, hooks=[Hook()])
    assert type(error) is kind
    assert maybe_applied(error)


@both
def test_a_foreign_retry_after_is_not_read(mode: Mode, waits: list[float]) -> None:
    error = error_of(mode, CREATE, transport=FakeTransport(WithDelay("x")))
    assert isinstance(error, WithDelay)
    assert maybe_applied(error)


@both
def test_an_instance_that_is_raised_again_is_marked_by_the_later_call(mode: Mode) -> None:
    again = RuntimeError("the same instance")
    assert maybe_applied(error_of(mode, CREATE, transport=FakeTransport(again)))
    assert not maybe_applied(error_of(mode, GET, transport=FakeTransport(again)))
    assert not getattr(again, "__notes__", [])
    assert maybe_applied(error_of(mode, CREATE, transport=FakeTransport(again)))
    assert len(again.__notes__) == 1


def test_stop_async_iteration_of_a_transport_is_no_result() -> None:
    error = error_of("async", CREATE, transport=FakeTransport(StopAsyncIteration("not a group")))
    assert isinstance(error, RuntimeError | StopAsyncIteration)
    assert maybe_applied(error)


@_left_over
@pytest.mark.usefixtures("garbage")
@pytest.mark.parametrize(
    "step", [Stall(), response(200, CREATE.body, missing=2, stall=True)], ids=["head", "body"]
)
def test_a_call_whose_event_loop_is_closed_is_maybe_applied(step: Step) -> None:
    seen: list[BaseException] = []

    class Hook:  # the GeneratorExit that a caller sees is a new one in each frame
        def on_error(self, context: object, error: BaseException) -> None:
            seen.append(error)

    async def use() -> None:
        http = httpx.AsyncClient(trust_env=False)
        client = AsyncCldProvisioning(
            SECURITY, ACCOUNT, server_url=server.url, client=http, hooks=[Hook()]
        )
        await client.user_groups.create(name="Designers")

    async def wait() -> None:
        await asyncio.to_thread(server.wait_for_requests, 1)
        await asyncio.sleep(0.03)

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *details: None)  # it says that a task was destroyed
    with FaultServer(step) as server:
        coroutine = use()
        tasks = [loop.create_task(coroutine)]
        loop.run_until_complete(wait())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        with suppress(RuntimeError):
            coroutine.close()
        tasks.clear()
    (error,) = seen
    assert maybe_applied(error)


@_left_over
@pytest.mark.usefixtures("garbage")
def test_a_call_on_a_client_of_a_closed_event_loop_is_maybe_applied() -> None:
    good = response(200, CREATE.body, keep_alive=True)
    with FaultServer(good, good) as server:
        http = httpx.AsyncClient(trust_env=False)
        client = AsyncCldProvisioning(SECURITY, ACCOUNT, server_url=server.url, client=http)

        async def use() -> BaseException | None:
            try:
                await client.user_groups.create(name="Designers", retries=None)
            except Exception as error:
                return error
            return None

        assert asyncio.run(use()) is None
        error = asyncio.run(use())
        assert error is None or maybe_applied(error)


def test_async_hooks_are_told_of_an_error_of_another_async_hook() -> None:
    told: list[BaseException] = []

    class Hook:
        async def before_request(self, *details: object) -> None:
            raise KeyError("of a hook")

        async def on_error(self, context: object, error: BaseException) -> None:
            told.append(error)

    error = error_of("async", CREATE, transport=FakeTransport(AssertionError()), hooks=[Hook()])
    assert told == [error]
    assert isinstance(error, KeyError)
    assert not maybe_applied(error)


def test_an_awaitable_of_a_hook_of_the_sync_client_is_rejected_and_closed() -> None:
    async def do() -> None: ...

    class Hook:
        def before_request(self, *details: object) -> object:
            return do()

    error = error_of("sync", CREATE, transport=FakeTransport(AssertionError()), hooks=[Hook()])
    assert isinstance(error, TypeError)
    assert "AsyncCldProvisioning" in str(error)
    gc.collect()  # a coroutine that is never awaited would warn


def create_behind(mode: Mode, hook: Callable[[httpx.Request], None], transport: Any) -> None:
    """Create a group on an httpx client with an event hook for requests."""

    async def hook_async(request: httpx.Request) -> None:
        hook(request)

    hooks = {"request": [hook_async if mode == "async" else hook]}
    call(mode, CREATE, http={"transport": transport, "event_hooks": hooks}, retry_config=None)


@both
@pytest.mark.parametrize("kind", [Slotted, httpx.ReadTimeout, KeyboardInterrupt])
def test_whether_an_event_hook_kept_a_request_back_is_not_known(
    kind: type[BaseException], mode: Mode
) -> None:
    def fail(request: httpx.Request) -> None:
        raise kind("of the hook")

    with pytest.raises(kind) as caught:
        create_behind(mode, fail, FakeTransport(AssertionError("it was sent")))
    assert maybe_applied(caught.value)


@both
@pytest.mark.parametrize(
    "kind", [httpx.ReadTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError]
)
def test_no_group_is_created_twice_where_the_stock_transport_is_patched(
    kind: type[httpx.TransportError], mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[httpx.Request] = []

    def handle(transport: object, request: httpx.Request) -> httpx.Response:
        sent.append(request)
        raise kind("after it was sent")

    async def handle_async(transport: object, request: httpx.Request) -> httpx.Response:
        return handle(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle_async)
    error = error_of(mode, CREATE)
    assert isinstance(error, kind)
    assert len(sent) == 1
    assert maybe_applied(error)


@both
def test_a_transport_below_an_event_hook_may_have_sent_what_it_raises_for(mode: Mode) -> None:
    with pytest.raises(Slotted) as caught:
        create_behind(mode, lambda request: None, FakeTransport(Slotted()))
    assert maybe_applied(caught.value)


def test_a_closed_client_of_the_callers_sends_nothing() -> None:
    http = httpx.Client(transport=FakeTransport(AssertionError("it was sent")))
    http.close()
    client = CldProvisioning(SECURITY, ACCOUNT, client=http)
    with pytest.raises(RuntimeError, match="has been closed") as caught:
        client.user_groups.create(name="Designers")
    assert not maybe_applied(caught.value)


def test_a_client_of_the_callers_that_is_closed_meanwhile_may_have_sent() -> None:
    def close_and_fail(request: httpx.Request) -> httpx.Response:
        http.close()
        raise RuntimeError("of the transport")

    http = httpx.Client(transport=httpx.MockTransport(close_and_fail))
    client = CldProvisioning(SECURITY, ACCOUNT, client=http)
    with pytest.raises(RuntimeError, match="of the transport") as caught:
        client.user_groups.create(name="Designers")
    assert maybe_applied(caught.value)


class Translating:
    """A hook that raises an error of the application's own, and hides where it comes from."""

    def on_error(self, context: HookContext, error: BaseException) -> None:
        raise Frozen from None


@both
@pytest.mark.parametrize(("status", "is_open"), [(500, True), (403, False)])
def test_an_error_that_a_hook_raises_instead_tells_as_well(
    status: int, is_open: bool, mode: Mode
) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(status))
    error = error_of(mode, CREATE, transport=transport, hooks=[Translating()])
    assert isinstance(error, Frozen)
    assert maybe_applied(error) is is_open


def test_a_timeout_error_of_wait_for_is_maybe_applied() -> None:
    async def main() -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            client = AsyncCldProvisioning(SECURITY, ACCOUNT, server_url=server.url, client=http)
            await asyncio.wait_for(client.user_groups.create(name="Designers"), 1)

    with FaultServer(Stall()) as server, pytest.raises(TimeoutError) as caught:
        asyncio.run(main())
    assert maybe_applied(caught.value)
