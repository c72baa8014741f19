"""Read a response's body within a maximum size, counted after decoding, and quote from it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from typing import Any, Final

import httpx

from cld_user_groups.identity import printable

from .library import HttpLibrary, derive, library_of

DEFAULT_MAX_BYTES: Final = 64 * 1024 * 1024
# httpx decodes br and zstd too where packages for them are installed, but without a bound on what
# a few bytes expand to; zlib has one. So only these are requested and decoded.
ACCEPT_ENCODING: Final = "gzip, deflate"
DECODED: Final = frozenset({"gzip", "deflate", "identity"})
# The maximum length of a message that is derived from a response, in characters.
_EXCERPT = 200
_LENGTHS = (len("content-encoding"), len("content-length"))
_BODY_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class BodyTooLarge(Exception):  # noqa: N818 - it is a DecodingError where it is raised
    """The decoded body is larger than the maximum: a DecodingError of the client's library."""


def check_max_bytes(max_response_bytes: int) -> int:
    """Validate the maximum size of a body.

    Raises:
        TypeError: It is not an int.
        ValueError: It is below 1.
    """
    if isinstance(max_response_bytes, bool) or not isinstance(max_response_bytes, int):
        raise TypeError(
            f"max_response_bytes must be an int, not {type(max_response_bytes).__name__}"
        )
    if max_response_bytes < 1:
        raise ValueError(f"max_response_bytes must be at least 1, not {max_response_bytes}")
    return max_response_bytes


def read_body(
    response: httpx.Response, max_bytes: int, seconds: float | None = None
) -> httpx.Response:
    """Read the body, and return the response with it.

    Args:
        response: The response, whose body may be unread.
        max_bytes: The maximum size of the decoded body, in bytes.
        seconds: How long that may take in all, or None for as long as it takes.

    Raises:
        BodyTooLarge: The body is larger; no more of it was read.
        httpx.DecodingError: The content coding is broken or not supported.
        httpx.TransportError: The connection failed, or it took too long.
    """
    http = library_of(response)
    if seconds is not None and isinstance(response.stream, http.SyncByteStream):
        limited: Any = derive(LimitedStream, http.SyncByteStream)
        response.stream = limited(response.stream, seconds, http.ReadTimeout)
    if _is_simple(response, max_bytes):
        response.read()
        return response
    body = _Body(response, max_bytes)
    for chunk in response.iter_raw():
        body.feed(chunk)
    return body.finish()


async def read_body_async(response: httpx.Response, max_bytes: int) -> httpx.Response:
    """Read the body, and return the response with it; see `read_body`."""
    if _is_simple(response, max_bytes):
        await response.aread()
        return response
    body = _Body(response, max_bytes)
    async for chunk in response.aiter_raw():
        body.feed(chunk)
    return body.finish()


class LimitedStream:
    """A body that must be complete within a time, which is checked whenever a part arrives.

    Args:
        stream: The body.
        seconds: The limit.
        timeout: The exception to raise.
    """

    def __init__(
        self, stream: Any, seconds: float, timeout: type[Exception] = httpx.ReadTimeout
    ) -> None:
        self._stream = stream
        self._seconds = seconds
        self._timeout = timeout

    def __iter__(self) -> Iterator[bytes]:
        end = monotonic() + self._seconds
        for chunk in self._stream:
            if monotonic() > end:
                raise self._timeout(too_slow(self._seconds))
            yield chunk

    def close(self) -> None:
        self._stream.close()


def too_slow(seconds: float) -> str:
    """Return the message for a response that took too long."""
    return f"the response was not complete after {seconds:g} s: a longer timeout_ms allows more"


def whole_response(
    status_code: int,
    headers: list[tuple[str, str]],
    content: bytes,
    *,
    http: HttpLibrary,
    request: httpx.Request | None = None,
    extensions: Mapping[str, object] | None = None,
) -> httpx.Response:
    """Return a response with a decoded body, without the headers about how it was encoded."""
    kept = [(name, value) for name, value in headers if name.lower() not in _BODY_HEADERS]
    return http.Response(
        status_code,
        headers=kept,
        content=content,
        request=request,
        extensions=dict(extensions or {}),
    )


def _is_simple(response: httpx.Response, max_bytes: int) -> bool:
    """Return whether httpx can read the body itself without exceeding the maximum.

    Raises:
        BodyTooLarge: The body is already in memory, or its length is declared, and it is larger.
    """
    if response.is_closed:  # a transport without a network had the body in memory
        _check_size(len(response.content), max_bytes, response)
        return True
    length = b""
    for name, value in response.headers.raw:  # one pass: a look-up in httpx's headers costs as much
        if len(name) not in _LENGTHS:
            continue
        name = name.lower()
        if name == b"content-encoding":
            return False
        if name == b"content-length":
            length = value
    if not length.isdigit():
        return False
    _check_size(int(length[:20]), max_bytes, response)
    return True


def _check_size(size: int, max_bytes: int, response: httpx.Response) -> None:
    if size > max_bytes:
        kind = derive(BodyTooLarge, library_of(response).DecodingError)
        raise kind(f"the body is larger than {max_bytes} bytes")


class _Body:
    """A body as it is read."""

    def __init__(self, response: httpx.Response, max_bytes: int) -> None:
        self._response = response
        self._room = max_bytes
        # Encoded, a body is hardly longer. Without this limit one that decodes to nothing, such as
        # what follows the end of a gzip stream, would be read for ever.
        self._encoded_room = 2 * max_bytes + 1024
        self._max_bytes = max_bytes
        self._chunks: list[bytes] = []
        named = response.headers.get("content-encoding", "").lower().split(",")
        codings = [each.strip() for each in named if each.strip() not in ("", "identity")]
        error = library_of(response).DecodingError
        self._decode = _decoder(", ".join(codings), error) if codings else None

    def feed(self, chunk: bytes) -> None:
        """Decode one more chunk."""
        self._encoded_room -= len(chunk)
        if self._encoded_room < 0:
            _check_size(self._max_bytes + 1, self._max_bytes, self._response)
        if self._decode is not None:
            chunk = self._decode(chunk, self._room + 1)
        if len(chunk) > self._room:
            _check_size(self._max_bytes + 1, self._max_bytes, self._response)
        self._room -= len(chunk)
        self._chunks.append(chunk)

    def finish(self) -> httpx.Response:
        """Return the response with its whole body."""
        if self._decode is not None:
            self._decode(b"", 0)
        response = self._response
        return whole_response(
            response.status_code,
            response.headers.multi_items(),
            b"".join(self._chunks),
            http=library_of(response),
            request=response.request,
            extensions=response.extensions,
        )


def _decoder(coding: str, error: type[Exception]) -> Callable[[bytes, int], bytes]:
    """Return a function that decodes a chunk to at most so many bytes; none left means the end."""
    if coding in ("gzip", "x-gzip"):
        return _Inflate(zlib.MAX_WBITS | 16, error)
    if coding == "deflate":
        return _Inflate(zlib.MAX_WBITS, error)
    raise error(f"content coding {coding!r} was not requested and is not supported")


class _Inflate:
    """Decodes gzip, or deflate with zlib's wrapper or, as some servers send it, without."""

    def __init__(self, window_bits: int, error: type[Exception]) -> None:
        self._error = error
        self._decompress = zlib.decompressobj(window_bits)
        self._may_be_raw = window_bits == zlib.MAX_WBITS
        self._has_data = False
        self._held = b""

    def __call__(self, chunk: bytes, max_length: int) -> bytes:
        if not max_length:
            if (self._has_data or self._held) and not self._decompress.eof:
                raise self._error("the encoded body is truncated")
            return b""
        chunk, self._held = self._held + chunk, b""
        if len(chunk) < 2 and self._may_be_raw:
            self._held = chunk  # zlib's wrapper begins with two bytes
            return b""
        if not chunk:
            return b""
        try:
            decoded = self._decompress.decompress(chunk, max_length)
        except zlib.error as error:
            if not self._may_be_raw:
                raise self._error(str(error)) from None
            self._may_be_raw = False
            self._decompress = zlib.decompressobj(-zlib.MAX_WBITS)
            return self(chunk, max_length)
        self._may_be_raw = False
        self._has_data = True
        return decoded


def empty_response(response: httpx.Response) -> httpx.Response:
    """Return a response whose body could not be read as one with an empty body."""
    headers = response.headers.multi_items()
    extensions = response.extensions
    return whole_response(
        response.status_code,
        headers,
        b"",
        http=library_of(response),
        request=response.request,
        extensions=extensions,
    )


def excerpt(text: str) -> str:
    """Return the beginning of a text, on one line, with escapes for what a terminal reads."""
    line = printable(" ".join(text[: 4 * _EXCERPT].split()))
    return line if len(line) <= _EXCERPT else line[:_EXCERPT] + "…"


def reason(response: httpx.Response) -> str:
    """Return the reason phrase of a response, or its status code where it has none."""
    return excerpt(response.reason_phrase) or f"Status {response.status_code}"


def body_text(response: httpx.Response) -> str:
    """Return the body as text, ignoring the declared charset: JSON is UTF-8 (RFC 8259, 8.1)."""
    return response.content.decode("utf-8", errors="replace")
