"""What a response says, as short texts for error messages."""

from __future__ import annotations

import httpx

# The maximum length of a message that is derived from a response, in characters.
_EXCERPT = 200


def excerpt(text: str) -> str:
    """Return the beginning of a text, on one line."""
    line = " ".join(text[: 4 * _EXCERPT].split())
    return line if len(line) <= _EXCERPT else line[:_EXCERPT] + "…"


def reason(response: httpx.Response) -> str:
    """Return the reason phrase of a response, or its status code where it has none."""
    return excerpt(response.reason_phrase) or f"Status {response.status_code}"


def body_text(response: httpx.Response) -> str:
    """Return the body as text, ignoring the declared charset: JSON is UTF-8 (RFC 8259, 8.1)."""
    return response.content.decode("utf-8", errors="replace")
