"""Parse JSON with the line of every value, which the standard library does not provide."""

from __future__ import annotations

import json
import re

from cld_user_groups.membership.problems import FileError, Problem

from .content import is_unicode
from .fields import DEEPEST, Items, Kind, Node, Scalar, TableNode

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


def parse_json(text: str, source: str, line: int = 1) -> Node:
    """Return the tree of a JSON document.

    Args:
        text: The document.
        source: The file that it is in.
        line: The line on which it begins.

    Raises:
        FileError: It is not JSON.
    """
    return _JsonReader(text, source, line).parse()


class _JsonReader:
    """Reads lists and objects; the standard library's decoder reads the scalars between."""

    def __init__(self, text: str, source: str, line: int) -> None:
        self.text = text
        self.source = source
        self.at = 0
        self.line = line

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
        while not self._ended("]", first=not found.items):
            found.items.append(self._node(depth + 1))
        return found

    def _table(self, depth: int) -> TableNode:
        found = TableNode([], self.line)
        while not self._ended("}", first=not found.entries):
            if self.text[self.at : self.at + 1] != '"':
                raise self._error("not JSON: a key in double quotes is missing")
            key = self._scalar()
            self._space()
            self._expect(":")
            found.entries.append((key, self._node(depth + 1)))
        return found

    def _ended(self, closing: str, *, first: bool) -> bool:
        """Move to the next element of a list or an object; return whether there is none."""
        if first:
            self.at += 1
        self._space()
        if self.text[self.at : self.at + 1] == closing:
            self.at += 1
            return True
        if not first:
            self._expect(",")
        return False

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
        kind: Kind = "text" if quote else "number"
        if value is None:
            return Scalar("", "null", self.line)
        if isinstance(value, bool):
            return Scalar(str(value).lower(), "boolean", self.line)
        return Scalar(str(value), kind, self.line)

    def _error(self, message: str) -> FileError:
        cut = not self.text[self.at :].strip() or self.text[self.at :].count('"') == 1
        hint = "is the file truncated?" if cut else ""
        return FileError([Problem(self.source, self.line, message, hint)])
