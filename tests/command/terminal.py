"""Runs the command on a real terminal, and types."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Sequence

from tests.support.forked import forked_command

# The terminal controls the process, so that it turns ^C into SIGINT.
_PROGRAM = (
    "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "from cld_user_groups.command import main; main()"
)
FRESH = (sys.executable, "-c", _PROGRAM)
_PROGRAMS = """
import json, sys
from cld_user_groups.command import main
for arguments in json.loads(sys.argv[1]):
    print("$", *arguments, flush=True)
    try:
        main(arguments)
    except SystemExit as done:
        print("exit", done.code, flush=True)
"""


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


def screen_of(
    commands: list[list[str]], size: tuple[int, int], typed: str = "", **environment: str
) -> str:
    """Run commands on a terminal of columns and lines, one after the other in one process.

    One alone is forked from a process that has imported the command.
    """
    program = [sys.executable, "-c", _PROGRAMS, json.dumps(commands)]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    plain = {key: text for key, text in os.environ.items() if key not in ("COLUMNS", "PAGER")}
    process = subprocess.Popen(
        [*forked_command(), *commands[0]] if len(commands) == 1 else program,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**plain, "TERM": "xterm", "NO_COLOR": "1", **environment},
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    screen = screen_from(ours)
    code = process.wait(timeout=60)
    if len(commands) == 1:
        screen += b"exit %d\n" % code
    return re.sub(r"\x1b\[[?\d;]*[A-Za-z]|\r", "", screen.decode())


def converse(
    *arguments: str,
    typed: str = "",
    meanwhile: Callable[[], object] = lambda: None,
    command: Sequence[str] = (),
    code: int = 0,
) -> str:
    """Run the command on a terminal, type once it asks, check its exit code; return the screen.

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
        assert (process.wait(timeout=60), screen.decode()) == (code, screen.decode())
        return screen.decode()
    finally:
        process.kill()
