"""A pytest plugin: the tests get httpx2 where they import httpx, and the package keeps httpx.

So tests that pass a client of their own, or a transport, an exception or a response, pass those of
httpx2, and any place in the package that would still use httpx for them fails.

    python -m pytest -p tests.support.over_httpx2 tests/faults
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys

import httpx2

import cld_user_groups

for found in pkgutil.walk_packages(cld_user_groups.__path__, "cld_user_groups."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
sys.modules["httpx"] = httpx2


def pytest_sessionstart() -> None:
    """Set the variable once `conftest` has noted those from outside, which no test sees."""
    os.environ["CLOUDINARY_PROVISIONING_HTTP_LIBRARY"] = "httpx2"
