"""Read a response's body within a maximum size, counted after decoding, and quote from it."""

from __future__ import annotations

import zlib
from math import inf
from time import monotonic
from types import ModuleType
from typing import Any, Final

import httpx

from cld_user_groups.identity import printable

from .library import library_of

DEFAULT_MAX_BYTES: Final = 64 * 1024 * 1024
# httpx decodes br and zstd too where packages for them are installed, but without a bound on what
# a few bytes expand to; zlib has one. So only these are requested and decoded.
ACCEPT_ENCODING: Final = "gzip, deflate"
DECODED: Final = frozenset({"gzip", "deflate", "identity"})
# The maximum length of a message that is derived from a response, in characters.
_EXCERPT = 200
_LENGTHS = (len("content-encoding"), len("content-length"))
_BODY_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def read_body(
    response: httpx.Response, http: ModuleType, max_bytes: int, seconds: float | None = None
) -> bytes:
    """Return the body, which may be in memory; the response has it once its `read` is called.

    A body that is too large, or whose coding is broken or not supported, ends in a DecodingError;
    one that takes too long, which is checked when a part arrives, in a ReadTimeout.
    """
    body = _Body(response, http, max_bytes, seconds)
    if body.is_read:
        return response.read()
    stream: Any = response.stream
    for chunk in stream:
        body.feed(chunk)
    stream.close()
    return body.finish()


async def read_body_async(response: httpx.Response, http: ModuleType, max_bytes: int) -> bytes:
    """Return the body; see `read_body`."""
    body = _Body(response, http, max_bytes)
    if body.is_read:
        return response.read()
    stream: Any = response.stream
    async for chunk in stream:
        body.feed(chunk)
    await stream.aclose()
    return body.finish()


class _Body:
    """A body as it arrives. Where it was read before, only its size is checked."""

    def __init__(
        self,
        response: httpx.Response,
        http: ModuleType,
        max_bytes: int,
        seconds: float | None = None,
    ) -> None:
        self._response, self._http = response, http
        self._max_bytes = self._room = max_bytes
        # Encoded, a body is hardly longer. Without this limit one that decodes to nothing, such as
        # what follows the end of a gzip stream, would be read for ever.
        self._encoded_room = 2 * max_bytes + 1024
        self._seconds = seconds
        self._end = inf if seconds is None else monotonic() + seconds
        self._chunks: list[bytes] = []
        self._decode: _Inflate | None = None
        # A transport without a network had it in memory, or an event hook has read from it.
        self.is_read = response.is_closed or response.is_stream_consumed
        if self.is_read:
            self._take(len(response.read()))
            return
        length, codings = b"", ""
        for name, value in response.headers.raw:  # one pass: a look-up in them costs as much
            if len(name) in _LENGTHS:
                if name.lower() == b"content-encoding":
                    codings += f"{value.decode('latin-1')},"
                elif name.lower() == b"content-length":
                    length = value
        self._is_plain = not codings and length.isdigit()
        if self._is_plain and int(length[:20]) > max_bytes:
            self._take(max_bytes + 1)
        if codings:
            named = [each.strip() for each in codings.lower().split(",")]
            kept = [each for each in named if each not in ("", "identity")]
            self._decode = _Inflate(", ".join(kept), http.DecodingError) if kept else None

    def feed(self, chunk: bytes) -> None:
        """Decode one more chunk."""
        if self._seconds is not None and monotonic() > self._end:
            raise self._http.ReadTimeout(too_slow(self._seconds))
        if self._decode is not None:
            self._encoded_room -= len(chunk)
            chunk = self._decode(chunk, self._room + 1)
        self._take(len(chunk) if self._encoded_room >= 0 else self._room + 1)
        self._chunks.append(chunk)

    def _take(self, size: int) -> None:
        self._room -= size
        if self._room < 0:
            raise self._http.DecodingError(f"the body is larger than {self._max_bytes} bytes")

    def finish(self) -> bytes:
        """Return the whole body, and give it and the headers of a decoded one to the response."""
        if self._decode is not None:
            self._decode.finish()
        response, content = self._response, b"".join(self._chunks)
        if not self._is_plain:
            kept = _kept(response.headers.multi_items())
            response.headers = self._http.Headers([*kept, ("Content-Length", str(len(content)))])
        # To read it would cost a tenth of a call, and most responses are seen by nobody.
        response.stream = self._http.ByteStream(content)
        return content


class _Inflate:
    """Decodes gzip, or deflate with zlib's wrapper or, as some servers send it, without."""

    def __init__(self, coding: str, error: type[Exception]) -> None:
        if coding not in ("gzip", "x-gzip", "deflate"):
            raise error(f"content coding {coding!r} was not requested and is not supported")
        self._error = error
        self._may_be_raw = coding == "deflate"
        self._decompress = zlib.decompressobj(zlib.MAX_WBITS | (0 if self._may_be_raw else 16))
        self._has_data = False
        self._held = b""

    def __call__(self, chunk: bytes, max_length: int) -> bytes:
        """Decode a chunk, to at most so many bytes."""
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

    def finish(self) -> None:
        """Check that nothing is missing; a body without a byte is whole."""
        if (self._has_data or self._held) and not self._decompress.eof:
            raise self._error("the encoded body is truncated")


def too_slow(seconds: float) -> str:
    """Return the message for a response that took too long."""
    return f"the response was not complete after {seconds:g} s: a longer timeout_ms allows more"


def whole_response(
    status_code: int,
    headers: list[tuple[str, str]],
    content: bytes,
    *,
    request: httpx.Request | None = None,
    http: ModuleType | None = None,
) -> httpx.Response:
    """Return a response with a decoded body, without the headers about how it was encoded."""
    response: httpx.Response = (http or library_of(request)).Response(
        status_code, headers=_kept(headers), content=content, request=request
    )
    return response


def _kept(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _BODY_HEADERS]


def empty_response(response: httpx.Response) -> httpx.Response:
    """Return a response whose body could not be read as one with an empty body."""
    headers = response.headers.multi_items()
    empty = whole_response(response.status_code, headers, b"", request=response.request)
    empty.extensions = response.extensions
    return empty


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
