"""The pins are what pyproject.toml declares and lists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

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


def test_what_is_declared_is_pinned_within_its_bounds() -> None:
    pins = {canonicalize_name(name): Version(v) for name, v in (line.split("==") for line in LINES)}
    for each in DECLARED:
        assert each.specifier.contains(pins[canonicalize_name(each.name)]), each


def test_the_tests_get_every_extra() -> None:
    (own,) = [Requirement(text) for text in GROUPS["test"] if text.startswith("cld-user-groups[")]
    assert own.extras == EXTRAS.keys()


def test_pins_are_plain_names_and_versions() -> None:
    plain = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+")
    assert [line for line in LINES if not plain.fullmatch(line)] == []
