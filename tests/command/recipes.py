"""Runs the recipes of the documents as they stand there, as a shell, CI, cron and systemd would.

Where a recipe names a place of the machine, it is one below the test's own folder. Programs of
other services (`pip`, `mail`) are stand-ins, which note how they were called.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field
from tests.support.code_blocks import ROOT
from tests.support.forked import forked_command
from tests.support.workflows import Runner, finished

_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)
_PLACE = re.compile(r"\A(?:#!.*\n)?# (?P<place>\S+)\n")

# Everything that a recipe finds on a machine, below the folder of the test.
_PLACES = ("/srv/user-groups", "/usr/local/bin", "/etc/user-groups", "/var/log", "/var/lib")
_PROGRAMS = {
    "pip": "",
    "git": "",
    "mail": 'cat >"$FOLDER/mail"',
}


def shell_blocks(page: str) -> list[str]:
    """Return the shell blocks of a page, in their order."""
    found = _BLOCK.finditer((ROOT / "docs" / page).read_text("utf-8"))
    return [match["text"] for match in found if match["language"] == "sh"]


def block(name: str) -> str:
    """Return the block of the document that begins with this place, or is in this language."""
    text = (ROOT / "docs/ci.md").read_text("utf-8")
    found = [
        match["text"]
        for match in _BLOCK.finditer(text)
        if match["language"] == name
        or ((place := _PLACE.match(match["text"])) and place["place"] == name)
    ]
    (only,) = found
    return only


@define
class Machine:
    """A machine with the command installed, the stand-ins, and the file of groups in its folder.

    Attributes:
        folder: The folder that stands for the root of its file system, and for a checkout.
        environment: The variables of each script.
    """

    folder: Path
    environment: dict[str, str] = field(factory=dict[str, str])

    def __attrs_post_init__(self) -> None:
        programs = self.folder / "programs"
        for name, script in _PROGRAMS.items():
            Runner(self.folder, {}).stand_in(name, script)
        self.install_command(*forked_command())
        self.environment = {
            "FOLDER": str(self.folder),
            "HOME": str(self.folder),
            "PATH": f"{programs}:/usr/bin:/bin",
            "CLOUDINARY_PROVISIONING_SERVER_URL": os.environ["CLOUDINARY_PROVISIONING_SERVER_URL"],
        }

    def install(self, path: Path, text: str) -> None:
        """Write a program."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def install_command(self, *words: str) -> None:
        """Install the command that some words start."""
        path = self.folder / "programs/cld-user-groups"
        self.install(path, f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')

    def here(self, text: str) -> str:
        """Return a text of a recipe with the places of the machine below the folder."""
        for place in _PLACES:
            text = text.replace(place, f"{self.folder}{place}")
        return text.replace("/opt/user-groups/bin", str(self.folder / "programs"))

    def install_block(self, place: str) -> None:
        """Install a script of the document at its place."""
        self.install(self.folder / place.lstrip("/"), self.here(block(place)))

    def replay(
        self, page: str, *, confirming: Collection[str] = ()
    ) -> Iterator[subprocess.CompletedProcess[str]]:
        """Run the shell blocks of a page in their order; YAML blocks that name a file are it.

        Lines that ask are confirmed.
        """
        credentials = {"CLOUDINARY_ACCOUNT_URL": "account://k:s@acc"}
        for match in _BLOCK.finditer((ROOT / "docs" / page).read_text("utf-8")):
            place = _PLACE.match(match["text"])
            if match["language"] == "sh":
                text = "".join(
                    f"{line} --yes\n" if line in confirming else f"{line}\n"
                    for line in self.here(match["text"]).splitlines()
                )
                yield self.run("sh", "-ec", text, environment=credentials)
            elif place and match["language"] in ("yaml", "toml"):
                path = self.folder / place["place"].replace("~/", "")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self.here(match["text"]))

    @contextmanager
    def rehearse(self, command: str) -> Generator[str]:
        """Run a command that serves an emulator on a free port instead of 8642; yield its URL."""
        words = [word if word != "8642" else "0" for word in shlex.split(command)]
        environment = {**os.environ, **self.environment}
        with subprocess.Popen(
            words, cwd=self.folder, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                found = re.search(r"http://\S+:\d+", process.stdout.readline())
                yield found[0]
            finally:
                process.terminate()

    def run(
        self, *command: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command with nothing in its environment but this machine's and the given."""
        given = {**self.environment, **(environment or {})}
        return finished(*command, folder=self.folder, environment=given)
