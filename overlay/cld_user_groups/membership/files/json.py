"""Parse JSON with the line of every value, which the standard library does not provide."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from cld_user_groups.membership.problems import FileError, Problem

from .content import is_unicode
from .fields import DEEPEST, Items, Node, Scalar, TableNode

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


def parse_json(text: str, source: str) -> Node:
    """Return the tree of a JSON document.

    Raises:
        FileError: It is not JSON.
    """
    return _JsonReader(text, source).parse()


class _JsonReader:
    """Reads lists and objects; the standard library's decoder reads the scalars between."""

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self.source = source
        self.at = 0
        self.line = 1

    def parse(self) -> Node:
        self._space()
        node = self._node(0)
        self._space()
        if self.at < len(self.text):
            raise self._error("not JSON: text after the end of the document")
        return node

    def _node(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise self._error("nested too deeply")
        character = self.text[self.at : self.at + 1]
        if character == "[":
            return self._items(depth)
        if character == "{":
            return self._table(depth)
        return self._scalar()

    def _items(self, depth: int) -> Items:
        found = Items([], self.line)
        found.items.extend(self._node(depth + 1) for _ in self._elements("]"))
        return found

    def _table(self, depth: int) -> TableNode:
        found = TableNode([], self.line)
        for _ in self._elements("}"):
            if self.text[self.at : self.at + 1] != '"':
                raise self._error("not JSON: a key in double quotes is missing")
            key = self._scalar()
            self._space()
            self._expect(":")
            found.entries.append((key, self._node(depth + 1)))
        return found

    def _elements(self, closing: str) -> Iterator[None]:
        """Yield at each element of a list or an object, which is read before the next."""
        self.at += 1
        self._space()
        is_first = True
        while self.text[self.at : self.at + 1] != closing:
            if not is_first:
                self._expect(",")
            yield
            is_first = False
            self._space()
        self.at += 1

    def _expect(self, character: str) -> None:
        if self.text[self.at : self.at + 1] != character:
            raise self._error(f"not JSON: `{character}` is missing")
        self.at += 1
        self._space()

    def _space(self) -> None:
        match = _SPACE.match(self.text, self.at)
        if match and match.end() > self.at:
            self.line += self.text.count("\n", self.at, match.end())
            self.at = match.end()

    def _scalar(self) -> Scalar:
        quote = self.text[self.at : self.at + 1] == '"'
        try:
            value, end = _DECODER.raw_decode(self.text, self.at)
        except json.JSONDecodeError as error:
            raise self._error(f"not JSON: {error.msg.lower().removesuffix(' at')}") from None
        self.at = end
        if isinstance(value, str) and not is_unicode(value):
            raise self._error("not JSON: half of a surrogate pair")
        if value is None:
            return Scalar("", "null", self.line)
        if isinstance(value, bool):
            return Scalar(str(value).lower(), "boolean", self.line)
        return Scalar(str(value), "text" if quote else "number", self.line)

    def _error(self, message: str) -> FileError:
        cut = not self.text[self.at :].strip() or self.text[self.at :].count('"') == 1
        hint = "is the file truncated?" if cut else ""
        return FileError([Problem(self.source, self.line, message, hint)])
