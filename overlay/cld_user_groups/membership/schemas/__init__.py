"""The JSON Schemas of the file, a saved plan, a journal and a review (JSON Schema 2020-12)."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def groups_schema() -> dict[str, Any]:
    """Return the JSON Schema of a file of groups, for editors and validators."""
    return _read("groups.schema.json")


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema of a saved plan."""
    return _read("plan.schema.json")


def journal_schema() -> dict[str, Any]:
    """Return the JSON Schema of a line of a journal."""
    return _read("journal.schema.json")


def review_schema() -> dict[str, Any]:
    """Return the JSON Schema of an access review."""
    return _read("review.schema.json")


def _read(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(files(__name__).joinpath(name).read_text("utf-8"))
    return schema
