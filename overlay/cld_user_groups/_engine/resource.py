"""The base classes of the resources, user_groups.py and users.py."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Protocol, TypeVar, cast

from attrs import define

from .request import ApiCall, CheckedOptions, RawResponse

T = TypeVar("T")
R = TypeVar("R")

# Several calls that lead to one result: yields each call, and is sent what it returned.
Calls = Generator[ApiCall[T], T, R]


Q = TypeVar("Q")


def send_each(queries: Generator[Q, T, R], send: Callable[[Q], T]) -> R:
    """Send what a generator yields, one after another, and return its result.

    Args:
        queries: Yields what to send, and is sent what that returned.
        send: Sends it.
    """
    try:
        query = next(queries)
        while True:
            query = queries.send(send(query))
    except StopIteration as done:
        return cast("R", done.value)


class Send(Protocol):
    """Makes a call: the sync client's own method."""

    def __call__(self, call: ApiCall[T], options: CheckedOptions, /) -> RawResponse[T]: ...


class AsyncSend(Protocol):
    """Makes a call: the async client's own method."""

    async def __call__(self, call: ApiCall[T], options: CheckedOptions, /) -> RawResponse[T]: ...


@define(repr=False)
class SyncResource:
    """The base of a sync client's resources."""

    account_id: str
    _send: Send

    def _send_all(self, calls: Calls[T, R], options: CheckedOptions) -> R:
        """Make the calls of an operation, one after another, and return its result."""
        return send_each(calls, lambda call: self._send(call, options).parsed)


@define(repr=False)
class AsyncResource:
    """The base of an async client's resources."""

    account_id: str
    _send: AsyncSend

    async def _send_all(self, calls: Calls[T, R], options: CheckedOptions) -> R:
        """Make the calls of an operation, one after another, and return its result."""
        try:
            call = next(calls)
            while True:
                call = calls.send((await self._send(call, options)).parsed)
        except StopIteration as done:
            return cast("R", done.value)
