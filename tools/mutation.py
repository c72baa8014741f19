"""Mutate the modules that decide, and fail on mutants that no test notices.

mutation.toml names the modules, the tests, and the survivors that are known, each with its reason.
`--module retry` mutates one module only. mutmut wants its sources in `src/`, so it runs in a copy
of that form.

Exits with 1 if a mutant survives, or is reached by no test, and is not known; with 2 if the tests
fail without any mutation, or mutation.toml names a missing file.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).with_suffix(".toml")
ENVIRONMENT = ROOT / ".bench" / "mutation"
TOOL = "mutmut==3.8.1"
PACKAGES = ("overlay/cld_user_groups", "generated/cld_provisioning_api")
UNNOTICED = ("survived", "no tests")
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = [{modules}]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:randomly", "-q"]
pytest_add_cli_args_test_selection = [{tests}]

[tool.pytest.ini_options]
addopts = "--import-mode=importlib"
pythonpath = ["src", "."]
"""


@frozen
class Mutant:
    """A change of one line of a function. Its number is mutmut's, and changes with the code."""

    function: str
    before: str
    after: str


@frozen
class Group:
    """Modules, and the tests that are run for their mutants."""

    modules: Sequence[str]
    tests: Sequence[str]


def select(groups: Sequence[Group], wanted: str | None) -> list[Group]:
    """Return the modules to mutate: all, or those of a name or a path."""
    chosen = [
        Group(
            [
                each
                for each in group.modules
                if wanted is None or Path(each).stem == wanted or wanted.endswith(each)
            ],
            group.tests,
        )
        for group in groups
    ]
    found = [group for group in chosen if group.modules]
    if not found:
        names = [each for group in groups for each in group.modules]
        stop(f"no module is called {wanted}; there are {', '.join(names)}")
    return found


def prepare(folder: Path, group: Group) -> None:
    """Lay the sources and the tests out as mutmut expects them."""
    modules, tests = group.modules, group.tests
    ignored = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / "src" / Path(package).name, ignore=ignored)
    # All of tests/: what the selected ones import is there, wherever it lies.
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=ignored)
    missing = [f"src/{each}" for each in modules if not (folder / "src" / each).is_file()]
    missing += [each for each in tests if not (folder / each).is_file()]
    if missing:
        stop(f"{DATA.name} names missing files: {', '.join(missing)}")
    quoted = [
        ", ".join(f'"{name}"' for name in names)
        for names in ([f"src/{module}" for module in modules], tests)
    ]
    (folder / "pyproject.toml").write_text(SETTINGS.format(modules=quoted[0], tests=quoted[1]))


def python() -> Path:
    """Return the Python of the environment that has mutmut, lazily created.

    It has the packages of this environment by a path, so that only mutmut is installed.
    """
    found = ENVIRONMENT / "bin" / "python"
    if not (ENVIRONMENT / ".ready").exists():
        print(f"Setting up {ENVIRONMENT.relative_to(ROOT)} (once)")
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        own = next((ENVIRONMENT / "lib").glob("python*/site-packages"))
        shared = [path for path in sys.path if path.endswith("site-packages")]
        (own / "shared.pth").write_text("\n".join(shared) + "\n")
        subprocess.run([found, "-m", "pip", "install", "-qq", TOOL], check=True)
        (ENVIRONMENT / ".ready").touch()
    return found


def run(folder: Path, *arguments: str, is_shown: bool = False) -> str:
    """Run mutmut in the copy and return what it printed, unless it is shown on a terminal."""
    done = subprocess.run(
        [python(), "-m", "mutmut", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=None if is_shown else subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.stdout or ""


def mutant(name: str, shown: str) -> Mutant:
    """Return a mutant from its name and its difference, as mutmut shows it."""
    lines = [line for line in shown.splitlines() if not line.startswith(("---", "+++", "#"))]
    before, after = (
        "\n".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    function = re.sub(r"__mutmut_\d+$", "", name)
    # mutmut writes x_name for a function, and xǁClassǁname for a method.
    return Mutant(re.sub(r"(?:^|(?<=\.))x(?:_|ǁ)", "", function).replace("ǁ", "."), before, after)


def known(entries: Sequence[dict[str, Any]]) -> set[Mutant]:
    """Return the survivors that are known. Each must have its reason."""
    for entry in entries:
        if not entry.get("reason", "").strip():
            stop(f"{DATA.name}: a known survivor of {entry.get('function')} has no reason")
    return {Mutant(each["function"], each["before"], each["after"]) for each in entries}


def stop(message: str) -> NoReturn:
    """Exit with 2 and a message."""
    print(f"mutation: {message}", file=sys.stderr)
    raise SystemExit(2)


def unnoticed(group: Group) -> tuple[list[str], list[tuple[str, str, Mutant]]]:
    """Mutate a group, and return the status of each mutant, and those that no test noticed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, group)
        # On a terminal mutmut's progress is worth seeing; in a log it is thousands of lines.
        output = run(folder, "run", is_shown=sys.stdout.isatty())
        results = run(folder, "results", "--all", "true")
        statuses = re.findall(r"^\s+(\S+): (.+)$", results, re.MULTILINE)
        if not statuses or any(status == "not checked" for _, status in statuses):
            print("\n".join(output.splitlines()[-40:]))
            stop("mutmut did not finish; the end of its output says why")
        found = [
            (name, status, mutant(name, run(folder, "show", name)))
            for name, status in statuses
            if status in UNNOTICED
        ]
    return [status for _, status in statuses], found


def main() -> int:
    """Mutate, print the mutants that must be noticed, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", help="mutate this one only: retry, or its path")
    options = parser.parse_args()
    data = tomllib.loads(DATA.read_text("utf-8"))
    excused = known(data.get("known", []))
    groups = [Group(each["modules"], each["tests"]) for each in data["group"]]
    counts: Counter[str] = Counter()
    survivors: list[tuple[str, str, Mutant]] = []
    for group in select(groups, options.module):
        statuses, found = unnoticed(group)
        counts.update(statuses)
        survivors += found
    new = [each for each in survivors if each[2] not in excused]
    for name, status, each in new:
        print(f"\n{name}: {status}\n  - {each.before}\n  + {each.after}")
    gone = excused - {each for _, _, each in survivors}
    for each in gone if options.module is None else ():
        print(f"\n{each.function} is listed as known, and no longer survives: {each.after}")
    listed = ", ".join(f"{count} {status}" for status, count in counts.items())
    print(f"\n{counts.total()} mutants: {listed}")
    print(f"{len(survivors) - len(new)} known survivors, {len(new)} that a test must notice")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
