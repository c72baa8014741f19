"""What holds for the tests themselves: their names, and what they may patch."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 70
# Names of httpx itself, each in one place: what happens where a version of it lacks them.
OF_HTTPX = {"_send_single_request", "_transport_for_url"}


@cache
def trees() -> dict[str, ast.Module]:
    """Return each file of the tests, parsed."""
    paths = sorted((ROOT / "tests").rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_bytes()) for path in paths}


def too_long(tree: ast.Module) -> Iterator[str]:
    """Yield the tests whose names are longer than a line of a report."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("test_") and len(node.name) > LONGEST:
            yield f"{node.lineno}: {node.name} has {len(node.name)} characters"


def patched(tree: ast.Module) -> Iterator[str]:
    """Yield the private names that are patched."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr not in ("setattr", "delattr", "object", "patch"):
            continue
        for argument in node.args[:2]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                name = argument.value.rpartition(".")[2]
                if name.startswith("_") and not name.startswith("__") and name not in OF_HTTPX:
                    yield f"{node.lineno}: {name} is patched"


@pytest.mark.parametrize("problems", [too_long, patched], ids=lambda each: each.__name__)
def test_tests_have_short_names_and_patch_no_private_ones(
    problems: Callable[[ast.Module], Iterator[str]],
) -> None:
    assert [f"{path}:{each}" for path, tree in trees().items() for each in problems(tree)] == []


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
    tree = ast.parse(line)
    assert [*too_long(tree), *patched(tree)]
