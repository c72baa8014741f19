"""Mutate a module, and print the mutants that no test notices: each is a question to its tests.

    make mutation MODULE=overlay/cld_user_groups/_engine/retry.py
    make mutation MODULE=... TESTS="tests/unit/test_retry_table.py tests/unit/test_pipeline.py"

Without TESTS, the tests are those that name the module. Many survivors are equivalent, as a header
in capital letters; whether one needs a test is for a person to say. mutmut wants its sources in
`src/`, so it runs in a copy of that form. Exits with 2 if the tests fail without any mutation.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOL = "mutmut==3.8.1"
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = [{module}]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-q"]
pytest_add_cli_args_test_selection = {tests}

[tool.pytest.ini_options]
addopts = "--import-mode=importlib"
pythonpath = ["src", "."]
"""


def naming(module: Path) -> list[str]:
    """Return the test files that name a module."""
    *packages, name = module.with_suffix("").parts[1:]
    pattern = re.compile(rf"{re.escape('.'.join(packages))}(\.| import .*\b){name}\b")
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [
        str(each.relative_to(ROOT)) for each in files if pattern.search(each.read_text("utf-8"))
    ]


def prepare(folder: Path, module: Path, tests: list[str]) -> None:
    """Lay the sources and the tests out as mutmut expects them."""
    ignored = shutil.ignore_patterns("__pycache__")
    for package in (*(ROOT / "overlay").iterdir(), *(ROOT / "generated").iterdir()):
        if package.is_dir():
            shutil.copytree(package, folder / "src" / package.name, ignore=ignored)
    # All of tests/: what the selected ones import is there, wherever it lies.
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=ignored)
    path = json.dumps(str(Path("src", *module.parts[1:])))
    settings = SETTINGS.format(module=path, tests=json.dumps(tests))
    (folder / "pyproject.toml").write_text(settings, "utf-8")


def run(folder: Path, *arguments: str, is_shown: bool = False) -> str:
    """Run mutmut in the copy and return what it printed, unless it is shown on a terminal."""
    command = ["uv", "run", "--no-project", "--active", "--quiet", "--with", TOOL, "mutmut"]
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env={**os.environ, "VIRTUAL_ENV": sys.prefix, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=None if is_shown else subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.stdout or ""


def main() -> int:
    """Mutate, print the mutants that no test noticed, and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("module", type=Path, help="below overlay/ or generated/")
    parser.add_argument("tests", nargs="*", help="the tests to run (default: those that name it)")
    options = parser.parse_args()
    if not (ROOT / options.module).is_file():
        parser.error(f"{options.module} is no file: MODULE=overlay/...")
    tests = options.tests or naming(options.module)
    print(f"with {', '.join(tests)}" if tests else "no test names it: TESTS=...")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, options.module, tests)
        # On a terminal mutmut's progress is worth seeing; in a log it is thousands of lines.
        output = run(folder, "run", is_shown=sys.stdout.isatty())
        results = run(folder, "results", "--all", "true")
        statuses = dict(re.findall(r"^\s+(\S+): (.+)$", results, re.MULTILINE))
        if not statuses or "not checked" in statuses.values():
            print("\n".join(output.splitlines()[-40:]))
            print(
                "mutation: mutmut did not finish; the end of its output says why", file=sys.stderr
            )
            return 2
        for mutant, status in statuses.items():
            if status in ("survived", "no tests"):
                print(run(folder, "show", mutant))
    counts = Counter(statuses.values())
    print(f"{len(statuses)} mutants: {', '.join(f'{n} {status}' for status, n in counts.items())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
