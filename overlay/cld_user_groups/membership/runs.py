"""The runs of an account, as their journals record them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from attrs import field, frozen

from .grants import RoleRecord
from .journal import FORMAT, SUFFIX, End, Header, Intent, JournalError, Line, sequence_of
from .model import Change
from .result import Outcome, Status

# Made here, for msgspec must not examine a class in two threads at once.
_LINE = msgspec.json.Decoder(Line)


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
    """Return the runs of an account, the latest first.

    One that cannot be read has an error, and stands where its name would.

    Args:
        directory: The directory of the account's journals; see `state_directory`.
    """
    readable: list[tuple[Run, RunSummary]] = []
    unreadable: list[RunSummary] = []
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        try:
            run = read_journal(path)
            readable.append((run, RunSummary(id=path.stem, path=path, run=run)))
        except JournalError as error:
            unreadable.append(RunSummary(id=path.stem, path=path, error=str(error)))
    readable.sort(key=lambda each: each[0].order, reverse=True)
    runs = [summary for _, summary in readable]
    for each in unreadable:
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
    if run in paths:
        return read_journal(paths[run])
    latest = max(filter(_has_line, paths.values()), key=_order, default=None)
    if run is not None:
        hint = f"; the latest is {latest.stem}" if latest else ""
        raise JournalError(f"there is no run {run!r} in {directory}{hint}")
    if latest is None:
        raise JournalError(f"there is no run in {directory}")
    return read_journal(latest)


def _order(path: Path) -> tuple[float, str]:
    number = sequence_of(path)
    return math.inf if number is None else number, path.stem  # it may be the last one


def _has_line(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.readline().endswith(b"\n")
    except OSError:
        return True  # it is still the latest, and reading it says what is wrong


def read_journal(path: Path) -> Run:
    """Read a journal.

    Only an incomplete last line is tolerated, which a crash leaves; it sets `Run.is_torn`.

    Raises:
        JournalError: The file cannot be read, or is not a journal; names the line.
    """
    try:
        *whole, last = path.read_bytes().split(b"\n")
    except OSError as error:
        raise JournalError(f"the journal {path} cannot be read: {error}") from error
    lines: list[Line] = []
    for number, text in enumerate(whole, 1):
        try:
            lines.append(_decode_line(text))
        except ValueError as error:
            raise JournalError(f"{path}, line {number}: {error}") from error
    try:
        return _assemble(lines, is_torn=bool(last))
    except ValueError as error:
        raise JournalError(f"{path}: {error}") from error


def _decode_line(text: bytes) -> Line:
    try:
        line: Line = _LINE.decode(text)
    except msgspec.ValidationError:
        fields: dict[str, Any] = msgspec.json.decode(text)
        if type(fields) is not dict:
            raise ValueError("not a JSON object") from None
        if fields.get("type") not in ("header", "intent", "outcome", "end"):
            raise ValueError("the type of the line is unknown") from None
        if fields["type"] == "header" and fields.get("format") != FORMAT:
            raise ValueError(f"the format is {fields.get('format')!r}, not {FORMAT!r}") from None
        raise
    return line


def _assemble(lines: Sequence[Line], *, is_torn: bool) -> Run:
    if not lines:
        raise ValueError("the journal has no header")
    header, *rest = lines
    if not isinstance(header, Header):
        raise ValueError("the first line is not the header")  # noqa: TRY004 - as above
    changes: dict[int, Change] = {}
    roles: dict[int, RoleRecord | None] = {}
    ended: dict[int, Outcome] = {}
    end: End | None = None
    for number, line in enumerate(rest, 2):
        if end is not None or isinstance(line, Header):
            raise ValueError(f"line {number} is out of place")
        if isinstance(line, End):
            end = line
            continue
        ended.pop(line.position, None)  # so that the latest comes last
        if isinstance(line, Intent):
            changes[line.position] = line.change
            roles[line.position] = line.roles
        elif line.position not in changes:
            raise ValueError(f"line {number} is about a change that was never announced")
        else:
            ended[line.position] = Outcome(
                position=line.position,
                change=changes[line.position],
                status=line.status,
                group_id=line.group_id,
                request_id=line.request_id,
                error=line.error,
                roles=roles[line.position],
            )
    open_ended = [
        Outcome(
            position=position,
            change=change,
            status=Status.UNKNOWN,
            group_id=change.group.id,
            error="the journal does not say how it ended",
            roles=roles[position],
        )
        for position, change in changes.items()
        if position not in ended
    ]
    outcomes = (*ended.values(), *open_ended)
    return Run(header=header, outcomes=outcomes, end=end, is_torn=is_torn)
