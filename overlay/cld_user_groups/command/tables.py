"""Tables: one description of columns and rows, and what each format makes of it.

On a terminal, text is a table for people. In a pipe it is TSV: a header and one row a line, with
columns whose order does not change, and nothing of a terminal's in it. All formats but JSON have
control characters escaped, line breaks and tabs among them.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any, TypeAlias

import click
from attrs import field, frozen

from cld_user_groups.identity import printable

from . import membership
from .options import Settings
from .output import cells_of, has_color, print_json, print_result, wrapped


@frozen
class Lines:
    """Texts, a line each on a terminal; elsewhere one text, with semicolons between them."""

    texts: Sequence[str]

    def __str__(self) -> str:
        return "; ".join(self.texts)


#: A value: a text or several, a number, a time, groups (text has their names), or None where it is
#: not known.
Cell: TypeAlias = "str | int | bool | datetime | Lines | tuple[membership.GroupRef, ...] | None"

_MARK = "- "  # of each text, where a cell has several
# Between the columns on a terminal.
_GAP = 2
# A column of several words that is as wide reads well.
_ENOUGH = 30


@frozen
class Column:
    """A column, by the key in JSON, and header elsewhere: lower case, words joined by "_"."""

    name: str
    is_number: bool = False  # aligned to the right on a terminal
    is_extra: bool = False  # left out of a terminal that is too narrow for all columns

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.name.replace("_", " ")


@frozen
class Table:
    """What a command prints, in any format."""

    name: str  # what `format` has between `cld-user-groups/` and its version
    account: str
    key: str  # of the rows in the JSON document
    columns: tuple[Column, ...]  # new ones come last: whoever reads TSV may count
    rows: Sequence[Sequence[Cell]]
    empty: str = ""  # the message on standard error where there are no rows
    heading: str = ""  # above the table on a terminal
    details: Mapping[str, Any] = field(factory=dict[str, Any])  # what else the document has


def columns(*names: str) -> tuple[Column, ...]:
    """Return columns of these names, several in a text: `#members` has numbers, `id?` is extra."""
    found = [name for text in names for name in text.split()]
    return tuple(Column(name.strip("#?"), name[0] == "#", name[-1] == "?") for name in found)


def print_table(
    table: Table,
    settings: Settings,
    *,
    is_record: bool = False,
    lines: Callable[[bool], Iterable[str]] | None = None,
) -> None:
    """Write a table to standard output, in the chosen format.

    On a terminal, a record has a column a line, and `lines` returns what is shown instead.
    """
    if settings.is_json:
        print_json(as_document(table))
    elif settings.format == "csv":
        print_result(as_csv(table))
    elif settings.format == "markdown":
        print_result(as_markdown(table))
    elif not sys.stdout.isatty():
        print_result(as_tsv(table))
    elif lines is None:
        width = shutil.get_terminal_size().columns
        if text := "\n".join(as_lines(table, width, is_record=is_record)):
            settings.show(text)
    elif table.rows:
        settings.show("\n".join(lines(has_color(sys.stdout))))
    if not table.rows and table.empty:
        settings.say(table.empty)


def as_document(table: Table) -> dict[str, Any]:
    """Return the JSON document: its format, the account, the details, and an object a row."""
    names = [column.name for column in table.columns]
    return {
        "format": f"cld-user-groups/{table.name}/1",
        "account": table.account,
        **table.details,
        table.key: [dict(zip(names, map(_as_json, row), strict=True)) for row in table.rows],
    }


def as_tsv(table: Table) -> str:
    """Return tab-separated values, the header first."""
    return "".join("\t".join(cells) + "\n" for cells in _lines(table))


def as_csv(table: Table) -> str:
    """Return comma-separated values, for spreadsheets; none of them is run as a formula."""
    return membership.files.rows.write_csv(_lines(table))


def as_markdown(table: Table) -> str:
    """Return a table in GitHub's Markdown; every text is a code span, where nothing is markup."""
    header = [column.title for column in table.columns]
    rules = ["---:" if column.is_number else "---" for column in table.columns]
    rows = [[_as_markdown(cell) for cell in row] for row in table.rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (header, rules, *rows))


def _lines(table: Table) -> list[list[str]]:
    header = [column.name for column in table.columns]
    return [header, *([_as_text(cell) for cell in row] for row in table.rows)]


def _as_text(cell: Cell, time_format: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    """Return a cell as text: times in UTC, groups by name."""
    match cell:
        case None:
            return ""
        case str():  # most cells are
            return printable(cell)
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return f"{cell.astimezone(UTC):{time_format}}"
        case tuple():
            return printable(", ".join(group.name for group in cell))
        case _:
            return printable(str(cell))


def _as_seen(cell: Cell) -> str:
    """Return a cell for a terminal: the only text with line breaks, those between `Lines`."""
    if isinstance(cell, Lines):
        mark = _MARK if len(cell.texts) > 1 else ""
        return "\n".join(f"{mark}{printable(text)}" for text in cell.texts)
    return _as_text(cell, "%Y-%m-%d %H:%MZ")


def _as_json(cell: Cell) -> object:
    if isinstance(cell, Lines):
        return str(cell)
    if isinstance(cell, tuple):
        return [{"id": group.id, "name": group.name} for group in cell]
    return cell


def _as_markdown(cell: Cell) -> str:
    text = _as_text(cell)
    if not text or not isinstance(cell, str | tuple | Lines):
        return text
    return membership.rendering.code_span(text).replace("|", "\\|")


def as_lines(table: Table, width: int, *, is_record: bool = False) -> Iterator[str]:
    """Yield a table for people: a row a line, or a column a line where that is too wide."""
    rows = [[_as_seen(cell) for cell in row] for row in table.rows]
    kept = _fitting(table.columns, rows, width)
    columns = [table.columns[position] for position in kept]
    cells = [[row[position] for position in kept] for row in rows]
    titles = [column.title.upper() for column in columns]
    least, widths = _sizes(titles, cells)
    if table.heading:
        yield from map(_bold, wrapped(printable(table.heading), width))
    if not rows or is_record or sum(least) + _GAP * (len(least) - 1) > width:
        yield from _records(table, rows, width)
        return
    while sum(widths) + _GAP * (len(widths) - 1) > width:
        widest = max(range(len(widths)), key=lambda at: (widths[at] > least[at]) * (widths[at] + 1))
        widths[widest] -= 1
    for number, row in enumerate([titles, *cells]):
        columns_of_lines = [_cell_lines(text, size) for text, size in zip(row, widths, strict=True)]
        for parts in zip_longest(*columns_of_lines, fillvalue=""):
            padded = [
                pad + text if column.is_number else text + pad
                for text, column, size in zip(parts, columns, widths, strict=True)
                for pad in (" " * (size - cells_of(text)),)
            ]
            line = (" " * _GAP).join(padded).rstrip()
            yield line if number else _bold(line)


def _records(table: Table, rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Yield a row as a column a line, with an empty line between rows."""
    indent = max((len(column.title) for column in table.columns), default=0) + _GAP
    for number, row in enumerate(rows):
        yield from [""] if number else ()
        for column, text in zip(table.columns, row, strict=True):
            title = column.title.upper()
            lines = _cell_lines(text, width - indent)
            if max(map(cells_of, lines)) > width - indent:  # it needs a line of its own
                yield _bold(title)
                yield from _cell_lines(text, width)
                continue
            yield f"{_bold(title.ljust(indent))}{lines[0]}".rstrip()
            yield from (" " * indent + line for line in lines[1:])


def _cell_lines(text: str, width: int) -> list[str]:
    """Return a cell in lines of a width; what goes on after a mark stands behind it."""
    hangs = ((line, len(_MARK) * line.startswith(_MARK)) for line in text.split("\n"))
    return [part for line, hang in hangs for part in wrapped(line, width, hang)]


def _bold(text: str) -> str:
    return click.style(text, bold=True) if has_color(sys.stdout) else text


def _sizes(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[int], list[int]]:
    """Return how wide each column must be for its longest word, and for its longest line."""
    columns = [*zip(titles, *rows, strict=True)]
    least = [
        max(cells_of(word) for text in each for word in text.split() or [""]) for each in columns
    ]
    most = [max(cells_of(line) for text in each for line in text.split("\n")) for each in columns]
    return least, most


def _fitting(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the positions of the columns that are shown: without the last extra ones if needed.

    A column that wraps between words needs no more than `_ENOUGH`. All are shown where the first,
    such as an e-mail, does not tell every row.
    """
    sizes = _sizes([column.title for column in columns], rows)
    needed = [max(least, min(most, _ENOUGH)) for least, most in zip(*sizes, strict=True)]
    kept = list(range(len(columns)))
    for position in reversed(kept.copy()):
        if sum(needed[each] + _GAP for each in kept) - _GAP <= width:
            break
        if columns[position].is_extra and all(row[0] for row in rows):
            kept.remove(position)
    return kept
