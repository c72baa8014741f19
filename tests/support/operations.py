"""The table of operations: their methods, and every call of each with every argument."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from operator import attrgetter
from typing import Any

import httpx

from cld_user_groups import CldProvisioning, models
from cld_user_groups.utils import BackoffStrategy, RetryConfig

from . import documents
from .transport import SECURITY, FakeTransport, json

GROUP = "7f08f1f1fc910bf1f25274aef11d27"
USER = "0abed8dfcc039ea05e2a1d494fd442"

# Nothing changes them: `documents.load()` is for tests that do.
DOCUMENT = documents.load()
OPERATIONS = documents.operations(DOCUMENT)
# The method of each operation of the client's resources. A test compares it with the OpenAPI
# document, and others derive from it what must know every operation.
METHODS = {
    operation_id: f"{each.definition['tags'][0]}.{each.definition['x-method']}"
    for operation_id, each in OPERATIONS.items()
    if hasattr(CldProvisioning, each.definition["tags"][0])
}
# The methods that are not an operation themselves, but make calls of one.
COMPOSED = {"users.find"}

_VALUES: Mapping[str, tuple[Any, ...]] = {
    "group_id": (GROUP,),
    "user_id": (USER,),
    "name": ("Designers", "Entwürfe & Ähnliches 🎨"),
    "extended_details": (None, True, False),
    "pending": (None, True, False),
    "ids": ([USER], [USER, "asdf1234uiopjkl7890wernmjlcaeg"]),
    "emails": (["john@example.com"], ["john@example.com", "h+p@example.com"]),
    "prefix": ("Jo", "Zoë & Co"),
    "sub_account_id": ("0aaaaa1bbbbb2ccccc3ddddd4eeeee5f",),
    "last_login": (None, True, False),
    "from_": (date(2026, 1, 1), "2026-01-01"),
    "to": (date(2026, 1, 31), "2026-01-31"),
    "union_type": ("include", "exclude"),
    "sort_order": ("asc", "desc"),
    "sort_by": ("name", "role", "status", "activity", "created_at"),
    "page": (1, 7),
    "page_size": (100,),
    "retries": (None, RetryConfig("backoff", BackoffStrategy(1, 50, 1.1, 100), False)),
    "server_url": ("https://api-eu.cloudinary.com", "https://groups.example.com"),
    "timeout_ms": (500,),
    "http_headers": ({"X-Trace": "1"},),
}
_GROUPS: tuple[Any, ...] = (
    {"name": "Designers"},
    {"name": "Designers", "extended_details": False},
    models.UserGroupRequest(name="Designers"),
    models.UserGroupRequest(name="Designers", extended_details=True),
)
# The arguments that replace several others; where none stand here, the examples of the document.
_REQUESTS: Mapping[str, tuple[Any, ...]] = {
    "createUserGroup": _GROUPS,
    "updateUserGroup": _GROUPS,
    "getUsers": ({}, {"from_": "2026-01-01"}, models.GetUsersRequest(ids=[USER], pending=True)),
    "getPrincipalRoles": (
        {"principal_type": "group", "principal_id": GROUP, "permission_type": "global"},
    ),
    "inspect": ({"scope_type": "account"}, models.InspectRequest(scope_type="prodenv")),
}


def method(client: Any, operation_id: str) -> Callable[..., Any]:
    """Return the method of an operation."""
    return attrgetter(METHODS[operation_id])(client)


def arguments(operation_id: str) -> Iterator[dict[str, Any]]:
    """Return the arguments of every call of an operation: each optional one in turn, then all.

    They come from the method's own signature. Values that do not stand here are the document's
    examples: of a parameter, or of a field of the body.
    """
    operation = OPERATIONS[operation_id]
    bodies = documents.request_examples(DOCUMENT, operation_id)
    examples = {each["name"]: (each["example"],) for each in operation.parameters}
    for body in bodies:
        examples |= {name: (value,) for name, value in body.items()}
    values = {**examples, **_VALUES}
    client = CldProvisioning(account_id="acc", security=SECURITY)
    signature = inspect.signature(method(client, operation_id))
    names = [name for name in signature.parameters if name != "self"]
    whole = operation.definition.get("x-body", "request")
    required = {name: values[name][0] for name in names if name in operation.names_of("path")}
    optional = [name for name in names if name not in (*required, whole)]
    if whole in names:
        requests = _REQUESTS.get(operation_id, bodies or ({},))
        yield from ({**required, whole: value} for value in requests)
    if operation.body is not None:
        fields = documents.model_schemas(DOCUMENT)[operation.body].get("required", ())
        required |= {name: values[name][0] for name in fields}
    required |= {name: values[name][0] for name in operation.required_names if name in names}
    yield required
    for name in optional:
        yield from ({**required, name: value} for value in values[name])
    yield required | {name: values[name][-1] for name in optional}


def recorder(
    document: documents.Document, operation_id: str, *, first_status: int | None = None
) -> FakeTransport:
    """Return a transport that responds with the first example of an operation.

    Args:
        document: The OpenAPI document.
        operation_id: The operation.
        first_status: The status code of the first response, if it is another one.
    """
    examples = documents.success_examples(document, operation_id)
    example = json(next(iter(examples.values()))) if examples else httpx.Response(200)
    return FakeTransport(*([] if first_status is None else [httpx.Response(first_status)]), example)
