"""Which operation a method and a raw path stand for."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

import attrs

_PREFIX: Final = ["", "v1_1", "provisioning", "accounts"]

_TEMPLATES: Final[dict[tuple[str, ...], dict[str, str]]] = {
    ("{account_id}", "user_groups"): {
        "GET": "getUserGroups",
        "POST": "createUserGroup",
    },
    ("{account_id}", "user_groups", "{group_id}"): {
        "GET": "getUserGroup",
        "PUT": "updateUserGroup",
        "DELETE": "deleteUserGroup",
    },
    ("{account_id}", "user_groups", "{group_id}", "users"): {
        "GET": "getUsersInUserGroup",
    },
    ("{account_id}", "user_groups", "{group_id}", "users", "{user_id}"): {
        "POST": "addUserToUserGroup",
        "DELETE": "removeUserFromUserGroup",
    },
}

_BY_LENGTH: Final = {len(template): template for template in _TEMPLATES}

OPERATION_IDS: Final[tuple[str, ...]] = tuple(
    operation_id for methods in _TEMPLATES.values() for operation_id in methods.values()
)
"""The operation ids of the API's description, as used by faults and by the call log."""


@attrs.frozen
class Route:
    """A known path, decoded.

    Attributes:
        operation_id: The operation, or None where the path does not take the method.
        path_params: The path parameters by name.
        allowed: The methods that the path takes.
    """

    operation_id: str | None
    path_params: Mapping[str, str]
    allowed: tuple[str, ...]


def find_route(method: str, raw_path: bytes) -> Route | None:
    """Return the route of a raw path, or None for a path that the API does not have.

    The path is split before it is decoded, and each segment is decoded exactly once, so that an id
    with an encoded slash, dot or percent sign stays one segment.
    """
    segments = [_decode(segment) for segment in raw_path.split(b"/")]
    if segments[: len(_PREFIX)] != _PREFIX:
        return None
    segments = segments[len(_PREFIX) :]
    template = _BY_LENGTH.get(len(segments))
    if template is None:
        return None

    path_params: dict[str, str] = {}
    for expected, segment in zip(template, segments, strict=True):
        if expected.startswith("{"):
            if not segment:
                return None
            path_params[expected[1:-1]] = segment
        elif expected != segment:
            return None

    methods = _TEMPLATES[template]
    return Route(methods.get(method), path_params, tuple(methods))


def _decode(segment: bytes) -> str:
    # surrogateescape never fails and keeps different bytes different; such an id is never found.
    if b"%" in segment:
        segment = unquote_to_bytes(segment)
    return segment.decode("utf-8", "surrogateescape")
