"""Which HTTP library a call uses: httpx, or httpx2 where its client is one of httpx2's.

Both have the same classes under the same names, and neither accepts the other's. A call uses those
of the library that its client is from. httpx2 is imported only where somebody else has imported it,
or a client names it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from ssl import SSLContext
from typing import Any, Literal, TypeVar, cast

import httpx
from attrs import fields, frozen

T = TypeVar("T")
Name = Literal["httpx", "httpx2"]
NAMES: tuple[Name, ...] = ("httpx", "httpx2")


@frozen(eq=False)
class HttpLibrary:
    """The classes of a library that a call needs, typed as those of httpx."""

    name: Name
    Client: type[httpx.Client]
    AsyncClient: type[httpx.AsyncClient]
    HTTPTransport: type[httpx.HTTPTransport]
    AsyncHTTPTransport: type[httpx.AsyncHTTPTransport]
    Limits: type[httpx.Limits]
    create_ssl_context: Callable[[], SSLContext]
    URL: type[httpx.URL]
    Headers: type[httpx.Headers]
    Request: type[httpx.Request]
    Response: type[httpx.Response]
    ByteStream: type[httpx.ByteStream]
    SyncByteStream: type[httpx.SyncByteStream]
    AsyncByteStream: type[httpx.AsyncByteStream]
    InvalidURL: type[httpx.InvalidURL]
    ResponseNotRead: type[httpx.ResponseNotRead]
    HTTPError: type[httpx.HTTPError]
    HTTPStatusError: type[httpx.HTTPStatusError]
    RequestError: type[httpx.RequestError]
    DecodingError: type[httpx.DecodingError]
    TransportError: type[httpx.TransportError]
    ConnectError: type[httpx.ConnectError]
    ConnectTimeout: type[httpx.ConnectTimeout]
    PoolTimeout: type[httpx.PoolTimeout]
    ReadTimeout: type[httpx.ReadTimeout]
    ProxyError: type[httpx.ProxyError]
    LocalProtocolError: type[httpx.LocalProtocolError]
    RemoteProtocolError: type[httpx.RemoteProtocolError]
    UnsupportedProtocol: type[httpx.UnsupportedProtocol]


@cache
def library(name: Name) -> HttpLibrary:
    """Return a library by its name.

    Raises:
        ImportError: It is not installed.
    """
    module = import_module(name)
    classes = [field.name for field in fields(HttpLibrary) if field.name != "name"]
    return HttpLibrary(name, *(getattr(module, each) for each in classes))


_known: dict[type, HttpLibrary] = {}


def library_of(value: object) -> HttpLibrary:
    """Return the library that a client, a request or a response is from: else, httpx."""
    kind = type(value)
    found = _known.get(kind)
    if found is None:
        packages = [base.__module__.partition(".")[0] for base in kind.__mro__]
        found = library(next((name for name in NAMES if name in packages), "httpx"))
        _known[kind] = found
    return found


def is_client(value: object, kind: Literal["Client", "AsyncClient"]) -> bool:
    """Return whether a value is such a client of either library."""
    return isinstance(value, getattr(library_of(value), kind))


def http_errors() -> tuple[type[httpx.HTTPError], ...]:
    """Return the base class of the exceptions of each HTTP library that is imported.

    For `except http_errors():`, where a client may be one of httpx or of httpx2.
    """
    return tuple(library(name).HTTPError for name in NAMES if name in sys.modules)


_derived: dict[tuple[type, type], Any] = {}


def derive(mixin: type[T], base: type) -> type[T]:
    """Return a class of ours as a subclass of a library's class, always the same."""
    found = _derived.get((mixin, base))
    if found is None:
        made = type(mixin.__name__, (mixin, base), {"__module__": mixin.__module__})
        found = _derived.setdefault((mixin, base), made)
    return cast("type[T]", found)
