"""Read the fields of a file's tree, and collect their problems."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from attrs import define, field

from cld_user_groups.membership.problems import Problem, did_you_mean, quoted

from ._tree import Items, Node, Scalar, Table
from ._values import parse_date, parse_share, parse_whole


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
        if not isinstance(node, Table):
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

    def choice(self, node: Node | None, what: str, first: str, second: str) -> str:
        """Return one of two words; the first if it is absent."""
        if node is None:
            return first
        text = self.text(node, what)
        if text is None or text in (first, second):
            return text or first
        self.problem(
            node.line,
            f"{what} must be `{first}` or `{second}`, not {quoted(text)}",
        )
        return first

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
