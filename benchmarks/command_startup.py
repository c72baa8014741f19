"""CPU time of `cld-user-groups --version`, beside that of a process that imports httpx.

The target is a ratio under 2.
"""

import argparse

from measure import by_turns, compare
from startup import cost

PROGRAM = "from cld_user_groups.command import main; main(['--version'])"


def main() -> None:
    """Measure, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=40, help="how many pairs to measure")
    pairs = by_turns(cost(PROGRAM), cost("import httpx"), parser.parse_args().pairs)
    print(compare(pairs).row("command --version", "sdk"))


if __name__ == "__main__":
    main()
