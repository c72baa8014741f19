"""CSV and JSON lines: one membership a row, its columns by name."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection
from typing import NamedTuple

from cld_user_groups.membership.problems import did_you_mean, quoted

from .content import is_unicode
from .fields import Fields

COLUMNS = ("group", "email", "id", "reason", "until")
_DELIMITERS = (",", ";", "\t")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class ListedRow(NamedTuple):
    """One membership as written; absent values are left out."""

    line: int
    values: dict[str, str]


def parse_csv(text: str, fields: Fields, columns: Collection[str]) -> list[ListedRow]:
    """Return the rows of a CSV file that may have these columns, the header aside.

    Commas, semicolons and tabs separate cells, whichever the header or a line `sep=;` shows. Rows
    and columns with nothing in them are left out.
    """
    first, skipped, delimiter = first_line(text), 0, ""
    if first.strip().strip('"').lower().startswith("sep="):
        delimiter = first.lstrip().strip('"')[4:5]
        blank, _, text = text.partition(first)
        text = _LINE_BREAK.sub("", text, count=1)
        skipped = len(_LINE_BREAK.findall(blank)) + 1
        first = first_line(text)
    if not delimiter:
        delimiter = max(_DELIMITERS, key=first.count)
    before = len(fields.problems)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[ListedRow] = []
    header: list[str] = []
    line = skipped
    try:
        for cells in reader:
            begun, line = line + 1, skipped + reader.line_num
            if not any(map(str.strip, cells)):
                continue
            if not header:
                header = _header(cells, begun, fields, columns)
                if not header:
                    return []
                continue
            values = _cells(cells, header, delimiter, begun, fields)
            if values is not None:
                rows.append(ListedRow(begun, values))
    except csv.Error as error:
        hint = "is the file truncated?" if "end of data" in str(error) else ""
        fields.problem(line + 1, f"not CSV: {error}", hint)
    return _complete(rows, fields, before)


def first_line(text: str) -> str:
    """Return the first line that is not blank, however its lines end."""
    return next((line for line in _LINE_BREAK.split(text[:10_000]) if line.strip()), "")


def _cells(
    cells: list[str], header: list[str], delimiter: str, line: int, fields: Fields
) -> dict[str, str] | None:
    """Return the values of a row by column, or None if they have a problem, which is added."""
    before = len(fields.problems)
    filled = max(number for number, cell in enumerate(cells, start=1) if cell.strip())
    if len(cells) < len(header) or filled > len(header):
        message = f"{len(cells)} cells in a row, {len(header)} in the header"
        hint = f"quote a cell that has {quoted(delimiter)} in it"
        fields.problem(
            line, message, "is the file truncated?" if len(cells) < len(header) else hint
        )
    values: dict[str, str] = {}
    for name, cell in zip(header, cells, strict=False):
        value = cell.strip()
        if value and not name:
            fields.problem(line, f"{quoted(value)} is in a column without a name")
        elif "\n" in cell or "\r" in cell:
            _check_line_break(name, cell, delimiter, line, fields)
        if value:
            values[name] = value
    return values if len(fields.problems) == before else None


def _check_line_break(name: str, cell: str, delimiter: str, line: int, fields: Fields) -> None:
    """Note a problem where a stray quote may have swallowed rows: a reason may have lines."""
    _, *others = _LINE_BREAK.split(cell)
    if name != "reason":
        fields.problem(line, f"a line break in {quoted(name)}", "is there a stray quote?")
    elif any(delimiter in other and "@" in other for other in others):
        fields.problem(line, "a row inside a `reason`", "is there a stray quote?")


def _header(cells: list[str], line: int, fields: Fields, columns: Collection[str]) -> list[str]:
    """Return the names of the columns; nothing if a row cannot be read by them."""
    before = len(fields.problems)
    names = [cell.strip().casefold() for cell in cells]
    while not names[-1]:
        del names[-1]
    if any("@" in name for name in names):
        hint = "the first row must name the columns: " + ", ".join(columns)
        fields.problem(line, "the header is missing", hint)
        return []
    for cell, name in zip(cells, names, strict=False):
        if name and name not in columns:
            fields.problem(line, f"unknown column {quoted(cell)}", did_you_mean(name, columns))
    for name in columns:
        if names.count(name) > 1:
            fields.problem(line, f"the column {quoted(name)} occurs twice")
    if "group" in columns and "group" not in names:
        fields.problem(line, "the column `group` is missing")
    if "email" not in names and "id" not in names:
        fields.problem(line, "the column `email` is missing")
    return names if len(fields.problems) == before else []


def parse_json_lines(text: str, fields: Fields, columns: Collection[str]) -> list[ListedRow]:
    """Return the rows of a file that has a JSON object a line, which may have these keys."""
    before = len(fields.problems)
    rows: list[ListedRow] = []
    for number, line in enumerate(_LINE_BREAK.split(text), start=1):
        if not line.strip():
            continue
        try:
            pairs = json.loads(line, object_pairs_hook=_Pairs)
        except (ValueError, RecursionError) as error:
            said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            fields.problem(number, f"not JSON: {said}", "one object a line; is the file truncated?")
            continue
        if not isinstance(pairs, _Pairs):
            fields.problem(number, "not a JSON object", 'write {"group": …}')
            continue
        values = _texts(pairs, columns, number, fields)
        if values is not None:
            rows.append(ListedRow(number, values))
    return _complete(rows, fields, before)


class _Pairs(list[tuple[str, object]]):
    """The pairs of a JSON object."""


def _texts(
    pairs: _Pairs, known: Collection[str], line: int, fields: Fields
) -> dict[str, str] | None:
    """Return the values of a row, or None if they have a problem, which is added."""
    before = len(fields.problems)
    values: dict[str, str] = {}
    seen: set[str] = set()
    for name, value in pairs:
        if name not in known:
            fields.problem(line, f"unknown key {quoted(name)}", did_you_mean(name, known))
        elif name in seen:
            fields.problem(line, f"the key {quoted(name)} occurs twice")
        elif isinstance(value, str) and is_unicode(value):
            if name != "reason" and ("\n" in value or "\r" in value):
                fields.problem(line, f"a line break in {quoted(name)}")
            if value.strip():
                values[name] = value.strip()
        elif value is not None:
            fields.problem(line, f"{quoted(name)} must be text")
        seen.add(name)
    return values if len(fields.problems) == before else None


def _complete(rows: list[ListedRow], fields: Fields, before: int) -> list[ListedRow]:
    if not rows and len(fields.problems) == before:
        fields.problem(None, "there are no rows", "an empty source is an error")
    return rows
