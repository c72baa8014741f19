"""A commit can be released if version, changelog and tag say so, and two builds are the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.contract_diff.changes import Kind
from tools.release_check import (
    check_changelog,
    check_components,
    check_same,
    check_step,
    check_tag,
    check_version,
)

RELEASED = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-22\n\n### Added\n\n- A tool.\n"


@pytest.mark.parametrize("version", ["0.2.0", "1.0.0", "0.2.0rc1"])
def test_version_above_the_released_ones_is_accepted(version: str) -> None:
    assert check_version(version, ["v0.1.0", "v0.1.1", "nightly"]) is None


def test_version_of_an_existing_tag_is_accepted() -> None:
    assert check_version("0.2.0", ["v0.1.0", "v0.2.0"]) is None


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        ("0.1", "not above 0.1.5"),
        ("0.2.0.dev1", "0.2.0 is"),
        ("0.2.0+local", "0.2.0 is"),
        ("0.2.0-rc1", "not a version to release"),
        ("next", "PEP 440"),
    ],
)
def test_version_that_cannot_be_released_is_rejected(version: str, problem: str) -> None:
    assert problem in str(check_version(version, ["v0.1.5"]))


@pytest.mark.parametrize(
    ("released", "version", "kinds", "needed"),
    [
        ("1.2.3", "1.2.4", "", None),
        ("1.2.3", "1.2.4", "cosmetic", None),
        ("1.2.3", "1.2.4", "cosmetic additive", "1.3.0"),
        ("1.2.3", "1.3.0", "additive", None),
        ("1.2.3", "1.3.0", "additive breaking", "2.0.0"),
        ("1.2.3", "2.0.0rc1", "breaking", None),
        ("0.2.3", "0.2.4", "breaking", "0.3.0"),
        ("0.2.3", "0.3.0", "breaking", None),
        ("0.2.3", "1.0.0", "breaking", None),
    ],
)
def test_step_of_the_version_is_what_the_changes_need(
    released: str, version: str, kinds: str, needed: str | None
) -> None:
    problem = check_step(version, released, map(Kind, kinds.split()))
    assert (problem is None) if needed is None else (f"{needed} or later" in str(problem))


def test_changelog_with_a_dated_section_is_accepted() -> None:
    assert check_changelog(RELEASED, "0.2.0") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (RELEASED.replace("0.2.0", "0.1.9"), "no section"),
        (RELEASED.replace(" - 2026-11-22", ""), "no date"),
        (RELEASED.replace("## [Unreleased]\n", "## [Unreleased]\n\n- Late.\n"), "under Unreleased"),
    ],
)
def test_changelog_that_does_not_tell_the_release_is_rejected(text: str, problem: str) -> None:
    assert problem in str(check_changelog(text, "0.2.0"))


def test_tag_is_rejected_only_on_another_commit() -> None:
    assert check_tag("0.2.0", ["v0.1.0"], []) is None
    assert check_tag("0.2.0", ["v0.2.0"], ["v0.2.0"]) is None
    assert "another commit" in str(check_tag("0.2.0", ["v0.2.0"], []))


def test_builds_that_differ_are_named(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        (folder / "a.whl").write_bytes(b"same")
    assert check_same(one, two) is None
    (two / "a.whl").write_bytes(b"other")
    (one / "b.tar.gz").write_bytes(b"")
    assert check_same(one, two) == "differ between two builds: a.whl, b.tar.gz"


def test_bill_of_materials_names_every_run_time_dependency() -> None:
    names = ["cld-user-groups", "httpx", "attrs", "msgspec"]
    document: dict[str, object] = {"components": [{"name": name} for name in names]}
    assert check_components(document) == "lacks python-dateutil"
