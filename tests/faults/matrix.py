"""The outcome of every operation under every fault: promised, measured, and documented.

`python -m tests.faults.matrix` plays each fault to each operation on a real socket, sync and async,
prints what came of it, and writes that to docs/faults.md. test_matrix.py holds every cell against
the tables below, which follow from the design: no write is doubled, and none is lost in silence.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from attrs import frozen
from tests.faults import ways
from tests.support.fault_calls import (
    ADD_USER,
    CREATE,
    DELETE,
    LIST,
    LIST_USERS,
    OPERATIONS,
    READS,
    REMOVE_USER,
    UPDATE_ROLES,
    Operation,
    call,
)
from tests.support.fault_server import FaultServer, HangUp, Stall, Step, chunked, not_http, response
from tests.support.transport import MODES, Mode

from cld_user_groups import HookContext, maybe_applied, models
from cld_user_groups.utils import waiting_disabled

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"

# Short, for it is waited for in vain.
_TIMEOUT = 0.1
_HTML = "<html><body><h1>Forbidden</h1></body></html>"
_JSON = b'{"id": "g1", "name": "Designers"}'

# What happens to the first attempt. No step: the server is not there.
FAULTS: dict[str, Step | None] = {
    "connection refused": None,
    "closed before the request is read": HangUp(unread=True),
    "reset before the request is read": HangUp(unread=True, reset=True),
    "closed after the request is read": HangUp(),
    "reset after the request is read": HangUp(reset=True),
    "no response in time": Stall(),
    "200, cut off": response(200, _JSON, missing=9),
    "200 in chunks, cut off": chunked(200, _JSON[:-9], complete=False),
    "200, not JSON": response(200, _HTML, {"Content-Type": "text/html"}),
    "not HTTP": not_http(),
    **{
        str(status): response(status, b'{"error": {"message": "Try again"}}')
        for status in (408, 420, 429, 500, 502, 503, 504, 501)
    },
    "301": response(301, headers={"Location": "https://elsewhere.invalid/"}),
    "403 with HTML": response(403, _HTML, {"Content-Type": "text/html"}),
}

# How to read a cell: how many requests of the operation the server read, and what the call ends in.
# "ok" is the result; a name is that of the error, and a question mark is `maybe_applied`.

# The fault, then a success.
FAULT_THEN_SUCCESS = """
                                  | list, get,   | create                 | update, delete,
                                  | list_users   |                        | add_user, remove_user,
                                  |              |                        | update_roles
connection refused                | 1 ok         | 1 ok                   | 1 ok
closed before the request is read | 1 ok         | 0 TransportError?      | 1 ok
reset before the request is read  | 1 ok         | 0 TransportError?      | 1 ok
closed after the request is read  | 2 ok         | 1 RemoteProtocolError? | 2 ok
reset after the request is read   | 2 ok         | 1 ReadError?           | 2 ok
no response in time               | 2 ok         | 1 ReadTimeout?         | 2 ok
200, cut off                      | 2 ok         | 1 RemoteProtocolError? | 2 ok
200 in chunks, cut off            | 2 ok         | 1 RemoteProtocolError? | 2 ok
200, not JSON                     | 1 Unreadable | 1 Unreadable?          | 1 Unreadable?
not HTTP                          | 2 ok         | 1 RemoteProtocolError? | 2 ok
408                               | 2 ok         | 2 ok                   | 2 ok
420                               | 2 ok         | 2 ok                   | 2 ok
429                               | 2 ok         | 2 ok                   | 2 ok
500                               | 2 ok         | 1 APIError?            | 2 ok
502                               | 2 ok         | 1 APIError?            | 2 ok
503                               | 2 ok         | 2 ok                   | 2 ok
504                               | 2 ok         | 1 APIError?            | 2 ok
501                               | 1 APIError   | 1 APIError             | 1 APIError
301                               | 1 APIError   | 1 APIError             | 1 APIError
403 with HTML                     | 1 NotAllowed | 1 NotAllowed           | 1 NotAllowed
"""

# The fault, then the response that says that it is in place: 404 to delete and remove_user, 409 to
# create, add_user and update_roles (which adds). "+1" is the one look at the group's users or
# roles, or at the groups.
FAULT_THEN_DONE_ALREADY = """
                                  | create                 | delete        | remove_user   | add_user,
                                  |                        |               |               | update_roles
(none)                            | 1 AlreadyExists        | 1 NotFound    | 1 NotFound    | 1 AlreadyExists
connection refused                | 1 AlreadyExists        | 1 NotFound    | 1 NotFound    | 1 AlreadyExists
closed before the request is read | 0 TransportError?      | 1 ok          | 1+1 ok        | 1+1 ok
reset before the request is read  | 0 TransportError?      | 1 ok          | 1+1 ok        | 1+1 ok
closed after the request is read  | 1 RemoteProtocolError? | 2 ok          | 2+1 ok        | 2+1 ok
reset after the request is read   | 1 ReadError?           | 2 ok          | 2+1 ok        | 2+1 ok
no response in time               | 1 ReadTimeout?         | 2 ok          | 2+1 ok        | 2+1 ok
200, cut off                      | 1 RemoteProtocolError? | 2 ok          | 2+1 ok        | 2+1 ok
200 in chunks, cut off            | 1 RemoteProtocolError? | 2 ok          | 2+1 ok        | 2+1 ok
200, not JSON                     | 1 Unreadable?          | 1 Unreadable? | 1 Unreadable? | 1 Unreadable?
not HTTP                          | 1 RemoteProtocolError? | 2 ok          | 2+1 ok        | 2+1 ok
408                               | 2 AlreadyExists        | 2 NotFound    | 2 NotFound    | 2 AlreadyExists
420                               | 2 AlreadyExists        | 2 NotFound    | 2 NotFound    | 2 AlreadyExists
429                               | 2 AlreadyExists        | 2 NotFound    | 2 NotFound    | 2 AlreadyExists
500                               | 1 APIError?            | 2 ok          | 2+1 ok        | 2+1 ok
502                               | 1 APIError?            | 2 ok          | 2+1 ok        | 2+1 ok
503                               | 2+1 AlreadyExists?     | 2 NotFound?   | 2+1 ok        | 2+1 ok
504                               | 1 APIError?            | 2 ok          | 2+1 ok        | 2+1 ok
501                               | 1 APIError             | 1 APIError    | 1 APIError    | 1 APIError
301                               | 1 APIError             | 1 APIError    | 1 APIError    | 1 APIError
403 with HTML                     | 1 NotAllowed           | 1 NotAllowed  | 1 NotAllowed  | 1 NotAllowed
"""  # noqa: E501
_SHORT_NAMES = {"Unreadable": "ResponseValidationError"}
DONE_ALREADY = {
    operation.name: response(status, b'{"error": {"message": "As you wish"}}')
    for operation, status in (
        *((CREATE, 409), (DELETE, 404), (ADD_USER, 409), (REMOVE_USER, 404)),
        (UPDATE_ROLES, 409),
    )
}

# What is read to verify a write, but for those about the users of a group.
_READ = {
    CREATE: LIST.body,
    UPDATE_ROLES: next(each for each in READS if each.operation_id == "getPrincipalRoles").body,
}


@frozen
class Cell:
    """One cell of a table.

    Attributes:
        fault: What happens to the first attempt, by its name.
        operation: The operation.
        done_already: Whether the response after the fault is 404 or 409 instead of a success.
        promise: What is to come of it, as it stands in the table.
    """

    fault: str
    operation: Operation
    done_already: bool
    promise: str

    def __str__(self) -> str:
        then = ", then done already" if self.done_already else ""
        return f"{self.operation.name}: {self.fault}{then}"


@frozen
class Measured:
    """What came of one cell.

    Attributes:
        outcome: The same in the words of the tables, as far as it keeps the promise.
        server: The server, which has the requests.
        result: The result, or None.
        error: The error, or None.
        waits: The waits between the attempts.
    """

    outcome: str
    server: FaultServer
    result: object
    error: Exception | None
    waits: list[float]


def _cells(table: str, *, done_already: bool) -> Iterator[Cell]:
    rows = [[text.strip() for text in row.split("|")] for row in table.strip("\n").splitlines()]
    heads = [row for row in rows if not row[0]]
    columns = [" ".join(parts).replace(",", "").split() for parts in zip(*heads, strict=True)][1:]
    by_name = {operation.name: operation for operation in OPERATIONS}
    for fault, *promises in rows[len(heads) :]:
        for names, promise in zip(columns, promises, strict=True):
            for short, name in _SHORT_NAMES.items():
                promise = promise.replace(short, name)
            for name in names:
                yield Cell(fault, by_name[name], done_already, promise)


CELLS = (
    *_cells(FAULT_THEN_SUCCESS, done_already=False),
    *_cells(FAULT_THEN_DONE_ALREADY, done_already=True),
)


class _FirstTimesOut:
    """A hook that leaves the first attempt little time for its response."""

    def before_request(self, context: HookContext, request: httpx.Request) -> None:
        if context.attempt == 1:
            request.extensions["timeout"]["read"] = _TIMEOUT


class _Listen:
    """A hook that starts a server that was not there, before the second attempt."""

    def __init__(self, server: FaultServer) -> None:
        self._server = server

    def on_retry(self, *details: object) -> None:
        self._server.listen()


def measure(cell: Cell, mode: Mode) -> Measured:
    """Play a cell, and return what came of it."""
    operation = cell.operation
    good = response(200, operation.body)
    script: list[Step] = []
    if cell.fault in FAULTS and (step := FAULTS[cell.fault]) is not None:
        script.append(step)
    if cell.done_already:
        script.append(DONE_ALREADY[operation.name])
        good = response(200, _READ.get(operation, LIST_USERS.body))
    refuses = cell.fault == "connection refused"
    settings: dict[str, Any] = {}
    if cell.fault == "no response in time":
        settings["hooks"] = [_FirstTimesOut()]
    result, failure = None, None
    with FaultServer(*script, good, refuse=refuses) as server, waiting_disabled() as waits:
        if refuses:
            settings["hooks"] = [_Listen(server)]
        try:
            result = call(mode, operation, server.url, **settings)
        except (models.CloudinaryError, httpx.HTTPError) as error:
            failure = error
    outcome = f"{_counted(operation, server)} {_named(failure, cell.promise)}"
    return Measured(outcome, server, result, failure, waits)


def own_requests(operation: Operation, server: FaultServer) -> int:
    """Return how many of the requests that a server read are those of an operation."""
    own = (operation.method, operation.path)
    return sum((request.method, request.target) == own for request in server.requests)


def _counted(operation: Operation, server: FaultServer) -> str:
    own = own_requests(operation, server)
    others = len(server.requests) - own
    return f"{own}+{others}" if others else str(own)


def _named(failure: Exception | None, promise: str) -> str:
    if failure is None:
        return "ok"
    # Which error a broken connection becomes can depend on which side was faster.
    promised = promise.split()[-1].rstrip("?")
    kinds = [kind.__name__ for kind in type(failure).__mro__]
    name = promised if promised in kinds else kinds[0]
    return f"{name}?" if maybe_applied(failure) else name


_INTRODUCTION = """\
# Faults by operation

How each call ends for each fault. `make faults` measures this with every operation on a real
socket, sync and async, with default settings, and writes this page.

The first attempt meets the fault; the later responses are stated above each table. A cell has the
number of requests of the operation that the server read, and the outcome of the call:

- `2 ok`: the server read two requests, and the call returned its result.
- `2+1 ok`: the same, and one more request read the group's users or roles, or the groups, to
  determine the result.
- `1 ReadTimeout, maybe applied`: the server read one request, and the call raised that error, with
  `maybe_applied` true: the change may have been applied, so check before you retry.
- `0 TransportError, maybe applied`: the server read no request, because it closed the connection
  before; the client cannot know that.
"""


def page(outcomes: dict[Cell, str], ends: dict[str, dict[str, str]]) -> str:
    """Return the page about the outcomes, in Markdown."""
    return "\n".join(
        [
            _INTRODUCTION,
            "## A fault, then a success",
            "",
            "Only `create` is not retried if it may have been applied, because that could create "
            "two groups.",
            "",
            *_markdown({c: said for c, said in outcomes.items() if not c.done_already}),
            "",
            "## A fault, then 404 or 409",
            "",
            "After the fault, the server responds with 404 to `delete` and `remove_user`, and with "
            "409 to `create`,\n`add_user` and `update_roles`, which adds a role. After an attempt "
            "that may have been applied, the account is\nread, and the change in place is a "
            "success; otherwise the response is an error. A gateway may have\nforwarded a request "
            "that it responded to with 503: whose "
            "a group of that name is, and who has deleted a group, is then not known.",
            "",
            *_markdown({c: said for c, said in outcomes.items() if c.done_already}),
            "",
            ways.page(ends),
        ]
    )


def _markdown(outcomes: dict[Cell, str]) -> Iterator[str]:
    columns = list(dict.fromkeys(cell.operation.name for cell in outcomes))
    said = {(cell.fault, cell.operation.name): outcome for cell, outcome in outcomes.items()}
    yield f"| fault | {' | '.join(f'`{name}`' for name in columns)} |"
    yield f"| --- |{' --- |' * len(columns)}"
    for fault in dict.fromkeys(cell.fault for cell in outcomes):
        cells = (said[fault, name].replace("?", ", maybe applied") for name in columns)
        yield f"| {fault} | {' | '.join(cells)} |"


def main() -> int:
    """Measure every cell, print the page and write it; return how many promises were broken."""
    outcomes: dict[Cell, str] = {}
    broken = 0
    for cell in CELLS:
        measured = {mode: measure(cell, mode).outcome for mode in MODES}
        outcomes[cell] = " / ".join(dict.fromkeys(measured.values()))
        if outcomes[cell] != cell.promise:
            broken += 1
            print(f"{cell}: promised {cell.promise}, but {measured}", file=sys.stderr)
    ends = ways.measured()
    for name, cells in ends.items():
        if cells != ways.PROMISES[name]:
            broken += 1
            print(f"{name}: promised {ways.PROMISES[name]}, but {cells}", file=sys.stderr)
    text = page(outcomes, ends)
    print(text)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    return broken


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
