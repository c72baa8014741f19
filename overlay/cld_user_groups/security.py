"""Credentials, the HTTP Basic header built from them, and how they are kept out of errors.

Nothing here shows a key or a secret, not even to a traceback that prints local variables; so the
functions below raise only where no local variable holds one.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Callable
from struct import iter_unpack
from types import TracebackType
from typing import Any, Final, NoReturn, Self, TypeAlias, cast
from urllib.parse import quote, quote_plus

import httpx
from attrs import field, frozen

from ._engine.library import http_errors, library_of
from .errors import CloudinaryError

_MASK = "***"
# Packages whose frames hold the request's headers, the credentials among them, in local variables.
_BELOW: Final = frozenset(
    {
        *("httpx", "httpx2", "httpcore", "httpcore2", "h11", "h2", "hpack", "socksio"),
        *("truststore", "anyio", "asyncio", "trio", "ssl", "socket"),
    }
)
# A shorter secret, a test's for one, would be found in any text.
_RECOGNISABLE = 6
# Of a key that is shorter, the last four characters would be too much of it.
_SHOWN_OF_KEY = 4
_SHORTEST_SHOWN = 12


@frozen(repr=False, weakref_slot=False)
class Security:
    """The credentials of an account, shown masked wherever they are printed.

    Args:
        provisioning_api_key: The provisioning API key, the user name of HTTP Basic.
        provisioning_api_secret: Its secret, the password.
    """

    # Some tools, rich for one, show the fields of an attrs class whatever its repr says.
    provisioning_api_key: str | None = field(default=None, repr=False)
    provisioning_api_secret: str | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        key = None if self.provisioning_api_key is None else _MASK
        secret = None if self.provisioning_api_secret is None else _MASK
        return f"Security(provisioning_api_key={key!r}, provisioning_api_secret={secret!r})"

    @property
    def shown_key(self) -> str:
        """The key as it may be shown: its last characters, if it has enough others."""
        key = self.provisioning_api_key or ""
        return _MASK + (key[-_SHOWN_OF_KEY:] if len(key) >= _SHORTEST_SHOWN else "")

    def __reduce__(self) -> NoReturn:
        raise TypeError("Security cannot be pickled: the secret would be readable in the result")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


SecuritySource: TypeAlias = Security | Callable[[], Security]


class Authorization:
    """The Authorization header of one pair of credentials, masked like them."""

    # No `vars`, which would show the secret.
    __slots__ = (
        "_found",
        "_is_searched",
        "_plain_secret",
        "_plain_token",
        "_secret",
        "_token",
        "header",
        "shown_key",
    )

    header: str
    """The value of the header. Do not keep it in a local variable."""
    shown_key: str
    """The end of the API key, after "***"."""

    def __init__(self, security: Security) -> None:
        self._secret = security.provisioning_api_secret or ""
        pair = f"{security.provisioning_api_key}:{self._secret}"
        self._token = b64encode(pair.encode()).decode()
        self.header = f"Basic {self._token}"
        self.shown_key = security.shown_key
        self._is_searched = len(self._secret) >= _RECOGNISABLE
        self._plain_token = self._token.encode()
        self._plain_secret = self._secret.encode() if self._is_searched else self._plain_token
        self._found: list[str] = []

    def __repr__(self) -> str:
        return f"Authorization({_MASK!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Authorization cannot be pickled: it holds the secret")

    def redact(self, text: str) -> str:
        """Return a text without the secret and the token, in case a server echoed them.

        Also as JSON, a URL or HTML writes them.
        """
        for form in self._forms:
            text = text.replace(form, _MASK)
        return text

    def mask(self, response: httpx.Response) -> None:
        """Mask the secret and the token in a response's headers and reason phrase.

        Those of a success are searched for the plain forms only, which costs a microsecond.
        """
        raw = response.headers.raw
        values = b"\n".join([value for _, value in raw])
        is_echoed = self._plain_token in values or self._plain_secret in values
        if is_echoed or response.status_code >= 300:
            headers = [(name, self._redact_bytes(value)) for name, value in raw]
            if headers != raw:
                response.headers = library_of(response).Headers(headers)
            reason: object = response.extensions.get("reason_phrase")
            if isinstance(reason, bytes):
                response.extensions["reason_phrase"] = self._redact_bytes(reason)

    def _redact_bytes(self, value: bytes) -> bytes:
        if len(value) < _RECOGNISABLE:
            return value
        return self.redact(value.decode("latin-1")).encode("latin-1")

    @property
    def _forms(self) -> list[str]:
        """All ways in which the token and the secret may be written, the longest first."""
        if self._found:
            return self._found
        forms = [self._token, quote(self._token, safe=""), *_escaped(self._token)]
        if self._is_searched:
            forms += [self._secret, json.dumps(self._secret)[1:-1], *_escaped(self._secret)]
            forms += [json.dumps(self._secret, ensure_ascii=False)[1:-1]]
            forms += [quote(self._secret), quote(self._secret, safe=""), quote_plus(self._secret)]
            forms += [html.escape(self._secret), html.escape(self._secret, quote=False)]
            # A secret that is not Latin-1, in a header that was decoded as if it were.
            forms += [self._secret.encode().decode("latin-1")]
        forms += [form.replace("/", "\\/") for form in forms]
        self._found = sorted(set(forms), key=len, reverse=True)
        return self._found


def _escaped(text: str) -> list[str]:
    """Return a text as JSON that escapes all but letters and digits, in either case of hex."""
    return [
        "".join(
            character
            if character.isascii() and character.isalnum()
            else "".join(
                pattern % unit for (unit,) in iter_unpack(">H", character.encode("utf-16-be"))
            )
            for character in text
        )
        for pattern in (r"\u%04x", r"\u%04X")
    ]


class Authorizer:
    """Returns the Authorization for each call.

    Where the source is a function, it is asked for every call, so that keys can rotate.
    """

    __slots__ = ("_last", "_source")

    def __init__(self, source: SecuritySource) -> None:
        self._source = source
        self._last: tuple[Security, Authorization] | None = None

    def __call__(self) -> Authorization:
        """Return the header for the current credentials, or raise what is wrong with them."""
        security = self._source if isinstance(self._source, Security) else self._source()
        last = self._last  # read once: another thread may replace it at any time
        if last is not None and last[0] is security:
            return last[1]
        problem = problem_with(security)
        if problem is not None:
            del security  # it may be of a type that does not mask what it holds
            raise problem
        authorization = Authorization(security)
        self._last = (security, authorization)
        return authorization


def problem_with(security: object) -> Exception | None:
    """Return why credentials cannot be sent by HTTP Basic (RFC 7617, section 2), or None.

    A TypeError: it is not a Security, or its key or secret is not a str. A ValueError: one of them
    is missing, or has a character that cannot be sent.
    """
    if not isinstance(security, Security):
        return TypeError(f"security must be a Security, not {type(security).__name__}")
    for name in ("provisioning_api_key", "provisioning_api_secret"):
        if not isinstance(getattr(security, name), str | None):
            return TypeError(f"security.{name} must be a str")
        problem = _problem(name, getattr(security, name))
        if problem:
            return ValueError(f"security.{name} {problem}")
    return None


def _problem(name: str, value: str | None) -> str | None:
    if not value or not value.strip():
        return "is missing"
    if name == "provisioning_api_key" and ":" in value:
        return "has a colon, which HTTP Basic does not allow in a user name"
    if re.search(r"[\x00-\x1f\x7f]", value):
        return "has a control character (a line break at its end?)"
    return "is not valid Unicode" if re.search(r"[\ud800-\udfff]", value) else None


def hide_credentials(
    error: BaseException, request: httpx.Request | None, authorization: Authorization
) -> None:
    """Remove the credentials from everything reachable from an error.

    The request loses its header, messages are masked, and the frames below, which hold the header
    in local variables that some loggers print, leave the tracebacks. Of a foreign exception only
    those of httpx and of what it stands on do: the caller's own frames say where it comes from.
    """
    is_foreign = isinstance(error, Exception) and not isinstance(
        error, (CloudinaryError, *http_errors())
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
    masked: Any = value
    if isinstance(value, str):
        masked = authorization.redact(value)
    elif isinstance(value, bytes):
        masked = authorization.redact(value.decode("latin-1")).encode("latin-1")
    if isinstance(value, str | bytes):
        return value if masked == value else masked
    if not depth or type(value) not in (list, tuple, dict):
        return value
    kind = cast("Any", type(value))
    items = [*cast("Any", value.items() if isinstance(value, dict) else value)]
    now = [_masked(item, authorization, depth - 1) for item in items]
    is_clean = all(new is old for new, old in zip(now, items, strict=True))
    return cast("Any", value) if is_clean else kind(now)


def _own_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames that hold the credentials."""
    links: list[TracebackType] = []
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__name__", "").partition(".")[0] not in _BELOW:
            links.append(traceback)
        traceback = traceback.tb_next
    for link in reversed(links):
        traceback = TracebackType(traceback, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return traceback
