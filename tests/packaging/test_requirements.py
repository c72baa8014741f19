"""The pins hold what pyproject.toml and the lists they are made from ask for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DECLARED = [Requirement(text) for text in sum(EXTRAS.values(), PROJECT["dependencies"])]


def named(path: str) -> list[str]:
    lines = (ROOT / path).read_text("utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def pins(path: str) -> dict[str, Version]:
    pairs = [line.split("==") for line in named(path)]
    return {canonicalize_name(name): Version(version) for name, version in pairs}


@pytest.mark.parametrize("requirement", DECLARED, ids=str)
def test_the_lowest_version_that_is_declared_is_the_lowest_that_is_tested(
    requirement: Requirement,
) -> None:
    (bound,) = [each.version for each in requirement.specifier if each.operator == ">="]
    assert pins("requirements-lowest.txt")[canonicalize_name(requirement.name)] == Version(bound)


@pytest.mark.parametrize("requirement", DECLARED, ids=str)
def test_the_version_that_is_pinned_is_one_that_is_declared(requirement: Requirement) -> None:
    pinned = pins("requirements.txt")[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pinned)


@pytest.mark.parametrize(
    ("pinned", "listed"),
    [
        ("requirements.txt", "requirements.in"),
        ("requirements-lowest.txt", "requirements.in"),
        ("requirements-check.txt", "requirements-check.in"),
        ("requirements-browser.txt", "requirements-browser.in"),
        ("requirements-docs.txt", "requirements-docs.in"),
    ],
)
def test_whatever_is_listed_is_pinned(pinned: str, listed: str) -> None:
    wanted = {canonicalize_name(Requirement(line).name) for line in named(listed)}
    assert wanted - pins(pinned).keys() == set()


@pytest.mark.parametrize("kind", ["check", "browser", "docs"])
def test_what_is_added_to_the_pins_of_the_tests_repeats_none_of_them(kind: str) -> None:
    added = pins(f"requirements-{kind}.txt")
    assert added.keys() & pins("requirements.txt").keys() == set()


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.txt")), ids=lambda path: path.name)
def test_pins_are_plain_names_and_versions(path: Path) -> None:
    for line in named(path.name):
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line)
