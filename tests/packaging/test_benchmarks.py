"""The programs of `make bench`, which no other test runs."""

from __future__ import annotations

import subprocess
import sys

from tests.support.code_blocks import ROOT

IMPORT = """
import importlib, figures
for name in ("run", *figures.PROGRAMS):
    importlib.import_module(name)
assert {figure.program for figure in figures.FIGURES.values()} <= figures.PROGRAMS.keys()
"""


def test_every_program_of_the_figures_imports() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        cwd=ROOT / "benchmarks",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
