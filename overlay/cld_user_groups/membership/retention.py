"""The journals over time: whether they are as they were written, and which may be deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from attrs import frozen

from .journal import Chained, digest_of, whole_lines
from .runs import RunSummary, list_runs

# Made here, for msgspec must not examine a class in two threads at once.
_CHAINED = msgspec.json.Decoder(Chained)


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
    contents = {run.id: _lines(run) for run in runs}
    by_number = {each.run.header.sequence: each.id for each in runs if each.run is not None}
    ends: dict[str, str] = {}  # the digest of a run's last line, as the run after has it
    found: list[Verification] = []
    chains = [[_previous_of(line) for line in contents[run.id]] for run in runs]
    oldest = max((at for at, chain in enumerate(chains) if any(chain)), default=0)
    for position, (each, chain) in enumerate(zip(runs, chains, strict=True)):
        lines = contents[each.id]
        problems = [each.error] if each.error else []
        if has_digests := any(previous is not None for previous in chain):
            problems += _broken(lines, chain)
        if (end := ends.get(each.id)) and (not lines or digest_of(lines[-1]) != end):
            problems.append(f"line {len(lines)} was changed, or lines after it are missing")
        if not (has_digests or problems) and position < oldest:
            problems.append("its digests were taken out, or an earlier version wrote it since")
        if each.run is not None and each.run.id != each.id:
            problems.append(f"the file was renamed or copied: it is the journal of {each.run.id}")
        number = each.run.header.sequence if each.run is not None else None
        if number is not None and chain[0] and number - 1 in by_number:
            ends[by_number[number - 1]] = chain[0]
        found.append(
            Verification(
                run=each.id, lines=len(lines), has_digests=has_digests, problems=tuple(problems)
            )
        )
    return tuple(found)


def missing_numbers(runs: Iterable[RunSummary]) -> list[int]:
    """Return the numbers of runs that are not there, between the first and the last that are."""
    numbers = {each.run.header.sequence or 0 for each in runs if each.run is not None} - {0}
    return sorted(set(range(min(numbers, default=0), max(numbers, default=0))) - numbers - {0})


def _lines(run: RunSummary) -> list[bytes]:
    try:
        return whole_lines(run.path.read_bytes())
    except OSError:
        return []


def _previous_of(line: bytes) -> str | None:
    try:
        return _CHAINED.decode(line).previous
    except msgspec.MsgspecError:
        return None


def _broken(lines: Sequence[bytes], chain: Sequence[str | None]) -> list[str]:
    problems: list[str] = []
    for number, (line, previous) in enumerate(zip(lines, chain[1:], strict=False), start=1):
        if previous is None:
            problems.append(f"line {number + 1} has no digest: it was changed or inserted")
        elif previous != digest_of(line):
            problems.append(f"line {number} was changed, or the line after it is missing")
    return problems


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
