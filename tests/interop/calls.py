"""One call of each operation, with all arguments, by either client."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, Security

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "acc"
KEY = "the-key"
SECRET = "the-secret"
SECURITY = Security(provisioning_api_key=KEY, provisioning_api_secret=SECRET)

Mode = Literal["sync", "async"]

# Of the document's examples and of the emulator's sample account: the user is in the group.
GROUP = "7f08f1f1fc910bf1f25274aef11d27"
USER = "0abed8dfcc039ea05e2a1d494fd442"

# Each operation's resource, method and arguments, in an order in which all of them succeed on the
# sample account.
CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "getUserGroups": ("user_groups", "list", {"extended_details": True}),
    "createUserGroup": (
        "user_groups",
        "create",
        {"request": {"name": "Entwürfe", "extended_details": True}},
    ),
    "getUserGroup": ("user_groups", "get", {"group_id": GROUP, "extended_details": False}),
    "updateUserGroup": (
        "user_groups",
        "update",
        {"group_id": GROUP, "name": "Designers", "extended_details": True},
    ),
    "removeUserFromUserGroup": ("user_groups", "remove_user", {"group_id": GROUP, "user_id": USER}),
    "addUserToUserGroup": ("user_groups", "add_user", {"group_id": GROUP, "user_id": USER}),
    "getUsersInUserGroup": ("user_groups", "list_users", {"group_id": GROUP}),
    "deleteUserGroup": ("user_groups", "delete", {"group_id": GROUP}),
    "getUsers": ("users", "list", {"emails": ["john.doe@example.com"], "page_size": 50}),
    "getUser": ("users", "get", {"user_id": USER}),
    "getGroupsForUser": ("users", "get_groups", {"user_id": USER}),
    "getSubAccountsForUser": ("users", "list_sub_accounts", {"user_id": USER}),
    "getRoles": ("roles", "list", {}),
    "getPrincipalRoles": (
        "principals",
        "list_roles",
        {"principal_type": "user", "principal_id": USER, "permission_type": "global"},
    ),
    "inspect": ("principals", "inspect", {"scope_type": "prodenv", "scope_id": "e1"}),
    "inspectMultiple": (
        "principals",
        "inspect_multiple",
        {"scope_type": "account", "principals": [{"type": "user", "id": USER}]},
    ),
    "updatePrincipalRoles": (
        "principals",
        "update_roles",
        {
            "operation": "add",
            "principal": {"type": "user", "id": USER},
            "roles": [{"id": "cld::role::prodenv::media_editor", "scope_id": "all"}],
        },
    ),
}


def call(
    mode: Mode,
    server_url: str,
    operation_id: str,
    *,
    http_headers: dict[str, str] | None = None,
    hooks: Sequence[object] = (),
) -> Any:
    """Call an operation once, without retries, and return its result."""
    resource, method, arguments = CALLS[operation_id]
    arguments = {**arguments, "http_headers": http_headers}
    options: dict[str, Any] = {
        "account_id": ACCOUNT,
        "security": SECURITY,
        "server_url": server_url,
        "retry_config": None,
        "hooks": hooks,
    }
    if mode == "sync":
        with CldProvisioning(**options) as client:
            return getattr(getattr(client, resource), method)(**arguments)

    async def call_async() -> Any:
        async with AsyncCldProvisioning(**options) as client:
            return await getattr(getattr(client, resource), method)(**arguments)

    return asyncio.run(call_async())
