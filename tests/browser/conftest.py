"""A browser, and pages in it that fail their test if they report an error."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .chromium import CHROMIUM, launched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from .pages import Pages

# What `make test` sets up lacks the driver; its tests are then not even imported.
collect_ignore_glob = [] if importlib.util.find_spec("playwright") else ["test_*.py"]


def pytest_report_header() -> str:
    """Return which browser the tests use."""
    return f"chromium: {CHROMIUM or 'not installed, skipped'}"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with launched() as found:
        yield found


@pytest.fixture
def pages(browser: Browser, tmp_path: Path) -> Iterator[Pages]:
    """Pages of a test; at its end, none may have reported an error."""
    from .pages import Pages

    opened = Pages(browser, tmp_path)
    yield opened
    opened.close()
