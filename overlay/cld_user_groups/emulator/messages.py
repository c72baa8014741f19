"""The input and output of the emulator, free of any I/O."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import attrs

Drop = Literal["before", "after", "during"]
"""When a connection breaks: before the operation is performed, after it, or in mid-response."""

Wire = Literal["observed", "documented"]
"""Whether the emulator follows the live API as it was observed, or as it is published."""

UsersFilters = Literal["applied", "ignored"]
"""Whether the filters of the list of users have an effect."""

UsersPaging = Literal["on_request", "always", "ignored"]
"""Which responses with the list of users are one page of it."""

RawHeaders = Sequence[tuple[bytes, bytes]]


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


def _require_alternative(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    alternatives = get_args(field.type)
    if value not in alternatives:
        known = ", ".join(map(repr, alternatives))
        raise ValueError(f"invalid {field.name} {value!r}: use one of {known}")


@attrs.frozen
class Behavior:
    """Where the live API is disputed or unknown, the alternative to emulate."""

    wire: Wire = attrs.field(validator=_require_alternative)
    users_filters: UsersFilters = attrs.field(validator=_require_alternative)
    users_paging: UsersPaging = attrs.field(validator=_require_alternative)


Handle = Callable[[EmulatorRequest], EmulatorResponse]


class RejectedError(ValueError):
    """The API rejects a request, with this status code, message and JSON document."""

    def __init__(self, status: int, message: str, headers: RawHeaders = ()) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        # A resource whose errors have another shape replaces it in a subclass.
        self.document: object = {"error": {"message": message}}
