"""The runs of an account: what their journals record, whether as written, and which may go."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from attrs import field, frozen

from .journal import (
    FORMAT,
    SUFFIX,
    Chained,
    End,
    Ended,
    Header,
    Intent,
    JournalError,
    Line,
    digest_of,
    sequence_of,
    whole_lines,
)
from .result import Outcome, Status

# Made here, for msgspec must not examine a class in two threads at once.
_LINE = msgspec.json.Decoder(Line)
_CHAINED = msgspec.json.Decoder(Chained)


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
    announced: dict[int, Intent] = {}
    ended: dict[int, Ended] = {}
    end: End | None = None
    for number, line in enumerate(rest, 2):
        if end is not None or isinstance(line, Header):
            raise ValueError(f"line {number} is out of place")
        if isinstance(line, End):
            end = line
            continue
        ended.pop(line.position, None)  # so that the latest comes last
        if isinstance(line, Intent):
            announced[line.position] = line
        elif line.position not in announced:
            raise ValueError(f"line {number} is about a change that was never announced")
        else:
            ended[line.position] = line
    positions = (*ended, *(at for at in announced if at not in ended))
    outcomes = tuple(_outcome(announced[at], ended.get(at)) for at in positions)
    return Run(header=header, outcomes=outcomes, end=end, is_torn=is_torn)


def _outcome(intent: Intent, ended: Ended | None) -> Outcome:
    return Outcome(
        position=intent.position,
        change=intent.change,
        status=ended.status if ended else Status.UNKNOWN,
        group_id=ended.group_id if ended else intent.change.group.id,
        request_id=ended.request_id if ended else None,
        error=ended.error if ended else "the journal does not say how it ended",
        roles=intent.roles,
    )


@frozen(kw_only=True)
class Verification:
    """What the digests in a journal tell of it.

    Attributes:
        run: The ID of the run.
        lines: How many lines are there.
        has_digests: Whether it has any; journals of earlier versions have none.
        problems: What was changed or is missing, a sentence each.
    """

    run: str
    lines: int
    has_digests: bool
    problems: tuple[str, ...] = ()


def verify_runs(directory: Path) -> tuple[Verification, ...]:
    """Return what the digests in the journals of an account tell, the latest run first.

    Each line carries the digest of the line before, and the first one that of the last line of the
    run before. So nothing shows whether the last line of the latest run was changed, or whether
    lines at its end are missing. The digests are no signatures: who can write the journals can
    write them anew.

    Args:
        directory: The directory of the account's journals; see `state_directory`.
    """
    runs = list_runs(directory)
    contents = [_lines(each.path) for each in runs]
    chains = [[_previous_of(line) for line in lines] for lines in contents]
    by_number = {each.run.header.sequence: each.id for each in runs if each.run is not None}
    ends: dict[str, str] = {}  # the digest of a run's last line, as the run after has it
    oldest = max((at for at, chain in enumerate(chains) if any(chain)), default=0)
    found: list[Verification] = []
    for each, lines, chain in zip(runs, contents, chains, strict=True):
        problems = [each.error] if each.error else []
        if has_digests := any(previous is not None for previous in chain):
            problems += _broken(lines, chain)
        if (end := ends.get(each.id)) and (not lines or digest_of(lines[-1]) != end):
            problems.append(f"line {len(lines)} was changed, or lines after it are missing")
        if not (has_digests or problems) and len(found) < oldest:
            problems.append("its digests were taken out, or an earlier version wrote it since")
        if each.run is not None:
            if each.run.id != each.id:
                what = f"it is the journal of {each.run.id}"
                problems.append(f"the file was renamed or copied: {what}")
            before = by_number.get((each.run.header.sequence or 0) - 1)
            if chain[0] and before is not None:
                ends[before] = chain[0]
        found.append(
            Verification(
                run=each.id, lines=len(lines), has_digests=has_digests, problems=tuple(problems)
            )
        )
    return tuple(found)


def missing_numbers(runs: Iterable[RunSummary]) -> list[int]:
    """Return the numbers of runs that are not there, between the first and the last that are."""
    numbers = {each.run.header.sequence or 0 for each in runs if each.run is not None} - {0}
    return sorted(set(range(min(numbers, default=0), max(numbers, default=0))) - numbers)


def _lines(path: Path) -> list[bytes]:
    try:
        return whole_lines(path.read_bytes())
    except OSError:
        return []


def _previous_of(line: bytes) -> str | None:
    try:
        return _CHAINED.decode(line).previous
    except ValueError:
        return None


def _broken(lines: Sequence[bytes], chain: Sequence[str | None]) -> Iterator[str]:
    for number, (line, previous) in enumerate(zip(lines, chain[1:], strict=False), start=1):
        if previous is None:
            yield f"line {number + 1} has no digest: it was changed or inserted"
        elif previous != digest_of(line):
            yield f"line {number} was changed, or the line after it is missing"


@frozen(kw_only=True)
class Pruning:
    """Which journals may be deleted.

    Attributes:
        runs: Those that may, the latest first.
        kept: Those that are old enough and are kept, each with the reason.
    """

    runs: tuple[RunSummary, ...] = ()
    kept: tuple[tuple[RunSummary, str], ...] = ()


def prunable(runs: Sequence[RunSummary], before: datetime) -> Pruning:
    """Return which journals of runs that ended before a time may be deleted.

    Never that of the latest run that can be read, which tells the number of the next one and what
    `undo` undoes; nor one that has not ended or cannot be read, of which nobody knows what it did;
    nor that of a run that a later one undid, while that is kept.

    Args:
        runs: The runs of an account, the latest first.
        before: The time, aware.
    """
    gone: list[RunSummary] = []
    kept: list[tuple[RunSummary, str]] = []
    undone: dict[str, str] = {}
    latest = next((each for each in runs if each.run is not None), None)
    for each in runs:
        end = each.run.end if each.run is not None else None
        ended_at = each.started_at if end is None else end.at
        is_old = ended_at is None or ended_at < before
        if each.run is None:
            why = "it cannot be read"
        elif end is None:
            why = "it was broken off"
        elif each is latest:
            why = "it is the latest run"
        else:
            why = f"run {undone[each.id]} undid it" if each.id in undone else ""
        if is_old and not why:
            gone.append(each)
            continue
        if is_old:
            kept.append((each, why))
        if each.run is not None and each.run.header.plan.undoes:
            undone[each.run.header.plan.undoes] = each.id
    return Pruning(runs=tuple(gone), kept=tuple(kept))


def delete_journals(runs: Iterable[RunSummary]) -> None:
    """Delete the journals of runs; the account's lock must be held.

    Raises:
        OSError: One cannot be deleted.
    """
    for run in runs:
        run.path.unlink(missing_ok=True)
