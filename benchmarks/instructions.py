"""Machine instructions of one list(), as valgrind counts them: the same on every run, however busy
the machine is.

What starting up costs cancels out: it is the difference of a run with twice as many calls.
"""

import os
import re
import shutil
import subprocess
import sys

import httpx
from call_sync import respond
from clients import CLIENTS

from command import options, report

CALLS = 150
_COUNTED = re.compile(r"Collected : ([0-9]+)")


def instructions(client: str, calls: int, program: str = __file__) -> int:
    """Return the instructions of a program that is told to make so many calls."""
    done = subprocess.run(
        [
            *("valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}"),
            *(sys.executable, program, "--make", client, str(calls)),
        ],
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    counted = _COUNTED.search(done.stderr)
    if done.returncode or counted is None:
        raise SystemExit(done.stderr)
    return int(counted[1])


def of_one_call(client: str, program: str = __file__) -> float:
    """Return the instructions of one call."""
    more, fewer = (instructions(client, calls, program) for calls in (2 * CALLS, CALLS))
    return (more - fewer) / CALLS


def make_calls(client: str, calls: int) -> None:
    """Make so many calls; this is what runs under valgrind."""
    http = httpx.Client(transport=httpx.MockTransport(respond))
    call = CLIENTS[client].calls(http).list
    for _ in range(calls):
        call()


def main() -> None:
    """Count one client's and bare httpx's."""
    if sys.argv[1:2] == ["--make"]:
        make_calls(sys.argv[2], int(sys.argv[3]))
        return
    chosen = options(__doc__)
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed: instructions are not counted")
    own, bare = of_one_call(chosen.client), of_one_call("httpx")
    report(
        {
            "figure": "list sync, instructions",
            "client": chosen.client,
            "ratio": own / bare,
            "own": own,
            "baseline": bare,
        }
    )


if __name__ == "__main__":
    main()
