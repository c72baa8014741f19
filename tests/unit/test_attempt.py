"""How far an attempt got, as a table of what httpcore reports."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import httpx
import pytest

from cld_user_groups._engine.io import Attempt

REQUEST = httpx.Request("POST", "https://api.cloudinary.com")
CONNECTED = "connection.connect_tcp.complete"
TUNNEL_BEGUN = "http11.send_request_headers.started CONNECT"
TUNNEL_SENT = "http11.send_request_headers.complete CONNECT"
BEGUN = "http11.send_request_headers.started POST"
BEGUN_2 = "http2.send_request_headers.started POST"
SENT = "http11.send_request_headers.complete POST"
SENT_2 = "http2.send_request_headers.complete POST"
BODY = "http11.send_request_body.started POST"


def attempt(events: tuple[str, ...], *, is_async: bool = False) -> Attempt:
    """Return an attempt that was handed to httpx and for which httpcore reported these events."""
    found = Attempt(REQUEST)
    found.is_entered = True
    for event in events:
        name, _, method = event.partition(" ")
        info = {"request": SimpleNamespace(method=method.encode())}
        if is_async:
            asyncio.run(found.trace_async(name, info))
        else:
            found.trace(name, info)
    return found


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("events", "is_begun", "is_head_sent", "may_have_been_sent"),
    [
        ((), False, False, True),  # a transport that reports nothing: not known
        ((CONNECTED,), False, False, False),
        ((TUNNEL_BEGUN,), False, False, False),
        ((TUNNEL_BEGUN, TUNNEL_SENT), False, False, False),
        ((TUNNEL_BEGUN, TUNNEL_SENT, BEGUN), True, False, True),
        ((BEGUN,), True, False, True),
        ((BEGUN_2,), True, False, True),
        ((CONNECTED, BEGUN, SENT), True, True, True),
        ((BEGUN_2, SENT_2), True, True, True),
        ((BEGUN, SENT, BODY), True, True, True),
        # httpx sends anew on another connection where a kept one turns out to be closed.
        ((BEGUN, TUNNEL_BEGUN), True, False, True),
    ],
)
def test_events_say_how_far_it_got(
    events: tuple[str, ...],
    is_begun: bool,
    is_head_sent: bool,
    may_have_been_sent: bool,
    is_async: bool,
) -> None:
    found = attempt(events, is_async=is_async)
    assert (found.is_begun, found.is_head_sent) == (is_begun, is_head_sent)
    assert found.may_have_been_sent is may_have_been_sent


def test_request_that_was_not_handed_to_httpx_was_not_sent() -> None:
    assert not Attempt(REQUEST).may_have_been_sent


HEADERS = [(b"Content-Type", b"application/json")]


@pytest.mark.parametrize(
    ("reported", "head"),
    [
        ((b"HTTP/1.1", 403, b"Forbidden", HEADERS), (403, HEADERS)),
        ((403, HEADERS), (403, HEADERS)),
        (None, None),
        ((403,), None),
        (("HTTP/1.1", "403", "Forbidden", {}), None),
    ],
    ids=repr,
)
def test_head_of_the_response_is_known_as_far_as_it_is_reported(
    reported: object, head: object
) -> None:
    found = attempt((BEGUN, SENT))
    found.trace("http11.receive_response_headers.complete", {"return_value": reported})
    assert found.head == head


def test_response_to_a_tunnel_is_not_the_response_to_the_request() -> None:
    found = attempt((BEGUN, TUNNEL_BEGUN, TUNNEL_SENT))
    head = (b"HTTP/1.1", 200, b"Connection established", HEADERS)
    found.trace("http11.receive_response_headers.complete", {"return_value": head})
    assert found.head is None


def test_response_to_an_earlier_sending_is_not_the_response_to_the_last() -> None:
    found = attempt((BEGUN, SENT))
    found.trace("http2.receive_response_headers.complete", {"return_value": (403, HEADERS)})
    found.trace("http2.send_request_headers.started", {"request": SimpleNamespace(method=b"POST")})
    assert found.head is None


def test_a_new_attempt_has_not_been_sent() -> None:
    new = Attempt(REQUEST)
    flags = (new.is_entered, new.is_begun, new.is_head_sent, new.is_traced, new.may_have_been_sent)
    assert flags == (False,) * 5
    assert all(flag is False for flag in flags)
    assert new.queued == 0.0
    assert new.head is None
    new.is_entered = True
    assert new.may_have_been_sent is True
