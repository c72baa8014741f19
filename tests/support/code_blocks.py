"""The Python blocks of a Markdown file, run as a reader would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def blocks(path: str) -> list[Any]:
    """Return the blocks of a file as pytest parameters, named by heading and line."""
    found = []
    text = (ROOT / path).read_text("utf-8")
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start(1)) + 1
        headings = _HEADING.findall(text, 0, match.start())
        found.append(
            pytest.param(match[1], line, id=f"{headings[-1] if headings else path} ({line})")
        )
    return found


def run(path: str, code: str, line: int) -> dict[str, Any]:
    """Run a block, with its line numbers in any traceback, and return its names."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile("\n" * (line - 1) + code, str(ROOT / path), "exec"), names)
    return names


def run_tests(code: str, folder: Path) -> None:
    """Run a block that has tests with pytest, in a process of its own; all of them must pass.

    Only our own plugin is loaded: looking for and importing all others takes most of the time.
    """
    (folder / "test_block.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-p", "cld_user_groups_pytest", "."),
        ],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert f"{code.count('def test_')} passed" in done.stdout, done.stdout + done.stderr
