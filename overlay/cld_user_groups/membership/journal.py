"""The journal of a run: a line on disk before and after each write."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from .journal_lines import Line, encode_line, header
from .model import Plan
from .state import make_private

SUFFIX = ".jsonl"

# Data alone, not metadata: the time of the last modification is not worth a second disk write.
_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class JournalError(Exception):
    """A journal cannot be written or read."""


class Journal(Protocol):
    """A record of what a run does."""

    run: str

    def add(self, line: Line) -> None:
        """Add a line, to be on disk by the next flush."""

    def flush(self) -> None:
        """Write the lines to disk; the changes that they announce may be sent only after that."""

    def close(self) -> None:
        """Close the file."""


class NoJournal:
    """Keeps no journal, for callers that need none."""

    run = ""

    def add(self, line: Line) -> None:
        """Forget the line."""

    def flush(self) -> None:
        """Write nothing."""

    def close(self) -> None:
        """Close nothing."""


class FileJournal:
    """A journal in a file of its own, which only its owner can read.

    It is to be created under the account's lock, which makes its sequence number the next one.
    Lines are collected until `flush`, so that all changes that start together cost one disk write.

    Args:
        directory: The directory of the account's journals; it is created if it does not exist.
        plan: The plan.
        now: When the run begins, aware, in UTC.
        run: The ID of the run, of `new_run`. Default: a new one.

    Attributes:
        run: The ID of the run, which is the file's name without its suffix.
        path: The file.

    Raises:
        JournalError: The file cannot be written.
    """

    def __init__(self, directory: Path, plan: Plan, now: datetime, run: str | None = None) -> None:
        self.run = run or new_run(now)
        self.path = directory / (self.run + SUFFIX)
        self._pending: list[bytes] = []
        try:
            make_private(directory)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            self._file: int | None = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise JournalError(f"the journal {self.path} cannot be written: {error}") from error
        number = 1 + max(filter(None, map(sequence_of, directory.glob(f"*{SUFFIX}"))), default=0)
        self.add(header(self.run, plan, now, number))
        try:
            self.flush()
        except JournalError:
            self.close()
            with suppress(OSError):
                self.path.unlink()  # there was no run
            raise
        _sync_directory(directory)

    def add(self, line: Line) -> None:
        """Add a line, to be on disk by the next flush.

        Args:
            line: The line.
        """
        self._pending.append(encode_line(line))

    def flush(self) -> None:
        """Write the lines to disk.

        Raises:
            JournalError: They cannot be written, or only in part.
        """
        if not self._pending:
            return
        data = memoryview(b"".join(self._pending))
        try:
            if self._file is None:
                raise OSError("it is closed")
            while data:
                data = data[os.write(self._file, data) :]
            _sync(self._file)
        except OSError as error:
            raise JournalError(f"the journal {self.path} cannot be written: {error}") from error
        self._pending.clear()

    def close(self) -> None:
        """Close the file. It may be called twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def new_run(now: datetime) -> str:
    """Return the ID of a run that begins now.

    Args:
        now: The time, aware.
    """
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(2)}"


class _Numbered(msgspec.Struct):
    """The part of a journal's first line that tells the order of runs."""

    sequence: int | None = None


# Made here, for msgspec must not examine a class in two threads at once.
_NUMBERED = msgspec.json.Decoder(_Numbered)


def sequence_of(path: Path) -> int | None:
    """Return the number of a journal's run: 0 of an earlier version, None where it is unreadable.

    Args:
        path: The journal.
    """
    try:
        with path.open("rb") as file:
            return _NUMBERED.decode(file.readline()).sequence or 0
    except (OSError, ValueError):
        return None


def _sync_directory(directory: Path) -> None:
    """Write the directory's entry of a new file to disk, where the system can."""
    try:
        handle = os.open(directory, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return
    finally:
        os.close(handle)
