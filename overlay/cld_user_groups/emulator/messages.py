"""The requests and responses of the emulator, free of any I/O, and what a request contains."""

import binascii
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Literal, cast
from urllib.parse import parse_qsl

import attrs
import msgspec

Drop = Literal["before", "after", "during"]
"""When a connection breaks: before the operation is performed, after it, or in mid-response."""

RawHeaders = Sequence[tuple[bytes, bytes]]

# "True" and "False" are what Python clients send that format a bool as it is.
_TRUE: Final = ("true", "True", "1")
_FALSE: Final = ("false", "False", "0")
_FORM: Final = b"application/x-www-form-urlencoded"

_decode = msgspec.json.Decoder().decode


@attrs.frozen
class EmulatorRequest:
    """One request as it stands on the wire.

    Attributes:
        method: The HTTP method, upper case.
        raw_path: The path, still percent-encoded, without the query.
        query: The raw query, without the question mark.
        headers: Names (in any case) and values.
        body: The whole body.
    """

    method: str
    raw_path: bytes
    query: bytes = b""
    # Contains the Authorization header, which must not show up in a traceback.
    headers: RawHeaders = attrs.field(default=(), repr=False)
    body: bytes = b""

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a header, whose name is given in lower case, or None."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@attrs.frozen
class EmulatorResponse:
    """One response, and how the connection is treated while it is sent.

    Attributes:
        status: The status code.
        headers: Lower-case names and values.
        body: The whole body.
        delay: Seconds to wait before sending.
        drop: Set if the connection is to be closed without a response, or halfway through it.
    """

    status: int
    headers: RawHeaders
    body: bytes
    delay: float = 0.0
    drop: Drop | None = None


Handle = Callable[[EmulatorRequest], EmulatorResponse]


class RejectedError(ValueError):
    """The API rejects a request, with this status code, message and JSON document."""

    def __init__(self, status: int, message: str, headers: RawHeaders = ()) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        # A resource whose errors have another shape replaces it in a subclass.
        self.document: object = {"error": {"message": message}}


@attrs.frozen
class Query:
    """The decoded names and values of a query or a form; one that cannot be read is absent."""

    pairs: Sequence[tuple[str, str]] = ()

    @classmethod
    def parse(cls, query: bytes) -> "Query":
        return cls(parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else ())

    def as_dict(self) -> dict[str, str]:
        """Return the parameters by name; the last of several values counts."""
        return dict(self.pairs)

    def text(self, name: str) -> str:
        return self.as_dict().get(name, "")

    def boolean(self, name: str) -> bool | None:
        text = self.text(name)
        return True if text in _TRUE else False if text in _FALSE else None

    def positive_integer(self, name: str) -> int | None:
        text = self.text(name)
        # int() alone accepts "1_0", and raises for thousands of digits.
        return (int(text) or None) if re.fullmatch("[0-9]{1,9}", text) else None

    def day(self, name: str) -> date | None:
        """Return a date, yyyy-mm-dd or dd-mm-yyyy; the vendor's Python client sends a datetime."""
        for form in ("%Y-%m-%d", "%d-%m-%Y"):
            try:
                return datetime.strptime(self.text(name)[:10], form).date()  # noqa: DTZ007
            except ValueError:
                continue
        return None

    def array(self, name: str) -> list[str]:
        """Return an array in any form: ``a=1&a=2``, ``a[]=1``, ``a[0]=1``, ``a=1,2``."""
        spelling = re.compile(rf"{name}(\[[0-9]*\])?")
        values = [value for key, value in self.pairs if spelling.fullmatch(key)]
        return [item for value in values for item in value.split(",") if item]


def credentials_match(request: EmulatorRequest, expected: bytes) -> bool:
    """Return whether the ``Authorization`` header contains the expected ``key:secret``."""
    scheme, _, token = (request.header(b"authorization") or b"").strip().partition(b" ")
    try:
        given = binascii.a2b_base64(token.strip(), strict_mode=True)
    except ValueError:
        return False
    return scheme.lower() == b"basic" and hmac.compare_digest(given, expected)


def read_fields(request: EmulatorRequest) -> Mapping[str, object]:
    """Return the fields of a body, JSON or a form, or reject it (400)."""
    # Only JSON is published, but the live API accepts forms: the vendor's clients for Node and Java
    # send them.
    media_type = (request.header(b"content-type") or b"").partition(b";")[0].strip().lower()
    if media_type == _FORM:
        return _read_form(request.body)
    try:
        document: object = _decode(request.body)
    # Deep nesting ends in RecursionError; everything else, bad UTF-8 included, is a ValueError.
    except (ValueError, RecursionError):
        raise RejectedError(400, "Request body is not valid JSON") from None
    if not isinstance(document, dict):
        raise RejectedError(400, "Request body must be a JSON object")
    return cast("dict[str, object]", document)


def _read_form(body: bytes) -> Mapping[str, object]:
    try:
        form = Query(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise RejectedError(400, "Request body is not a valid form") from None
    # A form has no booleans: read it as a query parameter is read.
    return {**form.as_dict(), "extended_details": form.boolean("extended_details") is True}
