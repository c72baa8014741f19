"""The httpx client of a client: caller-supplied, or lazily created.

Without a caller-supplied client, the first call creates one, since that costs a hundred times as
much as a call. A forked process and, async, each event loop gets its own, because connections
belong to the process and the loop that opened them. Every exit of a call passes through `leave`, so
that a call that races `close` leaves no connection open.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.request import getproxies

import httpx
from attrs import define

from cld_user_groups.errors import ClientClosed

from .environment import parse_proxy

if TYPE_CHECKING:
    import anyio

C = TypeVar("C", httpx.Client, httpx.AsyncClient)

# As many connections as an httpx client keeps open by default, so that none is opened in vain.
MAX_IN_FLIGHT: Final = 20
# The time limits of a lazily created client where the caller sets none, in seconds.
DEFAULT_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)


class FairSemaphore:
    """A semaphore for threads that serves them in the order of their arrival.

    `threading.Semaphore` lets a newcomer pass those who wait. Under contention, httpx's own pool
    spends quadratic time on choosing connections and fails calls with PoolTimeout that only had to
    wait. Waiting here is linear, and no time limit runs meanwhile.

    Args:
        count: How many may hold it at once.
    """

    __slots__ = ("_free", "_lock", "_waiting")

    def __init__(self, count: int = MAX_IN_FLIGHT) -> None:
        self._free = count
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()

    def try_acquire(self) -> bool:
        """Acquire it if it is free, and return whether it was."""
        with self._lock:
            if not self._free:
                return False
            self._free -= 1
            return True

    def acquire(self) -> None:
        """Wait for it; a signal handler that raises ends the wait."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            waiter = threading.Lock()
            waiter.acquire()
            self._waiting.append(waiter)
        try:
            waiter.acquire()
        except BaseException:
            with self._lock:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
                else:  # it was handed over in the same moment
                    self._hand_over()
            raise

    def release(self) -> None:
        """Hand it to the longest waiter."""
        with self._lock:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._waiting:
            self._waiting.popleft().release()
        else:
            self._free += 1


class _Owner(Generic[C]):
    """State that both kinds share.

    Args:
        make: Creates a client, unless there is a caller-supplied one, which is never closed here.
    """

    def __init__(self, make: Callable[[], C]) -> None:
        self._make: Callable[[], C] = make
        self._lock = threading.Lock()
        self._left_to_parent: list[object] = []
        # How many requests may be in flight at once; it only grows.
        self.most_in_flight = MAX_IN_FLIGHT
        self.is_closed = False
        _owners.add(self)

    def forget(self) -> None:
        """Leave the connections to the parent process after a fork: two cannot share them."""
        self._lock = threading.Lock()  # the other may be held by a thread that is not here
        # Kept, because closing them could wait for such a lock too.
        self._left_to_parent.append(self._take_own())

    def _take_own(self) -> object:
        raise NotImplementedError

    def _check_open(self) -> None:
        if self.is_closed:
            raise ClientClosed("the client is closed: create a new one")


_owners: weakref.WeakSet[_Owner[Any]] = weakref.WeakSet()


def _forget_all() -> None:
    for owner in list(_owners):
        owner.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


@define(eq=False)
class Connections:
    """An httpx client, and the semaphore that limits its concurrency.

    Attributes:
        client: The client.
        semaphore: The semaphore, or None for a caller-supplied client, which has its own limits.
        limit: How many may hold it at once.
    """

    client: httpx.Client
    semaphore: FairSemaphore | None
    limit: int = MAX_IN_FLIGHT


class HttpClient(_Owner[httpx.Client]):
    """The httpx client of a sync client."""

    def __init__(self, given: httpx.Client | None, make: Callable[[], httpx.Client]) -> None:
        super().__init__(make)
        self._own: Connections | None = None
        self._callers = None if given is None else Connections(given, None)

    def get(self) -> Connections:
        """Return the client.

        Raises:
            ClientClosed: `close` was called.
        """
        connections = self._callers or self._own
        if connections is None:
            with self._lock:
                self._check_open()
                if self._own is None:
                    limit = self.most_in_flight
                    self._own = Connections(self._make(), FairSemaphore(limit), limit)
                return self._own
        self._check_open()
        if connections.limit < self.most_in_flight and connections.semaphore is not None:
            with self._lock:
                for _ in range(self.most_in_flight - connections.limit):
                    connections.semaphore.release()
                connections.limit = self.most_in_flight
        return connections

    def enter(self, connections: Connections) -> float:
        """Wait until few enough requests are in flight, and return how many seconds that took.

        Raises:
            ClientClosed: `close` was called.
        """
        semaphore, waited = connections.semaphore, 0.0
        if semaphore is not None and not semaphore.try_acquire():
            began = time.monotonic()
            semaphore.acquire()
            waited = time.monotonic() - began
        if self.is_closed:
            self.leave(connections)
            self._check_open()
        return waited

    def leave(self, connections: Connections, response: httpx.Response | None = None) -> None:
        """Let another request go; after `close`, close what was opened since.

        Args:
            connections: The client.
            response: The response, if one arrived.
        """
        if connections.semaphore is None:
            return
        connections.semaphore.release()
        if self.is_closed:
            for transport in [*_transports(connections.client), *_stream_of(response)]:
                transport.close()

    def close(self) -> None:
        """Close the connections, unless the client is caller-supplied."""
        with self._lock:
            self.is_closed = True
            own = self._take_own()
        if own is not None:
            own.client.close()

    def _take_own(self) -> Connections | None:
        own, self._own = self._own, None
        return own


@define(eq=False)
class AsyncConnections:
    """An httpx client of one event loop, and the semaphore that limits its concurrency.

    Attributes:
        client: The client.
        semaphore: The semaphore, or None for a caller-supplied client, which has its own limits.
        limit: How many may hold it at once.
        closer: Closes the client when the event loop shuts its async generators down.
    """

    client: httpx.AsyncClient
    semaphore: anyio.Semaphore | None
    limit: int = MAX_IN_FLIGHT
    closer: AsyncGenerator[None] | None = None


class AsyncHttpClient(_Owner[httpx.AsyncClient]):
    """The httpx clients of an async client: one for each event loop."""

    def __init__(
        self, given: httpx.AsyncClient | None, make: Callable[[], httpx.AsyncClient]
    ) -> None:
        super().__init__(make)
        self._own: weakref.WeakKeyDictionary[Any, AsyncConnections] = weakref.WeakKeyDictionary()
        self._callers = None if given is None else AsyncConnections(given, None)

    async def get(self) -> AsyncConnections:
        """Return the client for the running event loop.

        Raises:
            ClientClosed: `close` was called.
        """
        self._check_open()
        if self._callers is not None:
            return self._callers
        loop = _running_loop()
        connections = self._own.get(loop)
        if connections is None:
            # httpx brings anyio, since it runs on asyncio and trio both.
            import anyio

            with self._lock:
                self._check_open()
                self._drop_closed_loops()
                limit = self.most_in_flight
                semaphore = anyio.Semaphore(limit)
                connections = self._own[loop] = AsyncConnections(self._make(), semaphore, limit)
            connections.closer = self._close_with_loop(loop, connections.client)
            await anext(connections.closer)
        elif connections.semaphore is not None:
            while connections.limit < self.most_in_flight:
                connections.semaphore.release()
                connections.limit += 1
        return connections

    async def _close_with_loop(self, loop: Any, client: httpx.AsyncClient) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            # This generator refers to its loop, so that no garbage collection ends the entry.
            self._own.pop(loop, None)
            await client.aclose()

    def _drop_closed_loops(self) -> None:
        """Drop the connections of loops that were closed without shutting down their generators."""
        for reference in self._own.keyrefs():
            loop = reference()
            if getattr(loop, "is_closed", bool)():  # trio's runs always shut down
                self._own.pop(loop, None)

    async def enter(self, connections: AsyncConnections) -> float:
        """Wait until few enough requests are in flight, and return how many seconds that took.

        Raises:
            ClientClosed: `close` was called.
        """
        semaphore, waited = connections.semaphore, 0.0
        if semaphore is not None:
            import anyio

            try:
                semaphore.acquire_nowait()
            except anyio.WouldBlock:
                began = time.monotonic()
                await semaphore.acquire()
                waited = time.monotonic() - began
        if self.is_closed:
            await self.leave(connections)
            self._check_open()
        return waited

    async def leave(
        self, connections: AsyncConnections, response: httpx.Response | None = None
    ) -> None:
        """Let another request go; see `HttpClient.leave`."""
        if connections.semaphore is None:
            return
        connections.semaphore.release()
        if self.is_closed:
            import anyio

            with anyio.CancelScope(shield=True):
                for transport in [*_transports(connections.client), *_stream_of(response)]:
                    await transport.aclose()

    async def close(self) -> None:
        """Close the connections of this event loop, unless the client is caller-supplied.

        Those of another loop are closed when that loop shuts down.
        """
        with self._lock:
            self.is_closed = True
            own = self._own.pop(_running_loop(), None)
        if own is not None:
            await own.client.aclose()
            if own.closer is not None:
                await own.closer.aclose()

    def _take_own(self) -> object:
        own, self._own = self._own, weakref.WeakKeyDictionary()
        return own


def _running_loop() -> Any:
    """Return the owner of the connections: the event loop of asyncio, or the run of trio."""
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is not None:
        try:
            return asyncio.get_running_loop()
        except RuntimeError:
            pass
    trio: Any = sys.modules["trio"]
    return trio.lowlevel.current_trio_token()


def _transports(client: httpx.Client | httpx.AsyncClient) -> list[Any]:
    # httpx closes a client once; a call that raced that may have opened a connection since.
    found = [client._transport, *client._mounts.values()]  # noqa: SLF001 - no public name
    return [transport for transport in found if transport is not None]


def _stream_of(response: httpx.Response | None) -> list[Any]:
    # httpcore's pool, closed while a connection was being opened, has forgotten that connection.
    stream = None if response is None else response.extensions.get("network_stream")
    return [] if stream is None else [stream]


def is_behind_environment_proxy(client: httpx.Client | httpx.AsyncClient, url: httpx.URL) -> bool:
    """Return whether requests to a URL go to a proxy that the environment names.

    A proxy that the caller passed to the httpx client is the caller's decision.
    """
    pool = getattr(_transport_for(client, url), "_pool", None)
    proxy = getattr(pool, "_proxy_url", None)
    if proxy is None or not client.trust_env:
        return False
    address = (proxy.host.decode("ascii"), proxy.port)
    named = [
        parse_proxy(text)
        for scheme, text in getproxies().items()
        if scheme in ("http", "https", "all")  # not "no", which need not be a URL
    ]
    return address in [(each.url.host, each.url.port) for each in named if each is not None]


def _transport_for(client: httpx.Client | httpx.AsyncClient, url: httpx.URL) -> Any:
    """Return the transport that a client uses for a URL, or None if httpx no longer says."""
    find = getattr(client, "_transport_for_url", None)
    return None if find is None else find(url)
