"""The class of lazily created httpx clients: a shorter `send`.

A lazily created client has no cookies, no auth flow, no event hooks and follows no redirects, and
httpx spends a fifth of a call on them. Which transport a URL has, a proxy's or a mounted one, only
a private method of httpx tells; where there is none, the inherited `send` is used. So it is while
another package has replaced a method of the httpx client, as recorders and tracers do, whose
replacement this one must not bypass.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from importlib import import_module
from operator import is_
from pathlib import Path
from time import perf_counter
from types import FunctionType
from typing import TYPE_CHECKING, Any

import httpx

from .library import NAMES, HttpLibrary, derive, library_of

_LOGGERS = {name: logging.getLogger(name) for name in NAMES}


class _Methods:
    """The methods of a class of httpx, as its own modules define them.

    Args:
        kind: The class.
    """

    def __init__(self, kind: type) -> None:
        self._kind = kind
        self._found = tuple(vars(kind).values())
        folder = Path(import_module(kind.__module__).__file__ or "").parent
        # What another package had replaced before is no plain function, or from a file of its own.
        self._are_whole = all(
            type(found) is FunctionType
            and (
                Path(found.__code__.co_filename).parent == folder
                or found.__code__.co_filename == contextmanager.__code__.co_filename
            )
            for found in self._found
            if callable(found)
        )

    def are_unchanged(self) -> bool:
        """Return whether nothing has replaced one of them."""
        found = vars(self._kind)
        return (
            self._are_whole
            and len(found) == len(self._found)
            and all(map(is_, found.values(), self._found))
        )


def make_client(http: HttpLibrary, **settings: Any) -> httpx.Client:
    """Return a client with the shorter `send`.

    Args:
        http: The library.
        settings: The arguments of the library's own class.
    """
    return derive(_OwnClient, http.Client)(**settings)


def make_async_client(http: HttpLibrary, **settings: Any) -> httpx.AsyncClient:
    """Return an async client with the shorter `send`; see `make_client`."""
    return derive(_OwnAsyncClient, http.AsyncClient)(**settings)


_methods = cache(_Methods)


def _transport_finder(client: Any, kind: type) -> Callable[[httpx.URL], Any] | None:
    find = getattr(client, "_transport_for_url", None)
    return find if not client.is_closed and _methods(kind).are_unchanged() else None


if TYPE_CHECKING:
    _SyncBase = httpx.Client
    _AsyncBase = httpx.AsyncClient
    _SyncStream = httpx.SyncByteStream
    _AsyncStream = httpx.AsyncByteStream
else:  # the classes of the library that is chosen
    _SyncBase = _AsyncBase = _SyncStream = _AsyncStream = object


class _OwnClient(_SyncBase):
    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request as it is, and return the response with its body unread."""
        http = library_of(request)
        find = _transport_finder(self, http.Client)
        if find is None:
            return super().send(request, **options)
        start = perf_counter()
        try:
            response: httpx.Response = find(request.url).handle_request(request)
        except http.RequestError as error:
            error.request = request
            raise
        response.stream = derive(_Timed, http.SyncByteStream)(response, start)
        return _log(response, request, http)


class _OwnAsyncClient(_AsyncBase):
    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request as it is, and return the response with its body unread."""
        http = library_of(request)
        find = _transport_finder(self, http.AsyncClient)
        if find is None:
            return await super().send(request, **options)
        start = perf_counter()
        try:
            response: httpx.Response = await find(request.url).handle_async_request(request)
        except http.RequestError as error:
            error.request = request
            raise
        response.stream = derive(_AsyncTimed, http.AsyncByteStream)(response, start)
        return _log(response, request, http)


def _log(response: httpx.Response, request: httpx.Request, http: HttpLibrary) -> httpx.Response:
    response.request = request
    logger = _LOGGERS[http.name]
    if logger.isEnabledFor(logging.INFO):
        logger.info(
            'HTTP Request: %s %s "%s %d %s"',
            request.method,
            request.url,
            response.http_version,
            response.status_code,
            response.reason_phrase,
        )
    return response


class _Timed(_SyncStream):
    """A body that sets `response.elapsed` once it is closed, as httpx's own does."""

    def __init__(self, response: httpx.Response, start: float) -> None:
        self._stream: Any = response.stream
        self._response = response
        self._start = start

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        self._response.elapsed = timedelta(seconds=perf_counter() - self._start)
        self._stream.close()


class _AsyncTimed(_AsyncStream):
    """A body that sets `response.elapsed` once it is closed, as httpx's own does."""

    def __init__(self, response: httpx.Response, start: float) -> None:
        self._stream: Any = response.stream
        self._response = response
        self._start = start

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        self._response.elapsed = timedelta(seconds=perf_counter() - self._start)
        await self._stream.aclose()
