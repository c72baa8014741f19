"""Tables on a terminal, by rich."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from cld_user_groups.membership import printable

from .output import has_color
from .tables import Column, Table, as_text


def show_table(table: Table) -> None:
    """Print a table: a header, and one row a line where the terminal is wide enough."""
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for column in table.columns:
        grid.add_column(
            _title(column), justify="right" if column.is_number else "left", overflow="fold"
        )
    for row in table.rows:
        grid.add_row(*(Text(as_text(cell)) for cell in row))
    _print(table, grid)


def show_record(table: Table) -> None:
    """Print each row as a list of the columns' names and its values."""
    grid = Grid(box=None, pad_edge=False, show_header=False)
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for row in table.rows:
        for column, cell in zip(table.columns, row, strict=True):
            grid.add_row(_title(column), Text(as_text(cell)))
    _print(table, grid)


def _title(column: Column) -> str:
    return column.name.replace("_", " ").upper()


def _print(table: Table, grid: Grid) -> None:
    # Without a color system nothing is bold either.
    console = Console(file=sys.stdout, color_system="auto" if has_color(sys.stdout) else None)
    if table.heading:
        console.print(Text(printable(table.heading), style="bold"))
    if table.rows:
        console.print(grid)
