"""Tables on a terminal, by rich."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from cld_user_groups.membership import printable

from .output import has_color
from .tables import Cell, Column, Table, as_text

_GAP = 2


def show_table(table: Table) -> None:
    """Print a table: a header, and one row a line where the terminal is wide enough."""
    console = _console()
    rows = [[_shown(cell) for cell in row] for row in table.rows]
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    kept = _fitting(table.columns, rows, console.width)
    for position in kept:
        column = table.columns[position]
        grid.add_column(
            _title(column), justify="right" if column.is_number else "left", overflow="fold"
        )
    for row in rows:
        grid.add_row(*(Text(row[position]) for position in kept))
    _print(console, table, grid)


def show_record(table: Table) -> None:
    """Print each row as a list of the columns' names and its values."""
    grid = Grid(box=None, pad_edge=False, show_header=False)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for row in table.rows:
        for column, cell in zip(table.columns, row, strict=True):
            grid.add_row(_title(column), Text(_shown(cell)))
    _print(_console(), table, grid)


def _fitting(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the positions of the columns that are shown: without the last extra ones if needed."""
    widths = [
        max([len(column.name), *(cell_len(row[position]) for row in rows)])
        for position, column in enumerate(columns)
    ]
    kept = list(range(len(columns)))
    for position in reversed(kept.copy()):
        if sum(widths[each] + _GAP for each in kept) - _GAP <= width:
            break
        if columns[position].is_extra:
            kept.remove(position)
    return kept


def _shown(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return f"{cell.astimezone(UTC):%Y-%m-%d %H:%MZ}"
    return as_text(cell)


def _title(column: Column) -> str:
    return column.name.replace("_", " ").upper()


def _console() -> Console:
    # Without a color system nothing is bold either.
    return Console(file=sys.stdout, color_system="auto" if has_color(sys.stdout) else None)


def _print(console: Console, table: Table, grid: Grid) -> None:
    if table.heading:
        console.print(Text(printable(table.heading), style="bold"))
    if table.rows:
        console.print(grid)
