"""Hooks observe each attempt, in order, and can keep a request from being sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.support.transport import OK, SECURITY, FakeTransport, error

from cld_user_groups import AsyncCldProvisioning, HookContext, models
from cld_user_groups.hooks import Hook


class Recorder(Hook):
    """Records all that it observes."""

    def __init__(self) -> None:
        self.observed: list[tuple[Any, ...]] = []

    def before_request(self, context: HookContext, request: httpx.Request) -> None:
        self.observed.append(("before", context.attempt, request.method))

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        self.observed.append(("after", context.attempt, response.status_code))

    def on_retry(self, context: HookContext, delay: float, error: Exception) -> None:
        self.observed.append(("retry", context.attempt, type(error).__name__, delay))

    def on_error(self, context: HookContext, error: Exception) -> None:
        self.observed.append(("error", context.attempt, type(error).__name__))


def test_hook_observes_each_attempt_response_and_retry(waits: list[float]) -> None:
    recorder = Recorder()
    transport = FakeTransport(error(503, Retry_After="2"), httpx.ConnectError("no route"), OK)
    transport.client(hooks=[recorder]).user_groups.list()
    assert recorder.observed == [
        ("before", 1, "GET"),
        ("after", 1, 503),
        ("retry", 1, "APIError", 2.0),
        ("before", 2, "GET"),
        ("retry", 2, "ConnectError", waits[1]),
        ("before", 3, "GET"),
        ("after", 3, 200),
    ]


def test_hook_observes_the_error_that_the_caller_gets() -> None:
    recorder = Recorder()
    with pytest.raises(models.NotFound):
        FakeTransport(error(404)).client(hooks=[recorder]).user_groups.get(group_id="g1")
    assert recorder.observed[-1] == ("error", 1, "NotFound")


def test_each_hook_for_errors_is_called_and_awaited_if_it_is_async() -> None:
    observed: list[str] = []

    class Plain:
        def on_error(self, context: HookContext, error: Exception) -> None:
            observed.append("plain")

    class Async:
        async def on_error(self, context: HookContext, error: Exception) -> None:
            await asyncio.sleep(0)
            observed.append("async")

    client = FakeTransport(error(404)).async_client(hooks=[Plain(), Async(), Plain()])
    with pytest.raises(models.NotFound):
        asyncio.run(client.user_groups.get(group_id="g1"))
    assert observed == ["plain", "async", "plain"]


def test_context_identifies_the_call() -> None:
    contexts: list[HookContext] = []

    class Contexts:
        def before_request(self, context: HookContext, request: httpx.Request) -> None:
            contexts.append(context)

    FakeTransport(OK).client(hooks=[Contexts()]).user_groups.list()
    assert contexts == [HookContext("getUserGroups", "acc", 1)]


def test_hooks_are_called_in_their_order() -> None:
    observed: list[str] = []

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def before_request(self, context: HookContext, request: httpx.Request) -> None:
            observed.append(self.name)

    FakeTransport(OK).client(hooks=(Named(name) for name in "abc")).user_groups.list()
    assert observed == ["a", "b", "c"]


def test_error_of_a_hook_keeps_the_request_from_being_sent() -> None:
    class Veto:
        def before_request(self, context: HookContext, request: httpx.Request) -> None:
            if request.method == "DELETE":
                raise PermissionError("read only")

    transport = FakeTransport(OK)
    client = transport.client(hooks=[Veto()])
    client.user_groups.list()
    with pytest.raises(PermissionError, match="read only"):
        client.user_groups.delete(group_id="g1")
    assert len(transport.requests) == 1


async def plain_function(observed: list[str], context: HookContext, *details: object) -> None:
    await asyncio.sleep(0)
    observed.append(context.operation_id)


class AsyncCallable:
    """An object that is called like an async function."""

    def __init__(self, observed: list[str]) -> None:
        self.observed = observed

    async def __call__(self, context: HookContext, *details: object) -> None:
        await plain_function(self.observed, context)


def async_methods(observed: list[str]) -> dict[str, Any]:
    async def inner(context: HookContext, *details: object) -> None:
        await plain_function(observed, context)

    return {
        "function": inner,
        "partial": partial(plain_function, observed),
        "callable object": AsyncCallable(observed),
        "partial of a callable object": partial(AsyncCallable(observed)),
    }


METHODS = ("before_request", "after_response", "on_retry", "on_error")


@pytest.mark.parametrize("kind", async_methods([]))
@pytest.mark.parametrize("name", METHODS)
def test_async_method_of_a_hook_is_awaited_by_the_async_client(
    kind: str, name: str, waits: list[float]
) -> None:
    observed: list[str] = []
    hook = SimpleNamespace(**{name: async_methods(observed)[kind]})
    transport = FakeTransport(error(503), error(404))
    client = transport.async_client(hooks=[hook])
    with pytest.raises(models.NotFound):
        asyncio.run(client.user_groups.get(group_id="g1"))
    calls = 2 if name in ("before_request", "after_response") else 1
    assert observed == ["getUserGroup"] * calls


@pytest.mark.parametrize("kind", async_methods([]))
@pytest.mark.parametrize("name", METHODS)
def test_async_method_of_a_hook_is_rejected_by_the_sync_client(kind: str, name: str) -> None:
    hook = SimpleNamespace(**{name: async_methods([])[kind]})
    with pytest.raises(TypeError, match=f"{name} is async: use it with AsyncCldProvisioning"):
        FakeTransport(OK).client(hooks=[hook])


def yielding(context: HookContext, *details: object) -> Iterator[None]:
    yield


async def yielding_async(context: HookContext, *details: object) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize("method", [yielding, yielding_async, partial(yielding_async)])
@pytest.mark.parametrize("name", METHODS)
def test_method_of_a_hook_that_yields_is_rejected_by_both_clients(method: Any, name: str) -> None:
    hook = SimpleNamespace(**{name: method})
    for create in (FakeTransport(OK).client, FakeTransport(OK).async_client):
        with pytest.raises(TypeError, match=f"{name} yields: calling it would run nothing"):
            create(hooks=[hook])


def test_async_hook_is_not_awaited_on_a_cancellation() -> None:
    observed: list[str] = []

    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        raise AssertionError

    async def check() -> None:
        hook = SimpleNamespace(on_error=partial(plain_function, observed))
        async with httpx.AsyncClient(transport=httpx.MockTransport(hang)) as http:
            client = AsyncCldProvisioning(SECURITY, "acc", client=http, hooks=[hook])
            task = asyncio.create_task(client.user_groups.create(name="D"))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(check())
    assert observed == []


@pytest.mark.parametrize("hook", [object(), print, "before_request"])
def test_hook_that_has_none_of_the_methods_is_rejected(hook: Any) -> None:
    with pytest.raises(TypeError, match="a hook must have one of before_request"):
        FakeTransport(OK).client(hooks=[hook])


def test_library_logs_what_it_does(caplog: pytest.LogCaptureFixture, waits: list[float]) -> None:
    caplog.set_level(logging.DEBUG, "cld_user_groups")
    outcomes = (error(503, Retry_After="2"), error(404, "User group not found", X_Request_Id="r1"))
    with pytest.raises(models.NotFound):
        FakeTransport(*outcomes).client().user_groups.get(group_id="g1")
    ours = [record for record in caplog.records if record.name.startswith("cld_user_groups")]
    url = "https://api.cloudinary.com/v1_1/provisioning/accounts/acc/user_groups/g1"
    assert [record.getMessage() for record in ours] == [
        f"getUserGroup attempt 1: GET {url}",
        "getUserGroup attempt 1: status 503, 26 bytes, request id -",
        "getUserGroup attempt 1: APIError: no (status 503); again in 2.000 s",
        f"getUserGroup attempt 2: GET {url}",
        "getUserGroup attempt 2: status 404, 44 bytes, request id r1",
        "getUserGroup attempt 2: given up: NotFound: User group not found "
        "(status 404, request id r1)",
    ]


def test_debug_logger_of_the_callers_is_used_instead(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logger = logging.getLogger("mine")
    FakeTransport(OK).client(debug_logger=logger).user_groups.list()
    assert {record.name for record in caplog.records} >= {"mine"}
    assert "cld_user_groups" not in {record.name for record in caplog.records}


@pytest.mark.parametrize(
    ("value", "shown"), [("true", True), ("1", True), ("", False), ("no", False)]
)
def test_variable_shows_the_debug_log(
    value: str, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger("cld_user_groups")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    logger.manager._clear_cache()  # type: ignore[attr-defined]
    monkeypatch.setenv("CLOUDINARY_DEBUG", value)
    FakeTransport(OK).client()
    FakeTransport(OK).client()
    assert len(logger.handlers) == shown
    logger.manager._clear_cache()  # type: ignore[attr-defined]
