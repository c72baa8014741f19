"""The examples of the OpenAPI document, and responses recorded in both wire shapes."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS30Validator
from tests.support import documents, operations

from cld_provisioning_api import models
from cld_user_groups import CldProvisioning
from cld_user_groups import models as sdk_models
from cld_user_groups.contract import ContractCheck

from . import recording
from .test_generated import ENDPOINTS

RECORDED = [(wire, entry) for wire in recording.WIRES for entry in recording.read_session(wire)]
ERRORS = recording.read("errors")


def without_nulls(value: Any) -> Any:
    """Return JSON without the fields that are null, which a model does not tell from absent."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def _id(value: Any) -> str:
    return value if isinstance(value, str) else f"{value['operation_id']}-{value['status']}"


def test_every_body_has_examples(document: documents.Document):
    assert [media.where for media in documents.all_media(document) if not media.examples] == []


def test_every_example_fits_its_schema_and_has_no_other_fields(document: documents.Document):
    for media in documents.all_media(document):
        for name, example in media.examples.items():
            problems = _problems(document, media.schema, example)
            assert not problems, f"{media.where} {name}: {problems}"


def test_every_example_of_a_parameter_fits_its_schema(document: documents.Document):
    for operation in documents.operations(document).values():
        for parameter in operation.parameters:
            assert "example" in parameter, f"{operation.operation_id} {parameter['name']} has none"
            problems = _problems(document, parameter["schema"], parameter["example"])
            assert not problems, f"{operation.operation_id} {parameter['name']}: {problems}"


@pytest.mark.parametrize("operation_id", ENDPOINTS)
def test_an_example_of_a_success_decodes_without_loss(
    document: documents.Document, operation_id: str
):
    for name, example in documents.success_examples(document, operation_id).items():
        decoded = ENDPOINTS[operation_id].decode_success(json.dumps(example).encode())
        assert decoded.to_dict() == without_nulls(example), name


@pytest.mark.parametrize("operation_id", ENDPOINTS)
def test_an_example_of_an_error_decodes_without_loss(
    document: documents.Document, operation_id: str
):
    operation = documents.operations(document)[operation_id]
    for status, response in operation.responses.items():
        if status != "200":
            media = response["content"]["application/json"]
            content = json.dumps(media["example"]).encode()
            decoded = ENDPOINTS[operation_id].decode_response(int(status), content)
            assert decoded.to_dict() == media["example"], status


def test_an_example_of_a_request_becomes_the_model_and_the_body_again(document: documents.Document):
    for operation_id, operation in documents.operations(document).items():
        for media in documents.all_media(document):
            if media.where == f"{operation_id} request":
                model = getattr(models, operation.body)
                for example in media.examples.values():
                    assert model.from_dict(example).to_dict() == example


@pytest.mark.parametrize("wire", recording.WIRES)
def test_the_emulator_still_responds_as_recorded(wire: str):
    assert recording.record_session(wire) == recording.read_session(wire), (
        "`python -m tests.contract.recording` records it anew: review what changes in fixtures/"
    )


def test_the_emulator_still_rejects_as_recorded():
    assert recording.record_errors() == ERRORS


def test_the_wire_shapes_differ_in_two_operations():
    pairs = zip(*(recording.read_session(wire) for wire in recording.WIRES), strict=True)
    different = [one["operation_id"] for one, other in pairs if one["body"] != other["body"]]
    assert different == ["addUserToUserGroup", "deleteUserGroup"]


@pytest.mark.parametrize(("wire", "entry"), RECORDED, ids=_id)
def test_a_recorded_response_decodes_without_loss(wire: str, entry: dict[str, Any]):
    content = b"" if entry["body"] is None else json.dumps(entry["body"]).encode()
    decoded = ENDPOINTS[entry["operation_id"]].decode_success(content)
    assert (decoded and decoded.to_dict()) == without_nulls(entry["body"])


@pytest.mark.parametrize(("wire", "entry"), RECORDED, ids=_id)
def test_a_recorded_response_becomes_the_documented_result(wire: str, entry: dict[str, Any]):
    result = _replay(entry)
    assert result.to_dict() == entry["result"]


@pytest.mark.parametrize("operation_id", operations.METHODS)
def test_both_wire_shapes_become_the_same_result(operation_id: str):
    results = [
        [
            each["result"]
            for each in recording.read_session(wire)
            if each["operation_id"] == operation_id
        ]
        for wire in recording.WIRES
    ]
    assert results[0] == results[1]
    assert results[0], "no step is recorded: `python -m tests.contract.recording`"


@pytest.mark.parametrize("entry", ERRORS, ids=_id)
def test_a_recorded_error_is_as_documented_and_raises_its_own_type(entry: dict[str, Any]):
    with pytest.raises(getattr(sdk_models, entry["error"])) as caught:
        _replay(entry)
    assert caught.value.status_code == entry["status"]
    assert caught.value.data.to_dict() == entry["body"]


def _problems(document: documents.Document, schema: dict[str, Any], value: Any) -> list[str]:
    """Return the problems of a value, in which undocumented fields are problems too."""
    closed = documents.closed({**schema, "components": document["components"]})
    validator = OAS30Validator(closed, format_checker=OAS30Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def _replay(entry: dict[str, Any]) -> Any:
    """Repeat a recorded call against the recorded response, with the contract check."""

    def respond(request: httpx.Request) -> httpx.Response:
        assert f"{request.method} {request.url.raw_path.decode('ascii')}" == entry["request"]
        assert (json.loads(request.content) if request.content else None) == entry["sent"]
        return httpx.Response(entry["status"], headers=entry["headers"], json=entry["body"])

    client = CldProvisioning(
        account_id="acc",
        security=operations.SECURITY,
        client=httpx.Client(transport=httpx.MockTransport(respond)),
        retry_config=None,
        hooks=[ContractCheck()],
    )
    return operations.method(client, entry["operation_id"])(**entry["arguments"])
