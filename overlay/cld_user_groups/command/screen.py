"""What a terminal shows: lines that end between words, and a pager for what is longer than it.

An ID, an e-mail or an option has no space in it, so that none is ever broken over two lines.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any

import click

_WORD = re.compile(r"\s*\S+")
_SHELL_WORD = re.compile(r"\s*(?:'[^']*'|\S)+")
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
# A command that is there to be pasted, whose lines must be one to a shell.
_PASTED = re.compile(r"(?:To [a-z ]+|again):(?= cld-user-groups )")
# What wrapping takes for no hyphen, and so for no place to break a line.
_HYPHEN = "\ue000"


class _Formatter(click.HelpFormatter):
    """Breaks the lines of a help between words alone: not in an option, at a hyphen."""

    def write_text(self, text: str) -> None:
        super().write_text(text.replace("-", _HYPHEN))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        whole = [(name, text.replace("-", _HYPHEN)) for name, text in rows]
        super().write_dl(whole, col_max, col_spacing)

    def getvalue(self) -> str:
        return super().getvalue().replace(_HYPHEN, "-")


class HelpContext(click.Context):
    """A context whose help has no broken words."""

    formatter_class = _Formatter


def size_of(stream: Any) -> os.terminal_size:
    """Return how many columns and lines a terminal has; 0 of what is none, or does not tell."""
    with suppress(OSError, ValueError):
        if stream.isatty():
            return os.get_terminal_size(stream.fileno())
    return os.terminal_size((0, 0))


def cells_of(text: str) -> int:
    """Return how many columns a text takes."""
    from rich.cells import cell_len

    return cell_len(_STYLE.sub("", text))


def wrapped(line: str, width: int, hang: int = 0) -> Iterator[str]:
    """Yield the lines of a line, which end between words; all but the first are indented.

    A word that is longer than the width stays whole: the terminal breaks it, and copies it as one.
    """
    found = _PASTED.search(line)
    command_at = found.end() if found else len(line)
    made, used = "", 0
    words = (_WORD.finditer(line, 0, command_at), _SHELL_WORD.finditer(line, command_at))
    for word in chain.from_iterable(words):
        text, start, end = word[0], word.start(), word.end()
        size = cells_of(text)
        mark = " \\" if start > command_at else ""
        if start == command_at and cells_of(line[start:]) <= width - hang:
            size = cells_of(line[start:])  # whole, if a line has room for it
        if used and used + size + (len(mark) if end < len(line) else 0) > width:
            yield made + mark
            text = text.lstrip()
            used = min(hang, max(0, width - cells_of(text)))
            made = " " * used
        made += text
        used += cells_of(text)
    yield made


def fitted(text: str, stream: Any) -> str:
    """Return a text for people with lines that fit a stream, where that is a terminal."""
    width = size_of(stream).columns
    if not width:
        return text
    lines: list[str] = []
    for line in text.split("\n"):
        plain = _STYLE.sub("", line)
        lines += wrapped(line, width, len(plain) - len(plain.lstrip()) + 4)
    return "\n".join(lines)


def show(text: str, *, has_pager: bool = True) -> None:
    """Write a text for people to standard output, on a terminal that it does not fit with a pager.

    None where nobody is there to leave it, and where `PAGER` is empty or `cat`.
    """
    text = fitted(text.rstrip("\n"), sys.stdout)
    lines = size_of(sys.stdout).lines
    is_long = 0 < lines <= text.count("\n") + 1
    has_pager = has_pager and os.environ.get("PAGER", "less") not in ("", "cat")
    with suppress(BrokenPipeError):
        if is_long and has_pager and sys.stdin.isatty():
            click.echo_via_pager(text)
        else:
            click.echo(text)
