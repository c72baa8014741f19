"""The programs of `make bench`, which no other test runs."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.support.code_blocks import ROOT

IMPORT = """
import importlib, pathlib, figures
for path in pathlib.Path().glob("*.py"):
    importlib.import_module(path.stem)
assert {figure.program for figure in figures.FIGURES.values()} <= figures.PROGRAMS.keys()
"""


def test_every_program_imports_and_each_figure_has_one() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        cwd=ROOT / "benchmarks",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_documentation_has_the_tables_of_the_results() -> None:
    results = (ROOT / "benchmarks/RESULTS.md").read_text("utf-8")
    copied = 0
    for page in ("README.md", "docs/explanation/costs.md"):
        text = (ROOT / page).read_text("utf-8")
        for name in re.findall(r"<!-- end of (\w+) -->", text):
            begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
            tables = [
                each.partition(begin)[2].partition(end)[0].strip() for each in (text, results)
            ]
            assert tables[0] == tables[1] != "", f"{page}: python benchmarks/run.py --readme"
            copied += 1
    assert copied == 4
