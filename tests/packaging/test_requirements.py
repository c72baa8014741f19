"""The pins are what pyproject.toml declares and lists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
GROUPS = PYPROJECT["dependency-groups"]
DECLARED = [
    Requirement(text)
    for text in sum([*EXTRAS.values(), *GROUPS.values()], PYPROJECT["project"]["dependencies"])
    if not text.startswith("cld-user-groups[")
]
LINES = (ROOT / "constraints.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("requirement", DECLARED, ids=str)
def test_what_is_declared_is_pinned_within_its_bounds(requirement: Requirement) -> None:
    pins = {canonicalize_name(name): Version(v) for name, v in (line.split("==") for line in LINES)}
    assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_the_tests_get_every_extra() -> None:
    (own,) = [Requirement(text) for text in GROUPS["test"] if text.startswith("cld-user-groups[")]
    assert own.extras == EXTRAS.keys()


@pytest.mark.parametrize("line", LINES)
def test_pins_are_plain_names_and_versions(line: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line)
