"""Run the tests on each supported Python, and build the environments of the SDK's peers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
SUPPORTED = ("3.11", "3.12", "3.13", "3.14", "3.15")
nox.options.sessions = ["tests"]
_ENGINES = ["aiohttp==3.14.5", "httpx-aiohttp==0.2.0", "httptools==0.9.0", "pyreqwest==0.15.1"]

# The clients that the SDK is tested and benchmarked against. Each is pinned here, and nowhere else.
# `sdk` is this SDK with its declared dependencies only: httpx imports more where it finds more.
# `plain` is httpx alone, and `engines` what other libraries send with.
_DEPENDENCIES = nox.project.load_toml("pyproject.toml")["project"]["dependencies"]
PEERS = {
    "sdk": _DEPENDENCIES,
    "plain": ["httpx"],
    "engines": [*_DEPENDENCIES, "httpx2", "urllib3", "requests", *_ENGINES],
    "vendor": ["cloudinary-account-provisioning==0.1.3"],
    "classic": ["cloudinary==1.46.3", "httpx"],
}


def interpreter(version: str) -> str | None:
    """Return a working Python of a version: pyenv's shims are on the PATH and may not work."""
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
            name = "python.exe" if os.name == "nt" else f"bin/python{version}"
            return str(Path(prefix) / name)
    return None


FOUND = {version: python for version in SUPPORTED if (python := interpreter(version))}


def install(session: nox.Session, *what: str) -> None:
    """Install packages into the environment of a session, as pinned."""
    session.install("--quiet", "pip>=25.1")  # knows dependency groups
    session.install("--quiet", "-c", "constraints.txt", *what)


@nox.session(python=list(FOUND.values()))
def tests(session: nox.Session) -> None:
    """Run the tests."""
    install(session, "-e", ".", "--group", "test")
    session.run("pytest", "-n", "auto", "--dist", "worksteal", *session.posargs)


@nox.session(reuse_venv=True)
@nox.parametrize("name", list(PEERS), ids=list(PEERS))
def peer(session: nox.Session, name: str) -> None:
    """Install a peer into an environment of its own, .nox/peer-<name>."""
    install(session, *PEERS[name])


@nox.session(reuse_venv=True)
def release(session: nox.Session) -> None:
    """Check that this commit can be released."""
    install(session, "--group", "release")
    session.run("python", "-m", "tools.release_check", *session.posargs)
