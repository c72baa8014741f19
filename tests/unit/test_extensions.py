"""The extensions of openapi.yaml that the client is made from, and what is said of a mistake."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import documents
from tools.extensions import ExtensionError, extensions

from cld_provisioning_api import api
from cld_provisioning_api.calling import Operation
from cld_user_groups._operations import ROWS

Document = Any
GROUPS = "/v1_1/provisioning/accounts/{account_id}/user_groups"


def listing(document: Document) -> Any:
    return document["paths"][GROUPS]["get"]


def without(key: str) -> Callable[[Document], object]:
    return lambda document: listing(document).pop(key)


def with_(key: str, value: object) -> Callable[[Document], object]:
    return lambda document: listing(document).update({key: value})


def docs(**changes: object) -> Callable[[Document], object]:
    return lambda document: listing(document)["x-docs"].update(changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("x-method"), "getUserGroups: x-method is missing: see the comment on top of the"),
        (without("x-effect"), "getUserGroups: x-effect is missing"),
        (without("x-docs"), "getUserGroups: x-docs is missing"),
        (with_("x-metod", "list"), "getUserGroups: x-metod is not known; known are x-body, x-docs"),
        (with_("x-method", "class"), "x-method must be the name of a method, not 'class'"),
        (with_("x-method", "create"), "createUserGroup .* have the same x-method, create"),
        (with_("x-effect", "put"), "x-effect must be one of read, create, .*, not 'put'"),
        (with_("x-docs", "List."), "x-docs must be a mapping with keys of about, arguments"),
        (docs(summary=""), "x-docs has no summary"),
        (docs(example=None), "x-docs has no example"),
        (docs(example="client.("), "x-docs: example is not Python"),
        (docs(retruns="x"), "x-docs must be a mapping with keys of"),
        (docs(arguments={"nobody": "x"}), "x-docs: there is no argument nobody"),
        (docs(arguments={"extended_details": ""}), "arguments: extended_details is not described"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_operation(
    change: Callable[[Document], object], message: str
) -> None:
    document = copy.deepcopy(documents.load())
    change(document)
    with pytest.raises(ExtensionError, match=message):
        extensions(document)


def test_an_argument_without_words_of_its_own_has_those_of_its_parameter() -> None:
    document = copy.deepcopy(documents.load())
    del listing(document)["x-docs"]["arguments"]
    made = extensions(document)["getUserGroups"]
    described = document["components"]["parameters"]["ExtendedDetails"]["description"]
    assert f"extended_details: {described[:30]}" in made["doc"]


def test_an_operation_whose_result_is_not_its_response_has_a_row() -> None:
    operations = [
        operation
        for tag in ("user_groups", "users")
        for module in vars(__import__(f"{api.__name__}.{tag}", fromlist=["x"])).values()
        if isinstance(operation := getattr(module, "OPERATION", None), Operation)
    ]
    missing = [each.id for each in operations if each.is_converted and each.id not in ROWS]
    assert operations
    assert not missing, (
        f"{missing} have an x-result in openapi.yaml: add a row to "
        "overlay/cld_user_groups/_operations.py that makes it of the response"
    )
