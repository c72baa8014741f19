"""How cost grows: decoding with the number of users, calls with how many there are at once.

As the exponent of the power law that fits best: 1.0 is linear, 2.0 quadratic.
"""

import asyncio
import gc
import json
import math
import statistics
import time
from collections.abc import Callable, Sequence

import call_sync
import httpx
from clients import CLIENTS
from wire import groups_with_users

from command import options, report

USERS = (100, 1_000, 10_000, 100_000)
AT_ONCE = (1, 10, 100, 1_000)


def exponent(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """Return the slope of the costs over the sizes, both as logarithms."""
    fitted = statistics.linear_regression(
        [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    )
    return fitted.slope


def cost(action: Callable[[], object], repeats: int) -> float:
    """Return the CPU time of an action, the least of five turns, in seconds."""
    turns: list[float] = []
    for _ in range(6):
        gc.collect()
        start = time.process_time()
        for _ in range(repeats):
            action()
        turns.append((time.process_time() - start) / repeats)
    return min(turns[1:])


async def respond(request: httpx.Request) -> httpx.Response:
    """Respond once all requests have arrived."""
    await asyncio.sleep(0)
    return call_sync.respond(request)


def decoding(client: str) -> list[float]:
    """Return the cost of decoding so many users."""
    decode = json.loads if client == "httpx" else CLIENTS[client].decoder()
    contents = [groups_with_users(users // 100, 100) for users in USERS]
    return [
        cost(lambda content=content: decode(content), max(1, 20_000 // users))
        for users, content in zip(USERS, contents, strict=True)
    ]


def calling(client: str) -> list[float]:
    """Return the cost of so many concurrent calls."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    call = CLIENTS[client].async_calls(http).list

    async def together(number: int) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(number):
                group.create_task(call())

    with asyncio.Runner() as runner:
        return [
            cost(lambda number=number: runner.run(together(number)), max(1, 200 // number))
            for number in AT_ONCE
        ]


def main() -> None:
    """Measure one client, and bare httpx or json.loads beside it."""
    chosen = options(__doc__)
    for figure, sizes, measure in (
        ("decoding, by users", USERS, decoding),
        ("calls, by how many at once", AT_ONCE, calling),
    ):
        for client in (chosen.client, "httpx"):
            costs = measure(client)
            slope = exponent(sizes, costs)
            report(
                {
                    "figure": figure,
                    "client": client,
                    "exponent": slope,
                    "sizes": sizes,
                    "costs": costs,
                }
            )


if __name__ == "__main__":
    main()
