"""The operations, as the tests of faults call them, and how a good server responds to them."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from typing import Any, cast

import httpx
from attrs import frozen
from tests.support import documents, operations
from tests.support.transport import FakeTransport, Mode

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, Security, models

ACCOUNT = "acc"
GROUP = "g1"
USER = "u1"
GROUPS_PATH = f"/v1_1/provisioning/accounts/{ACCOUNT}/user_groups"
SECURITY = Security(provisioning_api_key="key", provisioning_api_secret="not-a-real-secret")
# In process, where no address is looked up.
NOWHERE = "https://api.invalid"


@frozen(eq=False)
class Operation:
    """An operation with arguments.

    Attributes:
        name: The method.
        operation_id: Its name in the OpenAPI document.
        arguments: What it is called with.
        method: The HTTP method.
        path: The path.
        body: The body of a success.
        result: What that becomes.
        resource: The attribute of the client that has the method.
    """

    name: str
    operation_id: str
    arguments: Mapping[str, Any]
    method: str
    path: str
    body: bytes
    result: object
    resource: str = "user_groups"

    def __str__(self) -> str:
        return self.name if self.resource == "user_groups" else f"{self.resource}.{self.name}"

    def bind(self, client: Any, *, raw: bool = False) -> Callable[..., Any]:
        """Return the method of a client, sync or async."""
        resource = getattr(client, self.resource)
        method = getattr(resource.with_raw_response if raw else resource, self.name)
        return cast("Callable[..., Any]", method)


_JANE = models.UserGroupUser(id=USER, name="Jane", email="jane@example.com")
_JANE_JSON = b'{"id": "u1", "name": "Jane", "email": "jane@example.com"}'
_DESIGNERS = models.UserGroup(id=GROUP, name="Designers")
_DESIGNERS_JSON = b'{"id": "g1", "name": "Designers"}'

LIST = Operation(
    "list",
    "getUserGroups",
    {},
    "GET",
    GROUPS_PATH,
    b'{"user_groups": [%b]}' % _DESIGNERS_JSON,
    models.UserGroupsResponse(user_groups=[_DESIGNERS]),
)
CREATE = Operation(
    "create",
    "createUserGroup",
    {"name": "Designers"},
    "POST",
    GROUPS_PATH,
    _DESIGNERS_JSON,
    _DESIGNERS,
)
GET = Operation(
    "get",
    "getUserGroup",
    {"group_id": GROUP},
    "GET",
    f"{GROUPS_PATH}/{GROUP}",
    _DESIGNERS_JSON,
    _DESIGNERS,
)
UPDATE = Operation(
    "update",
    "updateUserGroup",
    {"group_id": GROUP, "name": "Designers"},
    "PUT",
    f"{GROUPS_PATH}/{GROUP}",
    _DESIGNERS_JSON,
    _DESIGNERS,
)
DELETE = Operation(
    "delete",
    "deleteUserGroup",
    {"group_id": GROUP},
    "DELETE",
    f"{GROUPS_PATH}/{GROUP}",
    b'{"ok": true}',
    models.SuccessResponse(message="ok"),
)
LIST_USERS = Operation(
    "list_users",
    "getUsersInUserGroup",
    {"group_id": GROUP},
    "GET",
    f"{GROUPS_PATH}/{GROUP}/users",
    b'{"users": [%b]}' % _JANE_JSON,
    models.UserGroupUsersResponse(users=[_JANE]),
)
ADD_USER = Operation(
    "add_user",
    "addUserToUserGroup",
    {"group_id": GROUP, "user_id": USER},
    "POST",
    f"{GROUPS_PATH}/{GROUP}/users/{USER}",
    b'{"users": [%b]}' % _JANE_JSON,
    _JANE,
)
REMOVE_USER = Operation(
    "remove_user",
    "removeUserFromUserGroup",
    {"group_id": GROUP, "user_id": "u2"},
    "DELETE",
    f"{GROUPS_PATH}/{GROUP}/users/u2",
    b'{"users": [%b]}' % _JANE_JSON,
    models.UserGroupUsersResponse(users=[_JANE]),
)
UPDATE_ROLES = Operation(
    "update_roles",
    "updatePrincipalRoles",
    {
        "operation": "add",
        "principal": {"type": "group", "id": GROUP},
        "roles": [{"id": "cld::role::prodenv::media_editor"}],
    },
    "PUT",
    f"/v2/accounts/{ACCOUNT}/permissions/principal_roles",
    b'{"message": "ok"}',
    models.SuccessResponse(message="ok"),
    "principals",
)
OPERATIONS = (LIST, GET, LIST_USERS, CREATE, UPDATE, DELETE, ADD_USER, REMOVE_USER, UPDATE_ROLES)


def _read(operation: documents.Operation) -> Operation:
    """Return a read as the document has it, with its first example as the response."""
    kwargs = next(operations.arguments(operation.operation_id))
    examples = documents.success_examples(operations.DOCUMENT, operation.operation_id)
    body = json.dumps(next(iter(examples.values()))).encode()
    transport = FakeTransport(httpx.Response(200, content=body))
    result = transport.call(operations.METHODS[operation.operation_id], **kwargs)
    resource, _, name = operations.METHODS[operation.operation_id].partition(".")
    path = operation.path.format(account_id=ACCOUNT, **kwargs)
    return Operation(
        name, operation.operation_id, kwargs, operation.method, path, body, result, resource
    )


# Every other read. A write must stand above: what it ends in depends on its row of _operations.py.
READS = tuple(
    _read(each)
    for operation_id, each in operations.OPERATIONS.items()
    if each.definition["x-effect"] == "read"
    and operation_id in operations.METHODS
    and operation_id not in {known.operation_id for known in OPERATIONS}
)
WRITES = (CREATE, UPDATE, DELETE, ADD_USER, REMOVE_USER, UPDATE_ROLES)

# Loading the machine's certificates takes longer than all else here, and nothing speaks TLS.
_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def call(
    mode: Mode,
    operation: Operation,
    server_url: str = NOWHERE,
    *,
    transport: httpx.MockTransport | FakeTransport | None = None,
    arguments: Mapping[str, Any] | None = None,
    raw: bool = False,
    account_id: str = ACCOUNT,
    security: Any = SECURITY,
    http: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Any:
    """Call an operation once on a client of its own, sync or async, and return the result.

    Args:
        mode: Which client.
        operation: The operation.
        server_url: The server.
        transport: What responds in process, instead of a server.
        arguments: Arguments in place of the operation's own, or besides them.
        raw: Call it on `with_raw_response`.
        account_id: The account.
        security: The credentials.
        http: All arguments of the httpx client, in place of those of the tests.
        settings: Further arguments of the client.
    """
    settings |= {"security": security, "account_id": account_id, "server_url": server_url}
    arguments = {**operation.arguments, **(arguments or {})}
    if http is None:
        http = {"transport": transport, "verify": _TLS, "trust_env": False}
    if mode == "async":

        async def call_async() -> Any:
            async with httpx.AsyncClient(**http) as given:
                client = AsyncCldProvisioning(client=given, **settings)
                return await operation.bind(client, raw=raw)(**arguments)

        return asyncio.run(call_async())
    with httpx.Client(**http) as given:
        client = CldProvisioning(client=given, **settings)
        return operation.bind(client, raw=raw)(**arguments)


def error_of(mode: Mode, operation: Operation, *args: Any, **kwargs: Any) -> Exception:
    """Call an operation as `call` does, and return the error that it ends in."""
    try:
        result = call(mode, operation, *args, **kwargs)
    except Exception as error:
        return error
    raise AssertionError(f"no error, but {result!r}")
