"""The environments of the SDK and its peers: noxfile.py pins what is in them and builds them."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_STOCK = ROOT / ".bench" / "stock"


@functools.cache
def python(client: str) -> str:
    """Return the Python of a client's environment, built or brought up to date first.

    Raises:
        RuntimeError: The environment cannot be built.
    """
    # The stock generated client is measured with the SDK's own dependencies.
    name = client if client in ("vendor", "classic", "plain", "engines") else "sdk"
    done = subprocess.run(
        [sys.executable, "-m", "nox", "--session", f"peer({name})"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the environment {name!r} cannot be built:\n{done.stdout}")
    folder = ROOT / ".nox" / f"peer-{name}"
    if name in ("sdk", "engines"):
        (packages,) = folder.glob("lib/python*/site-packages")
        sources = [ROOT / "overlay", ROOT / "generated", _STOCK]
        (packages / "benchmarks.pth").write_text("\n".join(map(str, sources)))
    return str(folder / "bin" / "python")


def generate_stock_client() -> None:
    """Generate a client from openapi.yaml with the generator's own templates and settings."""
    shutil.rmtree(_STOCK, ignore_errors=True)
    _STOCK.mkdir(parents=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = ["openapi-python-client", "generate", "--path", ROOT / "openapi.yaml"]
    command += ["--meta", "none", "--output-path", _STOCK / "stock_client"]
    subprocess.run(command, env={**os.environ, "PATH": path}, stdout=subprocess.DEVNULL, check=True)


def versions(client: str) -> dict[str, str]:
    """Return the version of each distribution in a client's environment."""
    program = (
        "from importlib.metadata import distributions\n"
        "for found in distributions(): print(found.name, found.version)"
    )
    done = subprocess.run(
        [python(client), "-I", "-c", program], capture_output=True, text=True, check=True
    )
    return dict(sorted(line.split() for line in done.stdout.splitlines()))
