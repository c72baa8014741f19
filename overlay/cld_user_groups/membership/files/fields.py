"""The tree that every format is read into, each value with its line, and its fields."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from attrs import define, field

from cld_user_groups.membership.problems import Problem, did_you_mean, quoted

# Only enough to find a mistyped or truncated address; the account decides the rest.
_EMAIL = re.compile(
    r"[^\s@\"(),:;<>\[\]\\]{1,64}@[^\s@.,:;<>\"()\[\]\\]+(?:\.[^\s@.,:;<>\"()\[\]\\]+)+"
)
_LONGEST_EMAIL = 254
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)

C = TypeVar("C", bound=str)

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


class TableNode(NamedTuple):
    """A mapping, its keys in the order of the file and possibly not unique."""

    entries: list[tuple[Scalar, Node]]
    line: int


Node: TypeAlias = Scalar | Items | TableNode


@define
class Fields:
    """Reads values of one source.

    Each method returns None for an invalid value, and adds the problem.

    Attributes:
        source: The file.
        problems: The problems so far.
    """

    source: str
    problems: list[Problem] = field(factory=list[Problem])

    def problem(self, line: int | None, message: str, hint: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(self.source, line, message, hint))

    def _wrong(self, node: Node, message: str, hint: str = "") -> None:
        if not isinstance(node, Scalar) or node.kind != "invalid":
            self.problem(node.line, message, hint)

    def table(self, node: Node, what: str, known: Iterable[str]) -> dict[str, Node] | None:
        """Return the values of a mapping by key; unknown keys and repeated ones are problems."""
        if not isinstance(node, TableNode):
            self._wrong(node, f"{what} must be a mapping")
            return None
        names = tuple(known)
        values: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for key, value in node.entries:
            if key.text not in names:
                hint = did_you_mean(key.text, names)
                self.problem(key.line, f"unknown key {quoted(key.text)} in {what}", hint)
            elif key.text in lines:
                first = lines[key.text]
                self.problem(key.line, f"{quoted(key.text)} occurs twice, first on line {first}")
            else:
                values[key.text] = value
                lines[key.text] = key.line
        return values

    def text(self, node: Node | None, what: str, *, blank: bool = False) -> str | None:
        """Return a text, by default one that is not blank. In YAML, all without quotes is text."""
        if node is None:
            return None
        if not isinstance(node, Scalar) or node.kind not in ("text", "plain"):
            hint = "write it in quotes" if isinstance(node, Scalar) and node.text else ""
            self._wrong(node, f"{what} must be text", hint)
            return None
        if not blank and not node.text.strip():
            self.problem(node.line, f"{what} is empty")
            return None
        return node.text

    def texts(self, node: Node | None, what: str) -> tuple[str, ...]:
        """Return a list of texts."""
        if node is None:
            return ()
        if not isinstance(node, Items):
            self._wrong(node, f"{what} must be a list")
            return ()
        found = (self.text(item, f"an item of {what}") for item in node.items)
        return tuple(text for text in found if text is not None)

    def flag(self, node: Node | None, what: str) -> bool:
        """Return true or false; false if it is absent."""
        if node is None:
            return False
        if (
            not isinstance(node, Scalar)
            or node.kind not in ("boolean", "plain")
            or node.text not in ("true", "false")
        ):
            self._wrong(node, f"{what} must be true or false")
            return False
        return node.text == "true"

    def choice(self, node: Node | None, what: str, first: C, second: C) -> C:
        """Return one of two words; the first if it is absent."""
        text = self.text(node, what)
        if node is not None and text not in (None, first, second):
            message = f"{what} must be `{first}` or `{second}`, not {quoted(text or '')}"
            self.problem(node.line, message)
        return second if text == second else first

    def whole(self, node: Node | None, what: str) -> int | None:
        """Return a whole number from 0."""
        if node is None:
            return None
        if isinstance(node, Scalar) and node.kind in ("number", "plain"):
            number = parse_whole(node.text)
            if number is not None:
                return number
        self._wrong(node, f"{what} must be a whole number, 0 or more")
        return None

    def share(self, node: Node | None, what: str) -> float | None:
        """Return a share, from 0 to 1."""
        if node is None:
            return None
        if isinstance(node, Scalar) and node.kind in ("number", "plain", "text"):
            share = parse_share(node.text, number=node.kind != "text")
            if share is not None:
                return share
        shown = f", not {quoted(node.text)}" if isinstance(node, Scalar) else ""
        self._wrong(
            node,
            f"{what} must be a percentage{shown}",
            'write "25%", or a number from 0 to below 1',
        )
        return None

    def date(self, node: Node | None, what: str) -> dt.date | None:
        """Return a date."""
        if node is None:
            return None
        if isinstance(node, Scalar) and node.kind in ("date", "plain", "text"):
            return self.date_text(node.text, node.line, what)
        self._wrong(node, f"{what} must be a date", "write YYYY-MM-DD")
        return None

    def date_text(self, text: str, line: int, what: str) -> dt.date | None:
        """Return a date from its text."""
        found = parse_date(text)
        if found is None:
            self.problem(line, f"{what} is not a date: {quoted(text)}", "write YYYY-MM-DD")
        return found


def is_email(text: str) -> bool:
    """Return whether the text has the form of an e-mail address."""
    return len(text) <= _LONGEST_EMAIL and text.isprintable() and _EMAIL.fullmatch(text) is not None


def parse_date(text: str) -> dt.date | None:
    """Return the date that is written YYYY-MM-DD, or None."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def parse_whole(text: str) -> int | None:
    """Return the whole number from 0, or None."""
    return int(text) if _WHOLE.fullmatch(text) else None


def parse_share(text: str, *, number: bool) -> float | None:
    """Parse a share, written as a percentage, "25%", or as a number below 1.

    The number 1 is rejected: it could mean 1 % or all.

    Args:
        text: What is written.
        number: Whether it may be a number.
    """
    match = _PERCENT.fullmatch(text.strip())
    if match:
        share = float(match[1]) / 100
        return share if share <= 1 else None
    if not number:
        return None
    try:
        share = float(text)
    except ValueError:
        return None
    return share if math.isfinite(share) and 0 <= share < 1 else None
