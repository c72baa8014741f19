"""CPU time of one list() over a socket, by client: all of them in one interleaved run.

Each round measures a batch of every client, and divides by that of bare httpx in the same round.
The table has the median of the ratios and their quartiles, and says "less" or "more" only where
both quartiles are on one side of 1. Clients whose packages are not installed are left out. The
emulator runs in another process, whose time does not count; TLS is not measured.
"""

import argparse
import asyncio
import base64
import http.client
import json
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
from server import emulator
from wire import ACCOUNT_ID, GROUPS_PATH, KEY, SECRET

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, Security

HEADERS = {"Authorization": "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()}
CALLS = 40
Sync = dict[str, Callable[[], Any]]
Async = dict[str, Callable[[], Awaitable[Any]]]


def sync_clients(url: str) -> Sync:
    """Return a call of each sync client that is installed."""
    security, host = Security(KEY, SECRET), urlsplit(url).netloc
    bare = httpx.Client(base_url=url, auth=(KEY, SECRET))
    plain = http.client.HTTPConnection(host)

    def by_http_client() -> Any:
        plain.request("GET", GROUPS_PATH, headers=HEADERS)
        return json.loads(plain.getresponse().read())

    own = CldProvisioning(security, ACCOUNT_ID, server_url=url).user_groups
    found: Sync = {
        "bare httpx": lambda: bare.get(GROUPS_PATH).json(),
        "this SDK": own.list,
        "http.client": by_http_client,
    }
    with suppress(ImportError):
        import httpx2

        bare2 = httpx2.Client(base_url=url, auth=(KEY, SECRET))
        own2 = CldProvisioning(security, ACCOUNT_ID, server_url=url, http_library="httpx2")
        found["bare httpx2"] = lambda: bare2.get(GROUPS_PATH).json()
        found["this SDK with httpx2"] = own2.user_groups.list
    with suppress(ImportError):
        import urllib3

        pool = urllib3.PoolManager(headers=HEADERS)
        found["urllib3"] = lambda: pool.request("GET", url + GROUPS_PATH).json()
    with suppress(ImportError):
        import requests

        session = requests.Session()
        session.auth = (KEY, SECRET)
        found["requests"] = lambda: session.get(url + GROUPS_PATH).json()
    with suppress(ImportError):
        from cloudinary import provisioning

        provisioning.account_config(
            account_id=ACCOUNT_ID, provisioning_api_key=KEY, provisioning_api_secret=SECRET
        )
        found["classic client"] = lambda: provisioning.user_groups(upload_prefix=url)
    return found


def async_clients(url: str) -> Async:
    """Return a call of each async client that is installed."""
    security = Security(KEY, SECRET)

    def bare(library: Any) -> Callable[[], Awaitable[Any]]:
        client = library.AsyncClient(base_url=url, auth=(KEY, SECRET))

        async def call() -> Any:
            return (await client.get(GROUPS_PATH)).json()

        return call

    own = AsyncCldProvisioning(security, ACCOUNT_ID, server_url=url).user_groups
    found: Async = {"bare httpx": bare(httpx), "this SDK": own.list}
    with suppress(ImportError):
        import httpx2

        own2 = AsyncCldProvisioning(security, ACCOUNT_ID, server_url=url, http_library="httpx2")
        found["bare httpx2"] = bare(httpx2)
        found["this SDK with httpx2"] = own2.user_groups.list
    with suppress(ImportError):
        import aiohttp

        session: list[Any] = []

        async def by_aiohttp() -> Any:
            if not session:  # it belongs to the loop that it is created in
                session.append(aiohttp.ClientSession(headers=HEADERS))
            async with session[0].get(url + GROUPS_PATH) as response:
                return await response.json()

        found["aiohttp"] = by_aiohttp
    return found


def of_batch(call: Callable[[], Any]) -> float:
    """Return the CPU time of a call, in seconds."""
    start = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - start) / CALLS


async def of_async_batch(call: Callable[[], Awaitable[Any]], at_once: int) -> float:
    """Return the CPU time of a call, in seconds, with so many in flight."""
    start = time.process_time()
    for _ in range(CALLS // at_once):
        await asyncio.gather(*(call() for _ in range(at_once)))
    return (time.process_time() - start) / CALLS


def show(title: str, names: list[str], measure: Callable[[str], float], rounds: int) -> None:
    """Measure, and print the lines of the table."""
    ratios: dict[str, list[float]] = {name: [] for name in names}
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):  # the first is not counted: it opens the connections
        cost = {name: measure(name) for name in random.sample(names, len(names))}
        for name in names if number else ():
            times[name].append(cost[name])
            ratios[name].append(cost[name] / cost["bare httpx"])
    for name in names:
        low, middle, high = statistics.quantiles(ratios[name], n=4, method="inclusive")
        verdict = "less" if high < 1 else "more" if low > 1 else ""
        micros = statistics.median(times[name]) * 1e6
        print(
            f"| {title} | {name} | {micros:.0f} µs | {middle:.2f} | {low:.2f} to {high:.2f} "
            f"| {verdict} |",
            flush=True,
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds: int = parser.parse_args().rounds
    print("| list() over a socket | client | CPU time | beside bare httpx | quartiles | |")
    print("| --- | --- | --- | --- | --- | --- |")
    with emulator() as url:
        found = sync_clients(url)
        show("sync, one by one", [*found], lambda name: of_batch(found[name]), rounds)
        with asyncio.Runner() as runner:
            clients = async_clients(url)
            for title, at_once in (("async, one by one", 1), ("async, 20 at once", 20)):

                def measure(name: str, at_once: int = at_once) -> float:
                    return runner.run(of_async_batch(clients[name], at_once))

                show(title, [*clients], measure, rounds)


if __name__ == "__main__":
    main()
