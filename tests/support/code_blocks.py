"""The Python blocks of a Markdown file, run as a reader would run them."""

from __future__ import annotations

import re
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
