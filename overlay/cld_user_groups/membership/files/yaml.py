"""Parse YAML from its events: no object is constructed from it, and no alias followed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cld_user_groups._version import install_command
from cld_user_groups.membership.problems import FileError, Problem, quoted

from .fields import DEEPEST, Fields, Items, Node, Scalar, TableNode

try:
    import yaml
except ModuleNotFoundError as error:  # pragma: no cover - the environment of the tests has it
    raise ModuleNotFoundError(
        f"Reading YAML needs PyYAML: {install_command('cli')}", name=error.name
    ) from error

# Twenty times as fast as the parser in Python; missing only where PyYAML was built without libyaml.
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def parse_yaml(text: str, fields: Fields) -> Node | None:
    """Return the tree of a YAML document, or None for an empty one.

    Anchors, aliases, tags and merge keys are noted as problems.

    Raises:
        FileError: It is not YAML, or more than one document.
    """
    source = fields.source
    try:
        return _TreeBuilder(fields).build(yaml.parse(text, Loader=_LOADER))
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
    line = _line(text, mark.line)
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
        key = _line(text, error.context_mark.line).strip()
        return f"no colon after {quoted(key)}", "end a key with `:`, begin an item with `- `"
    if mark.index + 1 >= len(text):
        return message, "is the file truncated?"
    if "mapping values" in message:
        hint = "indent it as the lines above it, or quote a value that has a colon in it"
        return message, hint
    if (error.context or "").startswith("while parsing a block"):
        return message, "indent it as the lines above it"
    return message, ""


def _line(text: str, number: int) -> str:
    """Return a line, from 0; the one after the last line break is empty."""
    lines = text.splitlines()
    return lines[number] if number < len(lines) else ""


class _TreeBuilder:
    """Builds a tree from events."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.source = fields.source
        self.open: list[Items | TableNode] = []
        self.key: list[Scalar | None] = []
        self.root: Node | None = None
        self.documents = 0

    def build(self, events: Iterator[yaml.Event]) -> Node | None:
        for event in events:
            self._take(event)
        return self.root

    def _take(self, event: yaml.Event) -> None:
        line = 1 if event.start_mark is None else event.start_mark.line + 1
        match event:
            case yaml.ScalarEvent():
                self._check(event, line)
                self._add(Scalar(event.value, "text" if event.style else "plain", line), line)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._check(event, line)
                node = (
                    Items([], line)
                    if isinstance(event, yaml.SequenceStartEvent)
                    else TableNode([], line)
                )
                self._add(node, line)
                self.open.append(node)
                self.key.append(None)
                if len(self.open) > DEEPEST:
                    raise FileError([Problem(self.source, line, "nested too deeply")])
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self.open.pop()
                self.key.pop()
            case yaml.AliasEvent():
                self._problem(
                    line, f"an alias, {quoted(f'*{event.anchor}')}", "write the value out"
                )
                self._add(Scalar("", "invalid", line), line)
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise FileError([Problem(self.source, line, "a second document in one file")])
            case _:
                pass

    def _check(self, event: yaml.NodeEvent, line: int) -> None:
        if event.anchor is not None:
            self._problem(line, f"an anchor, {quoted('&' + event.anchor)}", "write the value out")
        tag: str | None = getattr(event, "tag", None)
        if tag is not None:
            self._problem(line, f"a tag, {quoted(tag)}", "tags have no meaning here")

    def _problem(self, line: int, message: str, hint: str) -> None:
        self.fields.problem(line, f"{message}: not supported", hint)

    def _add(self, node: Node, line: int) -> None:
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        if isinstance(parent, Items):
            parent.items.append(node)
            return
        key = self.key[-1]
        if key is not None:
            parent.entries.append((key, node))
            self.key[-1] = None
            return
        if not isinstance(node, Scalar):
            raise FileError(
                [Problem(self.source, line, "a key must be text, not a list or a mapping")]
            )
        if node.text == "<<" and node.kind == "plain":
            self._problem(line, "a merge key, `<<`", "write the values out")
        self.key[-1] = node
