"""The values of a file: e-mails, dates, shares, counts, each checked on its own."""

from __future__ import annotations

import math
import re
from datetime import date

# Only enough to find a mistyped or truncated address; the account decides the rest.
_EMAIL = re.compile(
    r"[^\s@\"(),:;<>\[\]\\]{1,64}@[^\s@.,:;<>\"()\[\]\\]+(?:\.[^\s@.,:;<>\"()\[\]\\]+)+"
)
_LONGEST_EMAIL = 254
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)


def is_email(text: str) -> bool:
    """Return whether the text has the form of an e-mail address."""
    return len(text) <= _LONGEST_EMAIL and text.isprintable() and _EMAIL.fullmatch(text) is not None


def parse_date(text: str) -> date | None:
    """Return the date that is written YYYY-MM-DD, or None."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_whole(text: str) -> int | None:
    """Return the whole number from 0, or None."""
    return int(text) if _WHOLE.fullmatch(text) else None


def parse_share(text: str, *, number: bool) -> float | None:
    """Parse a share, written as a percentage, "25%", or as a number below 1.

    The number 1 is rejected: it could mean 1 % or all.

    Args:
        text: What is written.
        number: Whether it may be a number.
    """
    match = _PERCENT.fullmatch(text.strip())
    if match:
        share = float(match[1]) / 100
        return share if share <= 1 else None
    if not number:
        return None
    try:
        share = float(text)
    except ValueError:
        return None
    return share if math.isfinite(share) and 0 <= share < 1 else None
