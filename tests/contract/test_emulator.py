"""The responses of the emulator match the OpenAPI document, according to schemathesis."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import httpx
import pytest
from tests.support import documents, operations

from cld_user_groups.emulator import Emulator

from .fuzzing import DRAWN, LINKED, Application, fuzz
from .recording import WIRES

ACCOUNT_ID = "16bf6d47-3c0e-4d5a-9a3d-2f7b8c1e0d94"


ALL = frozenset(operations.METHODS)
# All others respond the same on both wires.
DIFFERENT = frozenset({"addUserToUserGroup", "deleteUserGroup"})
LINKED_TO = frozenset(
    link["operationId"] for link in documents.load()["components"]["links"].values()
)


@pytest.fixture
def around() -> Callable[[Application], Application]:
    """Return a wrapper for the emulator's application: none."""
    return lambda application: application


def refilled(emulator: Emulator) -> Application:
    """Return the emulator's application, with the sample group again once it was deleted.

    schemathesis deletes the example group before it removes the example user from it.
    """

    async def application(*arguments: Any) -> None:
        if operations.GROUP not in [group.id for group in emulator.groups]:
            emulator.reset()
        await emulator.asgi(*arguments)

    return application


# What is drawn depends on the modules that are loaded, too; one seed may miss a link.
LINKED_TO_ALL = ((), LINKED, 10, range(1, 10), 50, LINKED_TO)
RUNS = [
    ("drawn-observed", "observed", (), DRAWN, 5, (1,), 400, ALL),
    ("drawn-documented", "documented", DIFFERENT, DRAWN, 20, (1,), 60, DIFFERENT),
    # No link reads anything that differs between the wires.
    ("linked-observed", "observed", *LINKED_TO_ALL),
]
MORE_RUNS = [
    ("linked-documented", "documented", *LINKED_TO_ALL),
    *((f"drawn-more-{wire}", wire, (), DRAWN, 40, (1,), 800, ALL) for wire in WIRES),
    *(
        (f"linked-{seed}-{wire}", wire, (), LINKED, 20, (seed,), 100, ())
        for seed in range(1, 10)
        for wire in WIRES
    ),
]


@pytest.mark.parametrize(
    ("wire", "sent", "phases", "max_examples", "seeds", "least_cases", "reached"),
    [
        *(pytest.param(*run, id=name) for name, *run in RUNS),
        *(pytest.param(*run, id=name, marks=pytest.mark.exhaustive) for name, *run in MORE_RUNS),
    ],
)
def test_the_emulator_responds_as_documented(
    document: documents.Document,
    around: Callable[[Application], Application],
    wire: Any,
    sent: Collection[str],
    phases: Sequence[str],
    max_examples: int,
    seeds: Iterable[int],
    least_cases: int,
    reached: Collection[str],
):
    missed = set(reached)
    for seed in seeds:
        emulator = Emulator(account_id=ACCOUNT_ID, wire=wire)
        outcome = fuzz(
            document,
            emulator,
            around(refilled(emulator)),
            phases=phases,
            max_examples=max_examples,
            seed=seed,
            sent=sent,
        )
        assert not outcome.failures, "\n\n".join(outcome.failures[:10])
        # A run that reaches nothing would pass, too.
        assert outcome.cases.total() >= least_cases, outcome.cases
        missed -= outcome.operations_with(200)
        if not missed:
            break
    assert not missed


@pytest.mark.parametrize("operation_id", operations.METHODS)
def test_without_the_right_credentials_nothing_is_done(
    document: documents.Document, operation_id: str
):
    emulator = Emulator()
    before = (emulator.groups, emulator.users)
    operation = documents.operations(document)[operation_id]
    known = {"account_id": "acc", "group_id": operations.GROUP, "user_id": operations.USER}
    ids = {name: known.get(name, "an-id") for name in operation.names_of("path")}
    url = f"http://emulator.invalid{operation.path.format(**ids)}"
    with httpx.Client(transport=emulator.transport()) as client:
        for auth in (None, ("k", "wrong"), ("wrong", "s"), ("", ""), ("k", "")):
            response = client.request(operation.method, url, json={"name": "Editors"}, auth=auth)
            assert response.status_code == 401, auth
    assert (emulator.groups, emulator.users) == before


def test_the_wires_differ_where_the_document_has_two_shapes(document: documents.Document):
    two = {name for name, schema in document["components"]["schemas"].items() if "anyOf" in schema}
    assert {
        operation_id
        for operation_id, operation in documents.operations(document).items()
        if any(f"schemas/{name}'" in str(operation.responses["200"]) for name in two)
    } == DIFFERENT
