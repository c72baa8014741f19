"""The real account, for the tests that are marked `live`: they only run with `-m live`.

Credentials come from the SDK's own variables. CLOUDINARY_CONTRACT_WRITE=1 allows a group of the
tests' own, CLOUDINARY_CONTRACT_USER_ID names the user that is put into it and taken out, and
CLOUDINARY_CONTRACT_SERVER_URL another server.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from attrs import define, field

from cld_user_groups import CldProvisioning, HookContext, models
from cld_user_groups.contract import ContractCheck

USER_ID = "CLOUDINARY_CONTRACT_USER_ID"
# The two operations that respond in another shape than the published one, by their fields.
SHAPES = {
    "addUserToUserGroup": {"users": "observed", "id": "published"},
    "deleteUserGroup": {"ok": "observed", "message": "published"},
}
_NOTES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_NOTES] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.stash[_NOTES]:
        terminalreporter.section("account")
        for note in dict.fromkeys(config.stash[_NOTES]):
            terminalreporter.line(note)


@define
class Shapes:
    """A hook that notes in which of its two shapes an operation responds."""

    notes: list[str] = field(repr=False)

    def after_response(self, context: HookContext, response: httpx.Response) -> None:
        known = SHAPES.get(context.operation_id)
        if known is None or response.status_code != 200:
            return
        fields = json.loads(response.content)
        names = [shape for name, shape in known.items() if name in fields] or ["neither"]
        self.notes.append(f"{context.operation_id} responds in the {' and '.join(names)} shape")


@pytest.fixture(autouse=True)
def _no_credentials_from_outside() -> None:
    """Keep the credentials of the environment, which the other tests must not have."""


@pytest.fixture(scope="session")
def notes(request: pytest.FixtureRequest) -> list[str]:
    """What the report says about the account."""
    return request.config.stash[_NOTES]


@pytest.fixture(scope="session")
def contract() -> ContractCheck:
    return ContractCheck(raise_on_difference=False)


@pytest.fixture(scope="session")
def server_url() -> str | None:
    return os.environ.get("CLOUDINARY_CONTRACT_SERVER_URL")


@pytest.fixture(scope="session")
def client(
    contract: ContractCheck, notes: list[str], server_url: str | None
) -> Iterator[CldProvisioning]:
    """A client of the real account. Without credentials nothing is run."""
    try:
        made = CldProvisioning(server_url=server_url, hooks=[contract, Shapes(notes)])
    except ValueError as error:
        pytest.exit(f"nothing was checked: {error}", returncode=2)
    notes.append(f"{made.account_id} at {made.server_url}")
    with made:
        yield made


@pytest.fixture(autouse=True)
def _responds_as_documented(contract: ContractCheck) -> Iterator[None]:
    """Fail a test in which a request or a response is not as openapi.yaml has it."""
    before = len(contract.differences)
    yield
    assert not [str(each) for each in contract.differences[before:]]


@pytest.fixture(scope="session")
def all_groups(client: CldProvisioning) -> list[models.UserGroup]:
    """The groups with details, as they were before anything was written."""
    return list(client.user_groups.list(extended_details=True).user_groups or ())


@pytest.fixture(scope="session")
def user_id(all_groups: list[models.UserGroup], notes: list[str]) -> str:
    """The user to add: a named one, else the first that is in any group.

    The new group grants nothing, so nothing changes for the user.
    """
    found = os.environ.get(USER_ID) or next(
        (user.id for group in all_groups for user in group.users or () if user.id), None
    )
    if not found:
        pytest.fail(f"no group of the account has a user: name one in {USER_ID}")
    notes.append(f"the user is {found}; {USER_ID} names another")
    return found


@define
class OwnGroup:
    """A group of the tests' own, under names that nobody else's can be mistaken for."""

    id: str
    name: str
    new_name: str


@pytest.fixture(scope="session")
def own_group(client: CldProvisioning, user_id: str, notes: list[str]) -> Iterator[OwnGroup]:
    """Create a group, and remove it whatever happens, also where creating it seems to fail."""
    if not os.environ.get("CLOUDINARY_CONTRACT_WRITE"):
        pytest.skip("only reads without CLOUDINARY_CONTRACT_WRITE=1")
    mark = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {secrets.token_hex(8)}"
    name = f"cld-user-groups contract check {mark}"
    new_name = f"{name} renamed"
    notes.append(f"the group is called {name!r}, and then {new_name!r}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        group = client.user_groups.create(name=name)
        assert group.name == name
        assert group.id
        yield OwnGroup(group.id, name, new_name)
    finally:
        with _interrupts_ignored():
            _remove(client, {name, new_name})


def _remove(client: CldProvisioning, names: set[str]) -> None:
    """Delete the groups of these names: one may exist whose ID no response gave."""
    for _ in range(2):
        for group_id in _called(client, names):
            try:
                client.user_groups.delete(group_id=group_id)
            except (models.CloudinaryError, httpx.HTTPError) as error:
                print(f"group {group_id} could not be deleted: {error}")
    left = _called(client, names)
    assert not left, f"remove these groups by hand: {', '.join(left)}"


def _called(client: CldProvisioning, names: set[str]) -> list[str]:
    groups = client.user_groups.list().user_groups or ()
    return [group.id for group in groups if group.id and group.name in names]


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let nothing but the end of the process keep the group from being removed."""
    kept = {
        number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
