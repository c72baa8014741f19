"""The OpenAPI document that the contract tests validate against."""

from __future__ import annotations

import pytest
from tests.support import documents


@pytest.fixture(scope="session")
def document() -> documents.Document:
    """The OpenAPI document, not to be changed: `documents.changed` returns a copy."""
    return documents.load()
