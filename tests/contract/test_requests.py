"""The requests of the SDK match the OpenAPI document, according to openapi-core."""

from __future__ import annotations

import inspect
import json
from functools import cached_property
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import documents, operations
from tests.support.transport import Mode, both

from cld_user_groups import CldProvisioning
from cld_user_groups._engine.config import REGIONS
from cld_user_groups._openapi import OpenAPIDocument
from cld_user_groups.identity import forbidden_character
from cld_user_groups.membership import Grant


@pytest.fixture(scope="session")
def strict(document: documents.Document) -> OpenAPIDocument:
    """The document, with its servers."""
    return OpenAPIDocument(document, any_server=False)


def test_every_method_is_that_of_an_operation():
    client = CldProvisioning(account_id="acc", security=operations.SECURITY)
    resources = [name for name, each in vars(CldProvisioning).items() if _is_cached(each)]
    methods = {
        f"{resource}.{name}"
        for resource in resources
        for name, each in inspect.getmembers(type(getattr(client, resource)), inspect.isfunction)
        if not name.startswith("_")
    }
    assert methods == {*operations.METHODS.values(), *operations.COMPOSED}


def _is_cached(attribute: object) -> bool:
    return isinstance(attribute, cached_property)


@pytest.mark.parametrize("operation_id", operations.METHODS)
@both
def test_a_request_is_as_documented_whatever_its_arguments(
    document: documents.Document, strict: OpenAPIDocument, operation_id: str, mode: Mode
):
    for kwargs in operations.arguments(operation_id):
        transport = operations.recorder(document, operation_id)
        transport.call(operations.METHODS[operation_id], mode, **kwargs)
        (request,) = transport.requests
        assert not strict.check_request(operation_id, request), kwargs


@pytest.mark.parametrize("operation", ["add", "remove"])
@pytest.mark.parametrize(
    "role",
    [
        Grant("Viewer", "cld::role::account::reports_viewer", "account"),
        Grant("Editor", "cld::role::prodenv::media_editor", "prodenv", "all"),
        Grant("Own", "own_1", "prodenv", "0aaaaa1b", (("folder_id", "fg38"),), is_content=True),
        Grant("Own", "own_1", "prodenv", "0aaaaa1b", (("collection_id", "c47"),), is_content=True),
    ],
    ids=lambda role: role.text,
)
def test_a_change_of_roles_is_as_documented_wherever_they_apply(
    document: documents.Document, strict: OpenAPIDocument, operation: str, role: Grant
):
    transport = operations.recorder(document, "updatePrincipalRoles")
    principal = {"type": "group", "id": operations.GROUP}
    kwargs = {"operation": operation, "principal": principal, "roles": [role.assignment]}
    transport.call("principals.update_roles", **kwargs)
    (request,) = transport.requests
    assert not strict.check_request("updatePrincipalRoles", request)
    assert json.loads(request.content) == kwargs


@pytest.mark.parametrize("operation_id", operations.METHODS)
def test_a_retry_is_as_documented(
    document: documents.Document, strict: OpenAPIDocument, operation_id: str, waits: list[float]
):
    transport = operations.recorder(document, operation_id, first_status=429)
    kwargs = next(operations.arguments(operation_id))
    transport.call(operations.METHODS[operation_id], **kwargs)
    _, again = transport.requests
    assert not strict.check_request(operation_id, again)


@pytest.mark.parametrize(
    "options",
    [
        {},
        *({"region": region} for region in REGIONS),
        {"host": "groups.example.com"},
        {"server_idx": 0},
        {"server_idx": 1},
        {"server_idx": 1, "url_params": {"host": "groups.example.com"}},
        {"url_params": {"region": "api-ap"}},
    ],
    ids=str,
)
def test_requests_go_to_a_documented_server(
    document: documents.Document, strict: OpenAPIDocument, options: dict[str, Any]
):
    transport = operations.recorder(document, "getUserGroups")
    transport.call("user_groups.list", options=options)
    assert not strict.check_request("getUserGroups", transport.requests[0])


def test_an_undocumented_server_is_noticed(document: documents.Document, strict: OpenAPIDocument):
    transport = operations.recorder(document, "getUserGroups")
    transport.call("user_groups.list", options={"server_url": "http://127.0.0.1:8080"})
    (difference,) = strict.check_request("getUserGroups", transport.requests[0])
    assert difference.path == "operation"


@settings(derandomize=True)
@given(name=st.text(min_size=1).filter(lambda name: name.strip() and not forbidden_character(name)))
def test_a_request_with_any_name_that_is_not_blank_is_as_documented(
    document: documents.Document, strict: OpenAPIDocument, name: str
):
    transport = operations.recorder(document, "createUserGroup")
    transport.call("user_groups.create", name=name)
    assert not strict.check_request("createUserGroup", transport.requests[0])
