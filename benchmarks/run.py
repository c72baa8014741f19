"""Run all figures, print them, and write them to RESULTS.md, results.svg and README.md.

Each figure is a script of its own, which measures one client beside bare httpx (or json.loads) in
the same process and run. `--quick` takes under a minute: the SDK alone, and nothing is written.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from environments import generate_stock_client, python
from plot import svg
from server import emulator
from tables import markdown, overview

_HERE = Path(__file__).resolve().parent
_ALL = ("sdk", "stock", "vendor")

# Which clients can do a figure. "httpx" is bare httpx against itself: how far from 1 that is shows
# how much of the other ratios is chance.
FIGURES = {
    "call_sync": (*_ALL, "httpx"),
    "call_async": (*_ALL, "httpx"),
    "call_socket": (*_ALL, "classic", "httpx"),
    "throughput": (*_ALL, "httpx"),
    "decode": _ALL,
    "memory": _ALL,
    "startup": (*_ALL, "classic"),
    "growth": ("sdk",),
    "instructions": ("sdk",),
}
_NOT_PASSED_ON = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "CLOUDINARY_DEBUG", "VIRTUAL_ENV")
QUICK = ("call_sync", "call_async", "decode", "memory", "startup")

Row = dict[str, Any]


def run(figure: str, client: str, *arguments: str) -> list[Row]:
    """Run a figure's script in the environment of a client, and return its results."""
    print(f"{figure}: {client}", file=sys.stderr)
    done = subprocess.run(
        [python(client), _HERE / f"{figure}.py", "--client", client, *arguments],
        env={name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON},
        stdout=subprocess.PIPE,
        text=True,
        check=figure != "instructions",  # that one needs valgrind, and says so
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def show_in_readme(table: str) -> None:
    """Put the table between the two marks of README.md."""
    readme = _HERE.parent / "README.md"
    before, begin, rest = readme.read_text("utf-8").partition("<!-- benchmarks -->\n")
    _, end, after = rest.partition("<!-- end of benchmarks -->\n")
    readme.write_text(f"{before}{begin}\n{table.strip()}\n\n{end}{after}", "utf-8")


def main() -> None:
    """Run the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="the SDK alone; write nothing")
    if arguments.parse_args().quick:
        rows = [row for figure in QUICK for row in run(figure, "sdk", "--quick")]
        print(overview(rows))
        return
    generate_stock_client()
    with emulator() as server:
        rows = [
            row
            for figure, clients in FIGURES.items()
            for client in clients
            for row in run(figure, client, "--server", server)
        ]
    print(overview(rows))
    (_HERE / "RESULTS.md").write_text(markdown(rows))
    (_HERE / "results.svg").write_text(svg(rows))
    show_in_readme(overview(rows))


if __name__ == "__main__":
    main()
