"""Time and CPU time of 2,000 calls of list(), 50 at once, async, over a socket to the emulator.

The emulator runs in another process, whose CPU time does not count.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
from clients import CLIENTS
from command import options, report
from measure import by_turns, compare

from emulator import emulator

CALLS = 2_000
AT_ONCE = 50


class Cost(NamedTuple):
    """What all the calls took, in seconds."""

    elapsed: float
    cpu: float


async def make_calls(call: Callable[[], Any]) -> Cost:
    """Make all the calls, and return what they took."""
    to_do = iter(range(CALLS))

    async def worker() -> None:
        for _ in to_do:
            await call()

    elapsed, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker())
    return Cost(time.perf_counter() - elapsed, time.process_time() - cpu)


def main() -> None:
    """Measure one client."""
    chosen = options(__doc__)
    own_http, bare_http = httpx.AsyncClient(), httpx.AsyncClient()
    with emulator(chosen.server) as server, asyncio.Runner() as runner:
        own = CLIENTS[chosen.client].async_calls(own_http, server)
        bare = CLIENTS["httpx"].async_calls(bare_http, server)
        pairs = by_turns(
            lambda: runner.run(make_calls(own.list)),
            lambda: runner.run(make_calls(bare.list)),
            chosen.pairs(10),
        )
        runner.run(own_http.aclose())
        runner.run(bare_http.aclose())
    elapsed = compare([(own.elapsed, bare.elapsed) for own, bare in pairs])
    report(elapsed.row("2,000 calls, time", chosen.client))
    cpu = compare([(own.cpu, bare.cpu) for own, bare in pairs])
    report(cpu.row("2,000 calls, CPU time", chosen.client))


if __name__ == "__main__":
    main()
