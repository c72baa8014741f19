"""The requests and responses of the emulator, free of any I/O, and what a request contains."""

import binascii
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Literal, cast
from urllib.parse import parse_qsl, unquote_to_bytes

import attrs
import msgspec

Drop = Literal["before", "after", "during"]
"""When a connection breaks: before the operation is performed, after it, or in mid-response."""

RawHeaders = Sequence[tuple[bytes, bytes]]

# "True" and "False" are what Python clients send that format a bool as it is.
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "True", "1"), True),
    **dict.fromkeys(("false", "False", "0"), False),
}
_FORM: Final = b"application/x-www-form-urlencoded"
encode: Final = msgspec.json.Encoder().encode
_CODES: Final = {400: "00005", 401: "00006", 403: "00007", 404: "00003", 409: "00008"}


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
    """The API rejects a request, with this status code, message and names of fields."""

    def __init__(
        self, status: int, message: str, fields: Sequence[str] = (), headers: RawHeaders = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.fields = fields
        self.headers = headers

    def response(self, request: EmulatorRequest) -> EmulatorResponse:
        """Return the response; the Permissions API has a shape of its own."""
        error: dict[str, object] = {"message": str(self)}
        if unquote_to_bytes(request.raw_path).startswith(b"/v2/"):
            category = "server_error" if self.status >= 500 else "user_error"
            code = f"ACCOUNTS_{_CODES.get(self.status, '00001')}"
            error = {"category": category, "code": code, **error}
            if self.fields:
                error["details"] = {"fields": self.fields}
        return EmulatorResponse(self.status, self.headers, encode({"error": error}))


class Operation:
    """One request, with its decoded path and query parameters: what a handler is given.

    A value of the query that cannot be read counts as absent.
    """

    def __init__(self, request: EmulatorRequest, path: Mapping[str, str]) -> None:
        query = request.query.decode("latin-1")
        self.request = request
        self.path = path
        self.pairs = parse_qsl(query, keep_blank_values=True) if query else ()
        self.query = dict(self.pairs)  # the last of several values counts

    @property
    def wants_details(self) -> bool:
        """Whether the query asks for more than the basic shape of a group."""
        return self.boolean("extended_details") is True

    def text(self, name: str) -> str:
        return self.query.get(name, "")

    def boolean(self, name: str) -> bool | None:
        return _BOOLEANS.get(self.text(name))

    def positive_integer(self, name: str) -> int | None:
        text = self.text(name)
        # int() alone accepts "1_0", and raises for thousands of digits.
        return (int(text) or None) if re.fullmatch("[0-9]{1,9}", text) else None

    def day(self, name: str) -> date | None:
        """Return a date, yyyy-mm-dd or dd-mm-yyyy; the vendor's Python client sends a datetime."""
        text = self.text(name)[:10]
        for form in ("%Y-%m-%d", "%d-%m-%Y") if text else ():
            try:
                return datetime.strptime(text, form).date()  # noqa: DTZ007
            except ValueError:
                continue
        return None

    def array(self, name: str) -> list[str]:
        """Return an array in any form: ``a=1&a=2``, ``a[]=1``, ``a[0]=1``, ``a=1,2``."""
        spelling = re.compile(rf"{name}(\[[0-9]*\])?")
        values = [value for key, value in self.pairs if spelling.fullmatch(key)]
        return [item for value in values for item in value.split(",") if item]

    def fields(self) -> Mapping[str, object]:
        """Return the fields of the body, JSON or a form, or reject it (400)."""
        # Only JSON is published, but the live API accepts forms: the vendor's clients for Node and
        # Java send them.
        content_type = self.request.header(b"content-type") or b""
        if content_type.partition(b";")[0].strip().lower() == _FORM:
            return _read_form(self.request.body)
        try:
            document: object = msgspec.json.decode(self.request.body)
        # Deep nesting ends in RecursionError; everything else, bad UTF-8 included, is a ValueError.
        except (ValueError, RecursionError):
            raise RejectedError(400, "Request body is not valid JSON") from None
        if not isinstance(document, dict):
            raise RejectedError(400, "Request body must be a JSON object")
        return cast("dict[str, object]", document)


def _read_form(body: bytes) -> Mapping[str, object]:
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise RejectedError(400, "Request body is not a valid form") from None
    # A form has no booleans: read it as a query parameter is read.
    return {**form, "extended_details": _BOOLEANS.get(form.get("extended_details", ""), False)}


def credentials_match(request: EmulatorRequest, expected: bytes) -> bool:
    """Return whether the ``Authorization`` header contains the expected ``key:secret``."""
    scheme, _, token = (request.header(b"authorization") or b"").strip().partition(b" ")
    try:
        given = binascii.a2b_base64(token.strip(), strict_mode=True)
    except ValueError:
        return False
    return scheme.lower() == b"basic" and hmac.compare_digest(given, expected)
