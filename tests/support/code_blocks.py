"""The Python blocks of a Markdown file, run as a reader would run them."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from attrs import frozen

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@frozen
class Block:
    """A block of a page.

    Attributes:
        path: The page, from the root of the repository.
        heading: The last heading before it.
        line: The line that its code begins at, from 1.
        code: Its code.
        setup: The latest block with an import, if it has none itself: the two are one program.
        output: What the page says that it prints, or None.
    """

    path: str
    heading: str
    line: int
    code: str
    setup: str = ""
    output: str | None = None

    def __str__(self) -> str:
        return f"{Path(self.path).stem}: {self.heading} ({self.line})"

    @property
    def is_tests(self) -> bool:
        """Whether it is a file of tests."""
        return "def test_" in self.code

    @property
    def program(self) -> str:
        """All that a reader types to run it."""
        return self.setup + self.code


def blocks(path: str) -> list[Block]:
    """Return the blocks of a page."""
    text = (ROOT / path).read_text("utf-8")
    found: list[Block] = []
    setup = ""
    for match in _BLOCK.finditer(text):
        code, output = match[1], match[2]
        is_whole = re.search(r"^(import|from) ", code, re.MULTILINE) is not None
        headings = _HEADING.findall(text, 0, match.start())
        line = text.count("\n", 0, match.start(1)) + 1
        heading = headings[-1] if headings else path
        found.append(Block(path, heading, line, code, "" if is_whole else setup, output))
        setup = code if is_whole else setup
    return found


def pages() -> list[str]:
    """Return the project's pages, from the root of the repository."""
    return [
        "README.md",
        *(str(each.relative_to(ROOT)) for each in sorted(ROOT.glob("docs/**/*.md"))),
    ]


def run(block: Block) -> dict[str, Any]:
    """Run a block, with its line numbers in any traceback, and return its names.

    What it prints must be what the page says.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(block.setup, names)
    printed = io.StringIO()
    with redirect_stdout(printed):
        code = "\n" * (block.line - 1) + block.code
        exec(compile(code, str(ROOT / block.path), "exec", dont_inherit=True), names)
    if block.output is not None:
        assert printed.getvalue() == block.output, printed.getvalue()
    return names


def run_tests(blocks: Sequence[Block], folder: Path) -> None:
    """Run blocks that have tests with pytest, in a process of their own; all tests must pass.

    Only our own plugin is loaded: looking for and importing all others takes most of the time.
    """
    for block in blocks:
        name = re.sub(r"\W", "_", block.path.removesuffix(".md"))
        (folder / f"test_{name}_line_{block.line}.py").write_text(block.code, encoding="utf-8")
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
    count = sum(block.code.count("def test_") for block in blocks)
    assert f"{count} passed" in done.stdout, done.stdout + done.stderr
