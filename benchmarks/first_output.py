"""CPU time of each command, from its start to its output and its end, in a pipe.

Beside a process that imports httpx and click, but not rich, which httpx loads where it finds it.
The emulator's time does not count.
"""

import os
import tempfile

from measure import by_turns, compare
from server import emulator
from startup import WITHOUT_RICH, cost
from wire import ACCOUNT_ID, KEY, SECRET

from command import options, report

_LINES = (
    ("--help",),
    ("list",),
    ("add", "Designers", "chen@example.com", "--dry-run"),
)


def program(line: tuple[str, ...]) -> str:
    """Return a program that is a call of the command."""
    return (
        f"import sys; sys.argv = {['cld-user-groups', *line]!r}\n"
        "from cld_user_groups.command import main; main()"
    )


def main() -> None:
    """Measure the commands."""
    chosen = options(__doc__)
    with emulator() as server, tempfile.TemporaryDirectory() as state:
        os.environ |= {
            "CLOUDINARY_ACCOUNT_URL": f"account://{KEY}:{SECRET}@{ACCOUNT_ID}",
            "CLOUDINARY_PROVISIONING_SERVER_URL": server,
            "XDG_STATE_HOME": state,
        }
        for line in _LINES:
            baseline = cost(f"{WITHOUT_RICH}import httpx, click")
            pairs = by_turns(cost(program(line)), baseline, chosen.pairs(12))
            report(compare(pairs).row(f"first output of {line[0]}", chosen.client))


if __name__ == "__main__":
    main()
