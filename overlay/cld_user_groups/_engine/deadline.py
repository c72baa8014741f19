"""Time limits that httpx lacks: for a whole body, and for a whole attempt of the async client.

httpx limits each wait for data. A server that sends a byte at a time, or one informational response
after another, never exceeds that.
"""

from __future__ import annotations

import sys
from math import inf
from time import monotonic
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

import httpx

from .body import too_slow
from .library import library_of


class Deadline:
    """A time limit of the async client, on asyncio and trio.

    Past it, what waits in the `with` block is cancelled, and a ReadTimeout raised.

    Args:
        request: The request, with httpx's `timeout` extension. All its limits together are the
            first limit.
    """

    __slots__ = (
        *("_cancelling", "_request", "_scope", "_seconds", "_task", "_watch"),
        *("end", "is_past"),
    )

    def __init__(self, request: httpx.Request) -> None:
        limits = request.extensions["timeout"].values()
        self._seconds: float = inf if None in limits else sum(limits)
        self._request = request
        self._task: Any = None
        self.is_past = False

    def __enter__(self) -> Self:
        asyncio: Any = sys.modules.get("asyncio")
        try:
            loop = asyncio.get_running_loop()
        except (AttributeError, RuntimeError):
            import anyio

            self._scope = anyio.CancelScope()
            self._scope.__enter__()
        else:
            self._task = asyncio.current_task(loop)
            self._cancelling = self._task.cancelling()
            self._watch = _watches.get(loop) or _watches.setdefault(loop, _Watch())
        self.limit(self._seconds)
        return self

    def limit(self, seconds: float | None) -> None:
        """Set another limit, which counts from now; None for none."""
        self._seconds = inf if seconds is None else seconds
        if self._task is not None:
            self.end = monotonic() + self._seconds
            watch = self._watch
            watch.kept.add(self)
            if self.end < watch.next:
                watch.wake_at(self.end)
        else:
            import anyio

            self._scope.deadline = anyio.current_time() + self._seconds

    def expire(self) -> None:
        """Cancel what waits."""
        self.is_past = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task is None:
            self._scope.__exit__(kind, error, traceback)
            self.is_past = self._scope.cancelled_caught
        else:
            self._watch.kept.discard(self)
            if self.is_past:  # a cancellation by the caller, at the same time, goes before
                is_own = self._task.uncancel() <= self._cancelling
                self.is_past = is_own and kind is sys.modules["asyncio"].CancelledError
        if self.is_past:
            kind_of_library = library_of(self._request).ReadTimeout
            raise kind_of_library(too_slow(self._seconds), request=self._request) from error


class _Watch:
    """One timer for all deadlines of a loop: one for each would be 8 % of a call in process."""

    def __init__(self) -> None:
        self.kept: set[Deadline] = set()
        self.next = inf  # no timer itself, which would keep the loop alive

    def wake_at(self, end: float) -> None:
        self.next = end
        if end < inf:
            loop = sys.modules["asyncio"].get_running_loop()
            loop.call_later(end - monotonic(), self._tick, end)

    def _tick(self, end: float) -> None:
        if end != self.next:  # an earlier one has been set since
            return
        now = monotonic()
        for deadline in [each for each in self.kept if each.end <= now]:
            self.kept.discard(deadline)
            deadline.expire()
        self.wake_at(min((each.end for each in self.kept), default=inf))


_watches: WeakKeyDictionary[Any, _Watch] = WeakKeyDictionary()
