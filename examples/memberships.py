"""The command `cld-user-groups` on the embedded emulator: from an export to an undone mistake."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from cld_user_groups.emulator import Emulator

_COLOR = sys.stdout.isatty() and "NO_COLOR" not in os.environ

EDITED = """\
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
MISTAKEN = "version: 1\ngroups: {Creatives: {state: absent}}\n"
EMPTIED = "version: 1\ngroups: {Marketing: {state: absent}}\n"


class Shell:
    """Runs the command in a folder, and shows what it was and what came of it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "CLOUDINARY_ACCOUNT_URL": "account://demo-key:demo-secret@acc",
            "CLOUDINARY_PROVISIONING_SERVER_URL": url,
            "XDG_STATE_HOME": str(folder / "state"),
        }

    def write(self, name: str, content: str) -> None:
        (self.folder / name).write_text(content, encoding="utf-8")
        print(f"\n  {name}:")
        print("".join(f"    {line}\n" for line in content.splitlines()), end="")

    def __call__(self, *arguments: str, expected: int = 0) -> None:
        line = f"$ cld-user-groups {' '.join(arguments)}"
        print(f"\n  \033[36m{line}\033[0m" if _COLOR else f"\n  {line}")
        done = subprocess.run(
            [sys.executable, "-m", "cld_user_groups", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        print("".join(f"    {shown}\n" for shown in done.stdout.splitlines()), end="")
        print(f"    (exit code {done.returncode})")
        if done.returncode != expected:
            raise SystemExit(f"The demo expected exit code {expected}.")


def say(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if _COLOR else f"\n{text}")


def tell(emulator: Emulator, shell: Shell) -> None:
    say("The account as a file. Planning that file finds nothing to do.")
    shell("export", "--output", "groups.yaml", "--quiet")
    print((shell.folder / "groups.yaml").read_text("utf-8"), end="")
    shell("plan", "groups.yaml")

    say("Somebody edits it. The plan shows what would change.")
    shell.write("groups.yaml", EDITED)
    shell("plan", "groups.yaml")

    say("A file that takes too much away is refused: nothing is written.")
    shell.write("emptied.yaml", EMPTIED)
    shell("apply", "emptied.yaml", "--yes", "--quiet", expected=3)

    say("The server fails once in the middle. What depends on it waits; the rest is done.")
    emulator.fail("createUserGroup", status=400, message="An unexpected error")
    shell("apply", "groups.yaml", "--yes", "--quiet", expected=5)

    say("The same command resumes: only what is missing is sent.")
    shell("apply", "groups.yaml", "--yes", "--quiet")

    say("Both runs have a journal. The last one is undone; the same guards check that.")
    shell("runs")
    shell("undo", "--yes", "--quiet", expected=3)
    shell("undo", "--yes", "--quiet", "--allow-removals", "1")


def tell_of_roles(shell: Shell) -> None:
    say("A group is more than its members: what they may do comes from its roles.")
    shell("show", "Creatives")

    say("Somebody deletes it by mistake. The plan shows which roles end with it, and for whom.")
    shell.write("mistaken.yaml", MISTAKEN)
    shell("plan", "mistaken.yaml", "--roles=people", expected=3)

    say("And allows it all the same.")
    shell("apply", "mistaken.yaml", "--yes", "--quiet", "--allow-removals", "2")

    say("It is undone whole: the group, its members, and what it granted.")
    shell("undo", "--restore-roles", "--yes", "--quiet")
    shell("show", "Creatives")


def main() -> None:
    emulator = Emulator(account_id="acc", api_key="demo-key", api_secret="demo-secret")
    with tempfile.TemporaryDirectory() as folder, emulator.serve() as server:
        shell = Shell(Path(folder), server.url)
        tell(emulator, shell)
        tell_of_roles(shell)


if __name__ == "__main__":
    main()
