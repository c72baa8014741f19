"""Read what a request contains: its credentials, its query, its body."""

import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, cast
from urllib.parse import parse_qsl

import attrs
import msgspec

from .messages import EmulatorRequest, RejectedError

# "True" and "False" are what Python clients send that format a bool as it is.
_TRUE: Final = ("true", "True", "1")
_FALSE: Final = ("false", "False", "0")
_INDEX: Final = re.compile(r"\[[0-9]*\]\Z")
_FORM: Final = b"application/x-www-form-urlencoded"

_decode = msgspec.json.Decoder().decode


@attrs.frozen
class Query:
    """The decoded names and values of a query string or a form, in order.

    The operations with query parameters document no 400: a value that cannot be read is absent.
    """

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
        """Return a date, yyyy-mm-dd or dd-mm-yyyy.

        A time after the date is ignored: the vendor's client for Python sends a datetime.
        """
        for form in ("%Y-%m-%d", "%d-%m-%Y"):
            try:
                return datetime.strptime(self.text(name)[:10], form).date()  # noqa: DTZ007
            except ValueError:
                continue
        return None

    def array(self, name: str) -> list[str]:
        """Return an array in any form: ``a=1&a=2``, ``a[]=1``, ``a[0]=1``, ``a=1,2``."""
        values = [value for key, value in self.pairs if _INDEX.sub("", key) == name]
        return [item for value in values for item in value.split(",") if item]


def credentials_match(request: EmulatorRequest, expected: bytes) -> bool:
    """Return whether the ``Authorization`` header contains the expected ``key:secret``."""
    scheme, _, token = (request.header(b"authorization") or b"").strip().partition(b" ")
    try:
        given = binascii.a2b_base64(token.strip(), strict_mode=True)
    except ValueError:
        return False
    return scheme.lower() == b"basic" and hmac.compare_digest(given, expected)


def read_group_body(request: EmulatorRequest) -> tuple[str, bool]:
    """Return the ``name`` and ``extended_details`` of a body, or reject it (400).

    Only JSON is published, but the live API accepts forms as well: the vendor's clients for Node
    and Java send them. Any other content type counts as JSON, and unknown fields are ignored.
    """
    media_type = (request.header(b"content-type") or b"").partition(b";")[0].strip().lower()
    fields = _read_form(request.body) if media_type == _FORM else read_json(request.body)
    name, extended = require_name(fields.get("name")), fields.get("extended_details", False)
    if not isinstance(extended, bool):
        message = "Invalid value for parameter extended_details: must be a boolean"
        raise RejectedError(400, message)
    return name, extended


def require_name(value: object) -> str:
    """Return a value that is a valid name of a group, or reject it (400)."""
    if value is None:
        raise RejectedError(400, "Missing required parameter - name")
    if not isinstance(value, str):
        raise RejectedError(400, "Invalid value for parameter name: must be a string")
    if not value.strip():
        raise RejectedError(400, "Invalid value for parameter name: must not be blank")
    return value


def read_json(body: bytes) -> Mapping[str, object]:
    """Return the JSON object that a body is, or reject it (400)."""
    try:
        document: object = _decode(body)
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
