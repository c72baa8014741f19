"""Where a call can be when something ends it: servers and clients that bring it there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, TypeAlias

import httpx
from attrs import frozen
from tests.faults.http2 import Fault, Http2Server
from tests.support.fault_calls import _TLS, CREATE, Operation
from tests.support.fault_server import FaultServer, HangUp, Stall, Step, response

from cld_user_groups._engine import http_client
from cld_user_groups.utils import BackoffStrategy, RetryConfig

Settings: TypeAlias = Callable[[bool], dict[str, Any]]
"""Returns keyword arguments: for a sync client, or for an async one."""


def _none(is_async: bool) -> dict[str, Any]:
    return {}


@frozen
class Scene:
    """A server, and the settings of a client that calls it.

    Attributes:
        url: The server's address.
        requests: Returns the method and the target of each request that arrived.
        arrived: Waits until the call is at its place, as far as that can be seen from here, and
            returns whether it came there.
        http: Arguments of the httpx client.
        settings: Arguments of the client.
        is_crowded: Whether another call is in flight before, and holds what this one waits for.
        is_own: Whether the client has an httpx client of its own.
    """

    url: str
    requests: Callable[[], list[tuple[str, str]]]
    arrived: Callable[[], bool] = lambda: True
    http: Settings = _none
    settings: Settings = _none
    is_crowded: bool = False
    is_own: bool = False


Place: TypeAlias = Callable[[Operation], AbstractContextManager[Scene]]


@contextmanager
def script(*steps: Step, requests: int = 0, **options: Any) -> Iterator[Scene]:
    """Serve a script; unless told otherwise, a call is at its place once so many requests came."""
    with FaultServer(*steps) as server:
        options.setdefault("arrived", partial(server.wait_for_requests, requests))
        yield Scene(
            server.url,
            lambda: [(request.method, request.target) for request in server.requests],
            **options,
        )


def waiting_for_response(operation: Operation) -> AbstractContextManager[Scene]:
    return script(Stall(), requests=1)


def reading_the_response(operation: Operation) -> AbstractContextManager[Scene]:
    return script(response(200, operation.body, missing=3, stall=True), requests=1)


class Waiting:
    """A hook that tells when the call is about to wait for its next attempt, or ends without."""

    def __init__(self) -> None:
        self._is_known = threading.Event()
        self._waits = False

    def on_retry(self, *details: object) -> None:
        self._waits = True
        self._is_known.set()

    def on_error(self, *details: object) -> None:
        self._is_known.set()

    def arrived(self) -> bool:
        return self._is_known.wait(60) and self._waits


def waiting_after_503(operation: Operation) -> AbstractContextManager[Scene]:
    return _waiting_after(503)


def waiting_after_500(operation: Operation) -> AbstractContextManager[Scene]:
    return _waiting_after(500)


def _waiting_after(status: int) -> AbstractContextManager[Scene]:
    hook = Waiting()
    return script(
        response(status, headers={"Retry-After": "20"}),
        arrived=hook.arrived,
        settings=lambda is_async: {"hooks": [hook]},
    )


_AT_ONCE = RetryConfig("backoff", BackoffStrategy(0, 0, 1, 60_000))


def in_the_second_attempt(operation: Operation) -> AbstractContextManager[Scene]:
    requests = 1 if operation is CREATE else 2
    settings: Settings = lambda is_async: {"retry_config": _AT_ONCE}  # noqa: E731
    return script(HangUp(), Stall(), requests=requests, settings=settings)


def waiting_in_the_pool(operation: Operation) -> AbstractContextManager[Scene]:
    limits = httpx.Limits(max_connections=1)
    return script(Stall(), requests=1, is_crowded=True, http=lambda is_async: {"limits": limits})


@contextmanager
def waiting_for_a_turn(operation: Operation) -> Iterator[Scene]:
    before = http_client.MAX_IN_FLIGHT
    http_client.MAX_IN_FLIGHT = 1  # type: ignore[misc]
    try:
        with script(Stall(), requests=1, is_crowded=True, is_own=True) as scene:
            yield scene
    finally:
        http_client.MAX_IN_FLIGHT = before  # type: ignore[misc]


@contextmanager
def connecting(operation: Operation) -> Iterator[Scene]:
    """A listener whose queue is full: the system lets every further connection wait."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(address)
        yield _sending(f"http://127.0.0.1:{address[1]}")


@contextmanager
def shaking_hands(operation: Operation) -> Iterator[Scene]:
    """A server that never speaks TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield _sending(f"https://127.0.0.1:{listener.getsockname()[1]}")


class Sending:
    """A hook that tells when the call is about to send its request."""

    def __init__(self) -> None:
        self._begins = threading.Event()

    def before_request(self, *details: object) -> None:
        self._begins.set()

    def arrived(self) -> bool:
        return self._begins.wait(60)


def _sending(url: str) -> Scene:
    """Return a scene whose server never gets as far as a request."""
    hook = Sending()
    return Scene(url, list, hook.arrived, settings=lambda is_async: {"hooks": [hook]})


@contextmanager
def opening_a_tunnel(operation: Operation) -> Iterator[Scene]:
    """A proxy that never responds to CONNECT."""
    with FaultServer(Stall()) as proxy:
        arrived = partial(proxy.wait_for_requests, 1)
        yield Scene("https://api.invalid", list, arrived, lambda is_async: {"proxy": proxy.url})


# --- exceptions of others


class Boom(Exception):
    """An exception of a hook or a transport: no other code raises it."""


def _plain_or_async(act: Callable[..., object], is_async: bool) -> Callable[..., Any]:
    async def act_async(*arguments: object) -> None:
        act(*arguments)

    return act_async if is_async else act


def fail(error: BaseException, *arguments: object) -> None:
    """Raise an exception: a hook's act, once its first argument is bound."""
    raise error


def transport(make: Callable[[], BaseException], *, is_sent: bool) -> Place:
    """Give the caller's own transport, which raises, before the request is sent or after."""

    class Transport(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if is_sent:
                super().handle_request(request).close()
            raise make()

    class AsyncTransport(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if is_sent:
                await (await super().handle_async_request(request)).aclose()
            raise make()

    def settings(is_async: bool) -> dict[str, Any]:
        return {"transport": (AsyncTransport if is_async else Transport)(verify=_TLS)}

    return lambda operation: script(response(200, operation.body), http=settings)


def event_hook(name: str, act: Callable[..., object], status: int = 200) -> Place:
    """Give an event hook of the caller's httpx client."""

    def settings(is_async: bool) -> dict[str, Any]:
        return {"event_hooks": {name: [_plain_or_async(act, is_async)]}}

    return lambda operation: script(
        response(status, operation.body), response(200, operation.body), http=settings
    )


def fetch_elsewhere(*arguments: object) -> None:
    """What an event hook may do: a request of its own, which fails."""
    respond = httpx.MockTransport(lambda request: httpx.Response(503))
    with httpx.Client(transport=respond) as http:
        http.get("https://elsewhere.invalid").raise_for_status()


def hook(name: str, *steps: Step) -> Place:
    """Give a hook of the client that raises; an async one where it can be."""

    def settings(is_async: bool) -> dict[str, Any]:
        method = _plain_or_async(partial(fail, Boom()), is_async)
        return {"hooks": [type("Hook", (), {name: staticmethod(method)})()]}

    def place(operation: Operation) -> AbstractContextManager[Scene]:
        return script(*steps or (response(200, operation.body),), settings=settings)

    return place


def over_http2(fault: Fault) -> Place:
    """Give a server that speaks HTTP/2, and what it does after the first request."""

    @contextmanager
    def place(operation: Operation) -> Iterator[Scene]:
        with Http2Server(fault, operation.body) as server:
            yield Scene(
                server.url,
                lambda: server.requests,
                http=lambda is_async: {"http1": False, "http2": True},
            )

    return place
