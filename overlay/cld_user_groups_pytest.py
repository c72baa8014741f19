"""Fixtures for the tests of services that use the SDK, of the extra ``testing``.

A test says what the API does, runs the service's code, and asserts what it asked::

    def test_a_group_that_exists_is_reused(cld_emulator, cld_provisioning):
        cld_emulator.add_group("Editors")
        onboard(cld_provisioning, team="Editors")
        cld_emulator.calls.assert_called("createUserGroup", times=1, status=409)
"""

# pytest imports this for every run in the environment: the fixtures import what they need.
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cld_user_groups import AsyncCldProvisioning, CldProvisioning
    from cld_user_groups.emulator import Emulator
    from cld_user_groups.emulator._server import EmulatorServer

# Resolves nowhere, so that a test that gets around the emulator fails and reaches nobody.
_NOWHERE = "https://emulator.invalid"


@pytest.fixture
def cld_emulator() -> Emulator:
    """An emulator in process, with the sample account, new for each test."""
    from cld_user_groups.emulator import Emulator

    return Emulator()


@pytest.fixture
def cld_emulator_server(cld_emulator: Emulator) -> Iterator[EmulatorServer]:
    """The test's emulator on a real socket: its ``url``, ``account_id``, ``api_key`` and so on."""
    with cld_emulator.serve() as server:
        yield server


@pytest.fixture
def cld_provisioning(cld_emulator: Emulator) -> Iterator[CldProvisioning]:
    """A ``CldProvisioning`` that asks the test's emulator, in process, and never really waits."""
    import httpx

    from cld_user_groups import CldProvisioning, Security
    from cld_user_groups.utils import waiting_disabled

    with (
        waiting_disabled(),
        httpx.Client(transport=cld_emulator.transport()) as client,
        CldProvisioning(
            account_id=cld_emulator.account_id,
            security=Security(
                provisioning_api_key=cld_emulator.api_key,
                provisioning_api_secret=cld_emulator.api_secret,
            ),
            server_url=_NOWHERE,
            client=client,
        ) as provisioning,
    ):
        yield provisioning


@pytest.fixture
def async_cld_provisioning(cld_emulator: Emulator) -> Iterator[AsyncCldProvisioning]:
    """An ``AsyncCldProvisioning`` that asks the test's emulator, in process, and never waits.

    A plain fixture, for any async plugin or none: in process there is no connection to close.
    """
    import httpx

    from cld_user_groups import AsyncCldProvisioning, Security
    from cld_user_groups.utils import waiting_disabled

    with waiting_disabled():
        yield AsyncCldProvisioning(
            account_id=cld_emulator.account_id,
            security=Security(
                provisioning_api_key=cld_emulator.api_key,
                provisioning_api_secret=cld_emulator.api_secret,
            ),
            server_url=_NOWHERE,
            client=httpx.AsyncClient(transport=cld_emulator.transport()),
        )
