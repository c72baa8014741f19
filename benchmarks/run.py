"""Run all figures, print them, and write them to RESULTS.md, results.svg and the documentation.

Each figure is a script of its own, which measures one client beside bare httpx (or json.loads) in
the same process and run. `--quick` takes under two minutes: the SDK alone, and nothing is written.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from environments import generate_stock_client, python
from figures import PROGRAMS
from plot import svg
from tables import markdown, overview

_HERE = Path(__file__).resolve().parent
_NOT_PASSED_ON = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "CLOUDINARY_DEBUG", "VIRTUAL_ENV")

# Which parts of RESULTS.md each page shows; a test compares them.
PAGES = {
    "README.md": ("short",),
    "docs/explanation/costs.md": ("sockets", "instructions", "overview"),
}

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


def part(text: str, name: str) -> str:
    """Return what stands between the two marks of a part."""
    _, _, rest = text.partition(f"<!-- {name} -->\n")
    found, end, _ = rest.partition(f"<!-- end of {name} -->\n")
    if not end:
        raise SystemExit(f"there is no part {name!r}: run make bench")
    return found.strip()


def show_in_documentation() -> None:
    """Copy the parts of RESULTS.md to where the documentation shows them."""
    results = (_HERE / "RESULTS.md").read_text("utf-8")
    for page, names in PAGES.items():
        path = _HERE.parent / page
        text = path.read_text("utf-8")
        for name in names:
            begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->\n"
            before, _, rest = text.partition(begin)
            part(text, name)
            text = f"{before}{begin}\n{part(results, name)}\n{end}{rest.partition(end[1:])[2]}"
        path.write_text(text, "utf-8")


def main() -> None:
    """Run the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="the SDK alone; write nothing")
    arguments.add_argument("--readme", action="store_true", help="copy RESULTS.md to the pages")
    chosen = arguments.parse_args()
    if chosen.readme:
        show_in_documentation()
        return
    if chosen.quick:
        quick = [name for name, program in PROGRAMS.items() if program.is_quick]
        print(overview([row for name in quick for row in run(name, "sdk", "--quick")]))
        return
    began = time.monotonic()
    try:
        generate_stock_client()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"left out: the stock generated client: {error}", file=sys.stderr)
    rows: list[Row] = []
    for name, program in PROGRAMS.items():
        for client in program.clients:
            rows += run(name, client)
        print(f"  {(time.monotonic() - began) / 60:.1f} minutes", file=sys.stderr)
    (_HERE / "RESULTS.md").write_text(markdown(rows, (time.monotonic() - began) / 60))
    (_HERE / "results.svg").write_text(svg(rows))
    show_in_documentation()
    print(overview(rows))


if __name__ == "__main__":
    main()
