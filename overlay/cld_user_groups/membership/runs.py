"""Read journals: list the runs of an account, and load one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import msgspec
from attrs import field, frozen

from .journal import SUFFIX, JournalError, sequence_of
from .journal_lines import FORMAT, TYPES, End, Ended, Header, Intent, Line
from .model import Change
from .outcome import Outcome, Status


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
        number = sequence_of(path)
        return math.inf if number is None else number, path.stem

    return max(filter(_has_line, paths.values()), key=order, default=None)


def _has_line(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.readline().endswith(b"\n")
    except OSError:
        return True  # it is the latest all the same, and reading it says what is wrong


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


# msgspec must not examine a class in two threads at once: here the import sees to that.
for _kind in TYPES.values():
    msgspec.json.Decoder(_kind)


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
            error="the journal does not say what came of it",
        )
        for position, change in intents.items()
        if position not in ended
    ]
    return (*known, *open_ended)
