"""An account to which plans are applied, with threads and on an event loop."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from .accounts import client_of, emulated
from .applied import WAYS, Account


@pytest.fixture
def one(tmp_path: Path) -> Account:
    """An account to which plans are applied by its own client, with threads."""
    users = [f"u{number}" for number in range(40)]
    emulator = emulated({"a": ["u1", "u2"], "b": ["u3"], "old": ["u4"]}, users)
    return Account(emulator, client_of(emulator), tmp_path)


@pytest.fixture(params=WAYS)
def account(request: pytest.FixtureRequest, one: Account) -> Account:
    """An account to which plans are applied in each way."""
    return evolve(one, way=request.param)
