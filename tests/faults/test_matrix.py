"""Every operation keeps the promises of matrix.py about every fault, on a real socket."""

from __future__ import annotations

import httpx
import pytest
from tests.faults import ways
from tests.faults.matrix import (
    CELLS,
    DONE_ALREADY,
    FAULTS,
    PAGE,
    Cell,
    Measured,
    measure,
    own_requests,
    page,
)
from tests.support.fault_calls import (
    ACCOUNT,
    ADD_USER,
    CREATE,
    DELETE,
    LIST,
    LIST_USERS,
    OPERATIONS,
    REMOVE_USER,
    SECURITY,
    WRITES,
    Operation,
    call,
    error_of,
)
from tests.support.fault_server import FaultServer, HangUp, Step, response
from tests.support.transport import MODES, Mode, both

from cld_user_groups import CldProvisioning, maybe_applied, models
from cld_user_groups.utils import BackoffStrategy, RetryConfig

pytestmark = pytest.mark.usefixtures("waits")


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_outcome_of_a_fault_is_the_promised_one(cell: Cell) -> None:
    for mode in MODES:
        measured = measure(cell, mode)
        assert measured.outcome == cell.promise, mode
        _check_the_result(cell, measured)
        _check_the_attempts(cell, measured)


def _check_the_result(cell: Cell, measured: Measured) -> None:
    """A result is the operation's; an error of a status has it; the words fit `maybe_applied`."""
    if measured.error is None:
        assert measured.result == cell.operation.result
        return
    if isinstance(measured.error, models.APIError | models.NotAllowed):
        assert str(measured.error.status_code) in cell.fault
    words = [str(measured.error), *getattr(measured.error, "__notes__", ())]
    said = "look before you repeat it" in " ".join(words)
    assert said == maybe_applied(measured.error)


def _check_the_attempts(cell: Cell, measured: Measured) -> None:
    """All attempts send the same; the waits between them keep within the default's limit."""
    own = [
        (request.method, request.target, request.body)
        for request in measured.server.requests
        if (request.method, request.target) == (cell.operation.method, cell.operation.path)
    ]
    assert len(set(own)) <= 1
    assert len(measured.waits) <= 1
    assert all(0 <= wait <= 0.5 for wait in measured.waits)


def test_the_tables_hold_every_operation_with_every_fault() -> None:
    after = {(cell.fault, cell.operation) for cell in CELLS if not cell.done_already}
    assert after == {(fault, operation) for fault in FAULTS for operation in OPERATIONS}
    already = {(cell.fault, cell.operation.name) for cell in CELLS if cell.done_already}
    assert already == {(fault, name) for fault in ("(none)", *FAULTS) for name in DONE_ALREADY}


def test_the_page_says_what_is_promised() -> None:
    text = page({cell: cell.promise for cell in CELLS}, ways.PROMISES)
    assert PAGE.read_text(encoding="utf-8") == text, (
        "docs/faults.md is not up to date: python -m tests.faults.matrix"
    )


@both
@pytest.mark.parametrize("operation", WRITES, ids=str)
def test_without_retries_an_ambiguous_write_is_sent_once_and_says_so(
    operation: Operation, mode: Mode
) -> None:
    with FaultServer(HangUp(), response(200, operation.body)) as server:
        error = error_of(mode, operation, server.url, retry_config=None)
    assert isinstance(error, httpx.RemoteProtocolError)
    assert maybe_applied(error)
    assert len(server.requests) == 1


@both
def test_without_retries_a_refused_connection_is_not_maybe_applied(mode: Mode) -> None:
    with FaultServer(refuse=True) as server:
        error = error_of(mode, CREATE, server.url, retry_config=None)
    assert isinstance(error, httpx.ConnectError)
    assert not maybe_applied(error)


@both
def test_a_drop_is_not_retried_without_retry_connection_errors(mode: Mode) -> None:
    config = RetryConfig("backoff", BackoffStrategy(), retry_connection_errors=False)
    with FaultServer(HangUp(), response(200, LIST.body)) as server:
        error = error_of(mode, LIST, server.url, retry_config=config)
    assert isinstance(error, httpx.RemoteProtocolError)
    assert len(server.requests) == 1


@both
@pytest.mark.parametrize("operation", [DELETE, ADD_USER, REMOVE_USER], ids=str)
def test_an_ambiguous_first_attempt_is_remembered_over_rejected_retries(
    operation: Operation, mode: Mode
) -> None:
    script: list[Step] = [HangUp(), response(503), response(429), DONE_ALREADY[operation.name]]
    with FaultServer(*script, response(200, LIST_USERS.body)) as server:
        assert call(mode, operation, server.url) == operation.result
    assert own_requests(operation, server) == 4


@both
@pytest.mark.parametrize("operation", WRITES, ids=str)
def test_a_final_error_is_maybe_applied_if_an_earlier_attempt_was(
    operation: Operation, mode: Mode
) -> None:
    with FaultServer(HangUp(), response(403)) as server:
        error = error_of(mode, operation, server.url)
    assert maybe_applied(error)
    assert isinstance(
        error, httpx.RemoteProtocolError if operation is CREATE else models.NotAllowed
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_idle_connection_that_the_server_closed_is_replaced_unnoticed(
    operation: Operation,
) -> None:
    script: list[Step] = [response(200, operation.body, keep_alive=True), HangUp(unread=True)]
    with (
        FaultServer(*script, response(200, operation.body)) as server,
        CldProvisioning(SECURITY, ACCOUNT, server_url=server.url) as client,
    ):
        method = operation.bind(client)
        method(**operation.arguments)
        server.wait_for_hang_up()
        assert method(**operation.arguments) == operation.result
    assert [request.connection for request in server.requests] == [1, 2]
