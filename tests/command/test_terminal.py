"""On a real terminal: the plan is shown, a human is asked, and what is typed decides."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable

import pytest

from cld_user_groups.command import running

from .shell import AS_EDITED, EDITED, SAMPLE, Shell

# The terminal controls the process, so that it turns ^C into SIGINT.
PROGRAM = (
    "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "from cld_user_groups.command import main; main()"
)
QUESTION = "Make these 5 changes to account acc? [y/N] "


def converse(
    *arguments: str, typed: str = "", meanwhile: Callable[[], object] = lambda: None
) -> tuple[int, str]:
    """Run the command on a terminal, type once it asks, and return its exit code and the screen.

    What stays without effect is typed again, as people do: a SIGINT between Python's last look at
    its signals and the read of the terminal ends nothing.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
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


def test_yes_applies_the_plan(shell: Shell) -> None:
    code, screen = converse("apply", shell.write(EDITED), typed="y\n")
    assert code == 0
    plan, _, report = screen.partition(QUESTION)
    assert "- harry@example.com" in plan
    assert "5 done." in report
    assert "\x1b[3" not in screen  # NO_COLOR is set
    assert shell.members() == AS_EDITED


@pytest.mark.parametrize("typed", ["n\n", "\x04"])
def test_anything_but_yes_writes_nothing(shell: Shell, typed: str) -> None:
    code, screen = converse("apply", shell.write(EDITED), typed=typed)
    assert code == 1
    assert "not confirmed; nothing was written." in screen
    assert (shell.writes(), shell.members()) == (0, SAMPLE)


@pytest.mark.parametrize("typed", ["\n", "yolo\n", "no\n", "ye\n", "0\n"])
def test_no_other_text_is_a_yes(shell: Shell, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr(running, "can_ask", lambda: True)
    done = shell("apply", shell.write(EDITED), stdin=typed)
    assert done.exit_code == 1
    assert "not confirmed; nothing was written." in done.stderr
    assert (shell.writes(), shell.members()) == (0, SAMPLE)


def test_ctrl_c_at_the_question_writes_nothing(shell: Shell) -> None:
    code, screen = converse("apply", shell.write(EDITED), typed="\x03")
    assert code == 1
    assert "interrupted; nothing was written." in screen
    assert "Traceback" not in screen
    assert shell.writes() == 0


def test_what_changes_while_the_question_stands_makes_the_plan_stale(shell: Shell) -> None:
    designers, _ = shell.emulator.groups
    code, screen = converse(
        "apply",
        shell.write(EDITED),
        typed="y\n",
        meanwhile=lambda: shell.emulator.remove_member(designers, designers.users[0]),
    )
    assert code == 4
    assert "has changed" in screen
    assert shell.writes() == 0


def test_colors_are_for_terminals_that_want_them(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shell.write(EDITED)
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b[31m    - harry@example.com" in converse("plan", path)[1]
    assert "\x1b[" not in shell("plan", path).stdout
