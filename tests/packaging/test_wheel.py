"""The wheel holds both packages, and works in an environment that has nothing else."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import cld_provisioning_api, cld_user_groups as sdk, httpx, importlib.metadata
from cld_user_groups.emulator import Emulator

emulator = Emulator("acc", "k", "s")
security = sdk.Security(provisioning_api_key="k", provisioning_api_secret="s")
http = httpx.Client(transport=emulator.transport())
with sdk.CldProvisioning(account_id="acc", security=security, client=http) as client:
    print([group.name for group in client.user_groups.list().user_groups])
assert importlib.metadata.version("cld-user-groups") == sdk.__version__
assert "site-packages" in sdk.__file__ and "site-packages" in cld_provisioning_api.__file__
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_packages_type_markers_description_and_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for expected in (
        "cld_user_groups/__init__.py",
        "cld_user_groups/py.typed",
        "cloudinary_account_provisioning/py.typed",
        "cld_user_groups/emulator/__main__.py",
        "cld_user_groups/openapi.yaml",
        "cld_provisioning_api/__init__.py",
        "cld_provisioning_api/py.typed",
    ):
        assert expected in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    tops = {name.partition("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {
        "cld_user_groups",
        "cld_user_groups_pytest.py",
        "cloudinary_account_provisioning",
        "cld_provisioning_api",
    }


def dependencies(requirements: Iterable[str]) -> Iterator[Distribution]:
    """Yield the installed distributions that satisfy requirements, and those that they require."""
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found = distribution(requirement.name)
            yield found
            yield from dependencies(found.requires or ())


def install(wheel: Path, folder: Path) -> Path:
    """Make an environment of the wheel and its dependencies, offline; return its Python."""
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (installed,) = Distribution.discover(name="cld-user-groups", path=[str(site)])
    for dependency in dependencies(installed.requires or ()):
        for top in {file.parts[0] for file in dependency.files or ()} - {"..", "__pycache__"}:
            (site / top).unlink(missing_ok=True)
            (site / top).symlink_to(Path(str(dependency.locate_file(top))))
    return folder / "bin" / "python"


def test_a_plain_install_has_what_httpcore_looks_for_in_each_call(
    wheel: Path, tmp_path: Path
) -> None:
    python = install(wheel, tmp_path / "env")
    subprocess.run([python, "-c", "import sniffio"], check=True)


def test_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    python = install(wheel, tmp_path / "env")
    done = subprocess.run(
        [python, "-W", "error", "-c", PROGRAM],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "['Designers', 'Marketing']\n", done.stderr
    missing = subprocess.run(
        [python, "-m", "cld_user_groups.emulator"], capture_output=True, text=True, check=False
    )
    assert missing.returncode != 0
    assert 'pip install "./cld-user-groups[emulator]"' in missing.stderr
    assert len(missing.stderr.splitlines()) == 1
