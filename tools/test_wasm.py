"""Run the unit tests on CPython 3.14 compiled to WebAssembly, npm's `pyodide`.

It has no sockets, processes or threads: a test that reaches for one is skipped, with that reason.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tools.node_tools import BENCH, ROOT, find_node, install

PLATFORM = "pyemscripten_2026_0_wasm32"
PACKAGES = (
    # The project's own dependencies, and theirs.
    *("httpx", "httpcore", "h11", "idna", "anyio", "certifi", "attrs", "msgspec"),
    *("python-dateutil", "typing-extensions"),
    # The emulator's server, up to its socket.
    *("uvicorn", "click"),
    # What the tests import.
    *("pytest", "pluggy", "iniconfig", "packaging", "pygments", "hypothesis", "sortedcontainers"),
)
# What needs packages that have no build for WebAssembly, or an interrupt in asyncio, which ends
# pyodide's event loop and so the run.
LEFT_OUT = (
    *("--ignore", "tests/unit/test_generated.py", "--ignore", "tests/unit/test_pages.py"),
    *("-k", "not interrupt and not read_is_closed"),
)


def pins() -> list[str]:
    """Return the lines of constraints.txt for the packages that the tests need there."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line.partition("==")[0] in PACKAGES]


def packages(folder: Path) -> None:
    """Install the packages for WebAssembly into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *pins()]
    target = ["--target", str(folder), "--python-version", "3.14", "--implementation", "cp"]
    wheels = ["--only-binary", ":all:", "--abi", "cp314", "--platform", PLATFORM]
    subprocess.run([*command, *target, *wheels], check=True)


def main() -> int:
    """Run the tests, with the arguments of the command line for pytest."""
    node = find_node()
    if node is None:
        print("make test-wasm: Node is not installed", file=sys.stderr)
        return 1
    pyodide = install(node, "pyodide").folder
    site = BENCH / "wasm"
    packages(site)
    runner = ROOT / "tools" / "test_wasm.mjs"
    # CPython can only wait for asyncio there if WebAssembly's stacks can be switched.
    command = [str(node.program), "--experimental-wasm-jspi", str(runner)]
    # The plugins that pyproject.toml names are not there.
    plain = ("-o", "addopts=--import-mode=importlib")
    arguments = [str(pyodide), str(site), str(ROOT), "tests/unit", *plain, *LEFT_OUT]
    return subprocess.run([*command, *arguments, *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
