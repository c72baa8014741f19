"""pytest fixtures for the tests of services that use the SDK (extra ``testing``).

A test arranges the account, runs the service's code, and asserts the calls that it made::

    def test_a_group_that_exists_is_reused(cld_emulator, cld_provisioning):
        cld_emulator.add_group("Editors")
        onboard(cld_provisioning, team="Editors")
        cld_emulator.calls.assert_called("createUserGroup", times=1, status=409)
"""

# pytest imports this in every run, whether or not a fixture is used, and before coverage starts:
# only the fixtures import the SDK.
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cld_user_groups import AsyncCldProvisioning, CldProvisioning
    from cld_user_groups.emulator import Emulator
    from cld_user_groups.emulator.server import EmulatorServer

# RFC 6761: .invalid never resolves. A request that bypasses the emulator reaches nobody.
_UNREACHABLE = "https://emulator.invalid"


@pytest.fixture
def cld_emulator() -> Emulator:
    """An emulator in process with the sample account, a new one for each test."""
    from cld_user_groups.emulator import Emulator

    return Emulator()


@pytest.fixture
def cld_emulator_server(cld_emulator: Emulator) -> Iterator[EmulatorServer]:
    """The test's emulator on a real socket: ``url``, ``api_key``, ``api_secret`` and so on."""
    with cld_emulator.serve() as server:
        yield server


@pytest.fixture
def cld_provisioning(cld_emulator: Emulator) -> Iterator[CldProvisioning]:
    """A ``CldProvisioning`` for the test's emulator, in process, which never sleeps."""
    import httpx

    from cld_user_groups import CldProvisioning, Security
    from cld_user_groups.utils import waiting_disabled

    with (
        waiting_disabled(),
        httpx.Client(transport=cld_emulator.transport()) as client,
        CldProvisioning(
            account_id=cld_emulator.account_id,
            security=Security(cld_emulator.api_key, cld_emulator.api_secret),
            server_url=_UNREACHABLE,
            client=client,
        ) as provisioning,
    ):
        yield provisioning


@pytest.fixture
def async_cld_provisioning(cld_emulator: Emulator) -> Iterator[AsyncCldProvisioning]:
    """An ``AsyncCldProvisioning`` for the test's emulator, in process, which never sleeps.

    A sync fixture, for any async plugin or none: in process there is no connection to close.
    """
    import httpx

    from cld_user_groups import AsyncCldProvisioning, Security
    from cld_user_groups.utils import waiting_disabled

    with waiting_disabled():
        yield AsyncCldProvisioning(
            account_id=cld_emulator.account_id,
            security=Security(cld_emulator.api_key, cld_emulator.api_secret),
            server_url=_UNREACHABLE,
            client=httpx.AsyncClient(transport=cld_emulator.transport()),
        )
