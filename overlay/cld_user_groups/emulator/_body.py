"""The body of a create or update request, as JSON or as a form."""

from typing import Final, cast
from urllib.parse import parse_qsl

import attrs
import msgspec

from ._messages import RejectedError
from ._query import Query

_FORM: Final = b"application/x-www-form-urlencoded"

_decode = msgspec.json.Decoder().decode


@attrs.frozen
class UserGroupBody:
    """The parameters of a create or update request."""

    name: str
    extended_details: bool = False


def read_user_group_body(body: bytes, content_type: bytes | None) -> UserGroupBody:
    """Parse a request body.

    Only JSON is published, but the live API accepts forms as well: the vendor's clients for Node
    and Java send them. Any other content type counts as JSON, and unknown fields are ignored.

    Raises:
        RejectedError: The body is invalid (400).
    """
    media_type = (content_type or b"").partition(b";")[0].strip().lower()
    fields = _read_form(body) if media_type == _FORM else _read_json(body)
    return UserGroupBody(
        name=require_name(fields.get("name")),
        extended_details=_extended_details(fields.get("extended_details", False)),
    )


def require_name(value: object) -> str:
    """Return a value that is a valid name of a group.

    Raises:
        RejectedError: The value is invalid (400).
    """
    if value is None:
        raise RejectedError(400, "Missing required parameter - name")
    if not isinstance(value, str):
        raise RejectedError(400, "Invalid value for parameter name: must be a string")
    if not value.strip():
        raise RejectedError(400, "Invalid value for parameter name: must not be blank")
    return value


def _read_json(body: bytes) -> dict[str, object]:
    try:
        document: object = _decode(body)
    # Deep nesting ends in RecursionError; everything else, bad UTF-8 included, is a ValueError.
    except (ValueError, RecursionError):
        raise RejectedError(400, "Request body is not valid JSON") from None
    if not isinstance(document, dict):
        raise RejectedError(400, "Request body must be a JSON object")
    return cast("dict[str, object]", document)


def _read_form(body: bytes) -> dict[str, object]:
    try:
        fields = Query(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise RejectedError(400, "Request body is not a valid form") from None
    # A form has no booleans: read it as a query parameter is read.
    details = fields.boolean("extended_details") is True
    return {**fields.as_dict(), "extended_details": details}


def _extended_details(value: object) -> bool:
    if not isinstance(value, bool):
        raise RejectedError(400, "Invalid value for parameter extended_details: must be a boolean")
    return value
