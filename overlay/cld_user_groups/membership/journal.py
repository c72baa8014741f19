"""The journal of a run: a line on disk before and after each write.

`docs/journal-format.md` describes the format, `schemas/journal.schema.json` defines it.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import secrets
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol

import msgspec
from attrs import frozen
from msgspec import Struct

from cld_user_groups._version import __version__

from .grants import RoleRecord
from .model import Change, Plan
from .result import Status, Stop
from .state import make_private

FORMAT: Literal["cld-user-groups/journal/1"] = "cld-user-groups/journal/1"
SUFFIX = ".jsonl"
#: What the source of a plan begins with that undoes a run; its ID follows.
UNDO_OF = "undo of "

if sys.platform == "darwin":
    import fcntl

    def _sync(handle: int) -> None:
        """Write to the disk itself: fsync leaves it in the disk's own memory there."""
        try:
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
        except OSError:  # a file system that cannot
            os.fsync(handle)
else:
    # Data alone, not metadata: the time of the last modification is not worth a second disk write.
    _sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class JournalError(Exception):
    """A journal cannot be written or read."""


@frozen(kw_only=True)
class Author:
    """The user of the operating system, or "" where it has none, the machine and the process."""

    user: str
    host: str
    pid: int

    @property
    def name(self) -> str:
        """The user and the machine, "user@host", as far as they are known."""
        return "@".join(filter(None, (self.user, self.host)))


@frozen(kw_only=True)
class PlanInfo:
    """Which plan is applied."""

    source: str  # the file that it comes from, or what created it
    digest: str  # of that file, or ""
    created_at: datetime
    changes: int
    protect: tuple[str, ...] = ()  # who is never removed, by an undo neither

    @property
    def undoes(self) -> str:
        """The ID of the run that the plan undoes, or ""."""
        return self.source.removeprefix(UNDO_OF) if self.source.startswith(UNDO_OF) else ""


class Header(Struct, frozen=True, kw_only=True, tag_field="type", tag="header"):
    """The first line: who applies which plan to which account.

    Attributes:
        sequence: The number of the run, which tells the order of runs whatever the clock says; None
            in a journal of an earlier version, which comes before all that have one.
    """

    format: Literal["cld-user-groups/journal/1"] = FORMAT
    run: str
    sequence: int | None = None
    tool: str
    started_at: datetime
    account: str
    by: Author
    plan: PlanInfo


class _Later(Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """A line after the header; what is empty is left out."""


class Intent(_Later, frozen=True, tag="intent"):
    """A change is about to be sent; it has the ID of its group where that is known by now."""

    at: datetime
    position: int
    change: Change
    roles: RoleRecord | None = None  # what the group grants, where it is about to be deleted


class Ended(_Later, frozen=True, tag="outcome"):
    """A change has ended. The last such line about a change is the one that counts.

    Its status is `not_started` where it was throttled, and not applied.
    """

    at: datetime
    position: int
    status: Status
    group_id: str | None = None
    request_id: str | None = None
    error: str = ""


class End(_Later, frozen=True, tag="end"):
    """The last line: the run ended by itself; see `Result`."""

    at: datetime
    summary: dict[str, int] = {}
    stopped: Stop | None = None
    detail: str = ""
    verified: bool | None = None
    differences: tuple[str, ...] = ()


Line = Header | Intent | Ended | End


class _Numbered(Struct):
    """The part of a journal's first line that tells the order of runs."""

    sequence: int | None = None


class Chained(Struct, frozen=True):
    """The digest of the line before, of a header that of the last line of the run before.

    It is "" where there is no such line; None in a journal of an earlier version.
    """

    previous: str | None = None


# Made here, for msgspec must not examine a class in two threads at once.
_NUMBERED = msgspec.json.Decoder(_Numbered)


def encode_line(line: Line) -> bytes:
    """Return a line of the journal, its line break included."""
    # Only a change that assigns a role has one. No text has these quotes: JSON escapes them.
    return msgspec.json.encode(line).replace(b',"role":null', b"") + b"\n"


def digest_of(line: bytes) -> str:
    """Return the digest of a line, without its line break, that the next line carries."""
    return hashlib.sha256(line).hexdigest()


def whole_lines(content: bytes) -> list[bytes]:
    """Return the lines of a journal, without one at its end that a crash has cut off."""
    return content.split(b"\n")[:-1]


def author() -> Author:
    """Return who this is."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without that user, or Windows
        user = ""
    return Author(user=user, host=socket.gethostname(), pid=os.getpid())


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

    def __init__(self, run: str = "") -> None:
        self.run = run

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
            flags |= getattr(os, "O_BINARY", 0)  # Windows would write line breaks of its own
            self._file: int | None = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise JournalError(f"the journal {self.path} cannot be written: {error}") from error
        # This journal is still empty, and so it has no number.
        paths = {sequence_of(path) or 0: path for path in sorted(directory.glob(f"*{SUFFIX}"))}
        number, latest = max(paths.items())
        self._previous = _last_digest(latest) if number else ""
        header = Header(
            run=self.run,
            sequence=1 + number,
            tool=f"cld-user-groups {__version__}",
            started_at=now,
            account=plan.account_id,
            by=author(),
            plan=PlanInfo(
                source=plan.source,
                digest=plan.digest,
                created_at=plan.created_at,
                changes=len(plan.changes),
                protect=plan.protect,
            ),
        )
        self.add(header)
        try:
            self.flush()
        except JournalError:
            self.close()
            with suppress(OSError):
                self.path.unlink()  # there was no run
            raise
        _sync_directory(directory)

    def add(self, line: Line) -> None:
        """Add a line, to be on disk by the next flush."""
        text = encode_line(line).removesuffix(b"}\n")
        text += b',"previous":"%s"}' % self._previous.encode()
        self._previous = digest_of(text)
        self._pending.append(text + b"\n")

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
    """Return the ID of a run that begins now, an aware time."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(2)}"


def sequence_of(path: Path) -> int | None:
    """Return the number of a run: 0 in an earlier version, None where it is unreadable."""
    try:
        with path.open("rb") as file:
            return _NUMBERED.decode(file.readline()).sequence or 0
    except (OSError, ValueError):
        return None


def _last_digest(path: Path) -> str:
    """Return the digest of a journal's last whole line, "" where there is none to be read."""
    try:
        lines = whole_lines(path.read_bytes())
    except OSError:
        return ""
    return digest_of(lines[-1]) if lines else ""


def _sync_directory(directory: Path) -> None:
    """Write the directory's entry of a new file to disk, where the system can."""
    with suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
