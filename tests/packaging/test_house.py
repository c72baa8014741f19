"""What holds for names: those of classes, and of tests and what they may patch."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 70
# Names of httpx itself, each in one place: what happens where a version of it lacks them.
OF_HTTPX = {"_send_single_request", "_transport_for_url"}


def too_long(text: str) -> Iterator[str]:
    """Yield the tests whose names are longer than a line of a report."""
    for name in re.findall(r"^ *(?:async )?def (test_\w+)", text, re.MULTILINE):
        if len(name) > LONGEST:
            yield f"{name} has {len(name)} characters"


def patched(text: str) -> Iterator[str]:
    """Yield the private names that are patched."""
    if not re.search(r"""["'.]_\w+["']""", text):
        return  # parsing all files takes a second
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr not in ("setattr", "delattr", "object", "patch"):
            continue
        for argument in node.args[:2]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                name = argument.value.rpartition(".")[2]
                if name.startswith("_") and not name.startswith("__") and name not in OF_HTTPX:
                    yield f"{node.lineno}: {name} is patched"


def test_each_class_of_the_package_has_a_name_of_its_own() -> None:
    found = Counter(
        name
        for path in (ROOT / "overlay").rglob("*.py")
        for name in re.findall(r"^ *class ([A-Za-z]\w*)", path.read_text("utf-8"), re.MULTILINE)
    )
    assert [name for name, times in found.items() if times > 1] == []


def test_tests_have_short_names_and_patch_no_private_ones() -> None:
    for path in sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text("utf-8")
        assert [*too_long(text), *patched(text)] == [], path


@pytest.mark.parametrize(
    "line",
    [
        f"def test_{'x' * 66}(): ...",
        'monkeypatch.setattr(running, "_ask", None)',
        'monkeypatch.setattr("cld_user_groups.membership.journal._sync", None)',
        'mock.patch.object(doctor, "_version")',
        'mock.patch("cld_user_groups.command.doctor._version")',
    ],
)
def test_a_long_name_or_a_patched_private_one_is_found(line: str) -> None:
    assert [*too_long(line), *patched(line)]
