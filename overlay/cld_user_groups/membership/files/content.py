"""The content of a file, a pipe or standard input: within a limit of size and of time, as text."""

from __future__ import annotations

import math
import os
import stat
import sys
import threading
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from cld_user_groups.membership.problems import FileError, Problem

#: The most bytes that a file may have: ten times the size of 100,000 memberships.
MAX_BYTES = 64 * 1024 * 1024
#: How long to wait for the end of a source that is a pipe, in seconds.
TIMEOUT = 600.0
_BOM = "\ufeff"


def read_content(
    path: str | os.PathLike[str],
    *,
    stdin: BinaryIO | None = None,
    max_bytes: int = MAX_BYTES,
    timeout: float = TIMEOUT,
    shown: str = "",
) -> bytes:
    """Read a file, a pipe, or standard input ("-", by default the process's own) whole.

    Errors show the path, or another name for it.

    Raises:
        FileError: It is larger, or a pipe that nobody has closed within the timeout, in seconds.
        OSError: It cannot be read.
        ValueError: The timeout is not positive and finite.
    """
    if not (math.isfinite(timeout) and timeout > 0):
        raise ValueError(f"timeout must be a positive number of seconds, not {timeout!r}")
    source = os.fspath(path)
    shown = shown or source
    stream = (stdin or sys.stdin.buffer) if source == "-" else None
    waiting: str | int | None = source if stream is None and Path(source).is_fifo() else None
    if stream is not None:
        waiting = _waiting_descriptor(stream)
    if waiting is not None:
        content = _in_time(lambda: _drain(waiting, max_bytes), shown, timeout)
    else:
        content = _drain(source, max_bytes) if stream is None else stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        hint = "allow more with --max-body, in MiB (default: 64)"
        raise FileError([Problem(shown, None, f"larger than {max_bytes} bytes", hint)])
    return content


def unreadable(source: str, error: OSError, hint: str = "") -> FileError:
    """Return what to raise where `read_content` cannot read a file."""
    message = f"cannot read the file: {error.strerror or error}"
    return FileError([Problem(source, None, message, hint)])


def _waiting_descriptor(stream: BinaryIO) -> int | None:
    """Return the descriptor of a pipe or a terminal, or None where reading does not wait."""
    try:
        number = stream.fileno()
        is_regular = stat.S_ISREG(os.fstat(number).st_mode)
    except (AttributeError, OSError, ValueError):
        return None
    return None if is_regular else number


def _drain(file: str | int, max_bytes: int) -> bytes:
    """Read a path, which a pipe opens once somebody writes, or a descriptor, which stays open."""
    content = bytearray()
    with FileIO(file, closefd=isinstance(file, str)) as opened:
        # Its own `read` returns None, as at an end, for a pipe that does not block.
        while len(content) <= max_bytes and (part := os.read(opened.fileno(), 1 << 20)):
            content += part
    return bytes(content)


def _in_time(read: Callable[[], bytes], source: str, timeout: float) -> bytes:
    """Call a function that may wait for ever, in a thread that is given up after a time."""
    result: list[bytes | OSError] = []

    def run() -> None:
        try:
            result.append(read())
        except OSError as error:
            result.append(error)

    thread = threading.Thread(target=run, name="source", daemon=True)
    thread.start()
    thread.join(min(timeout, threading.TIMEOUT_MAX))
    if not result:
        message = f"a pipe that was not closed within {timeout:g} seconds"
        hint = "is its writer running? --source-timeout sets how long to wait"
        raise FileError([Problem(source, None, message, hint)])
    if isinstance(result[0], OSError):
        raise result[0]
    return result[0]


def decode_text(content: bytes, source: str) -> str:
    """Return the content as text, without a byte order mark.

    Raises:
        FileError: It is empty, or not UTF-8, or has NUL bytes.
    """

    def rejected(position: int, message: str, hint: str = "save it as UTF-8") -> FileError:
        return FileError([Problem(source, content.count(b"\n", 0, position) + 1, message, hint)])

    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise rejected(0, "encoded as UTF-16")
    nul = content.find(b"\0")
    if nul >= 0:  # near the start it is UTF-16 without a mark
        raise rejected(nul, "a NUL byte", "save it as UTF-8" if nul < 4 else "is it a text file?")
    try:
        text = content.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as error:
        message = f"not UTF-8: byte 0x{content[error.start]:02x}"
        raise rejected(error.start, message) from None
    if not text.strip():
        raise FileError([Problem(source, None, "the file is empty")])
    # Lines that end in CR alone, as old spreadsheets write them.
    return text if "\n" in text else text.replace("\r", "\n")


def is_unicode(text: str) -> bool:
    """Return whether text can be written in any encoding: JSON's escapes allow half characters."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False
