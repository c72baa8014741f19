"""Which HTTP library a call uses: httpx, or httpx2 where its client is one of httpx2's.

Both have the same classes under the same names, and neither accepts the other's. So a call looks
them up in the module that its client is from. httpx2 is imported only where somebody else has
imported it, or a client names it.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Final, Literal

import httpx

Name = Literal["httpx", "httpx2"]
NAMES: Final[tuple[Name, ...]] = ("httpx", "httpx2")

_known: dict[type, ModuleType] = {}


@cache
def library(name: Name) -> ModuleType:
    """Return a library, which must be installed, by its name."""
    return import_module(name)


def library_of(value: object) -> ModuleType:
    """Return the library that a client, a request or a response is from: else, httpx."""
    kind = type(value)
    found = _known.get(kind)
    if found is None:
        packages = [base.__module__.partition(".")[0] for base in kind.__mro__]
        names: list[Name] = [name for name in NAMES if name in packages]
        found = _known[kind] = library(names[0] if names else "httpx")
    return found


def http_errors() -> tuple[type[httpx.HTTPError], ...]:
    """Return the base class of the exceptions of each HTTP library that is imported.

    For `except http_errors():`, where a client may be one of httpx or of httpx2.
    """
    return tuple(library(name).HTTPError for name in NAMES if sys.modules.get(name))
