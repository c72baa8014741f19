"""What a page shows of a terminal: its `console` blocks, run as a reader would, in order.

A line that begins with `$ ` is a command, and what follows it is what it prints. A block below a
line such as "`groups.yaml`:" is a file that the reader writes.

`python -m tools.docs.transcript PAGE` runs a page in an empty folder beside a fresh clone, writes
into it what the commands print, and prints after how many seconds each of them had ended.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen
from tools.pictures import on_terminal

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(
    r"(?:^`(?P<file>[\w.-]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)
#: A line that the terminal erases again, such as that of a progress bar.
_ERASED = re.compile(r"[^\n]*\n(?:\x1b\[\?25h)?\r?\x1b\[1A\x1b\[2K")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
#: What is another one each time: the ID of a run, and how long it took.
_VARIES = re.compile(r"\b\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{4}\b|\b\d:\d\d:\d\d\b")
#: What keeps running until the end: it has a terminal of its own.
_SERVER = "cld-user-groups emulator"


@frozen
class Step:
    """A command and what it prints, or a file and its content.

    Attributes:
        name: The command, or the file's name.
        text: The output, or the content.
        span: Where the text stands in the page.
        is_file: Whether it is a file.
    """

    name: str
    text: str
    span: tuple[int, int]
    is_file: bool = False


def steps(page: str) -> Iterator[Step]:
    """Yield what the reader of a page does, in order."""
    for block in _BLOCK.finditer(page):
        if block["file"]:
            yield Step(block["file"], block["text"], block.span("text"), is_file=True)
        elif block["kind"] == "console":
            for part in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block["text"], re.MULTILINE):
                begin = block.start("text")
                yield Step(part[1], part[2], (begin + part.start(2), begin + part.end(2)))


class Reader:
    """Does what a page says, on a terminal, in a folder.

    Args:
        folder: The folder, which has the clone in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            **{name: value for name, value in os.environ.items() if not _is_ours(name)},
            "TERM": "xterm-256color",
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "XDG_STATE_HOME": str(folder / "state"),
        }
        self._servers: list[subprocess.Popen[str]] = []

    def do(self, step: Step) -> str:
        """Do a step, and return what is printed, or the content of the file."""
        if step.is_file:
            (self._folder / step.name).write_text(step.text, encoding="utf-8")
            return step.text
        if step.name.startswith(_SERVER):
            return self._serve(step.name)
        kept = self._folder / ".kept"
        command = f"{step.name}\ncode=$?; pwd > {kept}; env -0 >> {kept}; exit $code"
        screen = on_terminal(["bash", "-c", command], self._folder, self._environment)
        folder, _, variables = kept.read_text("utf-8").partition("\n")
        self._folder = Path(folder)
        self._environment = dict(each.split("=", 1) for each in variables.split("\0") if each)
        kept.unlink()
        return plain(screen)

    def _serve(self, command: str) -> str:
        server = subprocess.Popen(
            shlex.split(command),
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._servers.append(server)
        assert server.stdout is not None
        return server.stdout.readline()

    def close(self) -> None:
        """Stop what is still running."""
        for server in self._servers:
            server.terminate()
            server.communicate(timeout=30)


def plain(screen: str) -> str:
    """Return a screen as the text that a reader sees in the end."""
    rows = _ANSI.sub("", _ERASED.sub("", screen)).replace("\r\n", "\n").split("\n")
    return "\n".join(row.rpartition("\r")[2].rstrip() for row in rows)


def comparable(text: str) -> list[str]:
    """Return the lines of a text without what varies: values, and the order of changes at once."""
    return sorted(_VARIES.sub("...", text).splitlines())


def clone(folder: Path) -> None:
    """Put a fresh clone of this repository into a folder, as the page asks for."""
    command = ["git", "clone", "--quiet", str(ROOT), str(folder / "cld-user-groups")]
    subprocess.run(command, check=True)


def _is_ours(name: str) -> bool:
    """Return whether a variable comes from this project's environment, not from a reader's."""
    return name.startswith(("CLOUDINARY_", "PYTEST_", "PYTHON", "VIRTUAL_ENV"))


def main(path: Path) -> None:
    """Follow a page, and update it."""
    page = path.read_text("utf-8")
    done: list[tuple[Step, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        clone(Path(folder))
        reader = Reader(Path(folder))
        try:
            for step in steps(page):
                done.append((step, reader.do(step)))
                print(f"{time.monotonic() - start:6.1f} s  {step.name}", flush=True)
        finally:
            reader.close()
    for step, text in reversed(done):
        if comparable(text) != comparable(step.text):
            page = page[: step.span[0]] + text + page[step.span[1] :]
    path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
