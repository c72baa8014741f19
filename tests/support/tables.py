"""Tables of cases that are too quick to be a test each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def case(*name: object) -> Iterator[None]:
    """Name the case of a table in the report of its failure."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"case: {', '.join(map(str, name))}")
        raise
