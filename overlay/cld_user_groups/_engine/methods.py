"""Turn an operation, written once, into methods of the sync and the async resources."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from attrs import define

from .call import Call, CallOptions, RawResponse, check_options

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")

# Several calls that lead to one result: yields each call, and is sent what it returned.
Calls = Generator[Call[T], T, R]


class Send(Protocol):
    """Makes a call: the sync client's own method."""

    def __call__(self, call: Call[T], /) -> RawResponse[T]: ...


class AsyncSend(Protocol):
    """Makes a call: the async client's own method."""

    async def __call__(self, call: Call[T], /) -> RawResponse[T]: ...


class _Resource:
    __slots__ = ()

    def __init_subclass__(cls) -> None:
        """Set each method's `__qualname__` to its class, for help(), profilers and tracebacks."""
        for name, method in vars(cls).items():
            if inspect.isfunction(method):
                method.__module__ = cls.__module__
                method.__qualname__ = f"{cls.__qualname__}.{name}"
                method.__code__ = method.__code__.replace(
                    co_name=name, co_qualname=method.__qualname__
                )


@define(repr=False)
class SyncResource(_Resource):
    """The base of a sync client's resources."""

    account_id: str
    _send: Send


@define(repr=False)
class AsyncResource(_Resource):
    """The base of an async client's resources."""

    account_id: str
    _send: AsyncSend


def sync_method(
    operation: Callable[Concatenate[str, P], Call[T]],
) -> Callable[Concatenate[SyncResource, P], T]:
    """Return a method that makes the call and returns its result."""

    def method(self: SyncResource, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._send(operation(self.account_id, *args, **kwargs)).parsed

    return _named(method, operation, "{}")


def sync_raw_method(
    operation: Callable[Concatenate[str, P], Call[T]],
) -> Callable[Concatenate[SyncResource, P], RawResponse[T]]:
    """Return a method that makes the call and returns its result as a RawResponse."""

    def method(self: SyncResource, /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        return self._send(operation(self.account_id, *args, **kwargs))

    return _named(method, operation, "RawResponse[{}]")


def async_method(
    operation: Callable[Concatenate[str, P], Call[T]],
) -> Callable[Concatenate[AsyncResource, P], Coroutine[Any, Any, T]]:
    """Return a coroutine method that makes the call and returns its result."""

    async def method(self: AsyncResource, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return (await self._send(operation(self.account_id, *args, **kwargs))).parsed

    return _named(method, operation, "{}")


def async_raw_method(
    operation: Callable[Concatenate[str, P], Call[T]],
) -> Callable[Concatenate[AsyncResource, P], Coroutine[Any, Any, RawResponse[T]]]:
    """Return a coroutine method that makes the call and returns its result as a RawResponse."""

    async def method(self: AsyncResource, /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        return await self._send(operation(self.account_id, *args, **kwargs))

    return _named(method, operation, "RawResponse[{}]")


def sync_calls_method(
    operation: Callable[Concatenate[str, P], Calls[T, R]],
) -> Callable[Concatenate[SyncResource, P], R]:
    """Return a method that makes the calls of an operation, one after another."""

    def method(self: SyncResource, /, *args: P.args, **kwargs: P.kwargs) -> R:
        calls = operation(self.account_id, *args, **kwargs)
        try:
            call = next(calls)
            while True:
                call = calls.send(self._send(call).parsed)
        except StopIteration as done:
            return cast("R", done.value)

    return _named(method, operation, "{}")


def async_calls_method(
    operation: Callable[Concatenate[str, P], Calls[T, R]],
) -> Callable[Concatenate[AsyncResource, P], Coroutine[Any, Any, R]]:
    """Return a coroutine method that makes the calls of an operation, one after another."""

    async def method(self: AsyncResource, /, *args: P.args, **kwargs: P.kwargs) -> R:
        calls = operation(self.account_id, *args, **kwargs)
        try:
            call = next(calls)
            while True:
                call = calls.send((await self._send(call)).parsed)
        except StopIteration as done:
            return cast("R", done.value)

    return _named(method, operation, "{}")


_OPTIONS = tuple(inspect.signature(check_options).parameters.values())
# Each option is an argument of its own in help(): so it is documented as one.
_OPTIONS_LINE = re.compile(r"^ *\*\*options: .*\n", re.MULTILINE)
_OPTIONS_DOC = inspect.cleandoc(CallOptions.__doc__ or "").partition("Attributes:\n")[2] + "\n"
M = TypeVar("M", bound=Callable[..., Any])


def _named(method: M, operation: Callable[..., Any], returns: str) -> M:
    """Give a method the name, the docstring and the signature that help() and editors show."""
    method.__name__ = operation.__name__.removeprefix("_")
    method.__doc__ = _OPTIONS_LINE.sub(_OPTIONS_DOC, inspect.cleandoc(operation.__doc__ or ""))
    signature = inspect.signature(operation)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    _, *arguments, _ = signature.parameters.values()  # the account comes first, the options last
    # The last argument of Call[T] and of Calls[T, R]: these annotations are str.
    result = re.sub(r"^Call\[|^Calls\[\w+, |\]$", "", signature.return_annotation)
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[own, *arguments, *_OPTIONS],
        return_annotation=returns.format(result),
    )
    return method
