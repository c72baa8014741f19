"""CPU time of a call when a crowd of them begins at once, on one client, over a socket.

Of a client of the SDK's own, beside bare httpx under a semaphore of 20, which is what a careful
user writes, and, for the smallest crowd only, beside httpx without one: its pool needs quadratic
time and raises PoolTimeout unless that limit is off. The emulator runs in another process.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from measure import by_turns, compare
from server import emulator
from wire import ACCOUNT_ID, GROUPS_PATH, KEY, SECRET

from cld_user_groups import AsyncCldProvisioning, Security
from command import options, report

# How many calls, and how many pairs of such crowds are measured.
CROWDS = {1_000: 4, 3_000: 2, 10_000: 2}
SMALLEST = 1_000
AT_ONCE = 20
SECURITY = Security(provisioning_api_key=KEY, provisioning_api_secret=SECRET)
PATIENT = httpx.Timeout(60, pool=None)


async def _cpu_per_call(call: Callable[[], Awaitable[Any]], crowd: int) -> float:
    await call()  # connects, and makes all that is made once
    began = time.process_time()
    await asyncio.gather(*(call() for _ in range(crowd)))
    return (time.process_time() - began) / crowd


async def sdk(server: str, crowd: int) -> float:
    """Return the CPU time of a call of the SDK."""
    async with AsyncCldProvisioning(SECURITY, ACCOUNT_ID, server_url=server) as client:
        return await _cpu_per_call(client.user_groups.list, crowd)


async def bare(server: str, crowd: int, *, at_once: int | None) -> float:
    """Return the CPU time of a call of bare httpx, with at most so many in flight."""
    turns = asyncio.Semaphore(at_once or crowd)
    async with httpx.AsyncClient(base_url=server, auth=(KEY, SECRET), timeout=PATIENT) as http:

        async def call() -> Any:
            async with turns:
                return (await http.get(GROUPS_PATH)).json()

        return await _cpu_per_call(call, crowd)


def main() -> None:
    """Measure the SDK."""
    chosen = options(__doc__)
    with emulator(chosen.server) as server:
        crowds = {SMALLEST: 2} if chosen.quick else CROWDS
        for crowd, number in crowds.items():
            pairs = by_turns(
                lambda crowd=crowd: asyncio.run(sdk(server, crowd)),
                lambda crowd=crowd: asyncio.run(bare(server, crowd, at_once=AT_ONCE)),
                number,
            )
            report(compare(pairs).row(f"{crowd:,} at once, beside a semaphore", "sdk"))
        pairs = by_turns(
            lambda: asyncio.run(sdk(server, SMALLEST)),
            lambda: asyncio.run(bare(server, SMALLEST, at_once=None)),
            crowds[SMALLEST],
        )
        report(compare(pairs).row(f"{SMALLEST:,} at once, beside httpx's own pool", "sdk"))


if __name__ == "__main__":
    main()
