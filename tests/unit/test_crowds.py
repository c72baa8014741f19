"""A crowd of calls on one client of its own ends well: each waits for its turn, none times out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.support.transport import KEY, OK, SECRET, SECURITY

from cld_user_groups import AsyncCldProvisioning, CldProvisioning
from cld_user_groups._engine.http_client import MAX_IN_FLIGHT
from cld_user_groups.emulator import Emulator, EmulatorGroup, EmulatorUser

CROWD = 150
USERS = [f"user{number}" for number in range(CROWD)]
SETTINGS: dict[str, Any] = {"account_id": "acc", "security": SECURITY, "retry_config": None}


@pytest.fixture
def emulator() -> Emulator:
    """An emulator with a user for each call of the crowd, and an empty group."""
    users = [EmulatorUser(id=each, name=each, email=f"{each}@example.com") for each in USERS]
    return Emulator("acc", KEY, SECRET, users=users, groups=[EmulatorGroup(id="g1", name="D")])


@pytest.fixture
def url(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The emulator's URL; a call that waits for a connection of httpx's pool fails at once."""
    impatient = httpx.Timeout(30, pool=0.001)
    monkeypatch.setattr("cld_user_groups.client.DEFAULT_TIMEOUT", impatient)
    with emulator.serve() as server:
        yield server.url


def members(emulator: Emulator) -> set[str]:
    (group,) = emulator.groups
    return {user.id for user in group.users}


def test_crowd_of_tasks_on_one_client_ends_well(emulator: Emulator, url: str) -> None:
    async def add_all() -> None:
        async with AsyncCldProvisioning(**SETTINGS, server_url=url) as client:
            add_user = client.user_groups.add_user
            await asyncio.gather(*(add_user(group_id="g1", user_id=each) for each in USERS))

    asyncio.run(add_all())
    assert members(emulator) == set(USERS)
    assert len(emulator.calls) == CROWD


def test_crowd_of_threads_on_one_client_ends_well(emulator: Emulator, url: str) -> None:
    with CldProvisioning(**SETTINGS, server_url=url) as client:
        with ThreadPoolExecutor(CROWD) as pool:
            add_user = client.user_groups.add_user
            list(pool.map(lambda each: add_user(group_id="g1", user_id=each), USERS))
    assert members(emulator) == set(USERS)
    assert len(emulator.calls) == CROWD


def test_threads_use_as_many_connections_as_there_are_turns_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    all_turns = threading.Barrier(MAX_IN_FLIGHT, timeout=60)
    lock = threading.Lock()
    in_flight, most = 0, 0

    def respond(*_: object) -> httpx.Response:
        nonlocal in_flight, most
        with lock:
            in_flight += 1
            most = max(most, in_flight)
        all_turns.wait()  # passes only where so many are in flight at once
        with lock:
            in_flight -= 1
        return httpx.Response(OK.status_code, content=OK.content)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", respond)
    with CldProvisioning(**SETTINGS) as client, ThreadPoolExecutor(3 * MAX_IN_FLIGHT) as pool:
        list(pool.map(lambda _: client.user_groups.list(), range(3 * MAX_IN_FLIGHT)))
    assert most == MAX_IN_FLIGHT
