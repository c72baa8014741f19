"""The command `cld-user-groups`, which stands on `membership`. `cli` lists its commands.

`docs/command.md` describes it. Of what it needs beyond the client (extra `cli`), only click is
imported to parse the command line; the rest when a command runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command, and exit.

    Args:
        arguments: The command line. Default: that of this process.

    Raises:
        SystemExit: Always, with the exit code; see `exit_codes`.
    """
    try:
        from .cli import cli
    except ImportError as error:
        if error.name != "click":
            raise
        sys.stderr.write(
            'cld-user-groups: click is not installed: pip install "cld-user-groups[cli]"\n'
        )
        raise SystemExit(1) from None
    cli.main(arguments)
