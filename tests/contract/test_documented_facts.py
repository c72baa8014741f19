"""The facts that are published and observed, as a table beside the description.

Generated code, emulator and tests all follow the description, so what is taken out of it would be
missed nowhere else.
"""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from . import documents

ACCOUNT = "/v1_1/provisioning/accounts/{account_id}"
GROUPS = f"{ACCOUNT}/user_groups"
GROUP = f"{GROUPS}/{{group_id}}"
USERS = f"{GROUP}/users"
USER = f"{USERS}/{{user_id}}"

READ = {200, 401, 404, 420, 429}
REMOVE = {200, 400, 401, 403, 404, 420, 429}
WRITE = {*REMOVE, 409}

# method, path, query parameters, body, body of a 200, statuses
OPERATIONS: dict[str, tuple[str, str, tuple[str, ...], str | None, str, set[int]]] = {
    "getUserGroups": ("GET", GROUPS, ("extended_details",), None, "UserGroupsResponse", READ),
    "createUserGroup": ("POST", GROUPS, (), "UserGroupRequest", "UserGroup", WRITE),
    "getUserGroup": ("GET", GROUP, ("extended_details",), None, "UserGroup", READ),
    "updateUserGroup": ("PUT", GROUP, (), "UserGroupRequest", "UserGroup", WRITE),
    "deleteUserGroup": ("DELETE", GROUP, (), None, "GroupDeleted", REMOVE),
    "getUsersInUserGroup": ("GET", USERS, (), None, "UserGroupUsersResponse", READ),
    "addUserToUserGroup": ("POST", USER, (), None, "UserAdded", WRITE),
    "removeUserFromUserGroup": ("DELETE", USER, (), None, "UserGroupUsersResponse", REMOVE),
}

# a field's type, or its format where it has one, or what it holds
SCHEMAS: dict[str, dict[str, str]] = {
    "UserGroup": {
        "id": "string",
        "name": "string",
        "users": "[UserGroupUser]",
        "created_at": "date-time",
        "updated_at": "date-time",
    },
    "UserGroupUser": {"id": "string", "name": "string", "email": "email"},
    "UserGroupRequest": {"name": "string", "extended_details": "boolean"},
    "UserGroupsResponse": {"user_groups": "[UserGroup]"},
    "UserGroupUsersResponse": {"users": "[UserGroupUser]"},
    "Acknowledgement": {"ok": "boolean"},
    "SuccessResponse": {"message": "string"},
    "ErrorResponse": {"error": "ErrorDetail"},
    "ErrorDetail": {"message": "string"},
}

# the observed shape, then the published one
EITHER = {
    "UserAdded": ["UserGroupUsersResponse", "UserGroupUser"],
    "GroupDeleted": ["Acknowledgement", "SuccessResponse"],
}


def test_the_description_is_valid(document: documents.Document):
    OpenAPIV30SpecValidator(document).validate()


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_an_operation_is_the_documented_one(document: documents.Document, operation_id: str):
    operation = documents.operations(document)[operation_id]
    body = documents.resolve(document, operation.definition.get("requestBody"))
    assert OPERATIONS[operation_id] == (
        operation.method,
        operation.path,
        operation.names_of("query"),
        body and _only_schema(body),
        _only_schema(operation.responses["200"]),
        {int(status) for status in operation.responses},
    )


def test_there_are_no_other_operations(document: documents.Document):
    assert documents.operations(document).keys() == OPERATIONS.keys()


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_an_operation_takes_the_parameters_of_its_path_and_only_the_body_is_required(
    document: documents.Document, operation_id: str
):
    operation = documents.operations(document)[operation_id]
    assert [f"{{{name}}}" for name in operation.names_of("path")] == [
        segment for segment in operation.path.split("/") if segment.startswith("{")
    ]
    required = [each["name"] for each in operation.parameters if each.get("required")]
    assert required == list(operation.names_of("path"))
    body = documents.resolve(document, operation.definition.get("requestBody"))
    assert body is None or body["required"] is True


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_an_operation_is_authenticated_with_http_basic(
    document: documents.Document, operation_id: str
):
    definition = documents.operations(document)[operation_id].definition
    schemes = document["components"]["securitySchemes"]
    requirements = [
        [(schemes[name]["type"], schemes[name]["scheme"]) for name in requirement]
        for requirement in definition.get("security", document.get("security", ()))
    ]
    assert requirements == [[("http", "basic")]]


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_error_has_the_documented_body(document: documents.Document, operation_id: str):
    responses = documents.operations(document)[operation_id].responses
    errors = {status: _only_schema(each) for status, each in responses.items() if status != "200"}
    assert set(errors.values()) == {"ErrorResponse"}


def test_every_answer_says_what_is_left_of_the_quota_and_waiting_ones_how_long(
    document: documents.Document,
):
    always = {
        "X-Request-Id",
        "X-FeatureRateLimit-Limit",
        "X-FeatureRateLimit-Remaining",
        "X-FeatureRateLimit-Reset",
    }
    for operation in documents.operations(document).values():
        for status, response in operation.responses.items():
            waiting = {"Retry-After"} if status in ("420", "429") else set()
            assert response["headers"].keys() == always | waiting, (operation.operation_id, status)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_has_the_documented_fields(document: documents.Document, name: str):
    schema = document["components"]["schemas"][name]
    assert schema["type"] == "object"
    assert {field: _kind(each) for field, each in schema["properties"].items()} == SCHEMAS[name]


@pytest.mark.parametrize("name", EITHER)
def test_where_published_and_observed_differ_both_are_described(
    document: documents.Document, name: str
):
    alternatives = document["components"]["schemas"][name]["anyOf"]
    assert [_name(each) for each in alternatives] == EITHER[name]


def test_there_are_no_other_schemas(document: documents.Document):
    assert document["components"]["schemas"].keys() == SCHEMAS.keys() | EITHER.keys()


def test_only_the_name_of_a_group_that_is_sent_is_required(document: documents.Document):
    schemas = document["components"]["schemas"]
    required = {
        name: schema["required"] for name, schema in schemas.items() if "required" in schema
    }
    assert required == {"UserGroupRequest": ["name"]}


def _only_schema(holder: dict[str, Any]) -> str:
    """Return the name of the schema of a body that is JSON and nothing else."""
    assert list(holder["content"]) == ["application/json"]
    return _name(holder["content"]["application/json"]["schema"])


def _name(schema: dict[str, Any]) -> str:
    return schema["$ref"].rpartition("/")[2]


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _name(schema)
    if schema["type"] == "array":
        return f"[{_kind(schema['items'])}]"
    return schema.get("format", schema["type"])
