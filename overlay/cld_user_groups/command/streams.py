"""The standard streams, as every command finds them: open, and fit for every text."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from pathlib import Path


def prepare_streams() -> None:
    """Open what was closed (`>&-`), and let no character be one that cannot be written.

    Pipes and files get UTF-8, whatever the locale: a spreadsheet, a browser and the next program of
    a pipe would have to guess otherwise. A terminal keeps its encoding, and gets escapes for what
    that lacks.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # In their order: each takes the lowest free descriptor, and so the one that it had.
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def finish_streams() -> None:
    """Flush the streams; forget what cannot be flushed, as was told where it was written."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # Else the interpreter tries once more at its end, and exits with 120.
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
