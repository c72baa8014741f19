"""The tree that every format is read into, each value with its line, and its fields."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeVar

from attrs import define, field

from cld_user_groups.membership.problems import Problem, did_you_mean, quoted

if TYPE_CHECKING:
    from .row_format import RowFormat
    from .rows import ListedRow

# Only enough to find a mistyped or truncated address; the account decides the rest.
_EMAIL = re.compile(
    r"[^\s@\"(),:;<>\[\]\\]{1,64}@[^\s@.,:;<>\"()\[\]\\]+(?:\.[^\s@.,:;<>\"()\[\]\\]+)+"
)
_LONGEST_EMAIL = 254
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)

_JSON_TEXT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')

Pairs: TypeAlias = tuple[tuple[str, str], ...]
C = TypeVar("C", bound=str)
V = TypeVar("V")

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

    @property
    def is_null(self) -> bool:
        """Whether it is no value: a key with nothing after it."""
        return self.kind == "null" or (self.kind == "plain" and self.text in ("", "~", "null"))


class Items(NamedTuple):
    """A list."""

    items: list[Node]
    line: int


class TableNode(NamedTuple):
    """A mapping, its keys in the order of the file and possibly not unique."""

    entries: list[tuple[Scalar, Node]]
    line: int


class TextTable(NamedTuple):
    """A mapping of texts, as a member is: its entries are made only when asked for."""

    pairs: Pairs
    line: int
    written: str = ""  # in JSON; without it, all is on one line

    @property
    def entries(self) -> list[tuple[Scalar, Node]]:
        breaks = (gap.count("\n") for gap in _JSON_TEXT.split(self.written))
        at = iter([*accumulate(breaks, initial=self.line)][1:])
        texts = [Scalar(text, "text", next(at, self.line)) for pair in self.pairs for text in pair]
        return list(zip(texts[::2], texts[1::2], strict=True))


Table: TypeAlias = TableNode | TextTable
Node: TypeAlias = Scalar | Items | Table
# Reads the value of a key, as which it is shown.
Readers: TypeAlias = "Mapping[str, Callable[[Fields, Node, str], Any]]"
# Reads the rows of a file that is included on a line, in a format, with these columns, and returns
# them with the name to show for it. Problems are added with its name; then there are no rows.
Include: TypeAlias = (
    "Callable[[str, int, RowFormat, Collection[str]], tuple[Fields, list[ListedRow]]]"
)


@define
class Fields:
    """Reads values of one source.

    An absent value is None, false, or the first choice; so is an invalid one, which is a problem.
    """

    source: str
    problems: list[Problem] = field(factory=list[Problem])
    include: Include | None = None
    others: Readers = field(
        factory=dict[str, Any]
    )  # of keys that a file has beside those of every one

    def problem(self, line: int | None, message: str, hint: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(self.source, line, message, hint))

    def _wrong(self, node: Node, message: str, hint: str = "") -> None:
        if not isinstance(node, Scalar) or node.kind != "invalid":
            self.problem(node.line, message, hint)

    def table(self, node: Node, what: str, known: Collection[str]) -> dict[str, Node] | None:
        """Return the values of a mapping by key; unknown keys and repeated ones are problems."""
        if not isinstance(node, Table):
            self._wrong(node, f"{what} must be a mapping")
            return None
        values: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for key, value in node.entries:
            if key.text not in known:
                hint = did_you_mean(key.text, known)
                self.problem(key.line, f"unknown key {quoted(key.text)} in {what}", hint)
            elif key.text in lines:
                first = lines[key.text]
                self.problem(key.line, f"{quoted(key.text)} occurs twice, first on line {first}")
            else:
                values[key.text] = value
                lines[key.text] = key.line
        return values

    def read(self, values: Mapping[str, Node], readers: Readers) -> dict[str, Any]:
        """Return what is read of the values of these keys, without those that are invalid."""
        found = {
            key: read(self, values[key], f"`{key}`")
            for key, read in readers.items()
            if key in values
        }
        return {key: value for key, value in found.items() if value is not None}

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

    def texts(self, node: Node, what: str) -> tuple[str, ...]:
        """Return a list of texts."""
        if not isinstance(node, Items):
            self._wrong(node, f"{what} must be a list")
            return ()
        found = (self.text(item, f"an item of {what}") for item in node.items)
        return tuple(text for text in found if text is not None)

    def _parsed(
        self,
        node: Node | None,
        kinds: Iterable[Kind],
        parse: Callable[[str], V | None],
        message: str,
        hint: str = "",
    ) -> V | None:
        """Return what a scalar of one of these kinds is parsed as."""
        if node is None:
            return None
        found = parse(node.text) if isinstance(node, Scalar) and node.kind in kinds else None
        if found is None:
            self._wrong(node, message, hint)
        return found

    def flag(self, node: Node, what: str) -> bool:
        """Return true or false."""
        words = {"true": True, "false": False}
        message = f"{what} must be true or false"
        return self._parsed(node, ("boolean", "plain"), words.get, message) or False

    def choice(self, node: Node | None, what: str, first: C, second: C) -> C:
        """Return one of two words."""
        text = self.text(node, what)
        if node is not None and text not in (None, first, second):
            message = f"{what} must be `{first}` or `{second}`, not {quoted(text or '')}"
            self.problem(node.line, message)
        return second if text == second else first

    def whole(self, node: Node | None, what: str) -> int | None:
        """Return a whole number from 0."""
        message = f"{what} must be a whole number, 0 or more"
        return self._parsed(node, ("number", "plain"), _whole, message)

    def share(self, node: Node, what: str) -> float | None:
        """Return a share, from 0 to 1."""
        shown = f", not {quoted(node.text)}" if isinstance(node, Scalar) else ""
        message = f"{what} must be a percentage{shown}"
        hint = 'write "25%", or a number from 0 to below 1'
        number = isinstance(node, Scalar) and node.kind != "text"
        kinds: tuple[Kind, ...] = ("number", "plain", "text")
        return self._parsed(node, kinds, lambda text: _share(text, number=number), message, hint)

    def date(self, node: Node, what: str) -> dt.date | None:
        """Return a date."""
        if isinstance(node, Scalar) and node.kind in ("date", "plain", "text"):
            return self.date_text(node.text, node.line, what)
        self._wrong(node, f"{what} must be a date", "write YYYY-MM-DD")
        return None

    def date_text(self, text: str, line: int, what: str) -> dt.date | None:
        """Return a date from its text."""
        try:
            if _DATE.fullmatch(text):
                return dt.date.fromisoformat(text)
        except ValueError:
            pass
        self.problem(line, f"{what} is not a date: {quoted(text)}", "write YYYY-MM-DD")
        return None


def is_email(text: str) -> bool:
    """Return whether the text has the form of an e-mail address."""
    return len(text) <= _LONGEST_EMAIL and text.isprintable() and _EMAIL.fullmatch(text) is not None


def _whole(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) else None


def _share(text: str, *, number: bool) -> float | None:
    """Return the share that is written as a percentage, or as a number below 1, or None.

    The number 1 is rejected: it could mean 1 % or all.
    """
    match = _PERCENT.fullmatch(text.strip())
    if match:
        share = float(match[1]) / 100
        return share if share <= 1 else None
    try:
        share = float(text) if number else math.nan
    except ValueError:
        return None
    return share if 0 <= share < 1 else None
