"""Schemathesis over the emulator, in process: the same cases in every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

import schemathesis
from attrs import define, field
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from tests.support import documents

from cld_user_groups.emulator import Emulator

from .recording import predictable_ids

Application = Callable[..., Awaitable[None]]

DRAWN = ("examples", "coverage", "fuzzing")
LINKED = ("stateful",)


@define
class Outcome:
    """The outcome of a run.

    Attributes:
        cases: The number of cases in each phase.
        statuses: The number of responses by operation and status code.
        failures: The failed checks.
    """

    cases: Counter[str] = field(factory=Counter)
    statuses: Counter[tuple[str, int]] = field(factory=Counter)
    failures: list[str] = field(factory=list)

    def operations_with(self, status: int) -> set[str]:
        """Return the operations that responded with a status code."""
        return {operation_id for operation_id, found in self.statuses if found == status}


def fuzz(
    document: documents.Document,
    emulator: Emulator,
    application: Application,
    *,
    phases: Iterable[str],
    max_examples: int,
    seed: int = 1,
    sent: Collection[str] = (),
) -> Outcome:
    """Send an application valid and invalid requests, and check its responses.

    Args:
        document: The OpenAPI document. Undocumented fields in a response are failures.
        emulator: The emulator, for its credentials and IDs.
        application: The application of the emulator, or a wrapper of it.
        phases: The phases of schemathesis to run.
        max_examples: The number of cases for each operation in a phase that draws them.
        seed: The seed of the cases.
        sent: The operations to send. Default: all.
    """
    outcome = Outcome()
    schema = schemathesis.openapi.from_dict(
        _strict(document, emulator.wire),
        config=_config(document, emulator, set(phases), max_examples, seed, sent),
    )

    async def watched(*connection: Any) -> None:
        try:
            await application(*connection)
        except Exception as error:
            outcome.failures.append(f"the application raised {error!r}")
            raise

    schema.app = watched
    with predictable_ids():
        for event in from_schema(schema).execute():
            match event:
                case events.ScenarioFinished():
                    outcome.cases[event.phase.value] += len(event.recorder.interactions)
                    _read(event.recorder, outcome)
                case events.NonFatalError():
                    outcome.failures.append(f"{event.label}: {event.value}")
                case events.FatalError():
                    raise event.exception
                case events.EngineFinished():
                    outcome.failures += map(str, event.failures)
                case _:
                    pass
    return outcome


def _strict(document: documents.Document, wire: str) -> documents.Document:
    """Return a document with one wire shape, that allows no undocumented fields in responses.

    Requests stay open: the API ignores unknown fields.
    """

    def narrow(copied: documents.Document) -> None:
        schemas = copied["components"]["schemas"]
        bodies = {operation.body for operation in documents.operations(copied).values()}
        for name, schema in schemas.items():
            if name not in bodies:
                schemas[name] = documents.closed(schema)
            if "anyOf" in schema:
                observed, published = schema["anyOf"]
                schemas[name]["anyOf"] = [observed if wire == "observed" else published]

    return documents.changed(document, narrow)


def _config(
    document: documents.Document,
    emulator: Emulator,
    phases: set[str],
    max_examples: int,
    seed: int,
    sent: Collection[str],
) -> SchemathesisConfig:
    # Without a 400, a wrong value of a parameter must be accepted.
    tolerant = [
        operation_id
        for operation_id, operation in documents.operations(document).items()
        if "400" not in operation.responses and operation.names_of("query")
    ]
    # With one, an unknown parameter is still ignored.
    open_to_others = [
        operation_id
        for operation_id, operation in documents.operations(document).items()
        if "400" in operation.responses and operation.names_of("query")
    ]
    # What depends on several parameters, or on the role, no schema says.
    demanding = [
        operation_id
        for operation_id, operation in documents.operations(document).items()
        if "/permissions/" in operation.path and operation.body
    ]
    others = [each for each in documents.operations(document) if sent and each not in sent]
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            "suppress-health-check": ["all"],  # they depend on the speed of the machine
            "cache": {"enabled": False},
            "auth": {"basic": {"username": emulator.api_key, "password": emulator.api_secret}},
            "generation": {"max-examples": max_examples, "database": "none", "no-shrink": True},
            "phases": {
                # Collecting IDs from responses doubles the time; the dictionaries below suffice.
                **{
                    name: {"enabled": name in phases, "extra-data-sources": {"responses": False}}
                    for name in DRAWN
                },
                "stateful": {
                    "enabled": "stateful" in phases,
                    "max-steps": 12,
                    # Inference mistakes the ID of a group for that of a user; the links of the
                    # document do not.
                    "inference": {"algorithms": []},
                },
            },
            # Random IDs alone would result in little but 404.
            "dictionaries": {
                "accounts": {"values": [emulator.account_id]},
                "groups": {"values": [group.id for group in emulator.groups]},
                "users": {"values": [user.id for user in emulator.users]},
            },
            "parameters": {
                "path.account_id": {"dictionary": "accounts", "probability": 0.9},
                "path.group_id": {"dictionary": "groups", "probability": 0.3},
                "path.user_id": {"dictionary": "users", "probability": 0.8},
            },
            "operations": [
                {"include-operation-id": others, "enabled": False},
                {
                    "include-operation-id": tolerant,
                    "checks": {
                        "negative_data_rejection": {"expected-statuses": [200, 401, 404, 405]}
                    },
                },
                {
                    "include-operation-id": open_to_others,
                    "checks": {
                        "negative_data_rejection": {"expected-statuses": [200, 400, 401, 404, 405]},
                        "positive_data_acceptance": {"expected-statuses": [200, 400, 401, 404]},
                    },
                },
                {
                    "include-operation-id": demanding,
                    "checks": {
                        "positive_data_acceptance": {"expected-statuses": [200, 400, 401, 403, 404]}
                    },
                },
            ],
        }
    )


def _read(recorder: ScenarioRecorder, outcome: Outcome) -> None:
    for case_id, interaction in recorder.interactions.items():
        operation = recorder.cases[case_id].value.operation
        if interaction.response is not None:
            operation_id = operation.definition.raw["operationId"]
            outcome.statuses[operation_id, interaction.response.status_code] += 1
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                asked = recorder.interactions[case_id].request
                failure = check.failure_info.failure
                outcome.failures.append(
                    f"{check.name}: {asked.method} {asked.uri}: {failure.title}: {failure.message}"
                )
