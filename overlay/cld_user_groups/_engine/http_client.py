"""Owns the httpx client: made when first needed, made anew in a forked process, closed once."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import httpx

C = TypeVar("C", httpx.Client, httpx.AsyncClient)

# The time limits of a client of our own where the caller sets none, in seconds.
DEFAULT_TIMEOUT = httpx.Timeout(30.0, connect=10.0)


class HttpClient(Generic[C]):
    """An httpx client of the caller's, or one of our own.

    One of our own is made by the first call, for making it costs a hundred times what a call does.

    Args:
        given: The caller's client, which is never closed here, or None.
        make: Makes one of our own.
    """

    def __init__(self, given: C | None, make: Callable[[], C]) -> None:
        self._client: C | None = given
        self._is_ours = given is None
        self._make: Callable[[], C] = make
        self._is_closed = False
        self._left_to_parent: list[C] = []
        self._lock = threading.Lock()
        if self._is_ours:
            _ours.add(self)

    def get(self) -> C:
        """Return the client.

        Raises:
            RuntimeError: It was closed.
        """
        if self._is_closed:
            raise RuntimeError("The client is closed: make a new one")
        if self._client is None:
            with self._lock:
                if self._client is None:
                    self._client = self._make()
        return self._client

    def take_to_close(self) -> C | None:
        """Mark it as closed, and return the client that is to be closed, if it is our own."""
        self._is_closed = True
        return self._client if self._is_ours else None

    def forget(self) -> None:
        """Leave the connections to the parent process, after a fork: two cannot share them."""
        self._lock = threading.Lock()  # the other may be held by a thread that is not here
        if self._client is not None:
            # Kept, because closing it could wait for such a lock too.
            self._left_to_parent.append(self._client)
            self._client = None


_ours: weakref.WeakSet[HttpClient[Any]] = weakref.WeakSet()


def _forget_all() -> None:
    for client in list(_ours):
        client.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
