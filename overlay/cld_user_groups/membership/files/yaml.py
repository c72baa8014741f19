"""Parse YAML from its events: no object is constructed from it, and no alias followed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from cld_user_groups._version import install_command
from cld_user_groups.membership.problems import FileError, Problem, quoted

from .fields import DEEPEST, Fields, Items, Node, Pairs, Scalar, TableNode, TextTable

try:
    import yaml
except ModuleNotFoundError as error:  # pragma: no cover - the environment of the tests has it
    raise ModuleNotFoundError(
        f"Reading YAML needs PyYAML: {install_command('cli')}", name=error.name
    ) from error

# Twenty times as fast as the parser in Python; missing only where PyYAML was built without libyaml.
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

# A member as `export` writes it, alone on its line: 100,000 of them take libyaml's events three
# times as long as the mark that stands for each. Where not every mark comes back as an item of a
# list, such as from the lines of a text, or there is any problem, the file is read as it is.
_MEMBER = re.compile(
    r'^( *- )\{email: (\w[\w.+-]*@\w[\w.-]*), id: ("?)(\w+)\3\}$', re.ASCII | re.MULTILINE
)
_MARK = "\ue000"


def parse_yaml(text: str, fields: Fields) -> Node | None:
    """Return the tree of a YAML document, or None for an empty one.

    Anchors, aliases, tags and merge keys are noted as problems.

    Raises:
        FileError: It is not YAML, or more than one document.
    """
    source, noted = fields.source, len(fields.problems)
    try:
        if _MARK not in text:
            short = _TreeBuilder(*_shortened(text), fields)
            with suppress(yaml.YAMLError, FileError):
                root = short.build()
                if len(fields.problems) == noted and not any(short.members):
                    return root
            del fields.problems[noted:]
        return _TreeBuilder(text, iter(()), fields).build()
    except yaml.reader.ReaderError as error:
        at = error.position
        # libyaml counts bytes, the parser in Python characters.
        before = text.encode()[:at] if yaml.__with_libyaml__ else text[:at].encode()
        start = before.count(b"\n") + 1
        raise FileError([Problem(source, start, f"not YAML: {error.reason}")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if re.search("could not find expected ':'|end of stream", str(error.problem)):
            mark = error.context_mark or mark  # where the key, or the quoted text, begins
        line = mark.line + 1 if mark else None
        message, hint = _explained(error, text)
        raise FileError([Problem(source, line, f"not YAML: {message}", hint)]) from None


def _explained(error: yaml.MarkedYAMLError, text: str) -> tuple[str, str]:
    """Return what is wrong, and what to do about it, in the words of who writes files by hand."""
    message = ", ".join(part for part in (error.context, error.problem) if part)
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return message, ""
    lines = [*text.splitlines(), ""]  # with what follows the last line break
    line = lines[mark.line]
    before, rest = line[: mark.column], line[mark.column :]
    if "\t" in rest[:1] or (not before.strip() and "\t" in before):
        return "a tab in the indentation", "indent with spaces"
    if error.context in ("while scanning an alias", "while scanning an anchor"):
        start = error.context_mark.column if error.context_mark else mark.column
        value = re.match(r"[^\s,\]}]*", line[start:])
        found = value[0] if value else ""
        return f"a value that begins with {quoted(found[:1])}", f'write it in quotes: "{found}"'
    if "cannot start any token" in message and rest:
        return f"a value that begins with {quoted(rest[0])}", "write it in quotes"
    if "could not find expected ':'" in message and error.context_mark is not None:
        key = lines[error.context_mark.line].strip()
        return f"no colon after {quoted(key)}", "end a key with `:`, begin an item with `- `"
    if mark.index + 1 >= len(text):
        return message, "is the file truncated?"
    if "mapping values" in message:
        return message, "indent it as the lines above it, or quote a value that has a colon in it"
    if (error.context or "").startswith("while parsing a block"):
        return message, "indent it as the lines above it"
    return message, ""


def _shortened(text: str) -> tuple[str, Iterator[Pairs]]:
    """Return the text with marks for members, and of each its e-mail and its ID."""
    members: list[Pairs] = []

    def shorten(found: re.Match[str]) -> str:
        start, email, _, user_id = found.groups()
        members.append((("email", email), ("id", user_id)))
        return start + _MARK

    return _MEMBER.sub(shorten, text), iter(members)


class _TreeBuilder:
    """Builds a tree from events, and from the members that marks stand for."""

    def __init__(self, text: str, members: Iterator[Pairs], fields: Fields) -> None:
        self.members = members
        # Not those of `yaml.parse`: a generator adds half to what an event costs.
        loader: Any = _LOADER(text)
        self.next: Callable[[], Any] = loader.get_event
        self.fields = fields

    def build(self) -> Node | None:
        root: Node | None = None
        while (event := self.next()) is not None:
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                raise self._error(_line_of(event), "a second document in one file")
            if isinstance(event, yaml.NodeEvent):
                root = self._node(event, 1)
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if not isinstance(event, yaml.CollectionStartEvent):
            return self._scalar(event)
        line = _line_of(event)
        self._check(event, line)
        if depth > DEEPEST:
            raise self._error(line, "nested too deeply")
        if isinstance(event, yaml.MappingStartEvent):
            return self._table(line, depth)
        items = Items([], line)
        while not isinstance(item := self.next(), yaml.SequenceEndEvent):
            node = self._node(item, depth + 1)
            if isinstance(node, Scalar) and node[:2] == (_MARK, "plain") and depth < DEEPEST:
                pairs = next(self.members, None)  # none where the mark is text of the file
                node = node if pairs is None else TextTable(pairs, node.line)
            items.items.append(node)
        return items

    def _table(self, line: int, depth: int) -> TableNode:
        table = TableNode([], line)
        while not isinstance(start := self.next(), yaml.MappingEndEvent):
            if isinstance(start, yaml.CollectionStartEvent):
                raise self._error(_line_of(start), "a key must be text, not a list or a mapping")
            key = self._scalar(start)
            if key.text == "<<" and key.kind == "plain":
                self._unsupported(key.line, "a merge key, `<<`", "write the values out")
            table.entries.append((key, self._node(self.next(), depth + 1)))
        return table

    def _scalar(self, event: yaml.Event) -> Scalar:
        line = _line_of(event)
        if isinstance(event, yaml.ScalarEvent):
            if event.anchor is not None or event.tag is not None:
                self._check(event, line)
            return Scalar(event.value, "text" if event.style else "plain", line)
        self._check(event, line)
        return Scalar("", "invalid", line)  # an alias

    def _check(self, event: yaml.Event, line: int) -> None:
        anchor: str | None = getattr(event, "anchor", None)
        tag: str | None = getattr(event, "tag", None)
        if anchor is not None:
            is_alias = isinstance(event, yaml.AliasEvent)
            what, mark = ("an alias", "*") if is_alias else ("an anchor", "&")
            self._unsupported(line, f"{what}, {quoted(mark + anchor)}", "write the value out")
        if tag is not None:
            self._unsupported(line, f"a tag, {quoted(tag)}", "tags have no meaning here")

    def _error(self, line: int, message: str) -> FileError:
        return FileError([Problem(self.fields.source, line, message)])

    def _unsupported(self, line: int, message: str, hint: str) -> None:
        self.fields.problem(line, f"{message}: not supported", hint)


def _line_of(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1
