"""The httpx client of a client, caller-supplied or lazily created, and how it sends.

Without a caller-supplied client, the first call creates one, since that costs a hundred times as
much as a call. A forked process and, async, each event loop gets its own, because connections
belong to the process and the loop that opened them. Every exit of a call passes through `leave`, so
that a call that races `close` leaves no connection open.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Callable, MutableMapping
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from functools import cache
from importlib import import_module
from math import inf
from operator import is_
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final
from urllib.request import getproxies

import httpx
from attrs import define, field

from cld_user_groups.errors import ClientClosed

from .library import NAMES, library_of

# As many connections as an httpx client keeps open by default, so that none is opened in vain.
MAX_IN_FLIGHT: Final = 20
# How long an idle connection is kept, in seconds: as long as httpx does.
_KEPT_IDLE: Final = 5.0
# The time limits of a lazily created client where the caller sets none, in seconds.
DEFAULT_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
_LOGGERS: dict[str, logging.Logger] = {name: logging.getLogger(name) for name in NAMES}


class FairSemaphore:
    """A semaphore for threads that serves them in the order of their arrival.

    `threading.Semaphore` lets a newcomer pass those who wait. Under contention, httpx's own pool
    spends quadratic time on choosing connections and fails calls with PoolTimeout that only had to
    wait. Waiting here is linear, and no time limit runs meanwhile.
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


@define(eq=False)
class Connections:
    """An httpx client, and the semaphore that limits how many requests are in flight.

    A caller-supplied client has no semaphore, for it has limits of its own. Else each request in
    flight has a client to itself. The pool of httpcore asks every idle connection for each request
    whether it is still open, and gives the same one to several tasks: with 64 in flight, that took
    more than all the rest.
    """

    client: Any  # sync or async, of httpx or httpx2: the first, whose settings all have
    semaphore: Any = None  # fair, to threads or to tasks
    limit: float = inf  # how many may hold the semaphore at once
    make: Any = None  # returns another client
    closer: AsyncGenerator[None] | None = None  # closes an async client with its event loop
    http: ModuleType = field(init=False)  # the library of the client
    # The transport of http:// where it may go to a proxy that the environment names.
    environment_proxy: Any = field(init=False)
    # The clients that no request uses, the last used last, and since when; and those in use.
    _idle: deque[tuple[float, Any]] = field(init=False, factory=deque[tuple[float, Any]])
    _lent: dict[httpx.Request, Any] = field(init=False, factory=dict[httpx.Request, Any])

    def __attrs_post_init__(self) -> None:
        self._idle.append((inf, self.client))
        self.http = library_of(self.client)
        self.environment_proxy = self._find_environment_proxy()

    def _find_environment_proxy(self) -> Any:
        """Return where http:// goes, unless it certainly is the caller's choice.

        httpx has a transport of its own for each variable, and one for all that no variable names.
        Where ALL_PROXY alone is named, both are one, as a caller's would be: not known.
        """
        named, find = getproxies() if self.client.trust_env else {}, _transport_finder(self.client)
        if not (named.get("http") or named.get("all")):
            return None
        if find is None:
            return self  # not known either
        http, other = (find(self.http.URL(f"{each}://any.invalid")) for each in ("http", "none"))
        is_own = type(http) in (self.http.HTTPTransport, self.http.AsyncHTTPTransport)
        return http if is_own and (http is other) is not bool(named.get("http")) else None

    def is_behind_environment_proxy(self, url: httpx.URL) -> bool:
        """Return whether requests to an http:// URL may go to a proxy of the environment."""
        if self.environment_proxy is None:
            return False
        find = _transport_finder(self.client)
        direct = {*getproxies().get("no", "").replace(" ", "").split(",")}
        is_direct = not direct.isdisjoint(("*", url.host))
        return find is None or (find(url) is self.environment_proxy and not is_direct)

    def lend(self, request: httpx.Request) -> Any:
        """Return the client for a request: until `take_back`, no other request uses it."""
        try:
            _, client = self._idle.pop()
        except IndexError:
            client = self.make()
        self._lent[request] = client
        # Looked at only now: `close` closes the first one, and then looks for those that are lent.
        return self.client if self.client.is_closed else client

    def take_back(self, request: httpx.Request) -> tuple[Any, list[Any]]:
        """Take back the client of a request; return it, and those that have been idle too long."""
        client, expired = self._lent.pop(request, None), list[Any]()
        if client is None:
            return self.client, expired
        now = time.monotonic()
        self._idle.append((now, client))
        with suppress(IndexError):  # other threads may have taken all since
            while self._idle[0][0] + _KEPT_IDLE <= now:
                _, oldest = self._idle.popleft()
                if oldest is self.client:
                    self._idle.append((now, oldest))
                else:
                    expired.append(oldest)
        return client, expired

    def clients(self) -> list[Any]:
        """Return all clients, the first one first."""
        others = (*(client for _, client in list(self._idle)), *list(self._lent.values()))
        return [self.client, *(each for each in others if each is not self.client)]

    def transport_finder(self, client: Any) -> Callable[[httpx.URL], Any] | None:
        """Return what finds a URL's transport where a client's own `send` can be left out.

        A lazily created client has no cookies, no auth flow, no event hooks and follows no
        redirects, and httpx spends a fifth of a call on them. While another package has replaced a
        method of its class, as recorders and tracers do, that replacement is not bypassed.
        """
        if self.semaphore is None or client.is_closed or not _is_stock(client.__class__):
            return None
        return _transport_finder(client)

    def finish(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        """Do what `send` of httpx does with a response."""
        response.request = request
        logger = _LOGGERS[self.http.__name__]
        if logger.isEnabledFor(logging.INFO):
            logger.info(
                'HTTP Request: %s %s "%s %d %s"',
                *(request.method, request.url),
                *(response.http_version, response.status_code, response.reason_phrase),
            )
        return response


@cache
def _methods(kind: type) -> tuple[object, ...] | None:
    """Return what a class of httpx defines, or None if another package has replaced some of it."""
    found = tuple(vars(kind).values())
    folder = Path(import_module(kind.__module__).__file__ or "").parent
    for each in filter(callable, found):
        path = Path(each.__code__.co_filename) if type(each) is FunctionType else Path()
        if path.parent != folder and path != Path(contextmanager.__code__.co_filename):
            return None
    return found if folder.name in NAMES else None


def _is_stock(kind: type) -> bool:
    before, now = _methods(kind), vars(kind)
    return before is not None and len(before) == len(now) and all(map(is_, before, now.values()))


class _Owner:
    """What both kinds share: they close what they make, and never what they are given."""

    _owns: Callable[[], MutableMapping[Any, Connections]]

    def __init__(self, given: Any, make: Callable[[], Any]) -> None:
        self._callers = None if given is None else Connections(given)
        self._make = make
        self._own = self._owns()
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
        self._left_to_parent.append(self._own)
        self._own = self._owns()

    def _check_open(self) -> None:
        if self.is_closed:
            raise ClientClosed("the client is closed: create a new one")

    def _add(self, owner: Any, semaphore: Callable[[int], Any]) -> Connections:
        """Create the connections of an event loop or, sync, of the process, while locked."""
        self._check_open()
        if owner not in self._own:
            limit = self.most_in_flight
            self._own[owner] = Connections(self._make(), semaphore(limit), limit, self._make)
        return self._own[owner]

    def _grow(self, connections: Connections) -> None:
        with self._lock:
            while connections.limit < self.most_in_flight:
                connections.semaphore.release()
                connections.limit += 1

    def _release(self, connections: Connections, request: Any, response: Any) -> list[Any]:
        """Let another request go, and return what this one may have opened since `close`.

        httpx closes a client once; and httpcore's pool, closed while a connection was being opened,
        has forgotten that connection.
        """
        if connections.semaphore is None:
            return []
        try:
            client, idle = connections.take_back(request)
        finally:  # an interrupt can come anywhere
            connections.semaphore.release()
        if not self.is_closed or request is None:
            return idle
        find = _transport_finder(client)
        transport = None if find is None else find(request.url)
        stream = None if response is None else response.extensions.get("network_stream")
        return [each for each in (transport, stream, *idle) if each is not None]


_owners: weakref.WeakSet[_Owner] = weakref.WeakSet()


def _forget_all() -> None:
    for owner in list(_owners):
        owner.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


class HttpClient(_Owner):
    """The httpx client of a sync client."""

    _owns = dict

    def get(self) -> Connections:
        """Return the client, or raise ClientClosed."""
        connections = self._callers or self._own.get(None)
        if connections is None:
            with self._lock:
                return self._add(None, FairSemaphore)
        self._check_open()
        if connections.limit < self.most_in_flight:
            self._grow(connections)
        return connections

    def enter(self, connections: Connections) -> float:
        """Wait until few enough requests are in flight, and return how many seconds that took."""
        semaphore, waited = connections.semaphore, 0.0
        if semaphore is not None and not semaphore.try_acquire():
            began = time.monotonic()
            semaphore.acquire()
            waited = time.monotonic() - began
        if self.is_closed:
            self.leave(connections)
            self._check_open()
        return waited

    def leave(self, connections: Connections, request: Any = None, response: Any = None) -> None:
        """Let another request go; after `close`, close what this one has opened since."""
        for opened in self._release(connections, request, response):
            opened.close()

    def send(self, connections: Connections, request: httpx.Request) -> httpx.Response:
        """Send a request as it is, and return the response with its body unread."""
        client: httpx.Client = connections.client
        if connections.semaphore is not None:
            client = connections.lend(request)
        find = connections.transport_finder(client)
        if find is not None:
            return connections.finish(request, find(request.url).handle_request(request))
        # The credentials are in the headers already: auth=None, for no scheme of the client's own
        # may replace them.
        return client.send(request, stream=True, auth=None, follow_redirects=False)

    def close(self) -> None:
        """Close the connections, unless the client is caller-supplied."""
        with self._lock:
            self.is_closed = True
            own = self._own.pop(None, None)
        if own is not None:
            with ExitStack() as stack:  # closes all, whatever is raised meanwhile
                try:
                    own.client.close()
                finally:
                    for client in own.clients():
                        stack.callback(client.close)


class AsyncHttpClient(_Owner):
    """The httpx clients of an async client: one for each event loop."""

    _owns = weakref.WeakKeyDictionary

    async def get(self) -> Connections:
        """Return the client for the running event loop, or raise ClientClosed."""
        self._check_open()
        if self._callers is not None:
            return self._callers
        loop = _running_loop()
        connections = self._own.get(loop)
        if connections is None:
            # httpx brings anyio, since it runs on asyncio and trio both.
            import anyio

            with self._lock:
                # Loops may have been closed without shutting down their generators.
                for other in list(self._own):
                    if getattr(other, "is_closed", bool)():  # trio's runs always shut down
                        del self._own[other]
                connections = self._add(loop, anyio.Semaphore)
            connections.closer = self._close_with_loop(loop, connections)
            await anext(connections.closer)
        if connections.limit < self.most_in_flight:
            self._grow(connections)
        return connections

    async def _close_with_loop(self, loop: Any, connections: Connections) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            # This generator refers to its loop, so that no garbage collection ends the entry.
            self._own.pop(loop, None)
            async with AsyncExitStack() as stack:  # closes all, even if it is cancelled meanwhile
                for client in connections.clients():
                    stack.push_async_callback(client.aclose)
                await connections.client.aclose()

    async def enter(self, connections: Connections) -> float:
        """Wait until few enough requests are in flight; see `HttpClient.enter`."""
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
        self, connections: Connections, request: Any = None, response: Any = None
    ) -> None:
        """Let another request go; see `HttpClient.leave`."""
        opened = self._release(connections, request, response)
        if opened:
            import anyio

            with anyio.CancelScope(shield=True):
                for each in opened:
                    await each.aclose()

    async def send(self, connections: Connections, request: httpx.Request) -> httpx.Response:
        """Send a request as it is; see `HttpClient.send`."""
        client: httpx.AsyncClient = connections.client
        if connections.semaphore is not None:
            client = connections.lend(request)
        find = connections.transport_finder(client)
        if find is not None:
            response = await find(request.url).handle_async_request(request)
            return connections.finish(request, response)
        return await client.send(request, stream=True, auth=None, follow_redirects=False)

    async def close(self) -> None:
        """Close the connections of this event loop, unless the client is caller-supplied.

        Those of another loop are closed when that loop shuts down.
        """
        with self._lock:
            self.is_closed = True
            own = self._own.pop(_running_loop(), None)
        if own is not None and own.closer is not None:
            await own.closer.aclose()


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


def _transport_finder(client: Any) -> Callable[[httpx.URL], Any] | None:
    """Return what finds a URL's transport, a proxy's or a mounted one; None if httpx lacks it.

    This is the one private name of httpx on which sending relies.
    """
    return getattr(client, "_transport_for_url", None)
