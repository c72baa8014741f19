"""What the SDK sends, held against the description by openapi-core."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cld_provisioning_api.types import path_segment
from cld_user_groups import CldProvisioning
from cld_user_groups._engine.config import REGIONS
from cld_user_groups._openapi import Description

from . import documents, sdk_calls

Call = Callable[..., Any]


@pytest.fixture(scope="session")
def strict(document: documents.Document) -> Description:
    """The description, whose servers count as well."""
    return Description(document, any_server=False)


def test_every_operation_has_a_method_and_every_method_an_operation(document: documents.Document):
    assert sdk_calls.METHODS.keys() == documents.operations(document).keys()
    client = CldProvisioning(account_id="acc", security=sdk_calls.SECURITY)
    resources = [name for name, each in vars(CldProvisioning).items() if _is_cached(each)]
    methods = {
        f"{resource}.{name}"
        for resource in resources
        for name in vars(type(getattr(client, resource)))
        if not name.startswith("_") and name != "with_raw_response"
    }
    assert methods == {*sdk_calls.METHODS.values(), *sdk_calls.COMPOSED}


def _is_cached(attribute: object) -> bool:
    return isinstance(attribute, cached_property)


@pytest.mark.parametrize("operation_id", sdk_calls.METHODS)
@pytest.mark.parametrize("call", [sdk_calls.call, sdk_calls.call_async])
def test_a_request_is_as_described_whatever_its_arguments(
    document: documents.Document, operation_id: str, call: Call
):
    described = Description(document, any_server=False)
    for kwargs in sdk_calls.arguments(operation_id):
        transport = sdk_calls.recorder(document, operation_id)
        call(transport, operation_id, kwargs)
        (request,) = transport.requests
        assert not described.check_request(operation_id, request), kwargs


@pytest.mark.parametrize("operation_id", sdk_calls.METHODS)
def test_a_request_that_is_sent_again_is_as_described(
    document: documents.Document, strict: Description, operation_id: str, waits: list[float]
):
    transport = sdk_calls.recorder(document, operation_id, first_status=429)
    kwargs = next(sdk_calls.arguments(operation_id))
    sdk_calls.call(transport, operation_id, kwargs)
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
def test_a_client_talks_to_a_described_server(
    document: documents.Document, strict: Description, options: dict[str, Any]
):
    transport = sdk_calls.recorder(document, "getUserGroups")
    sdk_calls.call(transport, "getUserGroups", {}, **options)
    assert not strict.check_request("getUserGroups", transport.requests[0])


def test_a_server_that_is_not_described_is_noticed(
    document: documents.Document, strict: Description
):
    transport = sdk_calls.recorder(document, "getUserGroups")
    sdk_calls.call(transport, "getUserGroups", {}, server_url="http://127.0.0.1:8080")
    (difference,) = strict.check_request("getUserGroups", transport.requests[0])
    assert difference.path == "operation"


def _is_sendable(identifier: str) -> bool:
    try:
        path_segment("group_id", identifier)
    except ValueError:
        return False
    return True


@settings(derandomize=True, deadline=None)
@given(
    group_id=st.text().filter(_is_sendable),
    user_id=st.text().filter(_is_sendable),
    account_id=st.text().filter(_is_sendable),
)
def test_any_ids_that_can_be_sent_make_a_described_request_about_just_these(
    document: documents.Document, strict: Description, group_id: str, user_id: str, account_id: str
):
    transport = sdk_calls.recorder(document, "removeUserFromUserGroup")
    ids = {"group_id": group_id, "user_id": user_id}
    sdk_calls.call(transport, "removeUserFromUserGroup", ids, account_id=account_id)
    (request,) = transport.requests
    assert not strict.check_request("removeUserFromUserGroup", request)
    segments = request.url.raw_path.decode("ascii").split("/")
    assert [unquote(segments[index]) for index in (4, 6, 8)] == [account_id, group_id, user_id]


@settings(derandomize=True, deadline=None)
@given(name=st.text(min_size=1).filter(str.strip))
def test_any_name_that_is_not_blank_makes_a_described_request(
    document: documents.Document, strict: Description, name: str
):
    transport = sdk_calls.recorder(document, "createUserGroup")
    sdk_calls.call(transport, "createUserGroup", {"name": name})
    assert not strict.check_request("createUserGroup", transport.requests[0])
