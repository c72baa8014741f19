"""Runs the command on a real terminal, and types."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable, Sequence

from tests.support.forked import forked_command

# The terminal controls the process, so that it turns ^C into SIGINT.
_PROGRAM = (
    "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "from cld_user_groups.command import main; main()"
)
FRESH = (sys.executable, "-c", _PROGRAM)


def screen_from(ours: int) -> bytes:
    """Return what a terminal shows until nobody holds its other end, and close this one."""
    screen = b""
    try:
        while chunk := os.read(ours, 65536):
            screen += chunk
    except OSError:  # how Linux says that nobody does any more
        pass
    finally:
        os.close(ours)
    return screen


def converse(
    *arguments: str,
    typed: str = "",
    meanwhile: Callable[[], object] = lambda: None,
    command: Sequence[str] = (),
) -> tuple[int, str]:
    """Run the command on a terminal, type once it asks, and return its exit code and the screen.

    What stays without effect is typed again, as people do: a SIGINT between Python's last look at
    its signals and the read of the terminal ends nothing. The process is forked from one that has
    imported the command, unless `FRESH` starts it.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*(command or forked_command()), *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
        start_new_session=True,
    )
    os.close(theirs)
    screen = b""
    asked = False
    try:
        for _ in range(30):
            while select.select([ours], [], [], 2)[0] and (chunk := os.read(ours, 65536)):
                screen += chunk
                if b"[y/N] " in screen and not asked:
                    asked = True
                    meanwhile()
                    os.write(ours, typed.encode())
            if asked:
                os.write(ours, typed.encode())
    except OSError:  # how Linux says that nobody holds the other end any more
        pass
    finally:
        os.close(ours)
    try:
        return process.wait(timeout=60), screen.decode()
    finally:
        process.kill()
