"""CPU time of thousands of async calls at once, beside bare httpx with a semaphore.

All tasks exist at the same time; both sides let 20 requests be in flight, as the SDK's own client
does. Without a network: each response comes after one turn of the event loop.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from clients import CLIENTS
from growth import exponent, respond
from measure import by_turns, compare
from wire import ACCOUNT_ID, KEY, SECRET, SERVER

from cld_user_groups import AsyncCldProvisioning, Security
from command import options, report

AT_ONCE = (1_500, 10_000)
IN_FLIGHT = 20


class _Own(AsyncCldProvisioning):
    """The SDK with an httpx client of its own, and so its turns, but no network."""

    @staticmethod
    def _make_httpx_client() -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(respond))


def _gated(call: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
    turns = asyncio.Semaphore(IN_FLIGHT)

    async def gated() -> Any:
        async with turns:
            return await call()

    return gated


async def _together(call: Callable[[], Awaitable[Any]], number: int) -> float:
    """Return the CPU time of each of so many calls, in seconds."""
    start = time.process_time()
    await asyncio.gather(*(call() for _ in range(number)))
    return (time.process_time() - start) / number


def main() -> None:
    """Measure the SDK."""
    chosen = options(__doc__)
    bare = CLIENTS["httpx"].async_calls(
        httpx.AsyncClient(transport=httpx.MockTransport(respond)), SERVER
    )
    own = _Own(Security(KEY, SECRET), ACCOUNT_ID, server_url=SERVER)
    costs: list[float] = []
    with asyncio.Runner() as runner:
        gated = _gated(bare.list)
        sizes = AT_ONCE[:1] if chosen.quick else AT_ONCE
        for number in sizes:
            pairs = by_turns(
                lambda number=number: runner.run(_together(own.user_groups.list, number)),
                lambda number=number: runner.run(_together(gated, number)),
                chosen.pairs(4),
            )
            found = compare(pairs)
            costs.append(found.own * number)
            report(found.row(f"{number:,} at once", chosen.client))
    if chosen.quick:
        return
    report(
        {
            "figure": "calls at once, 20 in flight",
            "client": chosen.client,
            "exponent": exponent(AT_ONCE, costs),
            "sizes": AT_ONCE,
            "costs": costs,
        }
    )


if __name__ == "__main__":
    main()
