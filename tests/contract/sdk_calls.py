"""Every call that the SDK has, with every argument, and a server that answers by the examples."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from cld_user_groups import AsyncCldProvisioning, CldProvisioning, Security, models
from cld_user_groups.user_groups import UserGroups
from cld_user_groups.utils import BackoffStrategy, RetryConfig

from . import documents

GROUP = "7f08f1f1fc910bf1f25274aef11d27"
USER = "0abed8dfcc039ea05e2a1d494fd442"
SECURITY = Security(provisioning_api_key="the-key", provisioning_api_secret="the-secret")

METHODS = {
    "getUserGroups": "list",
    "createUserGroup": "create",
    "getUserGroup": "get",
    "updateUserGroup": "update",
    "deleteUserGroup": "delete",
    "getUsersInUserGroup": "list_users",
    "addUserToUserGroup": "add_user",
    "removeUserFromUserGroup": "remove_user",
}

_VALUES: Mapping[str, tuple[Any, ...]] = {
    "group_id": (GROUP,),
    "user_id": (USER,),
    "name": ("Designers", "Entwürfe & Ähnliches 🎨"),
    "extended_details": (None, True, False),
    "retries": (None, RetryConfig("backoff", BackoffStrategy(1, 50, 1.1, 100), False)),
    "server_url": ("https://api-eu.cloudinary.com", "https://groups.example.com"),
    "timeout_ms": (500,),
    "http_headers": ({"X-Trace": "1"},),
}
_BODIES: tuple[Any, ...] = (
    {"name": "Designers"},
    {"name": "Designers", "extended_details": False},
    models.UserGroupRequest(name="Designers"),
    models.UserGroupRequest(name="Designers", extended_details=True),
)


def arguments(operation_id: str) -> Iterator[dict[str, Any]]:
    """Return the arguments of every call of an operation: each optional one in turn, then all.

    They come from the method's own signature, so that a new argument without values here fails.
    """
    signature = inspect.signature(getattr(UserGroups, METHODS[operation_id]))
    names = [name for name in signature.parameters if name != "self"]
    body = next((name for name in names if name in ("request", "user_group_request")), None)
    required = {name: _VALUES[name][0] for name in names if name in ("group_id", "user_id")}
    optional = [name for name in names if name not in (*required, body)]
    if body is not None:
        yield from ({**required, body: value} for value in _BODIES)
        required["name"] = _VALUES["name"][0]
    yield required
    for name in optional:
        yield from ({**required, name: value} for value in _VALUES[name])
    yield required | {name: _VALUES[name][-1] for name in optional}


class Recorder(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A server that answers every request the same, and remembers what it was asked.

    Args:
        answer: The body of the answer.
        first_status: What to answer the first request with instead.
    """

    def __init__(self, answer: Any, *, first_status: int | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = answer
        self._first_status = first_status

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self._first_status is not None and len(self.requests) == 1:
            return httpx.Response(self._first_status)
        return httpx.Response(200, json=self._answer)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def recorder(
    document: documents.Document, operation_id: str, *, first_status: int | None = None
) -> Recorder:
    """Return a server that answers an operation by its first example."""
    examples = documents.success_examples(document, operation_id)
    return Recorder(next(iter(examples.values())), first_status=first_status)


def call(transport: Recorder, operation_id: str, kwargs: Mapping[str, Any], **options: Any) -> Any:
    """Make a call of the sync client and return its result."""
    http = httpx.Client(transport=transport)
    client = CldProvisioning(**{"account_id": "acc", "security": SECURITY, **options}, client=http)
    return getattr(client.user_groups, METHODS[operation_id])(**kwargs)


def call_async(
    transport: Recorder, operation_id: str, kwargs: Mapping[str, Any], **options: Any
) -> Any:
    """Make a call of the async client and return its result."""
    http = httpx.AsyncClient(transport=transport)
    client = AsyncCldProvisioning(
        **{"account_id": "acc", "security": SECURITY, **options}, client=http
    )
    return asyncio.run(getattr(client.user_groups, METHODS[operation_id])(**kwargs))
