"""Reading the body of a create or update request, whatever a client put into it."""

from typing import cast

import attrs
import msgspec

from ._messages import RefusedError

_decode = msgspec.json.Decoder().decode


@attrs.frozen
class UserGroupBody:
    """What a create or update request asks for."""

    name: str
    extended_details: bool = False


def read_user_group_body(body: bytes) -> UserGroupBody:
    """Read a request body, ignoring its content type and its unknown fields.

    Raises:
        RefusedError: The body is not what the operation takes (400).
    """
    try:
        document: object = _decode(body)
    # Deep nesting ends in RecursionError; everything else, bad UTF-8 included, is a ValueError.
    except (ValueError, RecursionError):
        raise RefusedError(400, "Request body is not valid JSON") from None
    if not isinstance(document, dict):
        raise RefusedError(400, "Request body must be a JSON object")
    fields = cast("dict[str, object]", document)
    return UserGroupBody(
        name=require_name(fields.get("name")),
        extended_details=_extended_details(fields.get("extended_details", False)),
    )


def require_name(value: object) -> str:
    """Return a value that can be a group's name.

    Raises:
        RefusedError: It cannot (400).
    """
    if value is None:
        raise RefusedError(400, "Missing required parameter - name")
    if not isinstance(value, str):
        raise RefusedError(400, "Invalid value for parameter name: must be a string")
    if not value.strip():
        raise RefusedError(400, "Invalid value for parameter name: must not be blank")
    return value


def _extended_details(value: object) -> bool:
    if not isinstance(value, bool):
        raise RefusedError(400, "Invalid value for parameter extended_details: must be a boolean")
    return value
