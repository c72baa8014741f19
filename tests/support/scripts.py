"""Import scripts, which are in no package, to test them."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from tests.support.documents import ROOT


def load(path: str) -> ModuleType:
    """Return a script as a module. It may import its neighbors, as when it is run."""
    script = ROOT / path
    folder = script.parent
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    specification = importlib.util.spec_from_file_location(f"script_{script.stem}", script)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module
