"""The contract check is strict about what production takes as it comes."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cld_user_groups import (
    CldProvisioning,
    HookContext,
    Security,
    models,
)
from cld_user_groups.contract import ContractCheck, ContractError, Difference
from cld_user_groups.emulator import Emulator

from . import documents, sdk_calls

SECRET = 'a-secret-with-"quotes"-in-it'
GROUPS_URL = "https://api.cloudinary.com/v1_1/provisioning/accounts/acc/user_groups"


def client(answer: httpx.Response, *hooks: object, **options: Any) -> CldProvisioning:
    """Return a client of a server that always answers the same."""

    def answered(request: httpx.Request) -> httpx.Response:
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return CldProvisioning(
        **{
            "account_id": "acc",
            "security": Security("the-key", SECRET),
            "retry_config": None,
            **options,
        },
        client=httpx.Client(transport=httpx.MockTransport(answered)),
        hooks=hooks,
    )


def found(answer: httpx.Response, ask: Callable[[CldProvisioning], Any]) -> list[str]:
    """Return the differences of one call as texts, without the operation in front."""
    check = ContractCheck()
    with pytest.raises(ContractError) as caught:
        ask(client(answer, check))
    assert caught.value.differences == check.differences
    return [str(each).split(" ", 1)[1] for each in check.differences]


def list_groups(sdk: CldProvisioning) -> Any:
    return sdk.user_groups.list()


UNKNOWN_FIELD = httpx.Response(200, json={"user_groups": [{"id": "g", "colour": "red"}], "page": 2})
UNKNOWN_STATUS = httpx.Response(418, json={"error": {"message": "I'm a teapot"}})


def test_in_production_an_unknown_field_is_ignored():
    assert list_groups(client(UNKNOWN_FIELD)).user_groups == [models.UserGroup(id="g")]


def test_the_contract_check_reports_an_unknown_field():
    assert found(UNKNOWN_FIELD, list_groups) == [
        'answer $.user_groups[0].colour: expected no such field, got "red"',
        "answer $.page: expected no such field, got 2",
    ]


def test_in_production_an_undocumented_status_is_an_ordinary_error():
    with pytest.raises(models.APIError, match="I'm a teapot") as caught:
        list_groups(client(UNKNOWN_STATUS))
    assert caught.value.status_code == 418


def test_the_contract_check_reports_an_undocumented_status():
    assert found(UNKNOWN_STATUS, list_groups) == [
        "answer status: expected 200 or 401 or 404 or 420 or 429, got 418"
    ]


def test_a_documented_error_is_no_difference_and_raised_as_always():
    with pytest.raises(models.NotFound):
        list_groups(client(httpx.Response(404, json={"error": {"message": "no"}}), ContractCheck()))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"user_groups": [{"id": 5}]}, "$.user_groups[0].id: expected string, got 5"),
        ({"user_groups": {}}, "$.user_groups: expected array, got {}"),
        ([], "$: expected object, got []"),
        (
            {"user_groups": [{"created_at": "yesterday"}]},
            '$.user_groups[0].created_at: expected date-time, got "yesterday"',
        ),
        (
            {"user_groups": [{"users": [{"email": "john"}]}]},
            '$.user_groups[0].users[0].email: expected email, got "john"',
        ),
        ({"user_groups": [{"name": None}]}, "$.user_groups[0].name: expected string, got null"),
    ],
)
def test_a_wrong_value_is_reported_with_its_path_and_both_sides(content: Any, expected: str):
    assert found(httpx.Response(200, json=content), list_groups) == [f"answer {expected}"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            httpx.Response(200, text="<html>", headers={"Content-Type": "text/html"}),
            "content type: expected application/json, got text/html",
        ),
        (
            httpx.Response(200, content=b"{}"),
            "content type: expected application/json, got none",
        ),
        (
            httpx.Response(200, content=b"{}", headers={"Content-Type": "application/json; x"}),
            "content type: expected application/json, got one that cannot be read",
        ),
        (
            httpx.Response(200, content=b"{", headers={"Content-Type": "application/json"}),
            "$: expected JSON, got {",
        ),
        (
            httpx.Response(200, content=b'"\xff"', headers={"Content-Type": "application/json"}),
            '$: expected JSON, got "�"',
        ),
        (
            httpx.Response(
                200, content=b"[" * 100_000, headers={"Content-Type": "application/json"}
            ),
            "$: expected JSON, got JSON that is nested too deeply",
        ),
        (
            httpx.Response(200, headers={"Content-Type": "application/json"}),
            "$: expected a body, got nothing",
        ),
        (
            httpx.Response(200, json={}, headers={"X-FeatureRateLimit-Limit": "many"}),
            'header X-FeatureRateLimit-Limit: expected integer, got "many"',
        ),
        (
            httpx.Response(302, headers={"Location": "https://elsewhere.example.com"}),
            "status: expected 200 or 401 or 404 or 420 or 429, got 302",
        ),
    ],
)
def test_an_answer_that_is_no_described_one_is_reported(answer: httpx.Response, expected: str):
    assert found(answer, list_groups) == [f"answer {expected}"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # All of these could be either shape: the differences are those from the nearer one.
        ({"users": [{"id": 5}]}, ["$.users[0].id: expected string, got 5"]),
        ({"id": 5, "name": "John"}, ["$.id: expected string, got 5"]),
        ({"users": [], "total": 0}, ["$.total: expected no such field, got 0"]),
        ({"id": "u", "role": "x"}, ['$.role: expected no such field, got "x"']),
        ({}, ["$: expected minProperties 1, got {}"]),
    ],
)
def test_where_two_shapes_are_described_the_nearer_one_is_what_is_expected(
    content: Any, expected: list[str]
):
    def add(sdk: CldProvisioning) -> Any:
        return sdk.user_groups.add_user(group_id="g", user_id="u")

    differences = found(httpx.Response(200, json=content), add)
    assert differences == [f"answer {each}" for each in expected]


def context(operation_id: str) -> HookContext:
    return HookContext(operation_id, "acc", 1)


def asked(operation_id: str, request: httpx.Request) -> list[str]:
    """Return in what a request differs, as texts."""
    check = ContractCheck(raise_on_difference=False)
    check.before_request(context(operation_id), request)
    return [str(each) for each in check.differences]


AUTH = {"Authorization": "Basic " + base64.b64encode(b"the-key:the-secret").decode()}


@pytest.mark.parametrize(
    ("operation_id", "request_", "expected"),
    [
        (
            "getUserGroups",
            httpx.Request("GET", f"{GROUPS_URL}?page=2", headers=AUTH),
            'query page: expected no such parameter, got "2"',
        ),
        (
            "getUserGroups",
            httpx.Request("GET", f"{GROUPS_URL}?extended_details=yes", headers=AUTH),
            'query extended_details: expected true or false, got "yes"',
        ),
        (
            "getUserGroups",
            httpx.Request(
                "GET", f"{GROUPS_URL}?extended_details=true&extended_details=true", headers=AUTH
            ),
            'query extended_details: expected one value, got ["true", "true"]',
        ),
        (
            "getUserGroups",
            httpx.Request("GET", GROUPS_URL),
            "credentials: expected provisioningKey, got none, or of another scheme",
        ),
        (
            "getUserGroups",
            httpx.Request("GET", GROUPS_URL, headers={"Authorization": "Bearer the-secret"}),
            "credentials: expected provisioningKey, got none, or of another scheme",
        ),
        (
            "getUserGroups",
            httpx.Request("GET", f"{GROUPS_URL}/g", headers=AUTH),
            "operation: expected a request of getUserGroups, got GET "
            "/v1_1/provisioning/accounts/acc/user_groups/g",
        ),
        (
            "getUserGroups",
            httpx.Request("PATCH", GROUPS_URL, headers=AUTH),
            "operation: expected a method, a path and a server of the description, got PATCH "
            "/v1_1/provisioning/accounts/acc/user_groups",
        ),
        (
            "createUserGroup",
            httpx.Request("POST", GROUPS_URL, headers=AUTH, json={"extended_details": True}),
            "$.name: expected a value, got nothing",
        ),
        (
            "createUserGroup",
            httpx.Request("POST", GROUPS_URL, headers=AUTH, json={"name": "n", "color": 1}),
            "$.color: expected no such field, got 1",
        ),
        (
            "createUserGroup",
            httpx.Request("POST", GROUPS_URL, headers=AUTH, json={"name": " "}),
            '$.name: expected pattern "\\\\S", got " "',
        ),
        (
            "createUserGroup",
            httpx.Request("POST", GROUPS_URL, headers=AUTH),
            "$: expected a body, got nothing",
        ),
        (
            "createUserGroup",
            httpx.Request("POST", GROUPS_URL, headers=AUTH, data={"name": "n"}),
            "content type: expected application/json, got application/x-www-form-urlencoded",
        ),
    ],
)
def test_a_request_that_is_not_as_described_is_reported(
    operation_id: str, request_: httpx.Request, expected: str
):
    assert asked(operation_id, request_) == [f"{operation_id} request {expected}"]


def test_an_answer_to_what_is_no_operation_is_reported():
    request = httpx.Request("GET", GROUPS_URL.replace("user_groups", "groups"), headers=AUTH)
    check = ContractCheck(raise_on_difference=False)
    check.after_response(context("getUserGroups"), httpx.Response(200, json={}, request=request))
    assert [each.path for each in check.differences] == ["operation"]


def test_a_request_that_is_not_as_described_is_not_sent():
    emulator = Emulator()
    http = httpx.Client(transport=emulator.transport(), params={"page": "2"})
    security = Security("k", "s")
    sdk = CldProvisioning(account_id="acc", security=security, client=http, hooks=[ContractCheck()])
    with pytest.raises(ContractError, match="query page"):
        sdk.user_groups.delete(group_id=sdk_calls.GROUP)
    emulator.calls.assert_not_called("deleteUserGroup")


@pytest.mark.parametrize("operation_id", sdk_calls.METHODS)
@pytest.mark.parametrize("wire", ["observed", "documented"])
def test_every_operation_of_the_emulator_passes_on_any_server(operation_id: str, wire: Any):
    emulator = Emulator(wire=wire)
    sdk = CldProvisioning(
        account_id="acc",
        security=Security("k", "s"),
        # A server that is not described, with a path of its own in front.
        server_url="https://gateway.example.com",
        client=httpx.Client(transport=emulator.transport()),
        hooks=[ContractCheck()],
    )
    group = sdk.user_groups.create(name="Editors")
    sdk.user_groups.add_user(group_id=group.id or "", user_id=sdk_calls.USER)
    kwargs = next(sdk_calls.arguments(operation_id))
    if "group_id" in kwargs:
        kwargs["group_id"] = group.id
    if operation_id == "addUserToUserGroup":
        kwargs["user_id"] = emulator.users[-1].id
    for name in ("request", "user_group_request"):
        if name in kwargs:
            kwargs[name] = {"name": "Writers"}
    sdk_calls.method(sdk, operation_id)(**kwargs)


def test_a_server_may_have_a_path_in_front():
    request = httpx.Request("GET", GROUPS_URL.replace("/v1_1", "/proxy/v1_1"), headers=AUTH)
    assert asked("getUserGroups", request) == []


def test_differences_can_be_collected_and_do_not_end_the_call():
    check = ContractCheck(raise_on_difference=False)
    sdk = client(UNKNOWN_FIELD, check)
    assert list_groups(sdk).user_groups == [models.UserGroup(id="g")]
    list_groups(sdk)
    assert [each.path for each in check.differences] == ["$.user_groups[0].colour", "$.page"] * 2


def test_a_difference_says_where_it_is():
    check = ContractCheck(raise_on_difference=False)
    list_groups(client(UNKNOWN_FIELD, check))
    assert check.differences[0] == Difference(
        operation_id="getUserGroups",
        side="answer",
        path="$.user_groups[0].colour",
        expected="no such field",
        got='"red"',
    )


def test_a_contract_error_is_an_assertion_error_that_lists_the_differences():
    with pytest.raises(AssertionError) as caught:
        list_groups(client(UNKNOWN_FIELD, ContractCheck()))
    assert str(caught.value) == (
        "not as described:\n"
        '  getUserGroups answer $.user_groups[0].colour: expected no such field, got "red"\n'
        "  getUserGroups answer $.page: expected no such field, got 2"
    )


def test_a_contract_error_survives_pickling_and_copying():
    with pytest.raises(ContractError) as caught:
        list_groups(client(UNKNOWN_FIELD, ContractCheck()))
    for again in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert (str(again), again.differences) == (str(caught.value), caught.value.differences)


@pytest.mark.parametrize(
    "echo",
    [
        lambda text: {"user_groups": [], "headers": text},
        lambda text: {"user_groups": [], text: 1},
        lambda text: {"user_groups": [], "x": "y" * 60 + text},
        lambda text: {"user_groups": [], "deep": {"in": [text]}},
        lambda text: f"not JSON: {text}",
    ],
)
@pytest.mark.parametrize(
    "hidden", [SECRET, base64.b64encode(f"the-key:{SECRET}".encode()).decode()]
)
def test_credentials_that_a_server_echoes_are_not_shown(echo: Callable[[str], Any], hidden: str):
    content = echo(hidden)
    body = content if isinstance(content, str) else json.dumps(content)
    answer = httpx.Response(200, text=body, headers={"Content-Type": "application/json"})
    with pytest.raises(ContractError) as caught:
        list_groups(client(answer, ContractCheck()))
    stack = traceback.StackSummary.extract(
        # This test's own frames hold what is hidden.
        (
            each
            for each in traceback.walk_tb(caught.tb)
            if "tests" not in each[0].f_code.co_filename
        ),
        capture_locals=True,
    )
    shown = f"{''.join(stack.format())} {caught.value} {caught.value.differences}"
    assert not [text for text in (hidden, json.dumps(hidden)[1:-1], SECRET[:12]) if text in shown]
    assert "***" in str(caught.value)


def test_a_header_with_credentials_of_another_kind_is_not_shown():
    request = httpx.Request("GET", GROUPS_URL, headers={"Authorization": "Token the-secret"})
    assert "the-secret" not in "".join(asked("getUserGroups", request))


@settings(derandomize=True, deadline=None)
@given(
    status=st.integers(100, 599),
    content=st.binary(max_size=30) | st.from_regex(rb'\{"user_groups":\[.{0,20}\]\}'),
    content_type=st.sampled_from(["application/json", "application/json;charset", "text/html", ""])
    | st.text(st.characters(codec="ascii", exclude_categories=["Cc"])),
)
def test_whatever_comes_ends_in_nothing_but_differences(
    status: int, content: bytes, content_type: str
):
    request = httpx.Request("GET", GROUPS_URL, headers=AUTH)
    answer = httpx.Response(
        status, content=content, headers={"Content-Type": content_type}, request=request
    )
    check = ContractCheck(raise_on_difference=False)
    check.after_response(context("getUserGroups"), answer)
    assert status in (200, 401, 404, 420, 429) or check.differences[0].path == "status"


def test_one_check_may_be_shared_between_threads():
    check = ContractCheck(raise_on_difference=False)
    sdk = client(UNKNOWN_FIELD, check)
    threads = [threading.Thread(target=list_groups, args=(sdk,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(check.differences) == 2 * len(threads)


def test_another_description_can_be_given(tmp_path: Path):
    path = tmp_path / "openapi.yaml"
    text = documents.PATH.read_text(encoding="utf-8")
    path.write_text(
        text.replace("user_groups:\n          type: array", "groups:\n          type: array")
    )
    check = ContractCheck(path, raise_on_difference=False)
    list_groups(client(httpx.Response(200, json={"user_groups": []}), check))
    assert [each.path for each in check.differences] == ["$.user_groups"]


def test_a_description_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.yaml"):
        ContractCheck(tmp_path / "nothing.yaml")


@pytest.mark.parametrize("package", ["openapi_core", "yaml"])
def test_without_the_extra_the_import_says_what_to_install(package: str):
    program = f"""
import sys
sys.modules[{package!r}] = None
try:
    import cld_user_groups.contract
except ImportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        'the contract check needs more packages: pip install "cld-user-groups[contract]"\n'
    )


def test_the_sdk_itself_does_not_import_the_extra():
    program = """
import sys
import cld_user_groups, cld_user_groups.emulator
print(sorted({"yaml", "openapi_core", "jsonschema"} & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
