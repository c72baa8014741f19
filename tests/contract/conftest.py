"""The description that the contract tests hold all sides against."""

from __future__ import annotations

import pytest

from . import documents


@pytest.fixture(scope="session")
def document() -> documents.Document:
    """The description. Tests do not change it: `documents.changed` gives a copy."""
    return documents.load()
