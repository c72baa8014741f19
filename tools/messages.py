"""Finds the messages in the sources, and those that docs/reference/messages.md does not explain.

Every text of four words or more counts, whatever it is used for: so none is forgotten. What is no
message (help, headings, examples) is left out by its place, or by name.

`python tools/messages.py` names those that are missing. To add one, write a row of the page: the
message, with … for what is filled in, and what to do.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/reference/messages.md"
_SOURCES = ROOT / "overlay/cld_user_groups"
_LEAST_WORDS = 4
# Other programs, tests of other people's services, documents, and help.
_OTHER_PLACES = (
    "_lazy.py", "_openapi.py", "_version.py", "assistant/catalog.py", "assistant/server.py",
    "contract.py", "command/cli.py", "command/examples.py", "command/tables.py",
    "emulator/__main__.py", "emulator/account.py", "emulator/server",
    "emulator/asgi", "emulator/c", "emulator/emulator", "emulator/faults",
    "emulator/messages", "emulator/operations", "emulator/roles", "emulator/transport",
    "membership/__init__.py", "membership/rendering/", "membership/review/picture.py",
    "membership/review/rendering.py",
)  # fmt: skip
_OTHER_TEXTS = {
    # Names of a program, of an object in Python.
    "cld-user-groups/… python/…", "…(account_id=…, server_url=…)", "module … has no attribute …",
    "status %d, %d bytes, request id %s", "%(asctime)s %(name)s %(levelname)s %(message)s",
    # What a diff says.
    "\\ No newline at end of file",
    # Of the tools for assistants, and of the protocol.
    "Which page of the rows.", "Lists, no pages, of which the first 200 are shown.",
    "… in all. The rows are in structuredContent.",
    # What PyYAML says, before it is said better.
    "cannot start any token", "could not find expected ':'", "while scanning an alias",
    "could not find expected ':'|end of stream", "while scanning an anchor",
}  # fmt: skip
_OTHER_CALLS = {
    "argument", "cast", "columns", "command", "compile", "flag", "number", "option", "setting",
    "NewType",
}  # fmt: skip


def template(node: ast.AST) -> str | None:
    """Return the text of an expression with … for what is filled in, or None if it is no text."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(
                str(each.value) if isinstance(each, ast.Constant) else "…" for each in values
            )
        case _:
            return None


def _texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the outermost texts below a node, with their lines."""
    text = template(node)
    if text is not None:
        yield getattr(node, "lineno", 0), text
        return
    match node:
        case ast.Expr(value=ast.Constant()) | ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return  # a docstring; a type
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _OTHER_CALLS:
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _texts(child)


def messages(sources: Path = _SOURCES) -> dict[str, list[tuple[int, str]]]:
    """Return the messages of each source, with their lines."""
    found: dict[str, list[tuple[int, str]]] = {}
    for path in sorted(sources.rglob("*.py")):
        name = path.relative_to(sources).as_posix()
        if not name.startswith(_OTHER_PLACES):
            found[name] = [
                (line, text)
                for line, text in _texts(ast.parse(path.read_text("utf-8")))
                if len(re.findall(r"[^\W\d_]{2,}", text)) >= _LEAST_WORDS
                and " " in text
                and text not in _OTHER_TEXTS
            ]
    return {name: texts for name, texts in found.items() if texts}


def words(text: str) -> str:
    """Return the words of a text, to find it in the page whatever its markup."""
    return " ".join(["", *re.findall(r"\w+", text.replace("%s", "…").casefold()), ""])


def missing(sources: Path = _SOURCES) -> list[str]:
    """Return the messages that the page does not have, each with its place."""
    page = words(PAGE.read_text("utf-8"))
    return [
        f"{name}:{line}: {text}"
        for name, texts in messages(sources).items()
        for line, text in texts
        if words(text) not in page
    ]


if __name__ == "__main__":
    sys.exit("\n".join(missing()) or 0)
