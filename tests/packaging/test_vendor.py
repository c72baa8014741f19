"""Beside the vendor's SDK, which has the documented import name as well, our own name works.

pip lets one distribution overwrite the files of another, and removes them with either.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = "cld-user-groups"
VENDOR = "cloudinary-account-provisioning"

pytestmark = pytest.mark.interop

# A service that uses the client, and its test that uses the pytest plugin.
SERVICE_TEST = """
import asyncio
import subprocess
import sys

import pytest

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, Security, errors, models, utils
from cld_user_groups.emulator import Emulator


def test_sync_client(cld_emulator, cld_provisioning):
    assert isinstance(cld_provisioning, CldProvisioning)
    group = cld_provisioning.user_groups.create(name="Editors")
    assert isinstance(group, models.UserGroup)
    cld_emulator.calls.assert_called("createUserGroup", times=1, status=200)
    cld_emulator.fail("deleteUserGroup", status=404)
    with pytest.raises(errors.NotFound):
        cld_provisioning.user_groups.delete(group_id=group.id)


def test_async_client(cld_emulator, async_cld_provisioning):
    assert isinstance(async_cld_provisioning, AsyncCldProvisioning)
    groups = asyncio.run(async_cld_provisioning.user_groups.list()).user_groups
    assert [group.name for group in groups] == [group.name for group in cld_emulator.groups]


def test_socket(cld_emulator_server):
    security = Security(provisioning_api_key="k", provisioning_api_secret="s")
    with CldProvisioning(
        account_id="acc", security=security, server_url=cld_emulator_server.url
    ) as client:
        assert client.user_groups.list().user_groups


def test_command():
    done = subprocess.run([sys.executable, "-m", "cld_user_groups.emulator", "--help"])
    assert done.returncode == 0
"""


class Environment:
    """An environment that has the dependencies of both distributions, and either, both or none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        venv.create(folder / "venv")
        programs = "Scripts" if sys.platform == "win32" else "bin"
        self._python = folder / "venv" / programs / "python"
        (folder / "test_service.py").write_text(SERVICE_TEST, encoding="utf-8")

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run its Python, with no other import path than the environment's own."""
        return subprocess.run(
            [self._python, *arguments],
            cwd=self._folder,
            # pip does not know of the files that pytest compiles, and would leave them.
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, *arguments: str | Path) -> None:
        """Install with pip, which must succeed."""
        self._pip("install", "--no-compile", *arguments)

    def uninstall(self, *names: str) -> None:
        """Uninstall with pip, which must succeed."""
        self._pip("uninstall", "--yes", *names)

    def _pip(self, *arguments: str | Path) -> None:
        pip = [sys.executable, "-m", "pip", "--python", self._python, "--quiet"]
        done = subprocess.run([*pip, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def check_that_ours_works(self) -> None:
        """Run the tests of a service that uses ours."""
        done = self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_service.py")
        assert "4 passed" in done.stdout, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels of both, by the name of their distribution."""
    from noxfile import PEERS  # nox is not where only the other tests are run

    (requirement,) = PEERS["vendor"]
    folders = {name: tmp_path_factory.mktemp(name) for name in (OURS, VENDOR)}
    for command in (
        ["hatchling", "build", "-t", "wheel", "-d", str(folders[OURS])],
        ["pip", "download", "--quiet", "--no-deps", "-d", str(folders[VENDOR]), requirement],
    ):
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True, capture_output=True)
    return {name: next(folder.glob("*.whl")) for name, folder in folders.items()}


@pytest.fixture(scope="module")
def prepared(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = Environment(tmp_path_factory.mktemp("environment"))
    constraints = ("-c", ROOT / "constraints.txt")
    environment.install(*constraints, f"{wheels[OURS]}[testing]", wheels[VENDOR])
    return environment


@pytest.fixture
def environment(prepared: Environment) -> Environment:
    """The environment with neither of the two, but all that they depend on."""
    prepared.uninstall(OURS, VENDOR)
    return prepared


@pytest.fixture(params=[(OURS, VENDOR), (VENDOR, OURS)], ids=" then ".join)
def both(
    request: pytest.FixtureRequest, environment: Environment, wheels: dict[str, Path]
) -> Environment:
    """The environment with both, installed in either order."""
    for name in request.param:
        environment.install("--no-deps", wheels[name])
    return environment


def test_ours_works_with_the_vendors_installed_and_uninstalled(both: Environment) -> None:
    both.check_that_ours_works()
    both.uninstall(VENDOR)
    both.check_that_ours_works()


def test_ours_is_gone_when_uninstalled_and_works_when_installed_again(
    both: Environment, wheels: dict[str, Path]
) -> None:
    both.uninstall(OURS)
    for module in ("cld_user_groups", "cld_user_groups_pytest", "cld_provisioning_api"):
        assert "ModuleNotFoundError" in both.run("-c", f"import {module}").stderr
    both.install("--no-deps", wheels[OURS])
    both.check_that_ours_works()


def test_the_documented_import_name_is_ours_without_the_vendors(
    environment: Environment, wheels: dict[str, Path]
) -> None:
    environment.install("--no-deps", wheels[OURS])
    program = (
        "import cld_user_groups, cloudinary_account_provisioning as documented\n"
        "from cloudinary_account_provisioning import models, utils\n"
        "assert documented.CldProvisioning is cld_user_groups.CldProvisioning\n"
        "assert models.UserGroup is cld_user_groups.models.UserGroup\n"
        "assert utils.RetryConfig is cld_user_groups.utils.RetryConfig\n"
    )
    done = environment.run("-c", program)
    assert done.returncode == 0, done.stderr
