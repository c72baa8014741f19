"""The environments of the clients, made once below .bench/ and used again."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_FOLDER = ROOT / ".bench"
_STOCK = _FOLDER / "stock"

_PEERS = {
    "vendor": ["cloudinary-account-provisioning==0.1.3"],
    "classic": ["cloudinary==1.46.3", "httpx"],
}


def _requirements(client: str) -> list[str]:
    if client in _PEERS:
        return _PEERS[client]
    # With less beside it than where the SDK is developed: httpx imports what else it finds there.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return list(project["project"]["dependencies"])


def python(client: str) -> str:
    """Return the Python of a client's environment, which is made where it is missing or old."""
    name = client if client in _PEERS else "sdk"
    folder = _FOLDER / f"{name}-{sys.version_info.major}.{sys.version_info.minor}"
    executable = str(folder / "bin" / "python")
    wanted = "\n".join([*_requirements(client), (ROOT / "requirements.txt").read_text()])
    made_from = folder / "made-from.txt"
    if not made_from.exists() or made_from.read_text() != wanted:
        print(f"Setting up the environment {folder.name}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = ["-m", "pip", "install", "-qq", "-c", ROOT / "requirements.txt"]
        subprocess.run([executable, *install, *_requirements(client)], check=True)
        made_from.write_text(wanted)
    if name == "sdk":
        (packages,) = folder.glob("lib/python*/site-packages")
        beside = [ROOT / "overlay", ROOT / "generated", _STOCK]
        (packages / "benchmarks.pth").write_text("\n".join(map(str, beside)))
    return executable


def generate_stock_client() -> None:
    """Generate what the generator makes of openapi.yaml with its own templates and settings."""
    shutil.rmtree(_STOCK, ignore_errors=True)
    _STOCK.mkdir(parents=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = ["openapi-python-client", "generate", "--path", ROOT / "openapi.yaml"]
    command += ["--meta", "none", "--output-path", _STOCK / "stock_client"]
    subprocess.run(command, env={**os.environ, "PATH": path}, stdout=subprocess.DEVNULL, check=True)


def versions(client: str) -> dict[str, str]:
    """Return the versions of what a client stands on, and of itself."""
    program = (
        "from importlib.metadata import distributions\n"
        "for found in distributions(): print(found.name, found.version)"
    )
    done = subprocess.run(
        [python(client), "-I", "-c", program], capture_output=True, text=True, check=True
    )
    return dict(sorted(line.split() for line in done.stdout.splitlines()))
