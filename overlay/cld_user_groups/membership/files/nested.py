"""Parse JSON and TOML: the standard library reads the values, and a scan of the text the lines."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from datetime import date, time
from typing import Any, TypeAlias, cast

from cld_user_groups.membership.problems import FileError, Problem

from .content import is_unicode
from .fields import DEEPEST, Items, Node, Scalar, TableNode, TextTable

_Path: TypeAlias = tuple[str | int, ...]
_PlaceOf: TypeAlias = Callable[[_Path | None], tuple[int, str]]

# Spaces and commas lead each token, for trying every kind of token on each costs twice as much;
# an object of texts is one, unless it may have half a character or include a file.
# A run of them is tried once, and a string without an end is a token: else it takes hours.
_JSON = re.compile(
    r'(?<![ ,:])[ ,:]*+(\{[\s,:]*+(?:"(?!from")[^"\\]*+(?:\\[^u][^"\\]*+)*+"[\s,:]*+)++\}'
    r'|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\n\[\]{}]|[^\s\[\]{},:"]+)',
    re.DOTALL,
)
_TOML = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
    r"|\#[^\n]*"
    r"|[\[\]{},=.\n]"
    r"|[^\s\[\]{},=.\#\"']+",
    re.DOTALL,
)
_JSON_ERRORS = {
    "expecting ',' delimiter": "`,` is missing",
    "expecting ':' delimiter": "`:` is missing",
    "expecting property name enclosed in double quotes": "a key in double quotes is missing",
    "extra data": "text after the end of the document",
}
_ERROR_LINE = re.compile(r"line (\d+)")


class _Number(str):
    """A number of JSON, as it is written."""


_Plain: TypeAlias = str | float | date | time | None
# The pairs of an object of JSON, whose keys may not be unique, are a tuple.
_Value: TypeAlias = "tuple[tuple[str, _Value], ...] | dict[str, _Value] | list[_Value] | _Plain"


def parse_json(text: str, source: str) -> Node:
    """Return the tree of a JSON document.

    Raises:
        FileError: It is not JSON.
    """
    places: list[tuple[int, str]] = []  # of each key and value, in the order of the text
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
    at = iter(places)
    return _node(value, None, lambda _: next(at), source)


def parse_toml(text: str, source: str) -> Node:
    """Return the tree of a TOML document.

    Raises:
        FileError: It is not TOML.
    """
    try:
        value = tomllib.loads(text)
        lines = _TomlLines(text).lines
        return _node(value, (), lambda path: (lines.get(path or (), 1), ""), source)
    except tomllib.TOMLDecodeError as error:
        found = _ERROR_LINE.search(str(error))
        line = int(found[1]) if found else text.rstrip().count("\n") + 1
        message = f"not TOML: {str(error).partition(' (')[0]}"
        hint = "" if found else "is the file truncated?"
        raise FileError([Problem(source, line, message, hint)]) from None
    except RecursionError:
        raise FileError([Problem(source, None, "nested too deeply")]) from None


def _node(value: _Value, path: _Path | None, place_of: _PlaceOf, source: str) -> Node:
    """Return the tree of a value at a path; without one, places come in the order of the text."""
    line, written = place_of(path)
    if type(value) is tuple and len(written) > 1:
        return TextTable(cast("Any", value), line, written)
    if not isinstance(value, (tuple, dict, list)):
        return _scalar(value, line, source)
    if isinstance(value, list):
        items = Items([], line)
        for position, each in enumerate(value):
            at = None if path is None else (*path, position)
            items.items.append(_node(each, at, place_of, source))
        return items
    table = TableNode([], line)
    for key, each in value if isinstance(value, tuple) else value.items():
        at = None if path is None else (*path, key)
        label = _scalar(key, place_of(at)[0], source)
        table.entries.append((label, _node(each, at, place_of, source)))
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


class _TomlLines:
    """The line of each key and value of a document that is known to be valid, by its path."""

    def __init__(self, text: str) -> None:
        self.lines: dict[_Path, int] = {}
        self._last: dict[_Path, int] = {}  # of each array of tables, the position of its last one
        self._table: _Path = ()  # of the last header
        self._brackets = 0  # of a header
        self._keys: list[str] = []
        self._value: _Path | None = None  # between `=` and the end of the value
        self._open: list[tuple[str, _Path]] = []  # inline tables, and of each list the next item
        line, end = 1, 0
        for match in _TOML.finditer(text):
            line += text.count("\n", end, match.start())
            end = match.start()
            if match[0][0] != "#":
                self._take(match[0], line)

    def _take(self, word: str, line: int) -> None:
        kind, path = self._open[-1] if self._open else ("", self._table)
        item = path if kind == "[" else self._value
        if word in ("\n", ","):
            self._end(word)
        elif word == "=":
            self._value = (*path, *self._keys)
            for end in range(len(path) + 1, len(self._value) + 1):
                self.lines.setdefault(self._value[:end], line)
            self._keys = []
        elif word in "]}":
            self._close(line)
        elif item is not None:
            self._begin(item, word, line)
        elif word == "[":
            self._brackets += 1
        elif word != ".":
            is_quoted = word[0] in "\"'"
            self._keys.append(next(iter(tomllib.loads(f"{word} = 0"))) if is_quoted else word)

    def _begin(self, item: _Path, word: str, line: int) -> None:
        self.lines.setdefault(item, line)
        if word == "[":
            self._open.append((word, (*item, 0)))
        elif word == "{":
            self._open.append((word, item))
            self._value = None

    def _end(self, word: str) -> None:
        kind, path = self._open[-1] if self._open else ("", ())
        if kind != "[":
            self._value = None
        elif word == ",":
            position = int(path[len(path) - 1])
            self._open[-1] = (kind, (*path[:-1], position + 1))

    def _close(self, line: int) -> None:
        if self._open:
            self._open.pop()
        elif self._keys:
            self._table = self._header(line)
            self._keys, self._brackets = [], 0

    def _header(self, line: int) -> _Path:
        path: _Path = ()
        for number, key in enumerate(self._keys, start=1):
            path = (*path, key)
            self.lines.setdefault(path, line)
            if self._brackets == 2 and number == len(self._keys):
                self._last[path] = self._last.get(path, -1) + 1
            if path in self._last:
                path = (*path, self._last[path])
                self.lines.setdefault(path, line)
        return path
