"""Where things are written: results to standard output, all else to standard error, or a file.

A terminal gets lines that end between words, and a pager for what is longer than it: an ID, an
e-mail or an option has no space in it, so that none is ever broken over two lines.

With `--log-format json`, standard error is JSON lines for machines that collect logs: every line is
an object with `time`, `level` and `event`; docs/ci.md lists the events. No line holds credentials.
"""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from . import membership

if TYPE_CHECKING:
    import httpx

    from cld_user_groups.hooks import HookContext

Level = Literal["info", "warning", "error"]

_WORD = re.compile(r"\s*\S+")
_SHELL_WORD = re.compile(r"\s*(?:'[^']*'|\S)+")
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
# A command that is there to be pasted, whose lines must be one to a shell.
_PASTED = re.compile(r"(?:To [a-z ]+|again):(?= cld-user-groups )")
# What wrapping takes for no hyphen, and so for no place to break a line.
_HYPHEN = "\ue000"
# How many digests of files that were written are kept.
_KEPT = 1000
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


def print_message(text: str, *, is_text: bool = True) -> None:
    """Write a message; one that cannot be written is left out.

    What is no text, such as the lines of a file, stays as it is on a terminal.
    """
    if not log_event("message", message=text.strip()):
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


class OutputFile:
    """A file that a command writes, but not over what a person has written or edited.

    The digests of what this user's commands wrote are kept beside the journals. A file of groups
    in YAML carries its own too, for it is kept in repositories, and checked out elsewhere.
    """

    def __init__(self, path: Path, account_id: str, *, force: bool) -> None:
        self._path = path
        self._digests = membership.state_directory(account_id) / "written"
        if not force and path.is_file() and (content := path.read_bytes()):
            if sha256(content).hexdigest() in self._known() or _carries_digest(content):
                return
            what = (
                "it was not written by this command here, or was edited since: write to another "
                "file, or replace it with --force"
            )
            raise FileExistsError(errno.EEXIST, what, str(path))

    def write(self, text: str) -> None:
        """Write the file, whole or not at all."""
        data, state = text.encode(), membership.state
        if self._path.suffix.lower() in (".yaml", ".yml"):
            data = b"# cld-user-groups, sha256 %s\n" % sha256(data).hexdigest().encode() + data
        state.write_file(self._path, data)
        known = [*self._known(), sha256(data).hexdigest()]
        with suppress(OSError):  # then the file is not replaced without --force
            state.make_private(self._digests.parent)
            state.replace_file(self._digests, "\n".join(dict.fromkeys(known[-_KEPT:])).encode())

    def _known(self) -> list[str]:
        try:
            return self._digests.read_text("ascii").split()
        except (OSError, ValueError):
            return []


def _carries_digest(content: bytes) -> bool:
    """Return whether the first line is the digest of the others."""
    first, _, others = content.partition(b"\n")
    return first == b"# cld-user-groups, sha256 " + sha256(others).hexdigest().encode()
