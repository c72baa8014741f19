"""Runs the tests on every supported Python that this machine has: `make test-all`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")


def interpreter(version: str) -> str | None:
    """Return a Python of a version that runs: pyenv's shims are found and may not."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [
        shutil.which(f"python{version}"),
        shutil.which("python3"),
        *sorted(map(str, pyenv.glob(f"versions/{version}.*/bin/python"))),
    ]
    for candidate in filter(None, candidates):
        code = "import sys; print('.'.join(map(str, sys.version_info[:2])), sys.base_prefix)"
        done = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
        found, _, prefix = done.stdout.strip().partition(" ")
        if done.returncode == 0 and found == version:
            return str(Path(prefix) / "bin" / f"python{version}")
    return None


FOUND = {version: python for version in SUPPORTED if (python := interpreter(version))}


@nox.session(python=list(FOUND.values()))
def tests(session: nox.Session) -> None:
    """Run the tests."""
    session.install("--quiet", "--no-deps", "-r", "requirements.txt")
    session.install("--quiet", "--no-deps", "--no-build-isolation", "-e", ".")
    session.run("pytest", "-n", "auto", "--dist", "worksteal", *session.posargs)
