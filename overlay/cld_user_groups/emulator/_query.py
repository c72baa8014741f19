"""Query parameters, read leniently.

The operations with query parameters document no 400: a value that cannot be read counts as absent.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from urllib.parse import parse_qsl

import attrs

# "True" and "False" are what Python clients send that format a bool as it is.
_TRUE: Final = frozenset({"true", "True", "1"})
_FALSE: Final = frozenset({"false", "False", "0"})
_INDEX: Final = re.compile(r"\[[0-9]*\]\Z")
_DATE_FORMATS: Final = ("%Y-%m-%d", "%d-%m-%Y")


@attrs.frozen
class Query:
    """The decoded names and values of a query string, in order."""

    pairs: Sequence[tuple[str, str]] = ()

    @classmethod
    def parse(cls, query: bytes) -> "Query":
        """Parse a raw query string."""
        return cls(parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else ())

    def as_dict(self) -> dict[str, str]:
        """Return the parameters by name; the last of several values counts."""
        return dict(self.pairs)

    def text(self, name: str) -> str | None:
        """Return a parameter's value, or None if it is absent or empty."""
        return self.as_dict().get(name) or None

    def boolean(self, name: str) -> bool | None:
        """Return a boolean parameter, or None."""
        text = self.text(name)
        return True if text in _TRUE else False if text in _FALSE else None

    def positive_integer(self, name: str) -> int | None:
        """Return an integer parameter of at least 1, or None."""
        text = self.text(name)
        # int() alone accepts "1_0", and raises for thousands of digits.
        if text is None or not (text.isascii() and text.isdigit()) or len(text) > 9:
            return None
        return int(text) or None

    def day(self, name: str) -> date | None:
        """Return a date parameter, as yyyy-mm-dd or as dd-mm-yyyy, or None.

        A time after the date is ignored: the vendor's client for Python sends a datetime.
        """
        text = (self.text(name) or "")[:10]
        for each in _DATE_FORMATS:
            try:
                return datetime.strptime(text, each).date()  # noqa: DTZ007 - a date has no zone
            except ValueError:
                continue
        return None

    def array(self, name: str) -> list[str]:
        """Return an array parameter in any form: ``a=1&a=2``, ``a[]=1``, ``a[0]=1``, ``a=1,2``."""
        values = [value for key, value in self.pairs if _INDEX.sub("", key) == name]
        return [item for value in values for item in value.split(",") if item]
