"""Machine instructions of a call over a socket, as valgrind counts them, however busy the machine.

What starting up costs cancels out: it is the difference of a run with more calls. Of the system
and the server nothing counts.
"""

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from environments import python
from server import answering

from command import options, report

CALLS = (40, 100)
_COUNTED = re.compile(r"Collected : ([0-9]+)")
_PEERS = str(Path(__file__).with_name("peers.py"))


def instructions(*program: str) -> int:
    """Return the instructions of a program, which its Python begins."""
    line = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", *program]
    done = subprocess.run(
        line,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    counted = _COUNTED.search(done.stderr)
    if done.returncode or counted is None:
        raise SystemExit(done.stderr)
    return int(counted[1])


def of_one_call(*program: str) -> float:
    """Return the instructions of one call, of a program that is told last how many to make."""
    fewer, more = (instructions(*program, str(calls)) for calls in CALLS)
    return (more - fewer) / (CALLS[1] - CALLS[0])


def main() -> None:
    """Count the SDK's and bare httpx's, both with sniffio."""
    chosen = options(__doc__)
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed: instructions are not counted")
    own_python = python("sdk")
    with answering("") as url, ThreadPoolExecutor(2) as pool:
        for kind in ("sync", "async"):
            for operation in ("list", "update"):
                counts = [
                    pool.submit(of_one_call, own_python, _PEERS, url, "", kind, client, operation)
                    for client in ("this SDK", "bare httpx")
                ]
                own, bare = (count.result() for count in counts)
                report(
                    {
                        "figure": "instructions",
                        "client": chosen.client,
                        "scenario": f"`{operation}()`, {kind}, one by one, plain http",
                        "ratio": own / bare,
                        "own": own,
                        "baseline": bare,
                    }
                )


if __name__ == "__main__":
    main()
