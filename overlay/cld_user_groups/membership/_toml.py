"""TOML with the line of every value."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from typing import Any

from ._tree import DEEPEST, Items, Node, Scalar, Table
from .problems import FileError, Problem

_LINE = re.compile(r"line (\d+)")


def parse_toml(text: str, source: str) -> Node:
    """Return the tree of a TOML document.

    Raises:
        FileError: It is not TOML.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        line = int(found[1]) if found else text.rstrip().count("\n") + 1
        message = f"not TOML: {str(error).partition(' (')[0]}"
        hint = "" if found else "is the file cut off?"
        raise FileError([Problem(source, line, message, hint)]) from None
    return _node(values, source, 0)


def _node(value: Any, source: str, depth: int) -> Node:
    if depth > DEEPEST:
        raise FileError([Problem(source, None, "nested too deeply")])
    match value:
        case dict():
            return Table(
                [
                    (Scalar(key, "text", 1), _node(item, source, depth + 1))
                    for key, item in value.items()
                ],
                1,
            )
        case list():
            return Items([_node(item, source, depth + 1) for item in value], 1)
        case bool():
            return Scalar(str(value).lower(), "boolean", 1)
        case int() | float():
            return Scalar(str(value), "number", 1)
        case date():
            return Scalar(value.isoformat(), "date", 1)
        case _:
            return Scalar(str(value), "text", 1)
