"""The published and observed facts, as a table beside the OpenAPI document.

The generated code, the emulator and the tests all follow the document, so nothing else would notice
that a fact was taken out of it. What is added to it needs no entry here.
"""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator
from tests.support import documents

from cld_user_groups._find_users import MAX_ITEMS

ACCOUNT = "/v1_1/provisioning/accounts/{account_id}"
GROUPS = f"{ACCOUNT}/user_groups"
GROUP = f"{GROUPS}/{{group_id}}"
USERS = f"{GROUP}/users"
USER = f"{USERS}/{{user_id}}"
PEOPLE = f"{ACCOUNT}/users"
PERSON = f"{PEOPLE}/{{user_id}}"

READ = {200, 401, 404, 420, 429}
PEOPLE_FILTERS = (
    *("pending", "ids", "emails", "prefix", "sub_account_id", "last_login", "from", "to"),
    *("union_type", "sort_order", "sort_by", "page", "page_size"),
)
PERMISSIONS = "/v2/accounts/{account_id}/permissions"
INSPECT = f"{PERMISSIONS}/principal_roles/inspect"
OF_PRINCIPAL = (
    *("principal_type", "principal_id", "permission_type", "management_type"),
    *("scope_type", "scope_id", "folder_id", "collection_id"),
)
INSPECTED = ("scope_type", "scope_id", *OF_PRINCIPAL[:2], "folder_id", "collection_id", "cursor")
REMOVE = {200, 400, 401, 403, 404, 420, 429}
WRITE = {*REMOVE, 409}

# Method, path, query parameters, request body, body of a 200, status codes.
OPERATIONS: dict[str, tuple[str, str, tuple[str, ...], str | None, str, set[int]]] = {
    "getUserGroups": ("GET", GROUPS, ("extended_details",), None, "UserGroupsResponse", READ),
    "createUserGroup": ("POST", GROUPS, (), "UserGroupRequest", "UserGroup", WRITE),
    "getUserGroup": ("GET", GROUP, ("extended_details",), None, "UserGroup", READ),
    "updateUserGroup": ("PUT", GROUP, (), "UserGroupRequest", "UserGroup", WRITE),
    "deleteUserGroup": ("DELETE", GROUP, (), None, "GroupDeleted", REMOVE),
    "getUsersInUserGroup": ("GET", USERS, (), None, "UserGroupUsersResponse", READ),
    "addUserToUserGroup": ("POST", USER, (), None, "UserAdded", WRITE),
    "removeUserFromUserGroup": ("DELETE", USER, (), None, "UserGroupUsersResponse", REMOVE),
    "getUsers": ("GET", PEOPLE, PEOPLE_FILTERS, None, "UsersResponse", READ),
    "getUser": ("GET", PERSON, (), None, "User", READ),
    "getGroupsForUser": ("GET", f"{PERSON}/groups", (), None, "GroupsOfUserResponse", READ),
    "getSubAccountsForUser": (
        *("GET", f"{PERSON}/sub_accounts", ()),
        *(None, "UserSubAccountsResponse", READ),
    ),
    "getPrincipalRoles": (
        *("GET", f"{PERMISSIONS}/principal_roles", OF_PRINCIPAL),
        *(None, "PrincipalRolesResponse", {200, 400, 401, 404, 500}),
    ),
    "updatePrincipalRoles": (
        *("PUT", f"{PERMISSIONS}/principal_roles", ()),
        *("UpdatePrincipalRolesRequest", "", {200, 400, 401, 403, 404}),
    ),
    "inspect": ("GET", INSPECT, INSPECTED, None, "InspectResponse", {200, 400, 401, 404, 500}),
    "inspectMultiple": (
        *("POST", INSPECT, ()),
        *("InspectMultipleRequest", "InspectResponse", {200, 400, 401, 404, 500}),
    ),
    "getRoles": ("GET", f"{PERMISSIONS}/roles", (), None, "RolesResponse", {200, 401, 403, 500}),
}

# The query parameters without which a request is rejected.
REQUIRED_PARAMETERS = {
    "getPrincipalRoles": ["principal_type", "principal_id", "permission_type"],
    "inspect": ["scope_type"],
}
_ROLE = {
    **dict.fromkeys(("id", "name", "description"), "string"),
    "management_type": "ManagementType",
    "permission_type": "PermissionType",
    "scope_type": "ScopeType",
    **dict.fromkeys(("created_at", "updated_at"), "integer"),
}

# The type of a field, or its format, or its items.
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
    "User": {
        **dict.fromkeys(("id", "name", "first_name", "last_name", "role"), "string"),
        "email": "email",
        **dict.fromkeys(("pending", "enabled", "all_sub_accounts"), "boolean"),
        **dict.fromkeys(("two_factor", "root"), "boolean"),
        **dict.fromkeys(("created_at", "updated_at", "last_login"), "date-time"),
        "providers": "[string]",
        "email_preferences": "object",
        **dict.fromkeys(("account_id", "status", "technical_role"), "string"),
        **dict.fromkeys(("group_count", "sub_account_count"), "integer"),
        "groups": "[GroupOfUser]",
        "sub_account_ids": "[string]",
    },
    "UsersResponse": {"users": "[User]"},
    "GroupOfUser": {"id": "string", "name": "string"},
    "GroupsOfUserResponse": {"groups": "[GroupOfUser]"},
    "SubAccountSummary": {
        **dict.fromkeys(("id", "name", "description", "cloud_name"), "string"),
        "enabled": "boolean",
    },
    "UserSubAccountsResponse": {"sub_accounts": "[SubAccountSummary]"},
    "Acknowledgement": {"ok": "boolean"},
    "SuccessResponse": {"message": "string"},
    "ErrorResponse": {"error": "ErrorDetail"},
    "ErrorDetail": dict.fromkeys(("message", "category", "code"), "string"),
    "PrincipalRole": {**_ROLE, "scope_id": "string", "policy_parameters": "PolicyParameters"},
    "Role": {**_ROLE, "policy_parameters": "[string]"},
    "PrincipalRolesResponse": {"data": "[PrincipalRole]"},
    "RolesResponse": {"data": "[Role]"},
    "PrincipalRoles": {"type": "PrincipalType", "id": "string", "roles": "[PrincipalRole]"},
    "InspectedPrincipals": {"principals": "[PrincipalRoles]"},
    "InspectResponse": {"data": "InspectedPrincipals", "next_cursor": "string"},
    "Principal": {"type": "PrincipalType", "id": "string"},
    "RoleAssignment": {
        **dict.fromkeys(("id", "scope_id"), "string"),
        "policy_parameters": "PolicyParameters",
    },
    "InspectMultipleRequest": {
        "scope_type": "ScopeType",
        "principals": "[Principal]",
        **dict.fromkeys(("scope_id", "cursor"), "string"),
        "policy_parameters": "PolicyParameters",
    },
    "UpdatePrincipalRolesRequest": {
        "operation": "string",
        "principal": "Principal",
        "roles": "[RoleAssignment]",
    },
}

# The fields without which a success would not mean what its operation promises.
REQUIRED = {
    "UserGroup": {"id", "name"},
    "UserGroupUser": {"id"},
    "UserGroupRequest": {"name"},
    "UserGroupsResponse": {"user_groups"},
    "UserGroupUsersResponse": {"users"},
    "User": {"id"},
    "UsersResponse": {"users"},
    "GroupOfUser": {"id", "name"},
    "GroupsOfUserResponse": {"groups"},
    "SubAccountSummary": {"id"},
    "UserSubAccountsResponse": {"sub_accounts"},
    "Acknowledgement": {"ok"},
    "SuccessResponse": {"message"},
    "PrincipalRole": _ROLE.keys() - {"description"},
    "Role": _ROLE.keys() - {"description"},
    "PrincipalRolesResponse": {"data"},
    "RolesResponse": {"data"},
    "PrincipalRoles": {"type", "id", "roles"},
    "InspectedPrincipals": {"principals"},
    "InspectResponse": {"data"},
    "InspectMultipleRequest": {"scope_type", "principals"},
    "UpdatePrincipalRolesRequest": {"operation", "principal", "roles"},
}

# The observed shape, then the published one.
EITHER = {
    "UserAdded": ["UserGroupUsersResponse", "UserGroupUser"],
    "GroupDeleted": ["Acknowledgement", "SuccessResponse"],
}


def test_the_document_is_valid(document: documents.Document):
    OpenAPIV30SpecValidator(document).validate()


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_an_operation_is_as_published(document: documents.Document, operation_id: str):
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


def test_no_published_operation_is_missing(document: documents.Document):
    assert OPERATIONS.keys() <= documents.operations(document).keys()


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_the_parameters_of_the_path_and_the_published_ones_are_required(
    document: documents.Document, operation_id: str
):
    operation = documents.operations(document)[operation_id]
    assert [f"{{{name}}}" for name in operation.names_of("path")] == [
        segment for segment in operation.path.split("/") if segment.startswith("{")
    ]
    required = [each["name"] for each in operation.parameters if each.get("required")]
    published = REQUIRED_PARAMETERS.get(operation_id, [])
    assert required == [*operation.names_of("path"), *published]
    body = documents.resolve(document, operation.definition.get("requestBody"))
    assert body is None or body["required"] is True


def test_lists_of_ids_and_emails_are_one_to_a_hundred_parameters(document: documents.Document):
    parameters = documents.operations(document)["getUsers"].parameters
    arrays = [each for each in parameters if each["schema"]["type"] == "array"]
    assert [each["name"] for each in arrays] == ["ids", "emails"]
    for each in arrays:
        assert (each["schema"]["minItems"], each["schema"]["maxItems"]) == (1, MAX_ITEMS)
        assert (each.get("style", "form"), each.get("explode", True)) == ("form", True)


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


def test_responses_have_the_quota_headers_and_420_and_429_retry_after(document: documents.Document):
    always = {
        "X-Request-Id",
        "X-FeatureRateLimit-Limit",
        "X-FeatureRateLimit-Remaining",
        "X-FeatureRateLimit-Reset",
    }
    for operation in documents.operations(document).values():
        for status, response in operation.responses.items():
            limited = {"Retry-After"} if status in ("420", "429") else set()
            assert response["headers"].keys() >= always | limited, (operation.operation_id, status)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_has_the_published_fields(document: documents.Document, name: str):
    schema = document["components"]["schemas"][name]
    fields = {field: _kind(each) for field, each in schema["properties"].items()}
    assert schema["type"] == "object"
    assert SCHEMAS[name].items() <= fields.items()


@pytest.mark.parametrize("name", EITHER)
def test_where_published_and_observed_differ_both_are_documented(
    document: documents.Document, name: str
):
    alternatives = document["components"]["schemas"][name]["anyOf"]
    assert [_name(each) for each in alternatives] == EITHER[name]


@pytest.mark.parametrize("name", REQUIRED)
def test_the_fields_that_an_operation_promises_are_required(
    document: documents.Document, name: str
):
    assert REQUIRED[name] <= set(document["components"]["schemas"][name]["required"])


def _only_schema(holder: dict[str, Any]) -> str:
    """Return the name of the schema of a body whose only content type is JSON, or of none."""
    if "content" not in holder:
        return ""
    assert list(holder["content"]) == ["application/json"]
    return _name(holder["content"]["application/json"]["schema"])


def _name(schema: dict[str, Any]) -> str:
    return schema["$ref"].rpartition("/")[2]


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _name(schema)
    if schema.get("type") == "array":
        return f"[{_kind(schema['items'])}]"
    return schema.get("format", schema.get("type", "any"))
