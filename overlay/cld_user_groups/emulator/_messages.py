"""What goes into the emulator's core and what comes out of it, free of any I/O."""

from collections.abc import Sequence
from typing import Literal

import attrs

Drop = Literal["before", "after", "during"]
"""Where a connection breaks: before the write is applied, after it, or in mid-answer."""

Wire = Literal["observed", "documented"]
"""The shapes to answer in: those the live API was observed to use, or those it publishes."""

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
    # Holds the Authorization header, which must not show up in a traceback.
    headers: RawHeaders = attrs.field(default=(), repr=False)
    body: bytes = b""

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a header, or None.

        Args:
            name: The header's name in lower case.
        """
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return None


@attrs.frozen
class EmulatorResponse:
    """One answer, and what the adapter has to do to the connection while giving it.

    Attributes:
        status: The HTTP status.
        headers: Lower-case names and values.
        body: The whole body.
        delay: Seconds to wait before answering.
        drop: Set when the connection is to be closed with no (or with half an) answer.
    """

    status: int
    headers: RawHeaders
    body: bytes
    delay: float = 0.0
    drop: Drop | None = None


class RefusedError(ValueError):
    """A request that the API refuses, with the status and the message that it answers."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
