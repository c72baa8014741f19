"""A session of every operation with the emulator, recorded in both wire shapes.

`python -m tests.contract.recording` records it anew in fixtures/; review it before committing.
observed.json has the whole session, documented.json only the steps that differ from it. A result is
recorded only where it is not the body of the response.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from tests.support.operations import GROUP, METHODS, USER, arguments, method

from cld_user_groups import CldProvisioning, Security, models
from cld_user_groups.emulator import Emulator, EmulatorClock

FIXTURES = Path(__file__).parent / "fixtures"
WIRES = ("observed", "documented")

CHEN = "9e2f60d8a1c74b35f08d6e913ab7c4"
NEW_GROUP = f"{1:030x}"

_STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("getUserGroups", {}),
    ("getUserGroups", {"extended_details": True}),
    ("createUserGroup", {"name": "Editors"}),
    ("getUserGroup", {"group_id": GROUP}),
    ("getUserGroup", {"group_id": GROUP, "extended_details": True}),
    ("updateUserGroup", {"group_id": NEW_GROUP, "name": "Authors", "extended_details": True}),
    ("addUserToUserGroup", {"group_id": GROUP, "user_id": CHEN}),
    ("getUsersInUserGroup", {"group_id": GROUP}),
    ("removeUserFromUserGroup", {"group_id": GROUP, "user_id": USER}),
    ("deleteUserGroup", {"group_id": NEW_GROUP}),
    ("getUsers", {"emails": ["maria@example.com"]}),
    ("getUser", {"user_id": CHEN}),
    ("getGroupsForUser", {"user_id": CHEN}),
    ("getSubAccountsForUser", {"user_id": CHEN}),
    ("getRoles", {}),
    (
        "getPrincipalRoles",
        {"principal_type": "group", "principal_id": GROUP, "permission_type": "content"},
    ),
    ("inspect", {"scope_type": "account"}),
    ("inspectMultiple", {"scope_type": "prodenv", "principals": [{"type": "group", "id": GROUP}]}),
    (
        "updatePrincipalRoles",
        {
            "operation": "add",
            "principal": {"type": "group", "id": GROUP},
            "roles": [{"id": "cld::role::prodenv::reports_viewer", "scope_id": "all"}],
        },
    ),
)
# An operation without a step here is called at the end, with its first example.
SESSION = _STEPS + tuple(
    (each, next(arguments(each))) for each in METHODS if each not in dict(_STEPS)
)

# A status code, an operation that results in it, and the message where a fault is injected.
ERRORS: tuple[tuple[int, str, dict[str, Any], str | None], ...] = (
    (400, "createUserGroup", {"name": "Editors"}, "Missing required parameter - name"),
    (401, "getUserGroups", {}, "Invalid credentials"),
    (403, "deleteUserGroup", {"group_id": GROUP}, "Not allowed for this API key"),
    (404, "getUserGroup", {"group_id": "no-such-group"}, None),
    (409, "createUserGroup", {"name": "Designers"}, None),
    (420, "getUserGroups", {}, "Rate limit exceeded"),
    (429, "getUserGroups", {}, "Too many requests"),
)

_KEPT = ("content-type", "retry-after", "x-featureratelimit-")


@contextmanager
def predictable_ids() -> Iterator[None]:
    """Make the emulator number its IDs instead of drawing them."""
    numbers = itertools.count(1)
    with mock.patch("secrets.token_hex", lambda size=16: f"{next(numbers):0{2 * size}x}"):
        yield


def record_session(wire: Any) -> list[dict[str, Any]]:
    """Return the request, the response and the result of each step."""
    emulator = Emulator(wire=wire, clock=EmulatorClock(datetime(2024, 5, 1, 12, 30, tzinfo=UTC)))
    return [_record(emulator, *step) for step in SESSION]


def record_errors() -> list[dict[str, Any]]:
    """Return a response with each documented error."""
    recorded: list[dict[str, Any]] = []
    for status, operation_id, given, message in ERRORS:
        emulator = Emulator(clock=EmulatorClock(datetime(2024, 5, 1, 12, 30, tzinfo=UTC)))
        if message is not None:
            headers = {"Retry-After": "7"} if status in (420, 429) else None
            emulator.fail(operation_id, status=status, message=message, headers=headers)
        recorded.append(_record(emulator, operation_id, given))
    return recorded


def _record(emulator: Emulator, operation_id: str, arguments: dict[str, Any]) -> dict[str, Any]:
    responses: list[httpx.Response] = []

    def keep(response: httpx.Response) -> None:
        response.read()
        responses.append(response)

    http = httpx.Client(transport=emulator.transport(), event_hooks={"response": [keep]})
    # Numbered from 1 in each step, so that a new group is NEW_GROUP.
    with predictable_ids():
        result = _result(http, operation_id, arguments)
    (response,) = responses
    request = response.request
    return {
        "operation_id": operation_id,
        "arguments": arguments,
        "request": f"{request.method} {request.url.raw_path.decode('ascii')}",
        "sent": json.loads(request.content) if request.content else None,
        "status": response.status_code,
        "headers": {
            name: value for name, value in response.headers.items() if name.startswith(_KEPT)
        },
        "body": response.json() if response.content else None,
        **result,
    }


def _result(http: httpx.Client, operation_id: str, arguments: dict[str, Any]) -> dict[str, Any]:
    client = CldProvisioning(
        account_id="acc", security=Security("k", "s"), client=http, retry_config=None
    )
    try:
        result = method(client, operation_id)(**arguments)
    except models.ErrorResponse as error:
        return {"error": type(error).__name__}
    return {"result": result.to_dict()}


def read_session(wire: str) -> list[dict[str, Any]]:
    """Return the recorded session in one of the wire shapes."""
    different = {step["request"]: step for step in read(wire)}
    return [different.get(step["request"], step) for step in read("observed")]


def read(name: str) -> list[dict[str, Any]]:
    """Return a fixture, with a result in each step that has no error."""
    recorded = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return [step if "error" in step else {"result": step["body"], **step} for step in recorded]


def _write(name: str, recorded: list[dict[str, Any]]) -> None:
    for step in recorded:
        if step.get("result") == step["body"]:
            del step["result"]
    text = json.dumps(recorded, indent=2, ensure_ascii=False)
    (FIXTURES / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def main() -> None:
    observed, documented = (record_session(wire) for wire in WIRES)
    _write("documented", [step for step in documented if step not in observed])
    _write("observed", observed)
    _write("errors", record_errors())


if __name__ == "__main__":
    main()
