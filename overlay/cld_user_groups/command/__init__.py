"""The command `cld-user-groups`, which stands on `membership`. `cli` lists its commands.

`docs/command.md` describes it. Parsing a command line and printing help import click and nothing of
the client or of `membership`: these are imported when a command runs.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

from cld_user_groups._version import install_command

if TYPE_CHECKING:
    from cld_user_groups import membership as membership
else:

    class _Membership:
        """`membership`, imported when something of it is first used."""

        def __getattr__(self, name: str) -> object:
            return getattr(importlib.import_module("cld_user_groups.membership"), name)

    membership = _Membership()

__all__ = ["main"]


class Interrupts:
    """Counts Ctrl-C and SIGTERM, from the start of the process to its end.

    The first one raises `KeyboardInterrupt` as long as nothing can have been written. Any other
    only counts, so that neither a run nor its report is cut off in a place that cannot be: a lock
    may be held, and the report may be half written.
    """

    def __init__(self) -> None:
        self.count = 0
        self.is_installed = False
        self.may_raise = True

    def install(self) -> None:
        """Count from now on. Where SIGINT is ignored, as in a shell's background, it stays so."""
        if threading.current_thread() is not threading.main_thread():
            return
        self.count, self.may_raise = 0, True
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL):
                signal.signal(number, self._note)
                # The interpreter restores the defaults at its end: the exit code would be lost.
                atexit.register(signal.signal, number, signal.SIG_IGN)
        self.is_installed = True

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count == 1 and self.may_raise:
            raise KeyboardInterrupt


#: The interrupts of this process.
interrupts = Interrupts()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line, by default that of this process, and exit with a code of `errors`."""
    # Of what a command reads next to nothing is garbage: at the default, looking for it again and
    # again took a third of planning 100,000 memberships.
    gc.set_threshold(100_000, 50, 50)
    try:
        interrupts.install()
        from .cli import cli
    except KeyboardInterrupt:
        sys.stderr.write("Error: interrupted; nothing was written.\n")
        raise SystemExit(1) from None
    except ImportError as error:
        if error.name != "click":
            raise
        sys.stderr.write(f"cld-user-groups: click is not installed: {install_command('cli')}\n")
        raise SystemExit(1) from None
    cli.main(arguments)
