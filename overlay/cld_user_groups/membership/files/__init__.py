"""Read a file, with the files that it includes, into a desired state."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Collection, Mapping
from errno import ELOOP
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias, get_args

import attrs

from cld_user_groups.membership.model import Desired
from cld_user_groups.membership.problems import FileError, Problem, in_file_order, quoted

from .content import MAX_BYTES, TIMEOUT, decode_text, read_content, unreadable
from .document import read_group_rows, read_tree
from .fields import Fields, Node, Table, TableNode
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
    return _FileReader(os.fspath(path), max_bytes, timeout, rows).read(stdin, format)


def read_file_with(
    path: str | os.PathLike[str], key: str, read: Callable[[Node, Fields], None]
) -> Desired:
    """Read a file of groups that may have one key more; what it has there is given to `read`.

    Raises:
        FileError: As `read_file` does, with the problems that `read` has noted.
    """
    return _FileReader(os.fspath(path), MAX_BYTES, TIMEOUT, None, {key: read}).read(None, None)


def read_edited(source: str, texts: Mapping[str, bytes], rows: RowFormat | None = None) -> Desired:
    """Read a file as if it, and those that it includes, had other contents, by source.

    Raises:
        FileError: As `read_file` does.
    """
    reader = _FileReader(source, MAX_BYTES, TIMEOUT, rows)
    reader.edited = texts
    return reader.read(None, None)


class _FileReader:
    """Reads one file, and those that it includes, once each."""

    def __init__(
        self,
        source: str,
        max_bytes: int,
        timeout: float,
        rows: RowFormat | None,
        others: Mapping[str, Callable[[Node, Fields], None]] | None = None,
    ) -> None:
        self.source = source
        self.rows = rows
        self.others = others or {}
        self.edited: Mapping[str, bytes] = {}
        self.max_bytes = max_bytes
        self.timeout = timeout
        self.digest = hashlib.sha256()
        self.problems: list[Problem] = []
        self.texts: dict[str, str] = {}
        self.included: dict[str, tuple[Fields, list[ListedRow]]] = {}

    def read(self, stdin: BinaryIO | None, named: Format | None) -> Desired:
        try:
            content = self._content(self.source, self.source, stdin)
        except OSError as error:
            raise unreadable(self.source, error) from None
        text = decode_text(content, self.source)
        chosen = named or self._format(text)
        fields = Fields(self.source, self.problems)
        desired = self._desired(text, chosen, fields)
        if self.problems:
            raise FileError(in_file_order(dict.fromkeys(self.problems), self.source))
        return attrs.evolve(desired, digest=self.digest.hexdigest())

    def _desired(self, text: str, chosen: Format, fields: Fields) -> Desired:
        if parse := _ROWS.get(chosen):
            how = self.rows or RowFormat()
            if self.rows:  # which decides, as the bytes do, what the file asks for
                self.digest.update(repr(self.rows).encode())
            rows = parse(text, fields, GROUP_COLUMNS, how.columns)
            groups = read_group_rows(how.translated(rows, fields), fields)
            return Desired(source=self.source, digest="", groups=groups)
        if self.rows is not None:
            message = f"a file in {chosen.upper()} names the columns of its sources itself"
            raise FileError([Problem(self.source, None, message, "under `from`")])
        node = _parse(text, chosen, fields)
        if node is None:
            raise FileError([Problem(self.source, None, "the file is empty")])
        if self.others and isinstance(node, Table):
            for each, value in node.entries:
                if read := self.others.get(each.text):
                    read(value, fields)
            own = [entry for entry in node.entries if entry[0].text not in self.others]
            node = TableNode(own, node.line)
        return read_tree(node, fields, self._include)

    def _content(self, path: str | Path, shown: str, stdin: BinaryIO | None = None) -> bytes:
        content = self.edited.get(shown)
        if content is None:
            content = read_content(
                path, stdin=stdin, max_bytes=self.max_bytes, timeout=self.timeout, shown=shown
            )
        # The length in front, so that no two sets of files have one digest.
        self.digest.update(len(content).to_bytes(8, "big"))
        self.digest.update(content)
        return content

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
                parse = self._parser(path, line)
                if shown not in self.texts:
                    self.texts[shown] = self._included_text(path, fields, line)
                rows = parse(self.texts[shown], fields, columns, how.columns)
                rows = how.translated(rows, fields)
            except FileError as error:
                self.problems += error.problems
            self.included[key] = (fields, rows)
        return self.included[key]

    def _rejected(self, line: int, message: str, hint: str = "") -> FileError:
        return FileError([Problem(self.source, line, message, hint)])

    def _parser(self, path: str, line: int) -> RowParser:
        if self.source == "-":
            message = "standard input cannot include a file"
            raise self._rejected(line, message, "there is no folder to start from")
        parse = _ROWS.get(_SUFFIXES.get(Path(path).suffix.lower(), ""))
        if parse is None:
            known = "known: .csv, .jsonl, .ndjson"
            raise self._rejected(line, f"cannot include {quoted(path)}", known)
        return parse

    def _included_text(self, path: str, fields: Fields, line: int) -> str:
        if "\0" in path:  # no file can be called so; the operating system's functions raise
            hint = "a NUL character is in its name"
            raise self._rejected(line, f"cannot include {quoted(path)}", hint)
        folder = Path(self.source).resolve().parent
        try:
            if not (folder / path).resolve().is_relative_to(folder):
                raise self._rejected(line, f"{quoted(path)} is outside the file's folder")
            content = self._content(folder / path, fields.source)
        except OSError as error:
            message = f"cannot read {quoted(path)}: {error.strerror or error}"
            raise self._rejected(line, message) from None
        except RuntimeError:  # symbolic links in a circle, before Python 3.13
            message = f"cannot read {quoted(path)}: {os.strerror(ELOOP)}"
            raise self._rejected(line, message) from None
        return decode_text(content, fields.source)


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
