"""The journal of a run: one JSON object a line, on disk before and after each write.

`docs/journal-format.md` describes the format, `schemas/journal.schema.json` defines it.
"""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import attrs
import msgspec
from attrs import field, frozen

from cld_user_groups._version import __version__

from .model import Change, Plan
from .outcome import Status, Stop
from .state import make_private

FORMAT = "cld-user-groups/journal/1"
SUFFIX = ".jsonl"

# Data alone, not metadata: the time of the last modification is not worth a second disk write.
_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class JournalError(Exception):
    """A journal cannot be written or read."""


@frozen(kw_only=True)
class Author:
    """Who ran it: the user, the machine and the process.

    Attributes:
        user: The name of the operating system's user, or "" where it has none.
        host: The machine's name.
        pid: The process ID.
    """

    user: str
    host: str
    pid: int


@frozen(kw_only=True)
class PlanInfo:
    """Which plan is applied.

    Attributes:
        source: The file that it comes from, or what created it.
        digest: The digest of that file, or "".
        created_at: When it was created.
        changes: How many changes it has.
    """

    source: str
    digest: str
    created_at: datetime
    changes: int


@frozen(kw_only=True)
class Header:
    """The first line: who applies which plan to which account.

    Attributes:
        format: The format of the journal.
        run: The ID of the run.
        tool: The program and its version.
        started_at: When the run began, in UTC.
        account: The account.
        by: Who ran it.
        plan: The plan.
    """

    format: str = FORMAT
    run: str
    tool: str
    started_at: datetime
    account: str
    by: Author
    plan: PlanInfo


@frozen(kw_only=True)
class Intent:
    """A change is about to be sent.

    Attributes:
        at: When, in UTC.
        position: The position of the change in the plan, from 0.
        change: The change, with the ID of its group where that is known by now.
    """

    at: datetime
    position: int
    change: Change


@frozen(kw_only=True)
class Ended:
    """A change has ended. The last such line about a change is the one that counts.

    Attributes:
        at: When, in UTC.
        position: The position of the change in the plan, from 0.
        status: Its outcome; `not_started` for one that was throttled, and not applied.
        group_id: The ID of its group, or None where it is not known.
        request_id: The server's ID of the deciding request, or None.
        error: What went wrong, or "".
    """

    at: datetime
    position: int
    status: Status
    group_id: str | None = None
    request_id: str | None = None
    error: str = ""


@frozen(kw_only=True)
class End:
    """The last line: the run ended by itself.

    Attributes:
        at: When, in UTC.
        summary: How many changes have each status.
        stopped: Why the run ended early, or None.
        detail: The same in a sentence, or "".
        verified: Whether the account has all that the plan asks for, or None where it was not
            read again.
        differences: What it does not have, a sentence each.
    """

    at: datetime
    summary: Mapping[str, int] = field(factory=dict[str, int])
    stopped: Stop | None = None
    detail: str = ""
    verified: bool | None = None
    differences: tuple[str, ...] = ()


Line = Header | Intent | Ended | End
TYPES: dict[str, type[Line]] = {
    "header": Header,
    "intent": Intent,
    "outcome": Ended,
    "end": End,
}
_NAMES = {kind: name for name, kind in TYPES.items()}


def encode_line(line: Line) -> bytes:
    """Return a line of the journal, its line break included.

    Args:
        line: The line.
    """
    fields = {"type": _NAMES[type(line)], **_without_defaults(line)}
    return msgspec.json.encode(fields) + b"\n"


def _without_defaults(line: Line) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for attribute in attrs.fields(type(line)):
        value = getattr(line, attribute.name)
        if attribute.name == "format" or value not in (None, "", ()):
            values[attribute.name] = value
    return values


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
        self.add(_header(self.run, plan, now))
        self.flush()
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


def _header(run: str, plan: Plan, now: datetime) -> Header:
    return Header(
        run=run,
        tool=f"cld-user-groups {__version__}",
        started_at=now,
        account=plan.account_id,
        by=author(),
        plan=PlanInfo(
            source=plan.source,
            digest=plan.digest,
            created_at=plan.created_at,
            changes=len(plan.changes),
        ),
    )


def author() -> Author:
    """Return who this is."""
    return Author(user=_user(), host=socket.gethostname(), pid=os.getpid())


def new_run(now: datetime) -> str:
    """Return the ID of a run that begins now; later runs sort behind it.

    Args:
        now: The time, aware.
    """
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(2)}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without that user, or Windows
        return ""


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
