"""CPU time of list() and update(), beside bare httpx, in one process and without a network.

Both use httpx.MockTransport, which responds as httpx's own transport does: with a list of
headers and a stream.
"""

import time
from collections.abc import Callable
from typing import Any

import httpx
from clients import CLIENTS
from measure import by_turns, compare
from wire import GROUP, TWO_GROUPS, response_headers

from command import options, report

CALLS = 100

_LIST = response_headers(TWO_GROUPS)
_UPDATE = response_headers(GROUP)


def respond(request: httpx.Request) -> httpx.Response:
    """Respond to a list with two groups, and to an update with the group."""
    if request.method == "GET":
        return httpx.Response(200, headers=_LIST, stream=httpx.ByteStream(TWO_GROUPS))
    return httpx.Response(200, headers=_UPDATE, stream=httpx.ByteStream(GROUP))


def cost(call: Callable[[], Any]) -> Callable[[], float]:
    """Return a function that measures the CPU time of one call, in seconds."""

    def batch() -> float:
        start = time.process_time()
        for _ in range(CALLS):
            call()
        return (time.process_time() - start) / CALLS

    return batch


def main() -> None:
    """Measure one client."""
    chosen = options(__doc__)
    with (
        httpx.Client(transport=httpx.MockTransport(respond)) as own_http,
        httpx.Client(transport=httpx.MockTransport(respond)) as bare_http,
    ):
        own = CLIENTS[chosen.client].calls(own_http)
        bare = CLIENTS["httpx"].calls(bare_http)
        for name in ("list", "update"):
            pairs = by_turns(cost(getattr(own, name)), cost(getattr(bare, name)), chosen.pairs(40))
            report(compare(pairs).row(f"{name} sync", chosen.client))


if __name__ == "__main__":
    main()
