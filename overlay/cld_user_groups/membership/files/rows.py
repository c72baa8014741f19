"""CSV and JSON lines: one membership a row, its columns by name."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from cld_user_groups.membership.problems import did_you_mean, quoted

from .content import is_unicode
from .fields import Fields

COLUMNS = ("group", "email", "id", "reason", "until")
GROUP_COLUMNS = (*COLUMNS, "previously", "group_id")
# For people to read: `show --format csv` has it.
_IGNORED = "name"
# What a spreadsheet would read as the beginning of a formula, in East Asian settings too; and after
# it was made harmless.
_FORMULA = re.compile("'*[-=+@\uff1d\uff0b\uff0d\uff20]")
_DELIMITERS = (",", ";", "\t")
# By our name of a column, what other programs' names of it have in them, the likeliest first.
_LIKELY = {
    "group": ("group name", "groupname", "group", "team", "department"),
    "email": ("member email", "email", "e-mail", "mail", "login", "principal"),
}
_Pairs: TypeAlias = tuple[tuple[str, object], ...]
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


def write_csv(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as RFC 4180 has them, for spreadsheets.

    Names are chosen by those who bear them: where a spreadsheet would run a text as a formula, an
    apostrophe comes before it, and before one that begins so. `parse_csv` takes it away again.
    """
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(
        [f"'{cell}" if _FORMULA.match(cell) else cell for cell in row] for row in rows
    )
    return written.getvalue()


class ListedRow(NamedTuple):
    """One membership as written; absent values are left out."""

    line: int
    values: dict[str, str]


def parse_csv(
    text: str,
    fields: Fields,
    columns: Collection[str],
    theirs: Mapping[str, str] | None = None,
    *,
    is_ours: bool = False,
) -> list[ListedRow]:
    """Return the rows of a CSV file that may have these columns, the header aside.

    With the file's own names by ours, only those columns are read, and unless `write_csv` wrote
    them (`is_ours`), every apostrophe stays. Commas, semicolons and tabs
    separate cells, whichever the header or a line `sep=;` shows. Rows and columns with nothing in
    them are left out.
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
    header: list[str | None] = []  # our names; None for a column that is ignored
    line = skipped
    try:
        for cells in reader:
            begun, line = line + 1, skipped + reader.line_num
            if not any(map(str.strip, cells)):
                continue
            if not header:
                if any("@" in cell for cell in cells):
                    listed = theirs.values() if theirs else filter(columns.__contains__, COLUMNS)
                    hint = "the first row must name the columns: " + ", ".join(listed)
                    fields.problem(begun, "the header is missing", hint)
                    return []
                header = _header(cells, begun, fields, columns, theirs)
                if not header:
                    return []
                continue
            values = _cells(cells, header, delimiter, begun, fields, is_ours=is_ours or not theirs)
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
    cells: list[str],
    header: list[str | None],
    delimiter: str,
    line: int,
    fields: Fields,
    *,
    is_ours: bool,
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
    for position, (name, cell) in enumerate(zip(header, cells, strict=False)):
        value = cell.strip()
        if value and name == "":
            fields.problem(line, f"{quoted(value)} is in a column without a name")
        elif "\n" in cell or "\r" in cell:
            _check_line_break(position, cell, header, delimiter, line, fields)
        if value and name:
            is_harmless = value.startswith("'") and _FORMULA.match(value)
            values[name] = value[1:] if is_harmless and is_ours else value
    return values if len(fields.problems) == before else None


def _check_line_break(
    position: int, cell: str, header: list[str | None], delimiter: str, line: int, fields: Fields
) -> None:
    """Note a problem where a stray quote may have swallowed rows: a reason may have lines."""
    name = header[position]
    lines = _LINE_BREAK.split(cell)
    if name and name != "reason":
        fields.problem(line, f"a line break in {quoted(name)}", "is there a stray quote?")
    elif any(delimiter in each and "@" in each for each in lines) or (
        "id" in header and _has_id(lines, position, header, delimiter)
    ):
        where = "a `reason`" if name else f"the cell {quoted(cell)}"
        fields.problem(line, f"a row inside {where}", "is there a stray quote?")


def _has_id(lines: list[str], position: int, header: list[str | None], delimiter: str) -> bool:
    """Return whether a line in a cell has as many cells as a row, and an ID where rows have it.

    The first line is the end of a row then, and the last one the beginning.
    """
    first, *between, last = (each.split(delimiter) for each in lines)
    before, after = [""] * position, [""] * (len(header) - position - 1)
    at = header.index("id")
    return any(
        len(row) == len(header)
        and re.fullmatch(r"\S+", row[at])
        and all(each == each.strip() for each in row)  # prose has a space after a comma
        for row in (before + first, *between, last + after)
    )


def _header(
    cells: list[str],
    line: int | None,
    fields: Fields,
    columns: Collection[str],
    theirs: Mapping[str, str] | None,
) -> list[str | None]:
    """Return our names of the columns; nothing if a row cannot be read by them."""
    before = len(fields.problems)
    while not theirs and not cells[-1].strip():
        del cells[-1]
    ours = _by_key(theirs or {name: name for name in columns})
    header = [ours.get(key, None if theirs or key else "") for key in map(_key, cells)]
    missing = _missing(theirs or header, columns)
    unknown = [each for each in cells if _key(each) not in ("", _IGNORED, *ours) and not theirs]
    if len(unknown) > 1 and missing:
        message = f"unknown columns {', '.join(map(quoted, unknown))}"
        fields.problem(line, message, _suggestion(cells, columns))
        return []
    for cell in unknown:
        fields.problem(line, f"unknown column {quoted(cell)}", did_you_mean(cell, columns))
    for name in theirs or columns:
        their = theirs[name] if theirs else name
        if name not in columns:
            fields.problem(line, f"`{name}` is not a column here", did_you_mean(name, columns))
        elif header.count(name) > 1:
            fields.problem(line, f"the column {quoted(their)} occurs twice")
        elif theirs and name not in header:
            hint = did_you_mean(their, [cell.strip() for cell in cells if cell.strip()])
            fields.problem(line, f"there is no column {quoted(their)}", hint)
    for name in missing:
        message, hint = f"the column `{name}` is missing", ""
        if theirs:
            message = f"`columns` does not name the column of `{name}`"
            hint = "the file has: " + ", ".join(map(quoted, filter(str.strip, cells)))
        fields.problem(line, message, hint)
    return header if len(fields.problems) == before else []


def _key(name: str) -> str:
    """Return the name of a column as it is compared."""
    return name.strip().casefold()


def _by_key(columns: Mapping[str, str]) -> dict[str, str]:
    return {_key(their): name for name, their in columns.items()}


def _missing(names: Collection[str | None], columns: Collection[str]) -> list[str]:
    """Return which of the columns that rows need are not there."""
    has_user = "email" in names or "id" in names
    needed = {"group": "group" in names or "group" not in columns, "email": has_user}
    return [name for name, is_there in needed.items() if not is_there]


def _suggestion(cells: list[str], columns: Collection[str]) -> str:
    """Return how to read the columns of another program, for a hint."""
    theirs = [cell.strip() for cell in cells if cell.strip()]
    found: list[str] = []
    for name, words in _LIKELY.items():
        if name in columns:
            likely = (their for word in words for their in theirs if word in their.casefold())
            found.append(f"{name}={next(likely, '…')}")
    option = shlex.quote(",".join(found))
    listed = ", ".join(map(quoted, theirs))
    return f"if another program wrote it: --columns {option}, of its columns {listed}"


def parse_json_lines(
    text: str, fields: Fields, columns: Collection[str], theirs: Mapping[str, str] | None = None
) -> list[ListedRow]:
    """Return the rows of a file that has a JSON object a line, which may have these keys.

    With the file's own names by ours, only those keys are read.
    """
    before = len(fields.problems)
    rows: list[ListedRow] = []
    ours, seen = _by_key(theirs or {}), set[str]()
    for number, line in enumerate(_LINE_BREAK.split(text), start=1):
        if not line.strip():
            continue
        try:
            pairs: _Pairs | None = json.loads(line, object_pairs_hook=tuple)
        except (ValueError, RecursionError) as error:
            said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            fields.problem(number, f"not JSON: {said}", "one object a line; is the file truncated?")
            continue
        if not isinstance(pairs, tuple):
            fields.problem(number, "not a JSON object", 'write {"group": …}')
            continue
        if ours:
            seen.update(name for name, _ in pairs)
            keys = ((_key(name), value) for name, value in pairs)
            pairs = tuple((ours[key], value) for key, value in keys if key in ours)
        values = _texts(pairs, columns, number, fields)
        if values is not None:
            rows.append(ListedRow(number, values))
    if seen:
        _header(sorted(seen), None, fields, columns, theirs)
    return _complete(rows, fields, before)


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
