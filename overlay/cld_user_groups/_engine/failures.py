"""Classify the exceptions of an attempt, and remove credentials from them."""

from __future__ import annotations

import re
import ssl
from types import TracebackType
from typing import Any, Final, cast

import httpx

from cld_user_groups.errors import CloudinaryError
from cld_user_groups.security import Authorization

from .attempt import Attempt
from .retry import TURNED_AWAY, UNCLEAR, Effect, Lost, is_ambiguous

_NO_CONNECTION: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# How httpcore words the response of a proxy to CONNECT, and of a SOCKS proxy.
_PROXY_STATUS = re.compile(r"([0-9]{3})\b")
_SOCKS_FAILURE: Final = "could not connect"
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
    """Classify an exception that came without a response by whether the request was sent.

    The class of an exception can mislead; the attempt's trace shows what happened: a
    ReadTimeout while a proxy opens its tunnel is "not sent", and an HTTP/2 LocalProtocolError may
    come after the whole request. Where the head of a response had arrived, an event hook of the
    caller's client has raised, whatever the class, and the status code tells.

    Args:
        failure: The exception that ended the attempt.
        attempt: How far the attempt got.
    """
    if attempt.head is not None:
        is_open = is_ambiguous(Effect.REPLACE, attempt.head[0])
        return Lost.UNKNOWN if is_open else Lost.REFUSED
    if isinstance(failure, httpx.UnsupportedProtocol):
        return Lost.REFUSED
    if not isinstance(failure, httpx.TransportError):
        return Lost.UNKNOWN if attempt.may_have_been_sent else Lost.REFUSED
    if isinstance(failure, httpx.LocalProtocolError):
        # h11 and h2 reject a head before its first byte; later it is the connection that is bad.
        return Lost.REFUSED if attempt.is_traced and not attempt.is_head_sent else Lost.NO_RESPONSE
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
