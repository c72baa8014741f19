"""Reading a body: its content codings, and its maximum size, counted after decoding."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cld_user_groups._engine.body import empty_response, read_body, read_body_async, whole_response

TOO_LARGE = pytest.raises(httpx.DecodingError, match="the body is larger than")
TEXT = b'{"user_groups": []}'
Read = Callable[..., bytes]


def raw_deflate(content: bytes) -> bytes:
    compress = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compress.compress(content) + compress.flush()


class Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in chunks, which counts how many of them were read."""

    def __init__(self, content: bytes, size: int = 5) -> None:
        self.chunks = [content[at : at + size] for at in range(0, len(content), size)]
        self.read = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.read += 1
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


def response_of(content: bytes, headers: dict[str, str], size: int = 5) -> httpx.Response:
    request = httpx.Request("GET", "https://example.com")
    return httpx.Response(200, headers=headers, stream=Chunks(content, size), request=request)


def read_sync(content: bytes, headers: dict[str, str], max_bytes: int, *, size: int = 5) -> bytes:
    response = response_of(content, headers, size)
    content = read_body(response, httpx, max_bytes)
    assert response.read() == content
    return content


def read_async(content: bytes, headers: dict[str, str], max_bytes: int, *, size: int = 5) -> bytes:
    response = response_of(content, headers, size)
    content = asyncio.run(read_body_async(response, httpx, max_bytes))
    assert response.read() == content
    return content


@pytest.fixture(params=[read_sync, read_async], ids=["sync", "async"])
def read(request: pytest.FixtureRequest) -> Read:
    return request.param


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("GZip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("identity, gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_body_of_every_accepted_coding_is_decoded(
    read: Read, coding: str, encode: Callable[[bytes], bytes], size: int
) -> None:
    headers = {"content-encoding": coding} if coding else {}
    assert read(encode(TEXT), headers, len(TEXT), size=size) == TEXT


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_body_without_a_byte_is_empty_whatever_its_coding(read: Read, coding: str) -> None:
    assert read(b"", {"content-encoding": coding}, 10) == b""


@pytest.mark.parametrize(
    ("coding", "content", "named"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)[:-9], "truncated"),
        ("deflate", zlib.compress(TEXT)[:-5], "truncated"),
        ("deflate", b"x", "truncated"),
        ("gzip", TEXT, "incorrect header"),
        ("deflate", b"\xff" * 30, "invalid block type"),
        ("br", TEXT, "content coding 'br' was not requested and is not supported"),
        ("deflate, gzip", TEXT, "content coding 'deflate, gzip' was not requested"),
    ],
    ids=["cut gzip", "cut deflate", "one byte", "no gzip", "no deflate", "br", "two"],
)
def test_broken_or_unsupported_coding_is_a_decoding_error(
    read: Read, coding: str, content: bytes, named: str
) -> None:
    with pytest.raises(httpx.DecodingError, match=named) as caught:
        read(content, {"content-encoding": coding}, 1000)
    assert "larger" not in str(caught.value)


@pytest.mark.parametrize("headers", [{}, {"content-length": "11"}, {"content-length": "1" * 5000}])
def test_body_above_the_maximum_is_rejected(read: Read, headers: dict[str, str]) -> None:
    with pytest.raises(httpx.DecodingError, match="the body is larger than 10 bytes"):
        read(b"x" * 11, headers, 10)
    if not headers:
        assert read(b"x" * 10, headers, 10) == b"x" * 10


def test_declared_length_above_the_maximum_is_rejected_unread() -> None:
    stream = Chunks(b"x" * 100)
    response = httpx.Response(200, headers={"content-length": "100"}, stream=stream)
    with TOO_LARGE:
        read_body(response, httpx, 99)
    assert stream.read == 0


def test_reading_stops_at_the_maximum() -> None:
    stream = Chunks(b"x" * 10_000, 10)
    with TOO_LARGE:
        read_body(httpx.Response(200, stream=stream), httpx, 95)
    assert stream.read == 10


@pytest.mark.parametrize("encode", [gzip.compress, zlib.compress, raw_deflate])
def test_small_body_that_expands_without_end_is_rejected(
    read: Read, encode: Callable[[bytes], bytes]
) -> None:
    bomb = encode(b"\0" * 10_000_000)
    coding = "gzip" if encode is gzip.compress else "deflate"
    with TOO_LARGE:
        read(bomb, {"content-encoding": coding}, 100_000, size=4096)


@given(
    content=st.binary(max_size=300),
    room=st.integers(1, 300),
    size=st.integers(1, 50),
    coding=st.sampled_from([None, "gzip", "deflate"]),
)
def test_body_is_read_whole_or_rejected(
    content: bytes, room: int, size: int, coding: str | None
) -> None:
    encode = {None: bytes, "gzip": gzip.compress, "deflate": zlib.compress}[coding]
    headers = {"content-encoding": coding} if coding else {}
    response = response_of(encode(content), headers, size)
    if len(content) > room:
        with TOO_LARGE:
            read_body(response, httpx, room)
    else:
        assert read_body(response, httpx, room) == response.read() == content


def test_decoded_response_has_no_headers_about_how_it_was_encoded() -> None:
    headers = [("Content-Encoding", "gzip"), ("Content-Length", "1"), ("X-A", "1"), ("x-a", "2")]
    response = whole_response(200, headers, TEXT, http=httpx)
    assert response.content == TEXT
    assert response.headers.get_list("x-a") == ["1", "2"]
    assert "content-encoding" not in response.headers
    assert response.headers["content-length"] == str(len(TEXT))


def test_response_that_cannot_be_read_keeps_its_status_and_its_headers() -> None:
    request = httpx.Request("GET", "https://example.com")
    unread = httpx.Response(404, headers={"X-Id": "r"}, stream=Chunks(b"lost"), request=request)
    response = empty_response(unread)
    assert (response.status_code, response.content, response.headers["x-id"]) == (404, b"", "r")
    assert response.request is request
