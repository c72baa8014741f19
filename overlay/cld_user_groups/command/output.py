"""Where things are written: results to standard output, all else to standard error, or a file."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import msgspec

from .lazy import state
from .logs import escaped_json, json_log, log_event

# How many digests of files that were written are kept.
_KEPT = 1000


def prepare_streams() -> None:
    """Open what was closed (`>&-`), and let no character be one that cannot be written.

    Pipes and files get UTF-8, whatever the locale: a spreadsheet, a browser and the next program of
    a pipe would have to guess otherwise. A terminal keeps its encoding, and gets escapes for what
    that lacks.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # In their order: each takes the lowest free descriptor, and so the one that it had.
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def finish_streams() -> None:
    """Flush the streams; forget what cannot be flushed, as was told where it was written."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # Else the interpreter tries once more at its end, and exits with 120.
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def print_result(text: str) -> None:
    """Write a result, with one line break at its end.

    Whoever stops reading it (`| head`) has seen enough, and the exit code is as if it were read.

    Raises:
        OSError: It cannot be written.
    """
    with suppress(BrokenPipeError):
        click.echo(text.rstrip("\n"))


def print_json(document: Mapping[str, Any]) -> None:
    """Write a result as one JSON document."""
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    print_result(escaped_json(text))


def print_message(text: str, *, quiet: bool = False) -> None:
    """Write a message, unless it is not wanted; one that cannot be written is left out."""
    if not quiet and not log_event("message", message=text.strip()):
        with suppress(OSError):
            click.echo(text.rstrip("\n"), err=True)


class OutputFile:
    """A file that a command writes, but not over what a person has written or edited.

    The digests of what this user's commands wrote are kept beside the journals. A file of groups
    in YAML carries its own too, for it is kept in repositories, and checked out elsewhere.

    Raises:
        FileExistsError: The file is there, and was not written by a command, or was edited since.
    """

    def __init__(self, path: Path, account_id: str, *, force: bool) -> None:
        self._path = path
        self._digests = state.state_directory(account_id) / "written"
        if not force and path.is_file() and (content := path.read_bytes()):
            if sha256(content).hexdigest() in self._known() or _carries_digest(content):
                return
            what = (
                "it was not written by this command here, or was edited since: write to another "
                "file, or replace it with --force"
            )
            raise FileExistsError(errno.EEXIST, what, str(path))

    def write(self, text: str) -> None:
        """Write the file, whole or not at all.

        Raises:
            OSError: It cannot be written; what was there is still there.
        """
        data = text.encode()
        if self._path.suffix.lower() in (".yaml", ".yml"):
            data = b"# cld-user-groups, sha256 %s\n" % sha256(data).hexdigest().encode() + data
        state.write_file(self._path, data)
        known = [*self._known(), sha256(data).hexdigest()]
        with suppress(OSError):  # then the file is not replaced without --force
            state.make_private(self._digests.parent)
            state.replace_file(self._digests, "\n".join(dict.fromkeys(known[-_KEPT:])).encode())

    def _known(self) -> list[str]:
        try:
            return self._digests.read_text("ascii").split()
        except (OSError, ValueError):
            return []


def _carries_digest(content: bytes) -> bool:
    """Return whether the first line is the digest of the others."""
    first, _, others = content.partition(b"\n")
    return first == b"# cld-user-groups, sha256 " + sha256(others).hexdigest().encode()


def has_color(stream: Any) -> bool:
    """Return whether a stream is a terminal that is to have colors (https://no-color.org)."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR") and _is_capable()


def colored(text: str, color: str | None) -> str:
    """Return a text in a color of the terminal; as it is where there is none."""
    return text if color is None else click.style(text, fg=color)


def can_ask() -> bool:
    """Return whether somebody is there to be asked, and is shown what about."""
    return json_log() is None and sys.stdin.isatty() and sys.stderr.isatty()


def _is_capable() -> bool:
    return os.environ.get("TERM") != "dumb"
