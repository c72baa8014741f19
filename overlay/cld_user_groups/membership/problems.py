"""The problems of a file or a plan, each with its place, and the errors that carry them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager

from attrs import frozen

from cld_user_groups.identity import printable as printable

# More than a reader takes in at once; `problems` has them all.
_SHOWN = 30
_LONGEST = 120


@frozen
class Problem:
    """One thing that is wrong.

    Attributes:
        source: The file that it is in, "-" for standard input, "" for the command line.
        line: Its line in that file, from 1, or None if it concerns no line.
        message: What is wrong, with the value.
        hint: What to do about it, or "".
    """

    source: str
    line: int | None
    message: str
    hint: str = ""

    def __str__(self) -> str:
        said = f"{self.message}; {self.hint}" if self.hint else self.message
        if not self.source:
            return said
        place = printable(self.source) + ("" if self.line is None else f":{self.line}")
        return f"{place}: {said}"


class MembershipError(ValueError):
    """The base class of the errors about a file, an account or a plan.

    Attributes:
        problems: Everything that is wrong, in the order of the file.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(*self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"and {len(self.problems) - _SHOWN} more problems")
        return "\n".join(lines)


class FileError(MembershipError):
    """A file that cannot be read, or is not valid."""


class AccountError(MembershipError):
    """The groups and users of the account contradict each other."""


class PlanError(MembershipError):
    """A file that does not fit the account: unknown people, ambiguous groups, names in use."""


class PlanFileError(MembershipError):
    """A saved plan that cannot be read."""


def in_file_order(problems: Iterable[Problem], source: str) -> list[Problem]:
    """Return problems by line, those of the file itself before those of files it includes."""
    return sorted(problems, key=lambda at: (at.source != source, at.source, at.line or 0))


@contextmanager
def naming_file(path: str | os.PathLike[str]) -> Generator[None]:
    """Name a file in an error that the system raises without its name, as for a full disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = os.fspath(path)
        raise


def quoted(text: str) -> str:
    """Return text as a message shows it: printable, in backquotes, not too long."""
    shown = printable(text[: _LONGEST + 1])
    return f"`{shown}`" if len(text) <= _LONGEST else f"`{shown[:_LONGEST]}…`"


def listed(texts: Sequence[str], most: int = 10) -> str:
    """Return texts as a message lists them, not too many."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(map(quoted, texts[:most])) + more


def close_to(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return a hint that names the known word most like this one, or ""."""
    folded = {each.casefold(): each for each in reversed(list(known))}
    close = difflib.get_close_matches(word.strip().casefold(), folded, n=1, cutoff=cutoff)
    return f"did you mean {quoted(folded[close[0]])}?" if close else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the known word most like this one, or all where none is like it."""
    words = list(known)
    return close_to(word, words) or "known: " + ", ".join(words)
