"""Where things are written: results to standard output, all else to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import click

from .logs import json_log, log_event


def print_result(text: str) -> None:
    """Write a result, with one line break at its end.

    Whoever stops reading it (`| head`) has seen enough, and the exit code is as if it were read.

    Raises:
        OSError: It cannot be written.
    """
    with suppress(BrokenPipeError):
        click.echo(text.rstrip("\n"))


def print_json(document: Mapping[str, Any]) -> None:
    """Write a result as one JSON document."""
    import msgspec

    print_result(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def print_message(text: str, *, quiet: bool = False) -> None:
    """Write a message, unless it is not wanted; one that cannot be written is left out."""
    if not quiet and not log_event("message", message=text.strip()):
        with suppress(OSError):
            click.echo(text.rstrip("\n"), err=True)


def has_color(stream: Any) -> bool:
    """Return whether a stream is a terminal that is to have colors (https://no-color.org)."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR") and _is_capable()


def colored(text: str, color: str | None) -> str:
    """Return a text in a color of the terminal; as it is where there is none."""
    return text if color is None else click.style(text, fg=color)


def can_ask() -> bool:
    """Return whether somebody is there to be asked, and is shown what about."""
    return json_log() is None and sys.stdin.isatty() and sys.stderr.isatty()


def _is_capable() -> bool:
    return os.environ.get("TERM") != "dumb"
