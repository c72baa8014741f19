"""Parse TOML with the line of every value, which the standard library does not provide."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple, TypeVar

from cld_user_groups.membership.problems import FileError, Problem

from .fields import Items, Node, Scalar, TableNode

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
_PLAIN = re.compile(r'"[^"\\]*"' r"|'[^']*'")
N = TypeVar("N", bound=Node)


def parse_toml(text: str, source: str) -> Node:
    """Return the tree of a TOML document.

    Raises:
        FileError: It is not TOML.
    """
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _ERROR_LINE.search(str(error))
        line = int(found[1]) if found else text.rstrip().count("\n") + 1
        message = f"not TOML: {str(error).partition(' (')[0]}"
        hint = "" if found else "is the file truncated?"
        raise FileError([Problem(source, line, message, hint)]) from None
    except RecursionError:
        raise FileError([Problem(source, None, "nested too deeply")]) from None
    return _TomlReader(text, source).read()


class _Token(NamedTuple):
    text: str
    line: int
    start: int = 0
    end: int = 0


_END = _Token("", 0)
_AFTER_VALUE = ("\n", ",", "]", "}", "")


class _TomlReader:
    """Reads a document that is known to be valid: so a token alone says what it begins."""

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self._source = source
        self._tokens = self._tokenize()
        self._next = next(self._tokens, _END)
        self._children: dict[tuple[int, str], Node] = {}  # by the identity of the table, and key

    def _tokenize(self) -> Iterator[_Token]:
        line, end = 1, 0
        for match in _TOKEN.finditer(self._text):
            line += self._text.count("\n", end, match.start())
            end = match.start()
            if not match[0].startswith("#"):
                yield _Token(match[0], line, end, match.end())

    def _take(self) -> _Token:
        token = self._next
        self._next = next(self._tokens, _END)
        return token

    def _skip(self, *texts: str) -> str:
        """Take all tokens of these texts; return the text of the next one."""
        while self._next.text in texts:
            self._take()
        return self._next.text

    def read(self) -> TableNode:
        root = current = TableNode([], 1)
        while text := self._skip("\n"):
            if text == "[":
                current = self._header(root)
            else:
                self._pair(current)
        return root

    def _header(self, table: TableNode) -> TableNode:
        line = self._take().line
        is_array = self._next.text == "["
        self._skip("[")
        *path, last = self._keys("]")
        self._skip("]")
        for key in path:
            table = self._table(table, key, line)
        if is_array:
            items = self._children.get((id(table), last))
            if not isinstance(items, Items):
                items = self._put(table, last, Items([], line), line)
            items.items.append(TableNode([], line))
        return self._table(table, last, line)

    def _pair(self, table: TableNode) -> None:
        line = self._next.line
        *path, last = self._keys("=")
        for key in path:
            table = self._table(table, key, line)
        self._put(table, last, self._value(line), line)

    def _keys(self, end: str) -> list[str]:
        """Take a dotted key and the character after it."""
        keys: list[str] = []
        while (token := self._take()).text != end:
            if token.text != ".":
                is_quoted = token.text[0] in "\"'"
                keys.append(_scalar(token.text, 0).text if is_quoted else token.text)
        return keys

    def _table(self, parent: TableNode, key: str, line: int) -> TableNode:
        """Return the table of a key, the last one of several; a new one where there is none."""
        found = self._children.get((id(parent), key))
        if isinstance(found, Items):
            found = found.items[-1]
        if isinstance(found, TableNode):
            return found
        return self._put(parent, key, TableNode([], line), line)

    def _put(self, parent: TableNode, key: str, node: N, line: int) -> N:
        parent.entries.append((Scalar(key, "text", line), node))
        self._children[id(parent), key] = node
        return node

    def _value(self, line: int) -> Node:
        first = last = self._take()
        if first.text == "[":
            items = Items([], line)
            while self._skip("\n", ",") != "]":
                items.items.append(self._value(self._next.line))
            self._take()
            return items
        if first.text == "{":
            table = TableNode([], line)
            while self._skip("\n", ",") != "}":
                self._pair(table)
            self._take()
            return table
        while self._next.text not in _AFTER_VALUE:  # a date and a time, the parts of a float
            last = self._take()
        return _scalar(self._text[first.start : last.end], line)


def _scalar(text: str, line: int) -> Scalar:
    if _PLAIN.fullmatch(text):
        return Scalar(text[1:-1], "text", line)
    match tomllib.loads(f"value = {text}")["value"]:
        case bool() as value:
            return Scalar(str(value).lower(), "boolean", line)
        case int() | float() as value:
            return Scalar(str(value), "number", line)
        case date() as value:
            return Scalar(value.isoformat(), "date", line)
        case value:
            return Scalar(str(value), "text", line)
