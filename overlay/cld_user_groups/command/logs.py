"""`--log-format json`: standard error as JSON lines, for machines that collect logs.

Every line is an object with `time`, `level` and `event`; docs/ci.md lists the events. No line holds
credentials.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import click
from attrs import define, field

if TYPE_CHECKING:
    import httpx

    from cld_user_groups.hooks import HookContext

Level = Literal["info", "warning", "error"]


@define
class JsonLog:
    """Writes events as JSON lines. It is a hook of the client too: requests and retries are events.

    Args:
        is_quiet: Returns whether only errors are wanted.
    """

    _is_quiet: Callable[[], bool]
    _lock: threading.Lock = field(factory=threading.Lock, init=False)
    _sent_at: threading.local = field(factory=threading.local, init=False)

    def write(self, event: str, level: Level = "info", **fields: Any) -> None:
        """Write an event, but not its fields that are None.

        A run goes on where its log cannot be written, on a full disk for one: its journal is what
        counts.
        """
        if level != "error" and self._is_quiet():
            return
        import msgspec

        known = {name: value for name, value in fields.items() if value is not None}
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
        content = {"time": now, "level": level, "event": event, **known}
        line = escaped_json(msgspec.json.encode(content).decode())
        # A log that nobody reads any more, or a full disk, does not end a run halfway.
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


# What msgspec leaves as it is; line breaks are between the parts of a document.
_BEYOND_ASCII = re.compile(r"[^\x20-\x7e\n]")

_log: ContextVar[JsonLog | None] = ContextVar("_log", default=None)


@contextmanager
def logging_as(log_format: str, *, debug: bool, is_quiet: Callable[[], bool]) -> Generator[None]:
    """Write logs in a format for the length of a `with` block.

    Args:
        log_format: The format, "text" or "json".
        debug: Whether text has the library's debug log, whose events JSON always has.
        is_quiet: Returns whether only errors are wanted.
    """
    is_json = log_format == "json"
    logger = logging.getLogger("cld_user_groups")
    level = logger.level
    # Under JSON one that writes nothing, so that CLOUDINARY_DEBUG adds none that writes text.
    handler: logging.Handler = logging.NullHandler()
    if debug and not is_json:
        from cld_user_groups.hooks import PrintableFormatter

        handler = logging.StreamHandler()
        handler.setFormatter(PrintableFormatter("%(asctime)s %(message)s"))
    if debug or is_json:
        logger.addHandler(handler)
    if debug and not is_json:
        logger.setLevel(logging.DEBUG)
    token = _log.set(JsonLog(is_quiet) if is_json else None)
    try:
        yield
    finally:
        _log.reset(token)
        logger.removeHandler(handler)
        logger.setLevel(level)


def escaped_json(text: str) -> str:
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
