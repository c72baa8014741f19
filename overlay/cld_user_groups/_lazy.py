"""Packages whose names are imported when they are first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def names_of(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """Return the `__getattr__` of a package: it imports a name, or a module of the package.

    Args:
        package: The package.
        modules: By module, the names that the package has from it, as after `import`.
    """
    homes: dict[str, tuple[str, str]] = {}
    for module, names in modules.items():
        for entry in names.split(", "):
            original, _, name = entry.partition(" as ")
            homes[name or original] = (module, original)

    def load(name: str) -> object:
        if name in homes:
            module, original = homes[name]
            found = getattr(import_module(module, package), original)
        else:
            found = _submodule(package, name)
        setattr(sys.modules[package], name, found)
        return found

    return load


def _submodule(package: str, name: str) -> object:
    module = f"{package}.{name}"
    try:
        if not name.startswith("_"):
            return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
    raise AttributeError(f"module {package!r} has no attribute {name!r}")
