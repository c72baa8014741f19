"""Lint openapi.yaml with Redocly CLI, as redocly.yaml says. Needs Node, which the set-up brings."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # For mypy this folder is a package; for Python it is where it finds modules.
    from tools.node_tools import ROOT, find_node, install
else:
    from node_tools import ROOT, find_node, install

REDOCLY = "2.77.0"


def main() -> int:
    """Lint, and return the exit status."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("description", nargs="?", type=Path, default=ROOT / "openapi.yaml")
    description: Path = arguments.parse_args().description
    node = find_node()
    if node is None:
        print("lint-openapi: not run, Node is not here")
        return 0
    try:
        program = install(node, "@redocly/cli", REDOCLY)
    except RuntimeError as problem:
        print(f"lint-openapi: {problem}", file=sys.stderr)
        return 1
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    done = subprocess.run(
        [node.program, program, "lint", description, "--config", ROOT / "redocly.yaml"],
        env={**node.environment, **quiet},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout, end="")
    verdict = "has problems" if done.returncode else "has no problems"
    print(f"Redocly {REDOCLY} on Node {node.version}: {description.name} {verdict}")
    return 1 if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
