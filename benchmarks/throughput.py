"""Time and CPU time of thousands of calls of list(), 50 at once, over a socket to the emulator.

The emulator runs in another process, whose CPU time does not count. All httpx clients keep 50
connections: of the default, 20, some are reopened, and how many is random.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
from clients import CLIENTS
from measure import by_turns, compare
from server import emulator

from command import options, report

CALLS = 500  # a turn; there are at least four of them
AT_ONCE = 50
LIMITS = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)


class Cost(NamedTuple):
    """The cost of a call, in seconds."""

    elapsed: float
    cpu: float


async def make_calls(call: Callable[[], Any]) -> Cost:
    """Make the calls of a turn, and return the cost of each."""
    to_do = iter(range(CALLS))

    async def worker() -> None:
        for _ in to_do:
            await call()

    elapsed, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker())
    return Cost((time.perf_counter() - elapsed) / CALLS, (time.process_time() - cpu) / CALLS)


def main() -> None:
    """Measure one client."""
    chosen = options(__doc__)
    own_http = httpx.AsyncClient(limits=LIMITS)
    bare_http = httpx.AsyncClient(limits=LIMITS)
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
    report(elapsed.row("50 at once, time", chosen.client))
    cpu = compare([(own.cpu, bare.cpu) for own, bare in pairs])
    report(cpu.row("50 at once, CPU time", chosen.client))


if __name__ == "__main__":
    main()
