"""CPU time of a whole process that imports a client and constructs it.

Beside one that imports httpx and constructs its client. What a client puts off until its first call
is in the second row, where each also makes an httpx client.
"""

import os
import subprocess
import sys
from collections.abc import Callable

from clients import CLIENTS
from command import options, report
from measure import compare

_MAKE_HTTP_CLIENT = "\nimport httpx; httpx.Client()"


def cost(program: str) -> Callable[[], float]:
    """Return what measures the CPU time of one process, in seconds."""

    def once() -> float:
        child = subprocess.Popen([sys.executable, "-c", program])
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
    pairs = chosen.pairs(30)
    report(compare(cost(program), bare, pairs=pairs).row("startup", client=chosen.client))
    if chosen.client != "classic":
        both = compare(cost(program + _MAKE_HTTP_CLIENT), bare, pairs=pairs)
        report(both.row("startup with an httpx client", client=chosen.client))


if __name__ == "__main__":
    main()
