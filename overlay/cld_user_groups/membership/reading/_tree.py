"""The tree that every format of a file is read into: each value with its line."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

# What a value is written as. Plain is YAML without quotes, which may stand for any of the others;
# invalid is what was reported already.
Kind = Literal["text", "plain", "number", "boolean", "date", "null", "invalid"]

# A file nests four deep; a limit keeps a hostile one from exhausting the stack.
DEEPEST = 16


class Scalar(NamedTuple):
    """A single value, as its text."""

    text: str
    kind: Kind
    line: int


class Items(NamedTuple):
    """A list."""

    items: list[Node]
    line: int


class Table(NamedTuple):
    """A mapping, its keys in the order of the file and possibly not unique."""

    entries: list[tuple[Scalar, Node]]
    line: int


Node: TypeAlias = Scalar | Items | Table
