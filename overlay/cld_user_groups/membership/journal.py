"""The journal of a run: a line on disk before and after each write; and the runs that it records.

`docs/journal-format.md` describes the format, `schemas/journal.schema.json` defines it.
"""

from __future__ import annotations

import getpass
import math
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast

import attrs
import msgspec
from attrs import field, frozen

from cld_user_groups._version import __version__

from .model import Change, Plan
from .outcome import Outcome, Status, Stop
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
        protect: IDs, e-mails and globs of members who are never removed, by an undo neither.
    """

    source: str
    digest: str
    created_at: datetime
    changes: int
    protect: tuple[str, ...] = ()


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
        sequence: The number of the run, which tells the order of runs whatever the clock says; None
            in a journal of an earlier version, which comes before all that have one.
    """

    format: str = FORMAT
    run: str
    sequence: int | None = None
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
_TYPES = {kind: (name, [each.name for each in attrs.fields(kind)]) for name, kind in TYPES.items()}

# Made here, for msgspec must not examine a class in two threads at once.
for _kind in TYPES.values():
    msgspec.json.Decoder(_kind)


def encode_line(line: Line) -> bytes:
    """Return a line of the journal, its line break included; what is empty is left out."""
    kind, names = _TYPES[type(line)]
    fields: dict[str, object] = {"type": kind}
    for name in names:
        if (value := getattr(line, name)) not in (None, "", ()):
            fields[name] = value
    return msgspec.json.encode(fields) + b"\n"


def _header(run: str, plan: Plan, now: datetime, sequence: int) -> Header:
    """Return the first line of the journal of a run."""
    return Header(
        run=run,
        sequence=sequence,
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
        number = 1 + max(filter(None, map(_sequence_of, directory.glob(f"*{SUFFIX}"))), default=0)
        self.add(_header(self.run, plan, now, number))
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
    """Return the ID of a run that begins now, an aware time."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(2)}"


class _Numbered(msgspec.Struct):
    """The part of a journal's first line that tells the order of runs."""

    sequence: int | None = None


# Made here, for msgspec must not examine a class in two threads at once.
_NUMBERED = msgspec.json.Decoder(_Numbered)


def _sequence_of(path: Path) -> int | None:
    """Return the number of a run: 0 in an earlier version, None where it is unreadable."""
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


@frozen(kw_only=True)
class Run:
    """A run, as its journal records it.

    Attributes:
        header: Who applied which plan.
        outcomes: The outcome of each change that was about to be sent, in the order in which the
            changes ended; `UNKNOWN` if the journal ends before that.
        end: How the run ended, or None where it was killed.
        is_torn: Whether the last line is incomplete, and was left out.
    """

    header: Header
    outcomes: tuple[Outcome, ...] = ()
    end: End | None = None
    is_torn: bool = False

    @property
    def id(self) -> str:
        """The ID of the run."""
        return self.header.run

    @property
    def order(self) -> tuple[int, datetime, str]:
        """What runs are ordered by: their numbers; the clock only where they have none."""
        return self.header.sequence or 0, self.header.started_at, self.id

    @property
    def confirmed(self) -> tuple[Outcome, ...]:
        """What the run has certainly done, in the order in which it was done."""
        return tuple(outcome for outcome in self.outcomes if outcome.status is Status.DONE)

    @property
    def unconfirmed(self) -> tuple[Outcome, ...]:
        """What the run may have done."""
        return tuple(outcome for outcome in self.outcomes if outcome.status is Status.UNKNOWN)


@frozen(kw_only=True)
class RunSummary:
    """A run in a list.

    Attributes:
        id: The ID of the run.
        path: Its journal.
        run: What is in it, or None where it cannot be read.
        error: The reason why it cannot be read, or "".
    """

    id: str
    path: Path = field(repr=False)
    run: Run | None = None
    error: str = ""

    @property
    def started_at(self) -> datetime | None:
        """When it began, or None where the journal cannot be read."""
        return None if self.run is None else self.run.header.started_at


def list_runs(directory: Path) -> tuple[RunSummary, ...]:
    """Return the runs of an account, the latest first; one that cannot be read has an error.

    That one stands where its name would.

    Args:
        directory: The directory of the account's journals; see `state_directory`.
    """
    found: list[RunSummary] = []
    for path in sorted(directory.glob(f"*{SUFFIX}"), reverse=True):
        try:
            found.append(RunSummary(id=path.stem, path=path, run=read_journal(path)))
        except JournalError as error:
            found.append(RunSummary(id=path.stem, path=path, error=str(error)))
    runs = [each for each in found if each.run is not None]
    runs.sort(key=lambda each: each.run.order if each.run is not None else (), reverse=True)
    for each in reversed([each for each in found if each.run is None]):
        earlier = (at for at, other in enumerate(runs) if other.id < each.id)
        runs.insert(next(earlier, len(runs)), each)
    return tuple(runs)


def load_run(directory: Path, run: str | None = None) -> Run:
    """Return a run of an account.

    Args:
        directory: The directory of the account's journals; see `state_directory`.
        run: The ID of the run, or None for the latest. One that was killed before its journal had a
            first line has sent nothing, and does not count.

    Raises:
        JournalError: There is no such run, or its journal cannot be read; where any cannot be read,
            nobody knows which run is the latest.
    """
    # Compared with what is there, so that an ID that is a path leads nowhere.
    paths = {path.stem: path for path in directory.glob(f"*{SUFFIX}")}
    if run is None:
        latest = _latest(paths)
        if latest is None:
            raise JournalError(f"there is no run in {directory}")
        return read_journal(latest)
    if run not in paths:
        latest = _latest(paths)
        hint = f"; the latest is {latest.stem}" if latest else ""
        raise JournalError(f"there is no run {run!r} in {directory}{hint}")
    return read_journal(paths[run])


def _latest(paths: Mapping[str, Path]) -> Path | None:
    """Return the journal of the last run; one that cannot be read may be that."""

    def order(path: Path) -> tuple[float, str]:
        number = _sequence_of(path)
        return math.inf if number is None else number, path.stem

    return max(filter(_has_line, paths.values()), key=order, default=None)


def _has_line(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.readline().endswith(b"\n")
    except OSError:
        return True  # it is still the latest, and reading it says what is wrong


def read_journal(path: Path) -> Run:
    """Read a journal.

    Only an incomplete last line is tolerated, which a crash leaves; it sets `Run.is_torn`.

    Args:
        path: The file.

    Raises:
        JournalError: The file cannot be read, or is not a journal; names the line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise JournalError(f"the journal {path} cannot be read: {error}") from error
    *whole, last = content.split(b"\n")
    lines: list[Line] = []
    for number, text in enumerate(whole, 1):
        try:
            lines.append(_decode_line(text))
        except (msgspec.MsgspecError, ValueError) as error:
            raise JournalError(f"{path}, line {number}: {error}") from error
    is_torn = bool(last)
    if not lines:
        raise JournalError(f"{path}: the journal has no header")
    try:
        return _assemble(lines, is_torn=is_torn)
    except ValueError as error:
        raise JournalError(f"{path}: {error}") from error


def _decode_line(text: bytes) -> Line:
    fields = msgspec.json.decode(text)
    if not isinstance(fields, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - as any other bad line
    values = cast("dict[str, Any]", fields)
    kind = TYPES.get(str(values.pop("type", None)))
    if kind is None:
        raise ValueError("the type of the line is unknown")
    if kind is Header and values.get("format") != FORMAT:
        raise ValueError(f"the format is {values.get('format')!r}, not {FORMAT!r}")
    return msgspec.convert(values, kind)


def _assemble(lines: list[Line], *, is_torn: bool) -> Run:
    header, *rest = lines
    if not isinstance(header, Header):
        raise ValueError("the first line is not the header")  # noqa: TRY004 - as above
    intents: dict[int, Change] = {}
    ended: dict[int, Ended] = {}
    end: End | None = None
    for number, line in enumerate(rest, 2):
        if end is not None or isinstance(line, Header):
            raise ValueError(f"line {number} is out of place")
        if isinstance(line, Intent):
            intents[line.position] = line.change
            ended.pop(line.position, None)
        elif isinstance(line, Ended):
            if line.position not in intents:
                raise ValueError(f"line {number} is about a change that was never announced")
            ended.pop(line.position, None)  # so that the latest comes last
            ended[line.position] = line
        else:
            end = line
    return Run(header=header, outcomes=_outcomes(intents, ended), end=end, is_torn=is_torn)


def _outcomes(intents: Mapping[int, Change], ended: Mapping[int, Ended]) -> tuple[Outcome, ...]:
    known = [
        Outcome(
            position=line.position,
            change=intents[line.position],
            status=line.status,
            group_id=line.group_id,
            request_id=line.request_id,
            error=line.error,
        )
        for line in ended.values()
    ]
    open_ended = [
        Outcome(
            position=position,
            change=change,
            status=Status.UNKNOWN,
            group_id=change.group.id,
            error="the journal does not say how it ended",
        )
        for position, change in intents.items()
        if position not in ended
    ]
    return (*known, *open_ended)
