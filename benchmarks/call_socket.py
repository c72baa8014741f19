"""CPU time of list() and update() over a socket to the emulator, sync, beside bare httpx.

The SDK uses the client that it creates itself.

The emulator runs in another process, whose time does not count. Here the classic client takes part.
"""

import httpx
from call_sync import cost
from clients import CLIENTS
from measure import by_turns, compare
from server import emulator

from command import options, report


def main() -> None:
    """Measure one client."""
    chosen = options(__doc__)
    with emulator(chosen.server) as server, httpx.Client() as own_http, httpx.Client() as bare_http:
        given = None if chosen.client == "sdk" else own_http
        own = CLIENTS[chosen.client].calls(given, server)
        bare = CLIENTS["httpx"].calls(bare_http, server)
        for name in ("list", "update"):
            pairs = by_turns(cost(getattr(own, name)), cost(getattr(bare, name)), chosen.pairs(20))
            report(compare(pairs).row(f"{name} over a socket", chosen.client))


if __name__ == "__main__":
    main()
