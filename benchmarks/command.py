"""The command line that all figures share, and the line of JSON that each prints per result."""

import argparse
import json

from clients import CLIENTS


class Options(argparse.Namespace):
    """The options of the command line.

    Attributes:
        client: Which client to measure.
        quick: Whether to measure for a few seconds only.
    """

    client: str
    quick: bool

    def pairs(self, full: int) -> int:
        """Return how many pairs to measure, where a full run measures so many of the SDK.

        Of the others, some of which are ten times as slow, a fifth of them will do.
        """
        return max(4, full // 5 // 2 * 2) if self.quick or self.client != "sdk" else full


def options(description: str | None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--client", choices=CLIENTS, default="sdk")
    parser.add_argument("--quick", action="store_true", help="fewer pairs: less sure")
    return parser.parse_args(namespace=Options())


def report(row: dict[str, object]) -> None:
    """Print a result."""
    print(json.dumps(row), flush=True)
