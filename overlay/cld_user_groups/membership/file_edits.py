"""The edit of a file without which its next run would revert removals that others decided."""

from __future__ import annotations

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from attrs import frozen

from cld_user_groups.identity import email_key

from .explaining import listing_of
from .files import read_edited
from .files.content import decode_text
from .files.row_format import RowFormat
from .grants import GroupRef
from .model import Desired, DesiredGroup, DesiredMember, Member, UserRef
from .problems import FileError, Problem, printable, quoted

_ROWS = (".csv", ".jsonl", ".ndjson")
# How many lines of a mapping are looked at, from the one of its member.
_LONGEST = 12


@frozen
class RemovalEdit:
    """How to take memberships out of a file.

    Attributes:
        diff: The lines of a unified diff. It was tried: the file then lists all others as before.
        by_hand: The places that it leaves to a human, with whom to remove from which group.
    """

    diff: tuple[str, ...] = ()
    by_hand: tuple[Problem, ...] = ()


class _Line(str):
    """A line of a file, equal to itself alone: a diff of lines that repeat is slow, and long."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


@frozen(eq=False)
class _Removal:
    group: DesiredGroup
    member: DesiredMember
    hint: str

    @property
    def name(self) -> str:
        return self.member.email or self.member.id or ""

    @property
    def problem(self) -> Problem:
        message = f"remove {quoted(self.name)} from {quoted(self.group.name)}"
        return Problem(self.member.source, self.member.line, message, self.hint)


def removal_edit(
    ended: Iterable[tuple[GroupRef, UserRef]],
    file: Desired,
    today: date,
    rows: RowFormat | None = None,
) -> RemovalEdit:
    """Return the edit of a file after which its next run does not bring back who was removed.

    Args:
        ended: From which groups, and whom.
        file: The file, as it was read.
        today: The day for which the file is read.
        rows: How it was read, where another program has written its rows.
    """
    removals = list(_removals(ended, file, today))
    places: defaultdict[tuple[str, int], list[_Removal]] = defaultdict(list)
    for each in removals:
        if not each.hint and each.member.source != "-":
            places[each.member.source, each.member.line].append(each)
    listed = Counter((each.source, each.line) for group in file.groups for each in group.members)
    texts: dict[str, tuple[list[_Line], list[str]]] = {}
    edited: set[_Removal] = set()
    try:
        for (source, line), found in sorted(places.items(), reverse=True):
            if source not in texts:
                text = decode_text(Path(source).read_bytes(), source)
                lines = [_Line(each) for each in text.splitlines(keepends=True)]
                texts[source] = lines, list[str](lines)
            is_all = listed[source, line] == len(found)
            if _take_out(texts[source][1], source, line, found, is_all=is_all):
                edited.update(found)
        after = {source: "".join(lines).encode() for source, (_, lines) in texts.items()}
        left = _listed(file) - Counter(_key(each.group, each.member) for each in edited)
        if edited and _listed(read_edited(file.source, after, rows)) != left:
            edited = set()
    except (OSError, FileError):  # what is left is no such file, or it has changed meanwhile
        edited = set()
    diffs = (difflib.unified_diff(*both, name, name, n=1) for name, both in texts.items() if edited)
    return RemovalEdit(
        tuple(shown for diff in diffs for line in diff for shown in _shown(line)),
        tuple(each.problem for each in removals if each not in edited),
    )


def _shown(line: str) -> Iterator[str]:
    yield printable(line.rstrip("\r\n"))
    if not line.endswith("\n"):
        yield r"\ No newline at end of file"


def _removals(
    ended: Iterable[tuple[GroupRef, UserRef]], file: Desired, today: date
) -> Iterator[_Removal]:
    """Yield the memberships that end and that the file lists."""
    found: list[tuple[DesiredGroup, DesiredMember]] = []
    for group_ref, user in ended:
        listing = listing_of(file, group_ref, Member(id=user.id, email=user.email), today)
        if listing.is_wanted and listing.group and listing.member:
            found.append((listing.group, listing.member))
    counts = Counter(id(group) for group, _ in found)
    for group, member in found:
        # Of rows alone, a group without any is not named, and left alone.
        is_emptied = len(group.members) == counts[id(group)] and not group.source.endswith(_ROWS)
        hint = "then nobody is left: write `members: []` and `allow_empty: true`"
        yield _Removal(group, member, hint if is_emptied else "")


def _take_out(
    lines: list[str], source: str, line: int, found: Sequence[_Removal], *, is_all: bool
) -> bool:
    """Take members out of lines; return whether that worked. Lines above stay where they are."""
    at, end = line - 1, line
    if at >= len(lines):
        return False
    is_row, dash = source.endswith(_ROWS), re.match(r" *(?=- )", lines[at])
    if not (is_row or (dash and is_all)):
        return _take_items(lines, at, found)
    if source.endswith(".csv"):  # a cell may have line breaks
        quotes = lines[at].count('"')
        while quotes % 2 and end < len(lines):
            quotes += lines[end].count('"')
            end += 1
    elif dash:
        while end < len(lines) and lines[end].startswith(dash[0] + " "):
            end += 1
    if is_all:  # not a row of several groups
        del lines[at:end]
    return is_all


def _take_items(lines: list[str], at: int, found: Sequence[_Removal]) -> bool:
    """Take items out of a list in brackets that has them on a line; return whether that worked."""
    first, last = max(0, at - 1), at + _LONGEST
    before, text = "".join(lines[first:at]), "".join(lines[at:last])
    for each in found:
        name = rf"(['\"]?){re.escape(each.name)}"
        mapping = rf"\{{[^{{}}]*(?<=[\s:]){name}\2(?=[\s,}}])[^{{}}]*\}}"
        match = re.search(rf"(?<=[\[,\s])(?:{name}\1|{mapping})(?=\s*[,\]])", text)
        if match is None or "\n" in text[: match.start()]:
            return False
        head, tail = before + text[: match.start()], text[match.end() :]
        if comma := re.match(r"\s*,\s*", tail):
            tail = tail[comma.end() :]
        else:  # the last one of its list
            head = re.sub(r",\s*\Z", "", head)
        before, text = head[: len(before)], head[len(before) :] + tail
    old, new = lines[first:last], (before + text).splitlines(keepends=True)
    codes = difflib.SequenceMatcher(None, [*map(str, old)], new).get_opcodes()
    pieces = (old[a:b] if code == "equal" else new[c:d] for code, a, b, c, d in codes)
    lines[first:last] = [line for piece in pieces for line in piece]
    return True


def _key(group: DesiredGroup, member: DesiredMember) -> tuple[object, ...]:
    return group.id, group.name, member.id, email_key(member.email or ""), member.until


def _listed(file: Desired) -> Counter[tuple[object, ...]]:
    return Counter(_key(group, each) for group in file.groups for each in group.members)
