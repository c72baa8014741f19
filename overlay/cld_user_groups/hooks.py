"""Hooks: observe requests and responses, and modify requests.

A hook is an object with any of the four methods of `Hook`, plain or, on the async client, async. An
exception that a hook raises reaches the caller; one from `before_request` keeps the request from
being sent.

    class Audit:
        def after_response(self, context: HookContext, response: httpx.Response) -> None:
            log.info("%s %s %s", context.operation_id, context.group_id, response.status_code)

    client = CldProvisioning(hooks=[Audit()])
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, NamedTuple, Protocol, cast

import httpx
from attrs import define, field, frozen

from cld_provisioning_api.calling import RateLimit, parse_rate_limit

from .identity import printable

LOGGER = logging.getLogger("cld_user_groups")


@frozen
class HookContext:
    """The call and the attempt that a hook is called for.

    Attributes:
        operation_id: The operation, by its name in the OpenAPI document: "getUserGroups".
        account_id: The account.
        attempt: The number of the attempt within the call, from 1.
        path_parameters: The IDs in the path, by name: {"group_id": ..., "user_id": ...}.
        is_read: Whether the call only reads.
    """

    operation_id: str
    account_id: str
    attempt: int
    path_parameters: Mapping[str, str] = field(factory=dict[str, str])
    is_read: bool = field(default=False, eq=False)

    @property
    def group_id(self) -> str | None:
        """The group that the call is about, or None."""
        return self.path_parameters.get("group_id")

    @property
    def user_id(self) -> str | None:
        """The user that the call is about, or None."""
        return self.path_parameters.get("user_id")


class Hook:
    """The methods that a hook may have; here they do nothing. Inheriting is optional.

    For the async client each may be `async def` as well.
    """

    def before_request(self, context: HookContext, request: httpx.Request) -> object:
        """Called before an attempt is sent. Headers may be added; the credentials are in them."""

    def after_response(self, context: HookContext, response: httpx.Response) -> object:
        """Called when a response arrived, of whatever status code. Its body is read."""

    def on_retry(self, context: HookContext, delay: float, error: Exception) -> object:
        """Called when an attempt ended in this error and another follows after `delay` seconds."""

    def on_error(self, context: HookContext, error: BaseException) -> object:
        """Called when the call ends in this error, whatever its class.

        On a cancellation or an interrupt an async method is not awaited.
        """


class DebugLogger(Protocol):
    """The one method of `logging.Logger` that `debug_logger` must have."""

    def debug(self, msg: str, /, *args: Any) -> object:
        """Write a message with its arguments."""


@define
class LoggingHook(Hook):
    """The built-in hook: write requests, responses and errors to a debug log.

    Args:
        logger: The logger.
    """

    logger: DebugLogger = LOGGER

    def before_request(self, context: HookContext, request: httpx.Request) -> None:
        self._debug(context, "%s %s", request.method, request.url)

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        request_id = printable(response.headers.get("x-request-id", "-"))
        size = len(response.content)
        text = "status %d, %d bytes, request id %s"
        self._debug(context, text, response.status_code, size, request_id)

    def on_retry(self, context: HookContext, delay: float, error: Exception) -> None:
        self._debug(context, "%s; again in %.3f s", _described(error), delay)

    def on_error(self, context: HookContext, error: BaseException) -> None:
        self._debug(context, "given up: %s", _described(error))

    def _debug(self, context: HookContext, text: str, *args: object) -> None:
        text = f"%s attempt %d: {text}"
        self.logger.debug(text, context.operation_id, context.attempt, *args)


class NotSent(Exception):  # noqa: N818 - reads as what is the case
    """A request that could change the account, or that takes what is left to others."""


@define
class OnlyReads(Hook):
    """A hook with which a client only reads, and leaves some of the quota to others.

    Args:
        keep_quota: How many requests of the quota to leave.

    Attributes:
        sent: How many requests were sent.
    """

    keep_quota: int = 0
    sent: int = field(default=0, init=False)
    _quota: RateLimit = field(factory=RateLimit, init=False)

    def before_request(self, context: HookContext, request: httpx.Request) -> None:
        if not context.is_read:
            raise NotSent(f"{context.operation_id} could change the account")
        left, reset = self._quota.remaining, self._quota.reset
        is_renewed = reset is not None and datetime.now(UTC) >= reset
        if left is not None and left <= self.keep_quota and not is_renewed:
            raise NotSent(f"{left} requests are left of the quota, for others")
        self.sent += 1

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        quota = parse_rate_limit(response.headers)
        if quota.remaining is not None:  # a response that does not say changes nothing
            self._quota = quota


def _described(error: BaseException) -> str:
    return printable(f"{type(error).__name__}: {error}")


_Methods = tuple[Callable[..., object], ...]


class Hooks(NamedTuple):
    """The methods of all hooks of a client, in the order of the hooks."""

    before_request: _Methods
    after_response: _Methods
    on_retry: _Methods
    on_error: _Methods


def make_hooks(
    hooks: tuple[object, ...], debug_logger: DebugLogger | None, may_be_async: bool
) -> tuple[Hooks, Hooks]:
    """Return the hooks of a client, and those while the debug log is on."""
    for hook in hooks:
        _check(hook, may_be_async)
    with_log = _methods((*hooks, LoggingHook(debug_logger or LOGGER)))
    return (_methods(hooks) if debug_logger is None else with_log), with_log


def _methods(hooks: tuple[object, ...]) -> Hooks:
    found = ([getattr(hook, name, None) for hook in hooks] for name in Hooks._fields)
    return Hooks(*(tuple(filter(callable, methods)) for methods in found))


def _check(hook: object, may_be_async: bool) -> None:
    """Reject what is no hook, and methods that would not run."""
    methods = {name: getattr(hook, name, None) for name in Hooks._fields}
    kind = type(hook).__name__
    if not any(map(callable, methods.values())):
        raise TypeError(f"a hook must have one of {', '.join(methods)}; {kind} has none")
    for name, method in methods.items():
        if _is(method, isgeneratorfunction) or _is(method, isasyncgenfunction):
            raise TypeError(f"{kind}.{name} yields: calling it would run nothing of it")
        if not may_be_async and _is(method, iscoroutinefunction):
            raise TypeError(f"{kind}.{name} is async: use it with AsyncCldProvisioning")


def _is(method: object, kind: Callable[[object], bool]) -> bool:
    while isinstance(method, partial):
        method = cast("partial[object]", method).func
    return kind(method) or kind(getattr(method, "__call__", None))  # noqa: B004


class PrintableFormatter(logging.Formatter):
    """Formats records for a terminal: what it could interpret, in a server's text, is escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as text."""
        return "\n".join(map(printable, super().format(record).split("\n")))


def show_debug_log() -> None:
    """Write the library's debug log to standard error if CLOUDINARY_DEBUG is true."""
    if os.environ.get("CLOUDINARY_DEBUG", "").lower() not in ("1", "true", "yes", "on"):
        return
    LOGGER.setLevel(logging.DEBUG)
    if not LOGGER.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(PrintableFormatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        LOGGER.addHandler(handler)


__all__ = ["DebugLogger", "Hook", "HookContext", "LoggingHook"]
