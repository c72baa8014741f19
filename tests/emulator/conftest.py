"""An emulator with a stopped clock, and a plain ``httpx`` client for it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cld_user_groups.emulator import Emulator, EmulatorClock

ACCOUNT = "/v1_1/provisioning/accounts/acc"
BASE_URL = "http://emulator.invalid" + ACCOUNT
NOW = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)

DESIGNERS = "7f08f1f1fc910bf1f25274aef11d27"
MARKETING = "c2b9e47d1806f35a9d4e72b1c08f63"
JOHN = "0abed8dfcc039ea05e2a1d494fd442"
AMARA = "51d8c3f7e6a0429bb4f21e7d08c96a"


def connect(emulator: Emulator, transport: Any = None, **options: Any) -> httpx.Client:
    """Return a client of an emulator's account, in process."""
    transport = transport or emulator.transport()
    return httpx.Client(base_url=BASE_URL, auth=("k", "s"), transport=transport, **options)


def names(emulator: Emulator) -> list[str]:
    return [group.name for group in emulator.groups]


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(clock=EmulatorClock(NOW))


@pytest.fixture
def client(emulator: Emulator) -> Iterator[httpx.Client]:
    with connect(emulator) as http_client:
        yield http_client
