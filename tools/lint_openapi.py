"""Lint openapi.yaml with Redocly CLI and the rules of redocly.yaml. Needs Node."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tools.node_tools import ROOT, find_node, install


def main() -> int:
    """Lint the document, and return the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("document", nargs="?", type=Path, default=ROOT / "openapi.yaml")
    document: Path = arguments.parse_args().document
    node = find_node()
    if node is None:
        print("lint-openapi: skipped, Node is not installed")
        return 0
    try:
        redocly = install(node, "@redocly/cli")
    except RuntimeError as problem:
        print(f"lint-openapi: {problem}", file=sys.stderr)
        return 1
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    done = subprocess.run(
        [node.program, redocly.program, "lint", document, "--config", ROOT / "redocly.yaml"],
        env={**node.environment, **quiet},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout, end="")
    verdict = "has problems" if done.returncode else "has no problems"
    print(f"Redocly {redocly.version} on Node {node.version}: {document.name} {verdict}")
    return 1 if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
