"""Accounts in the emulator, clients of them, and plans for them, for the tests of applying."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, Security
from cld_user_groups.emulator import Emulator, EmulatorGroup, EmulatorUser
from cld_user_groups.membership.grants import GroupRef
from cld_user_groups.membership.model import Action, Change, Group, Plan, Snapshot, UserRef
from cld_user_groups.membership.planning import fingerprint
from cld_user_groups.membership.snapshot import read_account
from cld_user_groups.utils import UNSET, RetryConfig, Unset

SECURITY = Security(provisioning_api_key="k", provisioning_api_secret="s")
SERVER = "http://127.0.0.1:1"  # never reached: the emulator is in process
WRITES = [
    "createUserGroup",
    "updateUserGroup",
    "addUserToUserGroup",
    "removeUserFromUserGroup",
    "deleteUserGroup",
]


def emulated(groups: Mapping[str, Iterable[str]], users: Iterable[str]) -> Emulator:
    """Return an account: each group's ID is "id-" and its name, each user's ID the name."""
    people = {name: EmulatorUser(name, name, f"{name}@example.com") for name in users}
    emulator = Emulator(users=people.values(), groups=())
    for name, members in groups.items():
        emulator.add_group(name, users=members, group_id=f"id-{name}")
    return emulator


def client_of(
    emulator: Emulator, *, retries: RetryConfig | Unset | None = UNSET, hooks: Iterable[object] = ()
) -> CldProvisioning:
    """Return a client whose requests go to the emulator in process."""
    return client_over(emulator.transport(), emulator.account_id, retry_config=retries, hooks=hooks)


def client_over(
    transport: httpx.BaseTransport,
    account_id: str = "acc",
    security: Security = SECURITY,
    **settings: Any,
) -> CldProvisioning:
    """Return a client over a transport."""
    http = httpx.Client(transport=transport)
    return CldProvisioning(security, account_id, server_url=SERVER, client=http, **settings)


def async_client_over(transport: Any, account_id: str = "acc", **settings: Any) -> Any:
    """Return an async client over a transport."""
    http = httpx.AsyncClient(transport=transport)
    return AsyncCldProvisioning(SECURITY, account_id, server_url=SERVER, client=http, **settings)


def async_client_of(emulator: Emulator, **settings: Any) -> AsyncCldProvisioning:
    """Return an async client whose requests go to the emulator in process."""
    return async_client_over(emulator.transport(), emulator.account_id, **settings)


def members(emulator: Emulator) -> dict[str, set[str]]:
    """Return who is in each group, by name."""
    return {group.name: {user.id for user in group.users} for group in emulator.groups}


def group_of(emulator: Emulator, name: str) -> EmulatorGroup:
    """Return the group of a name."""
    return next(group for group in emulator.groups if group.name == name)


def existing(name: str, group_id: str | None = None) -> GroupRef:
    """Return a reference to a group that exists."""
    return GroupRef(id=group_id or f"id-{name}", name=name)


def create(name: str, *depends_on: int) -> Change:
    """Return the creation of a group."""
    group = GroupRef(id=None, name=name)
    return Change(action=Action.CREATE_GROUP, group=group, depends_on=depends_on)


def rename(old: str, new: str, *depends_on: int) -> Change:
    """Return a rename."""
    return Change(
        action=Action.RENAME_GROUP,
        group=existing(new, f"id-{old}"),
        old_name=old,
        depends_on=depends_on,
    )


def add(group: str | GroupRef, user: str, *depends_on: int) -> Change:
    """Return an addition."""
    return _membership(Action.ADD_USER, group, user, depends_on)


def remove(group: str | GroupRef, user: str, *depends_on: int) -> Change:
    """Return a removal."""
    return _membership(Action.REMOVE_USER, group, user, depends_on)


def delete(group: str, *users: str) -> Change:
    """Return a deletion of a group with these members."""
    refs = tuple(UserRef(id=user) for user in users)
    return Change(action=Action.DELETE_GROUP, group=existing(group), members=refs)


def _membership(
    action: Action, group: str | GroupRef, user: str, depends_on: tuple[int, ...]
) -> Change:
    ref = existing(group) if isinstance(group, str) else group
    user_ref = UserRef(id=user, email=f"{user}@example.com")
    return Change(action=action, group=ref, user=user_ref, depends_on=depends_on)


def plan_of(snapshot: Snapshot, *changes: Change) -> Plan:
    """Return a plan of these changes for an account as it is in a snapshot."""
    now = datetime.now(UTC)
    groups: dict[str, Group] = {group.id: group for group in snapshot.groups}
    touched = {change.group.id for change in changes if change.group.id is not None}
    return Plan(
        account_id=snapshot.account_id,
        source="test",
        created_at=now,
        expires_at=now + timedelta(hours=1),
        changes=changes,
        fingerprints={group: fingerprint(groups[group]) for group in touched if group in groups},
    )


def plan_for(client: CldProvisioning, *changes: Change) -> Plan:
    """Return a plan of these changes for the account as it is now."""
    return plan_of(read_account(client), *changes)
