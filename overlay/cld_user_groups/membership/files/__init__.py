"""Read a file, with the files that it includes, into a desired state."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Collection, Mapping
from errno import ELOOP
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias, get_args

from attrs import define, evolve, field

from cld_user_groups.membership.model import Desired
from cld_user_groups.membership.problems import FileError, Problem, in_file_order, quoted

from .content import MAX_BYTES, TIMEOUT, decode_text, read_content, unreadable
from .document import read_group_rows, read_tree
from .fields import Fields, Node, Readers
from .row_format import RowFormat
from .rows import COLUMNS, GROUP_COLUMNS, ListedRow, first_line, parse_csv, parse_json_lines

Format = Literal["yaml", "json", "toml", "csv", "jsonl"]

_SUFFIXES: dict[str, Format] = {
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".toml": "toml",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
RowParser: TypeAlias = Callable[[str, Fields, Collection[str], Mapping[str, str]], list[ListedRow]]
_ROWS: dict[str, RowParser] = {"csv": parse_csv, "jsonl": parse_json_lines}


def read_file(
    path: str | os.PathLike[str],
    *,
    stdin: BinaryIO | None = None,
    format: Format | None = None,  # noqa: A002 - the word that readers expect
    max_bytes: int = MAX_BYTES,
    timeout: float = TIMEOUT,
    rows: RowFormat | None = None,
) -> Desired:
    """Read a file of groups and their members.

    Args:
        path: The file; "-" for standard input.
        stdin: The stream for "-". Default: the standard input of the process.
        format: The file's format. Default: by its name's suffix; for "-", by its content.
        max_bytes: The maximum size of each file, in bytes.
        timeout: How long to wait for the end of each file that is a pipe, in seconds.
        rows: How another program has written a CSV or JSON lines file. Other formats say it
            in the file.

    Raises:
        FileError: It cannot be read, is empty, is not of its format, or is not valid; all of
            its problems at once, each with its line.
        ValueError: There is no such format, or the timeout is not positive and finite.
    """
    known = get_args(Format)
    if format is not None and format not in known:
        raise ValueError(f"unknown format {format!r}: it must be one of {', '.join(known)}")
    reader = _FileReader(os.fspath(path), rows=rows, max_bytes=max_bytes, timeout=timeout)
    return reader.read(stdin, format)


def read_file_with(
    path: str | os.PathLike[str], key: str, read: Callable[[Fields, Node, str], None]
) -> Desired:
    """Read a file of groups that may have one key more; what it has there is given to `read`.

    Raises:
        FileError: As `read_file` does, with the problems that `read` has noted.
    """
    return _FileReader(os.fspath(path), others={key: read}).read()


def read_edited(source: str, texts: Mapping[str, bytes], rows: RowFormat | None = None) -> Desired:
    """Read a file as if it, and those that it includes, had other contents, by source.

    Raises:
        FileError: As `read_file` does.
    """
    return _FileReader(source, rows=rows, contents=dict(texts)).read()


@define
class _FileReader:
    """Reads one file, and those that it includes, once each."""

    source: str
    rows: RowFormat | None = None
    max_bytes: int = MAX_BYTES
    timeout: float = TIMEOUT
    others: Readers = field(factory=dict[str, Any])
    contents: dict[str, bytes] = field(factory=dict[str, bytes])
    problems: list[Problem] = field(factory=list[Problem])
    included: dict[str, tuple[Fields, list[ListedRow]]] = field(
        factory=dict[str, tuple[Fields, list[ListedRow]]]
    )

    def read(self, stdin: BinaryIO | None = None, named: Format | None = None) -> Desired:
        try:
            text = self._text(self.source, self.source, stdin)
        except OSError as error:
            raise unreadable(self.source, error) from None
        chosen = named or self._format(text)
        fields = Fields(self.source, self.problems, self._include, self.others)
        desired = self._desired(text, chosen, fields)
        if self.problems:
            raise FileError(in_file_order(dict.fromkeys(self.problems), self.source))
        digest = hashlib.sha256()
        for content in self.contents.values():
            # The length in front, so that no two sets of files have one digest.
            digest.update(len(content).to_bytes(8, "big"))
            digest.update(content)
        if self.rows:  # which decides, as the bytes do, what the file asks for
            digest.update(repr(self.rows).encode())
        return evolve(desired, digest=digest.hexdigest())

    def _desired(self, text: str, chosen: Format, fields: Fields) -> Desired:
        if parse := _ROWS.get(chosen):
            how = self.rows or RowFormat()
            rows = how.translated(parse(text, fields, GROUP_COLUMNS, how.columns), fields)
            return Desired(source=self.source, digest="", groups=read_group_rows(rows, fields))
        if self.rows is not None:
            message = f"a file in {chosen.upper()} names the columns of its sources itself"
            raise FileError([Problem(self.source, None, message, "under `from`")])
        node = _parse(text, chosen, fields)
        if node is None:
            raise FileError([Problem(self.source, None, "the file is empty")])
        return read_tree(node, fields)

    def _text(self, path: str | Path, shown: str, stdin: BinaryIO | None = None) -> str:
        if shown not in self.contents:
            self.contents[shown] = read_content(
                path, stdin=stdin, max_bytes=self.max_bytes, timeout=self.timeout, shown=shown
            )
        return decode_text(self.contents[shown], shown)

    def _format(self, text: str) -> Format:
        if self.source == "-":
            return _sniff(text)
        suffix = Path(self.source).suffix.lower()
        if suffix not in _SUFFIXES:
            message = f"unknown format: its name ends in {quoted(suffix)}"
            hint = "known: " + ", ".join(_SUFFIXES)
            raise FileError([Problem(self.source, None, message, hint)])
        return _SUFFIXES[suffix]

    def _include(
        self, path: str, line: int, how: RowFormat, columns: Collection[str]
    ) -> tuple[Fields, list[ListedRow]]:
        """Return the rows of a file in the same folder or below; none where it cannot be read."""
        shown = os.path.join(os.path.dirname(self.source), path)  # noqa: PTH118, PTH120
        key = f"{shown}\n{how}{columns}"
        if key not in self.included:
            fields = Fields(shown, self.problems)
            rows: list[ListedRow] = []
            try:
                parse, text = self._included(path, shown, line)
                rows = how.translated(parse(text, fields, columns, how.columns), fields)
            except FileError as error:
                self.problems += error.problems
            self.included[key] = (fields, rows)
        return self.included[key]

    def _included(self, path: str, shown: str, line: int) -> tuple[RowParser, str]:
        """Return what parses an included file, and its text."""

        def rejected(message: str, hint: str = "") -> FileError:
            return FileError([Problem(self.source, line, message, hint)])

        parse = _ROWS.get(_SUFFIXES.get(Path(path).suffix.lower(), ""))
        if self.source == "-":
            hint = "there is no folder to start from"
            raise rejected("standard input cannot include a file", hint)
        if parse is None:
            raise rejected(f"cannot include {quoted(path)}", "known: .csv, .jsonl, .ndjson")
        if "\0" in path:  # no file can be called so; the operating system's functions raise
            raise rejected(f"cannot include {quoted(path)}", "a NUL character is in its name")
        folder = Path(self.source).resolve().parent
        try:
            if not (folder / path).resolve().is_relative_to(folder):
                raise rejected(f"{quoted(path)} is outside the file's folder")
            return parse, self._text(folder / path, shown)
        except (OSError, RuntimeError) as error:
            # The latter for symbolic links in a circle, before Python 3.13.
            said = error.strerror if isinstance(error, OSError) else os.strerror(ELOOP)
            raise rejected(f"cannot read {quoted(path)}: {said or error}") from None


def _parse(text: str, chosen: Format, fields: Fields) -> Node | None:
    """Return the tree of a file; each parser is lazily imported."""
    if chosen == "yaml":
        from .yaml import parse_yaml

        return parse_yaml(text, fields)
    from .nested import parse_json, parse_toml

    return (parse_json if chosen == "json" else parse_toml)(text, fields.source)


def _sniff(text: str) -> Format:
    """Return the format of standard input: rows in JSON or CSV, a JSON document, else YAML."""
    first = first_line(text).strip()
    if first.startswith("{"):
        is_document = not first.endswith("}") or '"groups"' in first or '"version"' in first
        return "json" if is_document else "jsonl"
    cells = [cell.strip(' "').lower() for cell in re.split("[,;\t]", first)]
    if cells[0].startswith("sep="):
        return "csv"
    is_yaml = re.match(r"[-#%&*!?\[|>]", first) or re.search(r":(\s|$)", first)
    return "csv" if not is_yaml and (len(cells) > 1 or cells[0] in COLUMNS) else "yaml"
