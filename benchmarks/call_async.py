"""CPU time of list() and update() of the async clients, one call after another.

The same as call_sync.py otherwise.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
from call_sync import CALLS, respond
from clients import CLIENTS
from measure import by_turns, compare

from command import options, report


def cost(call: Callable[[], Any], runner: asyncio.Runner) -> Callable[[], float]:
    """Return a function that measures the CPU time of one call, in seconds."""

    async def batch() -> float:
        start = time.process_time()
        for _ in range(CALLS):
            await call()
        return (time.process_time() - start) / CALLS

    return lambda: runner.run(batch())


def main() -> None:
    """Measure one client."""
    chosen = options(__doc__)
    own_http = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    bare_http = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    with asyncio.Runner() as runner:
        own = CLIENTS[chosen.client].async_calls(own_http)
        bare = CLIENTS["httpx"].async_calls(bare_http)
        for name in ("list", "update"):
            pairs = by_turns(
                cost(getattr(own, name), runner),
                cost(getattr(bare, name), runner),
                chosen.pairs(40),
            )
            report(compare(pairs).row(f"{name} async", chosen.client))
        runner.run(own_http.aclose())
        runner.run(bare_http.aclose())


if __name__ == "__main__":
    main()
