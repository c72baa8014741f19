"""Where things are written: results to standard output, all else to standard error, or a file.

With `--log-format json`, standard error is JSON lines for machines that collect logs: every line is
an object with `time`, `level` and `event`; docs/ci.md lists the events. No line holds credentials.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from .screen import fitted

if TYPE_CHECKING:
    import httpx

    from cld_user_groups.hooks import HookContext

Level = Literal["info", "warning", "error"]

# What msgspec leaves as it is; line breaks are between the parts of a document.
_BEYOND_ASCII = re.compile(r"[^\x20-\x7e\n]")


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
    """Flush the streams; ignore what cannot be: that was reported where it was written."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # Else the interpreter tries once more at its end, and exits with 120.
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def print_result(text: str) -> None:
    """Write a result, with one line break at its end.

    Whoever stops reading it (`| head`) has seen enough, and the exit code is as if it were read.
    """
    with suppress(BrokenPipeError):
        click.echo(text.rstrip("\n"))


def print_document(name: str, **content: Any) -> None:
    """Write a result as one JSON document, which begins with its format."""
    print_json({"format": f"cld-user-groups/{name}/1", **content})


def print_json(document: Mapping[str, Any]) -> None:
    """Write a result as JSON."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    print_result(_escaped_json(text))


def print_message(text: str, *, quiet: bool = False, is_text: bool = True) -> None:
    """Write a message, unless it is to be quiet; one that cannot be written is left out.

    What is no text, such as the lines of a file, stays as it is on a terminal.
    """
    if not quiet and not log_event("message", message=text.strip()):
        text = text.rstrip("\n")
        with suppress(OSError):
            click.echo(fitted(text, sys.stderr) if is_text else text, err=True)


def has_color(stream: Any) -> bool:
    """Return whether a stream is a terminal that is to have colors (https://no-color.org)."""
    is_terminal = bool(stream.isatty()) and os.environ.get("TERM") != "dumb"
    return is_terminal and not os.environ.get("NO_COLOR")


def colored(text: str, color: str | None) -> str:
    """Return a text in a color of the terminal; as it is where there is none."""
    return text if color is None else click.style(text, fg=color)


def can_ask() -> bool:
    """Return whether somebody is there to be asked, and is shown what about."""
    return json_log() is None and sys.stdin.isatty() and sys.stderr.isatty()


class JsonLog:
    """Writes events as JSON lines, those of the client too, of which it is a hook."""

    def __init__(self, is_quiet: Callable[[], bool]) -> None:
        self._is_quiet = is_quiet
        self._lock = threading.Lock()
        self._sent_at = threading.local()

    def write(self, event: str, level: Level = "info", **fields: Any) -> None:
        """Write an event, but not its fields that are None."""
        if level != "error" and self._is_quiet():
            return
        import msgspec

        known = {name: value for name, value in fields.items() if value is not None}
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
        content = {"time": now, "level": level, "event": event, **known}
        line = _escaped_json(msgspec.json.encode(content).decode())
        # A log that nobody reads any more, or a full disk, does not end a run halfway: its journal
        # is what counts.
        with self._lock, suppress(OSError):
            click.echo(line, err=True)

    def before_request(self, context: HookContext, request: httpx.Request) -> None:
        """Write that an attempt is sent."""
        self._sent_at.seconds = time.monotonic()
        # The query may hold e-mail addresses, by the hundred.
        self.write("request", **_call(context), method=request.method, path=request.url.path)

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        """Write that a response has arrived."""
        self.write(
            "response",
            **_call(context),
            status=response.status_code,
            request_id=response.headers.get("x-request-id"),
            milliseconds=round((time.monotonic() - self._sent_at.seconds) * 1000),
        )

    def on_retry(self, context: HookContext, delay: float, error: Exception) -> None:
        """Write that another attempt follows, and after how long."""
        self.write("retry", "warning", **_call(context), delay=round(delay, 3), **_error(error))

    def on_error(self, context: HookContext, error: BaseException) -> None:
        """Write that a call has failed."""
        self.write("call_failed", "warning", **_call(context), **_error(error))


def _call(context: HookContext) -> dict[str, Any]:
    return {
        "operation": context.operation_id,
        "attempt": context.attempt,
        "account": context.account_id,
        "group_id": context.group_id,
        "user_id": context.user_id,
    }


def _error(error: BaseException) -> dict[str, Any]:
    return {"error": type(error).__name__, "message": str(error)}


_log: ContextVar[JsonLog | None] = ContextVar("_log", default=None)


@contextmanager
def logging_as(log_format: str, *, debug: bool, is_quiet: Callable[[], bool]) -> Generator[None]:
    """Write logs in a format for the length of a `with` block."""
    is_json = log_format == "json"
    logger = logging.getLogger("cld_user_groups")
    level = logger.level
    # Under JSON one that writes nothing, so that CLOUDINARY_DEBUG adds none that writes text.
    handler: logging.Handler = logging.NullHandler()
    if debug and not is_json:
        from cld_user_groups.hooks import PrintableFormatter

        handler = logging.StreamHandler()
        handler.setFormatter(PrintableFormatter("%(asctime)s %(message)s"))
        logger.setLevel(logging.DEBUG)
    if debug or is_json:
        logger.addHandler(handler)
    token = _log.set(JsonLog(is_quiet) if is_json else None)
    try:
        yield
    finally:
        _log.reset(token)
        logger.removeHandler(handler)
        logger.setLevel(level)


def _escaped_json(text: str) -> str:
    """Escape, in JSON, what a terminal could interpret: the document stays the same."""

    def escape(found: re.Match[str]) -> str:
        return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]

    return _BEYOND_ASCII.sub(escape, text)


def json_log() -> JsonLog | None:
    """Return the log where it is to be JSON, else None."""
    return _log.get()


def log_event(event: str, level: Level = "info", **fields: Any) -> bool:
    """Write an event where the log is JSON; return whether it is."""
    log = json_log()
    if log is not None:
        log.write(event, level, **fields)
    return log is not None
