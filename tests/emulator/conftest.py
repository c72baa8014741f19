"""An emulator with a stopped clock, and a plain ``httpx`` client for it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from cld_user_groups.emulator import Emulator, EmulatorClock

BASE_URL = "http://emulator.invalid/v1_1/provisioning/accounts/acc"
NOW = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(clock=EmulatorClock(NOW))


@pytest.fixture
def client(emulator: Emulator) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=BASE_URL, auth=("k", "s"), transport=emulator.transport()
    ) as http_client:
        yield http_client
