"""Parse JSON and TOML: the standard library reads the values, and a scan of the text the lines."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date, time
from typing import Any, TypeAlias, cast

from cld_user_groups.membership.problems import FileError, Problem

from .content import is_unicode
from .fields import DEEPEST, Items, Node, Scalar, TableNode, TextTable

# Spaces and commas lead each token, for trying every kind of token on each costs twice as much;
# an object of texts is one, unless it may have half a character or include a file.
# A run of them is tried once, and a string without an end is a token: else it takes hours.
_JSON = re.compile(
    r'(?<![ ,:])[ ,:]*+(\{[\s,:]*+(?:"(?!from")[^"\\]*+(?:\\[^u][^"\\]*+)*+"[\s,:]*+)++\}'
    r'|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\n\[\]{}]|[^\s\[\]{},:"]+)',
    re.DOTALL,
)
_JSON_ERRORS = {
    "expecting ',' delimiter": "`,` is missing",
    "expecting ':' delimiter": "`:` is missing",
    "expecting property name enclosed in double quotes": "a key in double quotes is missing",
    "extra data": "text after the end of the document",
}
_TOML_TEXT = r""""(?:\\.|[^"\\])*"|'[^']*'"""
_TOML_KEY = rf"(?:[\w-]+|{_TOML_TEXT})"
_TOML = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    rf"|{_TOML_KEY}(?:[ \t]*\.[ \t]*{_TOML_KEY})*[ \t]*=(?:[ \t]*\[)?"
    rf"|{_TOML_TEXT}|\#[^\n]*|\{{[ \t]*\}}|[\n\[\]]"
    r"|[^\s\[\]{},=\#\"']+(?:[ ]\d[^\s\[\]{},\#]*)?",  # a date may have a space before its time
    re.DOTALL,
)
_LINE = "\ud800"  # the key of a table's line: half of a character, which no key of TOML can have
_ERROR_LINE = re.compile(r"line (\d+)")


class _Number(str):
    """A number of JSON, as it is written."""


_Plain: TypeAlias = str | float | date | time | None
# The pairs of an object of JSON, whose keys may not be unique, are a tuple.
_Value: TypeAlias = "tuple[tuple[str, _Value], ...] | dict[str, _Value] | list[_Value] | _Plain"
_Place: TypeAlias = tuple[int, str]  # a line, and the whole of an object of texts in JSON


def parse_json(text: str, source: str) -> Node:
    """Return the tree of a JSON document.

    Raises:
        FileError: It is not JSON.
    """
    places: list[_Place] = []
    line, depth = 1, 0
    for word in _JSON.findall(text):
        if word == "\n":
            line += 1
        elif word in "]}":
            depth -= 1
        else:
            places.append((line, word))
            if word[0] in "[{" and depth == DEEPEST:
                raise FileError([Problem(source, line, "nested too deeply")])
            depth += word in "[{"
            line += word.count("\n")
    try:
        value = json.loads(
            text,
            object_pairs_hook=tuple,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_Number,
        )
    except json.JSONDecodeError as error:
        said = error.msg.lower().removesuffix(" at")
        rest = text[error.pos :]
        is_cut = not rest.strip() or (rest[0] == '"' and rest.count('"') == 1)
        hint = "is the file truncated?" if is_cut else ""
        message = f"not JSON: {_JSON_ERRORS.get(said, said)}"
        raise FileError([Problem(source, error.lineno, message, hint)]) from None
    return _node(value, iter(places), source)


def parse_toml(text: str, source: str) -> Node:
    """Return the tree of a TOML document.

    Raises:
        FileError: It is not TOML.
    """
    try:
        value = tomllib.loads(text)
        lines = {_LINE: 1} | tomllib.loads(_with_lines(text))
        return _node(value, iter(_toml_places(lines)), source)
    except tomllib.TOMLDecodeError as error:
        found = _ERROR_LINE.search(str(error))
        line = int(found[1]) if found else text.rstrip().count("\n") + 1
        message = f"not TOML: {str(error).partition(' (')[0]}"
        hint = "" if found else "is the file truncated?"
        raise FileError([Problem(source, line, message, hint)]) from None
    except RecursionError:
        raise FileError([Problem(source, None, "nested too deeply")]) from None


def _with_lines(text: str) -> str:
    """Return a valid TOML document with lines as its values, and as one more where those begin."""
    line, depth, is_header = 1, 0, False

    def numbered(found: re.Match[str]) -> str:
        nonlocal line, depth, is_header
        word, at = found[0], line
        line += word.count("\n")
        if is_header and word == "\n":
            is_header = False
            return f'\n"{_LINE}" = {at}\n'
        is_header |= word == "[" and not depth  # that of a list at the top comes with its key
        if is_header or word == "\n" or word[0] == "#" or word[-1] == "=":
            return word
        if word[-1] in "[]":
            depth += 1 if word[-1] == "[" else -1
            return f"{word}{at}, " if word[-1] == "[" else word
        return str(at)

    return _TOML.sub(numbered, f"{text}\n")


def _toml_places(lines: Any) -> list[_Place]:
    """Return the place of a value, then those of the keys and values in it."""
    if isinstance(lines, int):
        return [(lines, "")]
    is_table = hasattr(lines, "values")
    has_own = _LINE in lines if is_table else isinstance(lines[0], int)
    own = [(lines.pop(_LINE if is_table else 0), "")] if has_own else []
    parts = list(map(_toml_places, lines.values() if is_table else lines))
    # The place of a key is its value's. A table may follow one that is in it: it begins there.
    places = [place for part in parts for place in (*part[:is_table], *part)]
    return [min([*own, *places[:1]]), *places]


def _node(value: _Value, places: Iterator[_Place], source: str) -> Node:
    """Return the tree of a value; places come in the order of its keys and values."""
    line, written = next(places)
    if type(value) is tuple and len(written) > 1:
        return TextTable(cast("Any", value), line, written)
    if isinstance(value, list):
        return Items([_node(each, places, source) for each in value], line)
    if not isinstance(value, (tuple, dict)):
        return _scalar(value, line, source)
    table = TableNode([], line)
    for key, each in value if isinstance(value, tuple) else value.items():
        label = _scalar(key, next(places)[0], source)
        table.entries.append((label, _node(each, places, source)))
    return table


def _scalar(value: _Plain, line: int, source: str) -> Scalar:
    if type(value) is str and value.isascii():
        return Scalar(value, "text", line)
    match value:
        case None:
            return Scalar("", "null", line)
        case bool():
            return Scalar(str(value).lower(), "boolean", line)
        case int() | float() | _Number():
            return Scalar(str(value), "number", line)
        case date():
            return Scalar(value.isoformat(), "date", line)
        case _:
            if not is_unicode(str(value)):
                raise FileError([Problem(source, line, "not JSON: half of a surrogate pair")])
            return Scalar(str(value), "text", line)
