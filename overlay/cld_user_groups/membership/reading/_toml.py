"""Parse TOML with the line of every value, which the standard library does not provide."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple, cast

from attrs import define, field

from cld_user_groups.membership.problems import FileError, Problem

from ._tree import DEEPEST, Items, Node, Scalar, Table

_ERROR_LINE = re.compile(r"line (\d+)")
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
    r"|\#[^\n]*"
    r"|[\[\]{},=.\n]"
    r"|[^\s\[\]{},=.\#\"']+",
    re.DOTALL,
)


def parse_toml(text: str, source: str) -> Node:
    """Return the tree of a TOML document.

    Raises:
        FileError: It is not TOML.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _ERROR_LINE.search(str(error))
        line = int(found[1]) if found else text.rstrip().count("\n") + 1
        message = f"not TOML: {str(error).partition(' (')[0]}"
        hint = "" if found else "is the file truncated?"
        raise FileError([Problem(source, line, message, hint)]) from None
    except RecursionError:
        raise FileError([Problem(source, None, "nested too deeply")]) from None
    return _node(values, _Locator(text).locate(), source, 0)


@define
class _Place:
    """The place of a value, and of the values in it."""

    line: int
    by_key: dict[str, _Place] = field(factory=dict[str, "_Place"])
    items: list[_Place] = field(factory=list["_Place"])

    def child(self, key: str, line: int) -> _Place:
        return self.by_key.setdefault(key, _Place(line))


def _node(value: object, place: _Place, source: str, depth: int) -> Node:
    if depth > DEEPEST:
        raise FileError([Problem(source, place.line, "nested too deeply")])
    match value:
        case dict():
            table = Table([], place.line)
            for key, item in cast("dict[str, object]", value).items():
                child = place.child(key, place.line)
                key_node = Scalar(key, "text", child.line)
                table.entries.append((key_node, _node(item, child, source, depth + 1)))
            return table
        case list():
            pairs = zip(cast("list[object]", value), place.items, strict=True)
            return Items([_node(item, at, source, depth + 1) for item, at in pairs], place.line)
        case bool():
            return Scalar(str(value).lower(), "boolean", place.line)
        case int() | float():
            return Scalar(str(value), "number", place.line)
        case date():
            return Scalar(value.isoformat(), "date", place.line)
        case _:
            return Scalar(str(value), "text", place.line)


class _Token(NamedTuple):
    text: str
    line: int


class _Locator:
    """Finds the places of the values in a document that is known to be valid."""

    def __init__(self, text: str) -> None:
        self._tokens = self._read(text)
        self._next = next(self._tokens, _END)

    @staticmethod
    def _read(text: str) -> Iterator[_Token]:
        line, end = 1, 0
        for match in _TOKEN.finditer(text):
            line += text.count("\n", end, match.start())
            end = match.start()
            if not match[0].startswith("#"):
                yield _Token(match[0], line)

    def _take(self) -> _Token:
        token = self._next
        self._next = next(self._tokens, _END)
        return token

    def _skip_lines(self) -> None:
        while self._next.text == "\n":
            self._take()

    def locate(self) -> _Place:
        root = current = _Place(1)
        self._skip_lines()
        while self._next is not _END:
            if self._next.text == "[":
                current = self._header(root)
            else:
                self._pair(current)
            self._skip_lines()
        return root

    def _header(self, root: _Place) -> _Place:
        line = self._take().line
        is_array = self._next.text == "["
        if is_array:
            self._take()
        place = root
        for key in self._keys("]"):
            if place.items:
                place = place.items[-1]
            place = place.child(key, line)
        if is_array:
            self._take()
            place.items.append(_Place(line))
            return place.items[-1]
        return place

    def _pair(self, table: _Place) -> None:
        line = self._next.line
        for key in self._keys("="):
            table = table.child(key, line)
        self._value(table)

    def _keys(self, end: str) -> list[str]:
        """Take a dotted key and the character after it."""
        keys: list[str] = []
        while (token := self._take()).text != end:
            if token.text != ".":
                is_quoted = token.text[0] in "\"'"
                keys.append(tomllib.loads(f"key={token.text}")["key"] if is_quoted else token.text)
        return keys

    def _value(self, place: _Place) -> None:
        opening = self._take()
        if opening.text == "[":
            self._skip_lines()
            while self._next.text != "]":
                place.items.append(_Place(self._next.line))
                self._value(place.items[-1])
                self._skip_separators()
            self._take()
        elif opening.text == "{":
            self._skip_separators()
            while self._next.text != "}":
                self._pair(place)
                self._skip_separators()
            self._take()
        else:
            while self._next.text not in _AFTER_VALUE:  # a date and a time, the parts of a float
                self._take()

    def _skip_separators(self) -> None:
        while self._next.text in ("\n", ","):
            self._take()


_END = _Token("", 0)
_AFTER_VALUE = ("\n", ",", "]", "}", "")
