"""Classify the exceptions of an attempt, and remove credentials from them."""

from __future__ import annotations

import re
import ssl
from traceback import walk_tb
from types import FrameType, TracebackType
from typing import Any, Final, cast

import httpx

from cld_user_groups.errors import CloudinaryError
from cld_user_groups.security import Authorization

from .attempt import Attempt
from .retry import TURNED_AWAY, UNCLEAR, Lost

_NO_CONNECTION: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# How httpcore words the response of a proxy to CONNECT, and of a SOCKS proxy.
_PROXY_STATUS = re.compile(r"([0-9]{3})\b")
_SOCKS_FAILURE: Final = "could not connect"
# The method of httpx's clients that sends a request and runs the event hooks.
_SENDING: Final = "_send_handling_redirects"
# The method that this calls, after the event hooks for requests, to give one to the transport.
_HANDING_OVER: Final = "_send_single_request"
# Packages whose frames hold the request's headers, the credentials among them, in local variables.
_BELOW: Final = frozenset(
    {
        "httpx",
        "httpcore",
        "h11",
        "h2",
        "hpack",
        "socksio",
        "anyio",
        "asyncio",
        "trio",
        "ssl",
        "socket",
    }
)


def classify(failure: Exception, attempt: Attempt) -> Lost:
    """Classify an exception by whether the request was sent.

    The class of an exception can mislead; the attempt's trace shows what happened: a
    ReadTimeout while a proxy opens its tunnel is "not sent", and an HTTP/2 LocalProtocolError may
    come after the whole request.

    Args:
        failure: The exception that ended the attempt.
        attempt: How far the attempt got.
    """
    if isinstance(failure, httpx.UnsupportedProtocol):
        return Lost.REFUSED
    if not isinstance(failure, httpx.TransportError):
        return Lost.UNKNOWN if attempt.may_have_been_sent else Lost.REFUSED
    if isinstance(failure, httpx.LocalProtocolError):
        # h11 and h2 reject a head before its first byte; later it is the connection that is bad.
        return Lost.REFUSED if attempt.is_stock and not attempt.is_head_sent else Lost.NO_RESPONSE
    if attempt.is_begun:
        return Lost.NO_RESPONSE
    if isinstance(failure, httpx.ProxyError):
        return Lost.NOT_SENT if _proxy_may_recover(str(failure)) else Lost.REFUSED
    if isinstance(failure, _NO_CONNECTION) or not attempt.may_have_been_sent:
        return Lost.REFUSED if _is_certificate_problem(failure) else Lost.NOT_SENT
    return Lost.NO_RESPONSE


def _proxy_may_recover(message: str) -> bool:
    status = _PROXY_STATUS.match(message)
    if status is not None:
        return int(status[1]) in TURNED_AWAY | UNCLEAR
    return _SOCKS_FAILURE in message


def _is_certificate_problem(failure: BaseException | None) -> bool:
    while failure is not None:
        if isinstance(failure, ssl.SSLCertVerificationError):
            return True
        failure = failure.__cause__ or failure.__context__
    return False


def response_before(failure: Exception) -> httpx.Response | None:
    """Return the response that had arrived before httpx or an event hook raised, if one had.

    httpx reads the address of a redirect even when told not to follow it, and runs the caller's
    event hooks, before it returns a response; an exception there loses the response but for the
    local variables of that frame. Only the outermost such frame is this call's: a hook or a
    transport may use another httpx client.
    """
    frames = _frames_of_sending(failure)
    response = frames[0].f_locals.get("response") if frames else None
    return response if isinstance(response, httpx.Response) else None


def is_redirect_failure(failure: Exception) -> bool:
    """Return whether httpx raised because it cannot read the address of a redirect."""
    frames = _frames_of_sending(failure)
    return len(frames) > 1 and frames[1].f_code.co_name == "_build_redirect_request"


def is_kept_back(failure: BaseException, client: httpx.Client | httpx.AsyncClient) -> bool:
    """Return whether an exception came before the httpx client gave the request to a transport.

    A closed client rejects it, and an event hook for requests may raise. Other than httpx's own, a
    transport does not report what it did, so that only the frames tell.
    """
    if client.is_closed and isinstance(failure, RuntimeError):
        *_, frame = (frame for frame, _ in walk_tb(failure.__traceback__))
        return (frame.f_globals.get("__name__"), frame.f_code.co_name) == ("httpx._client", "send")
    frames = _frames_of_sending(failure) if client.event_hooks["request"] else []
    return (
        len(frames) > 1
        and "response" not in frames[0].f_locals
        and all(frame.f_code.co_name != _HANDING_OVER for frame in frames)
    )


def _frames_of_sending(failure: BaseException) -> list[FrameType]:
    """Return the frames of a traceback from that which sends and runs the event hooks."""
    # A frame that raises what it caught is there twice.
    frames = list(dict.fromkeys(frame for frame, _ in walk_tb(failure.__traceback__)))
    names = [frame.f_code.co_name for frame in frames]
    return frames[names.index(_SENDING) :] if _SENDING in names else []


def hide_credentials(
    error: BaseException, request: httpx.Request | None, authorization: Authorization
) -> None:
    """Remove the credentials from everything reachable from an error.

    The request loses its header, messages are masked, and the frames below, which hold the header
    in local variables that some loggers print, leave the tracebacks. Of a foreign exception only
    those of httpx and of what it stands on do: the caller's own frames say where it comes from.
    """
    is_foreign = isinstance(error, Exception) and not isinstance(
        error, CloudinaryError | httpx.HTTPError
    )
    if request is not None:
        request.headers["Authorization"] = "***"
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        link = left.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        # Not by assignment, which a frozen exception rejects.
        link.with_traceback(_own_frames(link.__traceback__) if is_foreign else None)
        _mask(link, authorization)
        left += [link.__cause__, link.__context__]
        if isinstance(link, BaseExceptionGroup):
            left += cast("BaseExceptionGroup[BaseException]", link).exceptions


def _mask(error: BaseException, authorization: Authorization) -> None:
    """Mask the credentials in what an error shows: its arguments, attributes and notes."""
    # Not by assignment, which a frozen exception and some properties reject.
    for name, value in [*vars(error).items()]:
        vars(error)[name] = _masked(value, authorization)
    # An OSError shows its own, whatever the arguments are.
    own = ("strerror", "filename", "filename2") if isinstance(error, OSError) else ()
    for name in ("args", *own):
        value = getattr(error, name)
        masked = _masked(value, authorization)
        if masked is not value:
            BaseException.__setattr__(error, name, masked)


def _masked(value: Any, authorization: Authorization, depth: int = 4) -> Any:
    """Return a value with the credentials masked in its texts, or itself if it has none."""
    if isinstance(value, str):
        return authorization.redact(value) if authorization.is_in(value) else value
    if isinstance(value, bytes):
        text = value.decode("latin-1")
        return authorization.redact(text).encode("latin-1") if authorization.is_in(text) else value
    if not depth or type(value) not in (list, tuple, dict):
        return value
    kind = cast("Any", type(value))
    items = [*cast("Any", value.items() if isinstance(value, dict) else value)]
    masked = [_masked(item, authorization, depth - 1) for item in items]
    is_clean = all(now is was for now, was in zip(masked, items, strict=True))
    return cast("Any", value) if is_clean else kind(masked)


def _own_frames(traceback: TracebackType | None) -> TracebackType | None:
    kept = [
        link
        for link in _links(traceback)
        if link.tb_frame.f_globals.get("__name__", "").partition(".")[0] not in _BELOW
    ]
    result: TracebackType | None = None
    for link in reversed(kept):
        result = TracebackType(result, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return result


def _links(traceback: TracebackType | None) -> list[TracebackType]:
    links: list[TracebackType] = []
    while traceback is not None:
        links.append(traceback)
        traceback = traceback.tb_next
    return links
