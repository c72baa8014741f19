"""CSV and JSON lines: one membership a row, its columns by name."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import NamedTuple

from cld_user_groups.membership.problems import did_you_mean, quoted

from ._fields import Fields
from ._text import is_unicode

COLUMNS = ("group", "email", "id", "reason", "until")
_DELIMITERS = (",", ";", "\t")


class Row(NamedTuple):
    """One membership as written; absent values are left out."""

    line: int
    values: dict[str, str]


def parse_csv(text: str, fields: Fields, columns: Iterable[str]) -> list[Row]:
    """Return the rows of a CSV file, the header aside.

    Commas, semicolons and tabs separate cells, whichever the header or a line `sep=;` shows. An
    unknown or missing column, a row with more or fewer cells than the header, a quote that is not
    closed, and a file without rows are noted as problems.

    Args:
        text: The file.
        fields: Where problems are noted.
        columns: The columns that it may have.
    """
    first, _, rest = text.partition("\n")
    skipped = 0
    delimiter = None
    if first.strip().strip('"').lower().startswith("sep="):
        delimiter = first.strip("\r\n").strip('"')[4:5]
        text, skipped = rest, 1
        first = rest.partition("\n")[0]
    if not delimiter:
        delimiter = max(_DELIMITERS, key=first.count)
    before = len(fields.problems)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    header: list[str] = []
    line = skipped
    try:
        for cells in reader:
            begun, line = line + 1, skipped + reader.line_num
            if not cells:
                continue
            if not header:
                header = _header(cells, begun, fields, columns)
                if not header:
                    return []
            elif len(cells) != len(header):
                hint = "is the file truncated?" if len(cells) < len(header) else "quote the cell"
                message = f"{len(cells)} cells in a row, {len(header)} in the header"
                fields.problem(begun, message, hint)
            else:
                pairs = zip(header, cells, strict=True)
                values = {name: stripped for name, cell in pairs if (stripped := cell.strip())}
                rows.append(Row(begun, values))
    except csv.Error as error:
        hint = "is the file truncated?" if "end of data" in str(error) else ""
        fields.problem(line + 1, f"not CSV: {error}", hint)
    return _complete(rows, fields, before)


def _header(cells: list[str], line: int, fields: Fields, columns: Iterable[str]) -> list[str]:
    """Return the names of the columns; nothing if a row cannot be read by them."""
    known = tuple(columns)
    before = len(fields.problems)
    names = [cell.strip().casefold() for cell in cells]
    for cell, name in zip(cells, names, strict=True):
        if name not in known:
            fields.problem(line, f"unknown column {quoted(cell)}", did_you_mean(name, known))
    for name in known:
        if names.count(name) > 1:
            fields.problem(line, f"the column {quoted(name)} occurs twice")
    if "group" in known and "group" not in names:
        fields.problem(line, "the column `group` is missing")
    if "email" not in names and "id" not in names:
        fields.problem(line, "the column `email` is missing")
    return names if len(fields.problems) == before else []


def parse_json_lines(text: str, fields: Fields, columns: Iterable[str]) -> list[Row]:
    """Return the rows of a file that has a JSON object a line.

    A line that is not such an object, and a file without rows, are noted as problems.

    Args:
        text: The file.
        fields: Where problems are noted.
        columns: The keys that an object may have.
    """
    known = tuple(columns)
    before = len(fields.problems)
    rows: list[Row] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            pairs = json.loads(line, object_pairs_hook=_Object)
        except (ValueError, RecursionError) as error:
            said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            fields.problem(number, f"not JSON: {said}", "one object a line; is the file truncated?")
            continue
        if not isinstance(pairs, _Object):
            fields.problem(number, "not a JSON object", 'write {"group": …}')
            continue
        values = _texts(pairs, known, number, fields)
        if values is not None:
            rows.append(Row(number, values))
    return _complete(rows, fields, before)


class _Object(list[tuple[str, object]]):
    """The pairs of a JSON object."""


def _texts(
    pairs: _Object, known: tuple[str, ...], line: int, fields: Fields
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
            if value.strip():
                values[name] = value.strip()
        elif value is not None:
            fields.problem(line, f"{quoted(name)} must be text")
        seen.add(name)
    return values if len(fields.problems) == before else None


def _complete(rows: list[Row], fields: Fields, before: int) -> list[Row]:
    if not rows and len(fields.problems) == before:
        fields.problem(None, "there are no rows", "an empty source is an error")
    return rows
