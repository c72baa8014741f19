"""The command on the sample account: its environment, its folder, its state directory."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from cld_user_groups import CldProvisioning
from cld_user_groups.command.options import Settings
from cld_user_groups.emulator import Emulator
from cld_user_groups.emulator.server import EmulatorServer

from .shell import Shell


@pytest.fixture
def environment(
    cld_emulator_server: EmulatorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lead the command, and its subprocesses, to the emulator."""
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", "account://k:s@acc")
    monkeypatch.setenv("CLOUDINARY_PROVISIONING_SERVER_URL", cld_emulator_server.url)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shell(cld_emulator: Emulator, environment: None, waits: list[float], tmp_path: Path) -> Shell:
    """The command on the sample account; it never waits before it tries again."""
    return Shell(emulator=cld_emulator, folder=tmp_path)


@pytest.fixture
def desk(
    cld_emulator: Emulator,
    cld_provisioning: CldProvisioning,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    """The command on the sample account without a socket, for what does not depend on one."""
    monkeypatch.setattr(Settings, "open_client", lambda self: nullcontext(cld_provisioning))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    return Shell(emulator=cld_emulator, folder=tmp_path)
