"""Real runs of the command on a terminal, as SVG: `make pictures` writes them to docs/."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cld_user_groups.emulator import Emulator

DOCS = Path(__file__).resolve().parents[1] / "docs"
COLUMNS = 100
FILE = """\
version: 1
groups:
  Creatives:
    previously: [Designers]
    members:
      - john@example.com
      - {email: amara@example.com, reason: JIRA-12}
  Interns:
    members: [chen@example.com]
"""


def on_terminal(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """Run a command on a terminal, answer yes where it asks, and return the screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env=environment,
    )
    os.close(theirs)
    screen, is_answered = b"", False
    try:
        while select.select([ours], [], [], 300)[0] and (chunk := os.read(ours, 65536)):
            screen += chunk
            if b"[y/N] " in screen and not is_answered:
                os.write(ours, b"y\n")
                is_answered = True
    except OSError:  # how Linux says that nobody holds the other end any more
        pass
    finally:
        os.close(ours)
        process.wait(timeout=30)
    return screen.decode()


def draw(name: str, title: str, runs: list[tuple[str, str]]) -> None:
    """Write runs, each its command line and its screen, to an SVG."""
    console = Console(record=True, width=COLUMNS, file=Path(os.devnull).open("w"))  # noqa: SIM115
    for line, screen in runs:
        console.print(Text(f"$ {line}", style="bold"))
        # What a progress bar has drawn over is not on the screen in the end.
        shown = "\n".join(
            row.rpartition("\r")[2] for row in screen.replace("\r\n", "\n").split("\n")
        )
        console.print(Text.from_ansi(shown))
    console.save_svg(str(DOCS / name), title=title, unique_id=Path(name).stem)


def main() -> None:
    emulator = Emulator()
    emulator.set_quota(500)
    with tempfile.TemporaryDirectory() as temporary, emulator.serve() as server:
        folder = Path(temporary)
        (folder / "groups.yaml").write_text(FILE, encoding="utf-8")
        environment = {
            **{name: value for name, value in os.environ.items() if name != "NO_COLOR"},
            "TERM": "xterm-256color",
            "COLUMNS": str(COLUMNS),
            "CLOUDINARY_ACCOUNT_URL": "account://k:s@acc",
            "CLOUDINARY_PROVISIONING_SERVER_URL": server.url,
            "XDG_STATE_HOME": str(folder / "state"),
        }

        def run(*arguments: str) -> tuple[str, str]:
            line = f"cld-user-groups {' '.join(arguments)}"
            command = [sys.executable, "-m", "cld_user_groups", *arguments]
            return line, on_terminal(command, folder, environment)

        looks = [run("show", "Designers"), run("whois", "john@example.com")]
        draw("command-roles.svg", "what groups grant, and people may do", looks)
        draw("command-apply.svg", "plan and apply", [run("apply", "groups.yaml")])
        draw(
            "command-undo.svg",
            "undo",
            [run("runs"), run("undo"), run("undo", "--allow-removals", "2")],
        )


if __name__ == "__main__":
    main()
