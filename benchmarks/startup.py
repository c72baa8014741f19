"""CPU time of a whole process that imports a client and constructs it.

Beside one that imports httpx and constructs its client. Clients that leave this to their first call
would look better than they are, so in a second row each creates an httpx client as well.
"""

import os
import subprocess
import sys
from collections.abc import Callable

from clients import CLIENTS
from measure import by_turns, compare

from command import options, report

# httpx loads it, for a command of its own, where it finds it.
WITHOUT_RICH = "import sys; sys.modules['rich'] = sys.modules['pygments'] = None; "
_AND_HTTPX_CLIENT = "\nimport httpx; httpx.Client()"


def cost(program: str) -> Callable[[], float]:
    """Return a function that measures the CPU time of one process, in seconds."""

    def once() -> float:
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"This program failed: {program}")
        return used.ru_utime + used.ru_stime

    return once


def main() -> None:
    """Measure one client."""
    chosen = options(__doc__)
    program = CLIENTS[chosen.client].startup
    bare = cost(CLIENTS["httpx"].startup)
    pairs = by_turns(cost(program), bare, chosen.pairs(40))
    report(compare(pairs).row("startup", chosen.client))
    if chosen.client != "classic":  # it is not built on httpx
        pairs = by_turns(cost(program + _AND_HTTPX_CLIENT), bare, chosen.pairs(40))
        report(compare(pairs).row("startup with an httpx client", chosen.client))


if __name__ == "__main__":
    main()
