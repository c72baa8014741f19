"""The pytest plugin, in the test run of a service."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

SERVICE_TESTS = """
import asyncio

import httpx
import pytest

from cld_user_groups import CldProvisioning, Security, models


def test_the_group_already_exists(cld_emulator, cld_provisioning):
    cld_emulator.add_group("Editors")
    with pytest.raises(models.AlreadyExists):
        cld_provisioning.user_groups.create(name="Editors")
    cld_emulator.calls.assert_called("createUserGroup", times=1, json={"name": "Editors"})


def test_the_quota_is_used_up(cld_emulator, cld_provisioning):
    cld_emulator.set_quota(100, remaining=0)
    with pytest.raises(models.RateLimited):
        cld_provisioning.user_groups.list()


def test_a_fault_is_retried_without_waiting(cld_emulator, cld_provisioning):
    cld_emulator.fail("getUserGroups", status=503, headers={"Retry-After": "20"})
    assert len(cld_provisioning.user_groups.list().user_groups) == 2
    cld_emulator.calls.assert_called("getUserGroups", times=2)


def test_each_test_has_its_own_emulator(cld_emulator):
    assert len(cld_emulator.groups) == 2
    assert len(cld_emulator.calls) == 0


def test_the_async_client(cld_emulator, async_cld_provisioning):
    cld_emulator.fail("*", status=503)
    created = asyncio.run(async_cld_provisioning.user_groups.create(name="Editors"))
    assert created.id == cld_emulator.groups[-1].id


def test_the_server(cld_emulator, cld_emulator_server):
    with CldProvisioning(
        account_id=cld_emulator_server.account_id,
        security=Security(
            provisioning_api_key=cld_emulator_server.api_key,
            provisioning_api_secret=cld_emulator_server.api_secret,
        ),
        server_url=cld_emulator_server.url,
    ) as provisioning:
        assert len(provisioning.user_groups.list().user_groups) == 2
    assert cld_emulator_server.emulator is cld_emulator
    cld_emulator.calls.assert_called("getUserGroups", times=1)
"""


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder of its own, with this plugin and no other."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider"),
            *("-p", "cld_user_groups_pytest"),
            *arguments,
        ],
        cwd=folder,
        # The installed package has the plugin as an entry point too: load it once.
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": absolute_path()},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def absolute_path() -> str:
    """Return this process's import path, independent of the working directory."""
    return os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)


def test_the_fixtures_serve_a_services_tests(tmp_path: Path) -> None:
    (tmp_path / "test_service.py").write_text(SERVICE_TESTS, encoding="utf-8")
    result = run_pytest(tmp_path)
    assert result.returncode == 0, result.stdout
    assert "6 passed" in result.stdout


def test_the_fixtures_are_documented(tmp_path: Path) -> None:
    listing = run_pytest(tmp_path, "--fixtures").stdout
    for name in (
        "cld_emulator",
        "cld_emulator_server",
        "cld_provisioning",
        "async_cld_provisioning",
    ):
        assert f"\n{name} -- " in listing


def test_the_plugin_imports_nothing_but_pytest() -> None:
    script = """
        import collections.abc, sys, typing
        import pytest
        before = set(sys.modules)
        import cld_user_groups_pytest
        print(*sys.modules.keys() - before)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert result.stdout == "cld_user_groups_pytest\n"
