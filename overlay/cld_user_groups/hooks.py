"""Hooks: objects that are told what a client does, and may add to what it sends.

A hook has any of the four methods of `Hook`. An error that a hook raises reaches the caller; one
from `before_request` keeps the request from being sent.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import httpx
from attrs import define

LOGGER = logging.getLogger("cld_user_groups")


@define
class HookContext:
    """Which call and which attempt a hook is told about.

    Attributes:
        operation_id: The operation, by its name in the description: "getUserGroups".
        account_id: The account.
        attempt: Which attempt of the call this is, from 1.
    """

    operation_id: str
    account_id: str
    attempt: int


class Hook:
    """What a hook may have: its methods do nothing. Inherit from it or not, and write some."""

    def before_request(self, context: HookContext, request: httpx.Request) -> None:
        """An attempt is about to be sent. Headers may be added; the credentials are in them."""

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        """An answer came whole, of whatever status. Its body is read."""

    def on_retry(self, context: HookContext, delay: float, error: Exception) -> None:
        """The attempt ended in this error, and another follows after `delay` seconds."""

    def on_error(self, context: HookContext, error: Exception) -> None:
        """The call ends in this error."""


class DebugLogger(Protocol):
    """What `debug_logger` must have: the one method of `logging.Logger` that is used."""

    def debug(self, msg: str, /, *args: Any) -> object:
        """Write a message with its arguments."""


@define
class LoggingHook(Hook):
    """The library's own hook: says in a debug log what is sent and what comes of it.

    Args:
        logger: Where to.
    """

    logger: DebugLogger = LOGGER

    def before_request(self, context: HookContext, request: httpx.Request) -> None:
        self.logger.debug(
            "%s attempt %d: %s %s",
            context.operation_id,
            context.attempt,
            request.method,
            request.url,
        )

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        self.logger.debug(
            "%s attempt %d: status %d, %d bytes, request id %s",
            context.operation_id,
            context.attempt,
            response.status_code,
            len(response.content),
            response.headers.get("x-request-id", "-"),
        )

    def on_retry(self, context: HookContext, delay: float, error: Exception) -> None:
        self.logger.debug(
            "%s attempt %d: %s; again in %.3f s", context.operation_id, context.attempt,
            _described(error), delay,
        )  # fmt: skip

    def on_error(self, context: HookContext, error: Exception) -> None:
        self.logger.debug(
            "%s attempt %d: given up: %s",
            context.operation_id,
            context.attempt,
            _described(error),
        )


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


_METHODS = ("before_request", "after_response", "on_retry", "on_error")


class Hooks:
    """All hooks of a client as one: each method tells those that have it, in their order.

    Raises:
        TypeError: A hook has none of the methods.
    """

    __slots__ = ("_told",)

    def __init__(self, hooks: Iterable[object]) -> None:
        hooks = tuple(hooks)
        for hook in hooks:
            if not any(callable(getattr(hook, name, None)) for name in _METHODS):
                raise TypeError(
                    f"a hook must have one of {', '.join(_METHODS)}; {type(hook).__name__} has none"
                )
        self._told: dict[str, tuple[Callable[..., None], ...]] = {
            name: tuple(method for hook in hooks if callable(method := getattr(hook, name, None)))
            for name in _METHODS
        }

    def before_request(self, context: HookContext, request: httpx.Request) -> None:
        """Tell the hooks that an attempt is about to be sent."""
        for told in self._told["before_request"]:
            told(context, request)

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        """Tell the hooks that an answer came."""
        for told in self._told["after_response"]:
            told(context, response)

    def on_retry(self, context: HookContext, delay: float, error: Exception) -> None:
        """Tell the hooks that another attempt follows."""
        for told in self._told["on_retry"]:
            told(context, delay, error)

    def on_error(self, context: HookContext, error: Exception) -> None:
        """Tell the hooks that the call ends in an error."""
        for told in self._told["on_error"]:
            told(context, error)


def show_debug_log() -> None:
    """Write the library's debug log to standard error if CLOUDINARY_DEBUG is true."""
    if os.environ.get("CLOUDINARY_DEBUG", "").lower() not in ("1", "true", "yes", "on"):
        return
    LOGGER.setLevel(logging.DEBUG)
    if not LOGGER.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        LOGGER.addHandler(handler)


__all__ = ["DebugLogger", "Hook", "HookContext", "LoggingHook"]
