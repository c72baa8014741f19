"""Run all figures, print them, and write them to RESULTS.md, results.svg and the documentation.

Each figure is a script of its own, which measures one client beside bare httpx (or json.loads) in
the same process and run. `--quick` takes under two minutes: the SDK alone, and nothing is written.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from environments import generate_stock_client, python
from figures import PROGRAMS
from plot import svg
from server import emulator
from tables import markdown, overview

_HERE = Path(__file__).resolve().parent
_NOT_PASSED_ON = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "CLOUDINARY_DEBUG", "VIRTUAL_ENV")

Row = dict[str, Any]


def run(program: str, client: str, *arguments: str) -> list[Row]:
    """Run a program in the environment of a client, and return its results.

    Returns no rows, and says so, where the environment cannot be built or the program fails: the
    rest is measured all the same.
    """
    print(f"{program}: {client}", file=sys.stderr)
    try:
        interpreter = sys.executable if PROGRAMS[program].has_extras else python(client)
        done = subprocess.run(
            [interpreter, _HERE / f"{program}.py", "--client", client, *arguments],
            env={name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    except (RuntimeError, subprocess.CalledProcessError) as error:
        print(f"  left out: {error}", file=sys.stderr)
        return []
    return [json.loads(line) for line in done.stdout.splitlines()]


def show_in_documentation(table: str) -> None:
    """Put the table between the two marks of docs/explanation/costs.md."""
    page = _HERE.parent / "docs/explanation/costs.md"
    before, begin, rest = page.read_text("utf-8").partition("<!-- benchmarks -->\n")
    _, end, after = rest.partition("<!-- end of benchmarks -->\n")
    page.write_text(f"{before}{begin}\n{table.strip()}\n\n{end}{after}", "utf-8")


def main() -> None:
    """Run the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="the SDK alone; write nothing")
    if arguments.parse_args().quick:
        quick = [name for name, program in PROGRAMS.items() if program.is_quick]
        print(overview([row for name in quick for row in run(name, "sdk", "--quick")]))
        return
    try:
        generate_stock_client()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"left out: the stock generated client: {error}", file=sys.stderr)
    with emulator() as server:
        rows = [
            row
            for name, program in PROGRAMS.items()
            for client in program.clients
            for row in run(name, client, "--server", server)
        ]
    print(overview(rows))
    (_HERE / "RESULTS.md").write_text(markdown(rows))
    (_HERE / "results.svg").write_text(svg(rows))
    show_in_documentation(overview(rows))


if __name__ == "__main__":
    main()
