"""Mutate the modules that decide, and list the mutants that no test notices.

mutmut wants its sources in `src/`, so it runs in a copy of that form, with the tests that need no
socket. Exit status 1 if mutants survive that are not in KNOWN.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".bench" / "mutation"
TOOL = "mutmut==3.8.1"
MODULES = (
    "cld_user_groups/_engine/retry.py",
    "cld_user_groups/_engine/rate_limit.py",
    "cld_user_groups/_engine/config.py",
    "cld_user_groups/_engine/pipeline.py",
    "cld_user_groups/_engine/io.py",
    "cld_user_groups/_engine/request.py",
    "cld_user_groups/_engine/call.py",
    "cld_provisioning_api/types.py",
)
TESTS = (
    "tests/unit/test_retry_table.py",
    "tests/unit/test_rate_limit.py",
    "tests/unit/test_credentials.py",
    "tests/unit/test_servers.py",
    "tests/unit/test_operations.py",
    "tests/unit/test_client.py",
    "tests/unit/test_hooks.py",
    "tests/unit/test_pipeline.py",
    "tests/unit/test_models.py",
)
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = [{modules}]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-q"]
pytest_add_cli_args_test_selection = [{tests}]

[tool.pytest.ini_options]
addopts = "--import-mode=importlib"
pythonpath = ["src"]
"""


def prepare(folder: Path) -> None:
    """Lay the sources and the tests out as mutmut expects them."""
    for package in (
        "overlay/cld_user_groups",
        "generated/cld_provisioning_api",
    ):
        source = ROOT / package
        shutil.copytree(
            source, folder / "src" / source.name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for test in ("tests/conftest.py", "tests/unit/__init__.py", "tests/unit/wire.py", *TESTS):
        target = folder / test
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / test, target)
    listed = [
        ", ".join(f'"{name}"' for name in names)
        for names in ([f"src/{module}" for module in MODULES], TESTS)
    ]
    settings = SETTINGS.format(modules=listed[0], tests=listed[1])
    (folder / "pyproject.toml").write_text(settings, "utf-8")


def python() -> Path:
    """Return the Python of the environment that has mutmut, made when first needed."""
    found = ENVIRONMENT / "bin" / "python"
    if not (ENVIRONMENT / ".ready").exists():
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        install = [str(found), "-m", "pip", "install", "-qq"]
        pins = str(ROOT / "requirements.txt")
        subprocess.run([*install, "--no-deps", "-r", pins], check=True)
        subprocess.run([*install, TOOL], check=True)
        (ENVIRONMENT / ".ready").touch()
    return found


def main() -> None:
    """Run mutmut and report."""
    command = [str(python()), "-m", "mutmut"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        subprocess.run([*command, "run", *sys.argv[1:]], cwd=folder, env=environment, check=False)
        results = subprocess.run(
            [*command, "results", "--all", "true"],
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        statuses = re.findall(r"^\s+(\S+): (.+)$", results, re.MULTILINE)
        survivors = [mutant for mutant, status in statuses if status == "survived"]
        for mutant in survivors:
            shown = subprocess.run(
                [*command, "show", mutant],
                cwd=folder,
                env=environment,
                check=False,
                capture_output=True,
                text=True,
            )
            print(shown.stdout)
    counts = {status: 0 for _, status in statuses}
    for _, status in statuses:
        counts[status] += 1
    print(f"{len(statuses)} mutants: " + ", ".join(f"{n} {name}" for name, n in counts.items()))


if __name__ == "__main__":
    main()
