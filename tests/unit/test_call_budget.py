"""What a call costs, counted instead of timed: Python functions entered, the same on every machine.

Times say nothing on a busy machine, so `make bench` prints them and no test fails on them. What
makes a call slower is nearly always more calls of functions, and those are exact. The budgets are
some 10 % above what the dearest supported Python was measured at, httpx's own calls included. What
goes over a budget for a good reason may raise it; bare httpx stays the limit.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Self

import httpx
import pytest
from tests.support.transport import SECURITY

from cld_user_groups import AsyncCldProvisioning, CldProvisioning
from cld_user_groups.errors import NotFound

SERVER = "https://api.cloudinary.com"
PATH = "/v1_1/provisioning/accounts/acc/user_groups"
NAME = {"name": "Designers"}
BODIES = {
    "GET": b'{"user_groups":[{"id":"g1","name":"Designers"},{"id":"g2","name":"Marketing"}]}',
    "PUT": b'{"id":"g1","name":"Designers"}',
}

# Functions entered by one call: measured, and with some 10 % to spare.
BUDGETS = {"list": 245, "update": 274}
ASYNC_BUDGETS = {"list": 257, "update": 286}


def response(request: httpx.Request) -> httpx.Response:
    """Outcome as httpx's own transport does: with a list of headers and a stream."""
    body = BODIES[request.method]
    headers = [
        (b"Content-Type", b"application/json"),
        (b"Content-Length", str(len(body)).encode()),
        (b"X-Request-Id", b"5f0c1b7e6f3a4d0e9a7b2c8d1e4f6a90"),
    ]
    return httpx.Response(200, headers=headers, stream=httpx.ByteStream(body))


class Counter:
    """Counts the Python functions that are entered; a generator counts each time it goes on."""

    def __init__(self) -> None:
        self.calls = 0

    def __enter__(self) -> Self:
        gc.disable()  # it would enter what other tests have left to it
        self._before = sys.getprofile()
        sys.setprofile(self._count)
        return self

    def __exit__(self, *exception: object) -> None:
        sys.setprofile(self._before)
        gc.enable()
        self.calls -= 1  # this one

    def _count(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            self.calls += 1


async def count(call: Callable[[], Any], is_async: bool, read: Callable[[Any], Any] = id) -> int:
    """Return how many functions a call enters, once all that is made once has been made."""
    for _ in range(2):
        with Counter() as counter:
            read(await call() if is_async else call())
    return counter.calls


@pytest.mark.parametrize("operation", ["list", "update"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_call_enters_few_functions_and_fewer_than_bare_httpx(
    operation: str, is_async: bool
) -> None:
    transport = httpx.MockTransport(response)
    own_kind, kind = (
        (AsyncCldProvisioning, httpx.AsyncClient) if is_async else (CldProvisioning, httpx.Client)
    )
    groups = own_kind(SECURITY, "acc", client=kind(transport=transport)).user_groups
    http = kind(transport=transport, base_url=SERVER, auth=("key", "secret"))
    calls: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "list": (groups.list, lambda: http.get(PATH)),
        "update": (
            lambda: groups.update(group_id="g1", user_group_request=NAME),
            lambda: http.put(f"{PATH}/g1", json=NAME),
        ),
    }
    call, bare_call = calls[operation]
    own = asyncio.run(count(call, is_async))
    bare = asyncio.run(count(bare_call, is_async, httpx.Response.json))

    assert own <= (ASYNC_BUDGETS if is_async else BUDGETS)[operation]
    assert own < bare


@pytest.mark.parametrize("status", [200, 404])
def test_a_call_leaves_nothing_to_the_garbage_collector(status: int) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, stream=httpx.ByteStream(BODIES[request.method]))

    def call() -> None:
        with suppress(NotFound):
            groups.list()

    async def collect_async() -> int:
        async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as http:
            groups = AsyncCldProvisioning(SECURITY, "acc", client=http).user_groups
            return await asyncio.wait_for(leave(groups), 60)

    async def leave(groups: Any) -> int:
        for _ in range(2):
            gc.collect()
            with suppress(NotFound):
                await groups.list()
        return gc.collect()

    with httpx.Client(transport=httpx.MockTransport(respond)) as http:
        groups = CldProvisioning(SECURITY, "acc", client=http).user_groups
        gc.disable()
        try:
            for _ in range(2):
                gc.collect()
                call()
            assert gc.collect() == 0
            assert asyncio.run(collect_async()) == 0
        finally:
            gc.enable()
