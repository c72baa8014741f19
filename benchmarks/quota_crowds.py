"""A crowd of calls on one client, whose server refuses: with and without the default limiter.

Without a network, and in virtual time: the figures are the same on every machine.
"""

import asyncio
import random
import selectors
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar
from unittest.mock import patch

import httpx

from cld_user_groups import AsyncCldProvisioning, Security
from cld_user_groups.emulator import Emulator
from cld_user_groups.models import RateLimited

T = TypeVar("T")
LATENCY = 0.05
Respond = Callable[[httpx.Request], httpx.Response]


class Crowd(NamedTuple):
    """What became of a crowd of calls.

    Attributes:
        seconds: How long all of them took.
        failed: How many calls raised RateLimited.
        sent: How many requests were sent.
        refused: How many of those were refused.
    """

    seconds: float
    failed: int
    sent: int
    refused: int


class _Clock(selectors.DefaultSelector):
    """A clock, and a selector that moves it on instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


def _run_in_virtual_time(main: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """Run a coroutine that does no I/O, and return its result and the seconds it would take."""
    clock = _Clock()
    with (
        patch.object(time, "monotonic", lambda: clock.now),
        asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(clock)) as runner,
    ):
        result = runner.run(main)
        return result, clock.now


def rate_limited_server(
    per_second: float,
    burst: int,
    headers: Mapping[str, str] = MappingProxyType({"Retry-After": "1"}),
) -> Respond:
    """Return a server that responds with 429, and these headers, to what comes too fast."""
    full_at = 0.0

    def respond(request: httpx.Request) -> httpx.Response:
        nonlocal full_at
        now = asyncio.get_running_loop().time()
        full_at = max(full_at, now)
        if full_at - now > (burst - 1) / per_second:
            return httpx.Response(429, headers=headers)
        full_at += 1 / per_second
        return httpx.Response(200, json={"user_groups": []})

    return respond


def exhausted_server(left: int) -> Respond:
    """Return the emulator, with so many requests left in this hour."""
    emulator = Emulator(account_id="acc", api_key="key", api_secret="secret")
    # Half an hour before the quota resets: in the last seconds of an hour, calls would wait for it.
    emulator.clock.set(datetime(2026, 5, 1, 12, 30, tzinfo=UTC))
    emulator.set_quota(500, left)
    transport = emulator.transport()
    return transport.handle_request


def run_crowd(respond: Respond, calls: int, **settings: Any) -> Crowd:
    """Make so many calls at once."""
    statuses: Counter[int] = Counter()

    async def handle(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(LATENCY)
        response = respond(request)
        statuses[response.status_code] += 1
        return response

    class Client(AsyncCldProvisioning):
        """The SDK with an httpx client of its own, and so its turns, but no network."""

        @staticmethod
        def _make_httpx_client() -> httpx.AsyncClient:
            return httpx.AsyncClient(transport=httpx.MockTransport(handle))

    async def make_calls() -> int:
        client = Client(Security("key", "secret"), "acc", **settings)
        async with client:
            results = await asyncio.gather(
                *(client.user_groups.list() for _ in range(calls)),
                return_exceptions=True,
            )
        failures = [each for each in results if isinstance(each, BaseException)]
        for failure in failures:
            if not isinstance(failure, RateLimited):
                raise failure
        return len(failures)

    random.seed(1)
    failed, seconds = _run_in_virtual_time(make_calls())
    return Crowd(seconds, failed, statuses.total(), statuses[420] + statuses[429])


def main() -> None:
    """Print both crowds, each with and without the limiter."""
    from command import options, report

    chosen = options(__doc__)
    for figure, make, calls in (
        ("400 at once, 20 a second allowed", lambda: rate_limited_server(20, 20), 400),
        (
            "400 at once, 20 a second allowed, no Retry-After",
            lambda: rate_limited_server(20, 20, {}),
            400,
        ),
        ("1,000 at once, 100 left of the quota", lambda: exhausted_server(100), 1000),
    ):
        own = run_crowd(make(), calls)
        bare = run_crowd(make(), calls, limiter=None)
        report(
            {
                "figure": figure,
                "client": chosen.client,
                "with": own._asdict(),
                "without": bare._asdict(),
            }
        )


if __name__ == "__main__":
    main()
