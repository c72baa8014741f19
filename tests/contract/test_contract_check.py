"""The contract check is strict where the client is tolerant."""

from __future__ import annotations

import base64
import copy
import json
import os
import pickle
import subprocess
import sys
import threading
import traceback
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import documents, operations

from cld_user_groups import CldProvisioning, HookContext, Security, models
from cld_user_groups.contract import ContractCheck, ContractError
from cld_user_groups.emulator import Emulator

SECRET = 'a-secret-with-"quotes"-in-it'
GROUPS_URL = "https://api.cloudinary.com/v1_1/provisioning/accounts/acc/user_groups"


def client(response: httpx.Response, *hooks: object, **options: Any) -> CldProvisioning:
    """Return a client of a server with one response to all requests."""

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            response.status_code, headers=response.headers, content=response.content
        )

    return CldProvisioning(
        **{
            "account_id": "acc",
            "security": Security("the-key", SECRET),
            "retry_config": None,
            **options,
        },
        client=httpx.Client(transport=httpx.MockTransport(respond)),
        hooks=hooks,
    )


def differences_of(response: httpx.Response, call: Callable[[CldProvisioning], Any]) -> list[str]:
    """Return the differences of one call as texts, without the operation in front."""
    check = ContractCheck()
    with pytest.raises(ContractError) as caught:
        call(client(response, check))
    assert caught.value.differences == check.differences
    return [str(each).split(" ", 1)[1] for each in check.differences]


def groups(**fields: Any) -> dict[str, Any]:
    """Return the body of a list of one group, with other fields."""
    return {"user_groups": [{**GROUP, **fields}]}


def list_groups(sdk: CldProvisioning) -> Any:
    return sdk.user_groups.list()


GROUP = {"id": "g", "name": "Designers"}
UNKNOWN_FIELD = httpx.Response(200, json={"user_groups": [{**GROUP, "colour": "red"}], "page": 2})
UNKNOWN_STATUS = httpx.Response(418, json={"error": {"message": "I'm a teapot"}})


def test_the_contract_check_reports_an_unknown_field():
    assert differences_of(UNKNOWN_FIELD, list_groups) == [
        'response $.user_groups[0].colour: expected no such field, got "red"',
        "response $.page: expected no such field, got 2",
    ]


def test_the_contract_check_reports_an_undocumented_status():
    assert differences_of(UNKNOWN_STATUS, list_groups) == [
        "response status: expected 200 or 401 or 404 or 420 or 429, got 418"
    ]


def test_a_documented_error_is_no_difference_and_is_raised_as_usual():
    with pytest.raises(models.NotFound):
        list_groups(client(httpx.Response(404, json={"error": {"message": "no"}}), ContractCheck()))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"user_groups": {}}, "$.user_groups: expected array, got {}"),
        ([], "$: expected object, got []"),
        ({}, "$.user_groups: expected a value, got nothing"),
        (groups(id=5), "$.user_groups[0].id: expected string, got 5"),
        (groups(name=None), "$.user_groups[0].name: expected string, got null"),
        (
            groups(created_at="yesterday"),
            '$.user_groups[0].created_at: expected date-time, got "yesterday"',
        ),
        (
            groups(users=[{"id": "u", "email": "john"}]),
            '$.user_groups[0].users[0].email: expected email, got "john"',
        ),
    ],
)
def test_a_wrong_value_is_reported_with_its_path_and_both_sides(content: Any, expected: str):
    assert differences_of(httpx.Response(200, json=content), list_groups) == [
        f"response {expected}"
    ]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (
            httpx.Response(200, text="<html>", headers={"Content-Type": "text/html"}),
            "content type: expected application/json, got text/html",
        ),
        (httpx.Response(200, content=b"{}"), "content type: expected application/json, got none"),
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
            httpx.Response(
                200, json={"user_groups": []}, headers={"X-FeatureRateLimit-Limit": "many"}
            ),
            'header X-FeatureRateLimit-Limit: expected integer, got "many"',
        ),
        (
            httpx.Response(302, headers={"Location": "https://elsewhere.example.com"}),
            "status: expected 200 or 401 or 404 or 420 or 429, got 302",
        ),
    ],
)
def test_an_undocumented_response_is_reported(response: httpx.Response, expected: str):
    assert differences_of(response, list_groups) == [f"response {expected}"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"users": [{"id": 5}]}, ["$.users[0].id: expected string, got 5"]),
        ({"id": 5, "name": "John"}, ["$.id: expected string, got 5"]),
        ({"users": [], "total": 0}, ["$.total: expected no such field, got 0"]),
        ({"id": "u", "role": "x"}, ['$.role: expected no such field, got "x"']),
        ({}, ["$.users: expected a value, got nothing"]),
    ],
)
def test_of_two_shapes_the_differences_are_those_from_the_nearer_one(
    content: Any, expected: list[str]
):
    def add(sdk: CldProvisioning) -> Any:
        return sdk.user_groups.add_user(group_id="g", user_id="u")

    differences = differences_of(httpx.Response(200, json=content), add)
    assert differences == [f"response {each}" for each in expected]


QUOTA = {
    "X-FeatureRateLimit-Limit": "500",
    "X-FeatureRateLimit-Remaining": "499",
    "X-FeatureRateLimit-Reset": "Wed, 21 Oct 2026 07:28:00 GMT",
}
MEMBERS = {"users": [{"id": "u"}]}


def raw(content: bytes | dict[str, Any], **headers: str) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    named = {f"X-FeatureRateLimit-{name}": value for name, value in headers.items()}
    given = {name: value for name, value in {**QUOTA, **named}.items() if value}
    return httpx.Response(200, content=body, headers={"Content-Type": "application/json", **given})


@pytest.mark.parametrize(
    ("method", "response", "difference"),
    [
        ("get", raw(b'{"id": "x", "id": "g", "name": "A"}'), '$: expected each key once, got "id"'),
        ("list_users", raw(b'{"users": [{"id": "u", "id": "u"}]}'), '$: expected each key once'),
        ("get", raw({"id": "another", "name": "A"}), '$.id: expected "g", got "another"'),
        ("update", raw({"id": "another", "name": "A"}), '$.id: expected "g", got "another"'),
        ("add_user", raw({"id": "another"}), '$.id: expected "u", got "another"'),
        ("add_user", raw({"users": [{"id": "v"}]}), '$.users: expected a membership with the'),
        ("remove_user", raw(MEMBERS), '$.users: expected a membership without the user "u"'),
        ("get", raw(GROUP, Reset="soon"), 'header X-FeatureRateLimit-Reset: expected an HTTP date'),
        ("get", raw(GROUP, Remaining=""), "header X-FeatureRateLimit-Remaining: expected a value"),
        ("get", raw(GROUP, Limit=""), "header X-FeatureRateLimit-Limit: expected a value"),
        ("get", raw(GROUP, Reset=""), "header X-FeatureRateLimit-Reset: expected a value"),
        ("get", raw(GROUP), ""),
        ("get", httpx.Response(200, json=GROUP), ""),
        ("update", raw(GROUP), ""),
        ("add_user", raw({"id": "u"}), ""),
        ("add_user", raw({"users": [{"id": "v"}, {"id": "u"}]}), ""),
        ("remove_user", raw({"users": [{"id": "v"}]}), ""),
    ],
)  # fmt: skip
def test_what_no_schema_says_of_a_success_is_checked_too(
    method: str, response: httpx.Response, difference: str
):
    arguments = {"get": {}, "list_users": {}, "update": {"name": "A"}}.get(method, {"user_id": "u"})
    check = ContractCheck(raise_on_difference=False)
    groups = client(response, check).user_groups
    with suppress(models.ResponseValidationError):
        getattr(groups, method)(group_id="g", **arguments)
    found = [str(each).split(" response ", 1)[1] for each in check.differences]
    assert len(found) == bool(difference)
    assert not found or found[0].startswith(difference)


def context(operation_id: str) -> HookContext:
    return HookContext(operation_id, "acc", 1)


def check_request(operation_id: str, request: httpx.Request) -> list[str]:
    """Return the differences of a request as texts."""
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
            "operation: expected a method, a path and a server of the document, got PATCH "
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
def test_an_undocumented_request_is_reported(
    operation_id: str, request_: httpx.Request, expected: str
):
    assert check_request(operation_id, request_) == [f"{operation_id} request {expected}"]


def test_a_response_to_an_undocumented_operation_is_reported():
    request = httpx.Request("GET", GROUPS_URL.replace("user_groups", "groups"), headers=AUTH)
    check = ContractCheck(raise_on_difference=False)
    check.after_response(context("getUserGroups"), httpx.Response(200, json={}, request=request))
    assert [each.path for each in check.differences] == ["operation"]


def test_an_undocumented_request_is_not_sent():
    emulator = Emulator()
    http = httpx.Client(transport=emulator.transport(), params={"page": "2"})
    security = Security("k", "s")
    sdk = CldProvisioning(account_id="acc", security=security, client=http, hooks=[ContractCheck()])
    with pytest.raises(ContractError, match="query page"):
        sdk.user_groups.delete(group_id=operations.GROUP)
    emulator.calls.assert_not_called("deleteUserGroup")


def test_a_server_may_have_a_path_in_front():
    request = httpx.Request("GET", GROUPS_URL.replace("/v1_1", "/proxy/v1_1"), headers=AUTH)
    assert check_request("getUserGroups", request) == []


def test_differences_can_be_collected_and_do_not_end_the_call():
    check = ContractCheck(raise_on_difference=False)
    sdk = client(UNKNOWN_FIELD, check)
    assert list_groups(sdk).user_groups == [models.UserGroup.from_dict(GROUP)]
    list_groups(sdk)
    assert [each.path for each in check.differences] == ["$.user_groups[0].colour", "$.page"] * 2


def test_a_contract_error_is_an_assertion_error_that_lists_the_differences():
    with pytest.raises(AssertionError) as caught:
        list_groups(client(UNKNOWN_FIELD, ContractCheck()))
    assert str(caught.value) == (
        "does not match the OpenAPI document:\n"
        '  getUserGroups response $.user_groups[0].colour: expected no such field, got "red"\n'
        "  getUserGroups response $.page: expected no such field, got 2"
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
    response = httpx.Response(200, text=body, headers={"Content-Type": "application/json"})
    with pytest.raises(ContractError) as caught:
        list_groups(client(response, ContractCheck()))
    stack = traceback.StackSummary.extract(
        # The frames of this test hold the secret itself.
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


def test_credentials_of_another_scheme_are_not_shown():
    request = httpx.Request("GET", GROUPS_URL, headers={"Authorization": "Token the-secret"})
    assert "the-secret" not in "".join(check_request("getUserGroups", request))


@settings(derandomize=True)
@given(
    status=st.integers(100, 599),
    content=st.binary(max_size=30) | st.from_regex(rb'\{"user_groups":\[.{0,20}\]\}'),
    content_type=st.sampled_from(["application/json", "application/json;charset", "text/html", ""])
    | st.text(st.characters(codec="ascii", exclude_categories=["Cc"])),
)
def test_any_response_results_in_differences_and_no_other_error(
    status: int, content: bytes, content_type: str
):
    request = httpx.Request("GET", GROUPS_URL, headers=AUTH)
    response = httpx.Response(
        status, content=content, headers={"Content-Type": content_type}, request=request
    )
    check = ContractCheck(raise_on_difference=False)
    check.after_response(context("getUserGroups"), response)
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


def test_another_document_can_be_passed(tmp_path: Path):
    path = tmp_path / "openapi.yaml"
    text = documents.PATH.read_text(encoding="utf-8")
    path.write_text(
        text.replace("[user_groups]\n", "[groups]\n").replace(
            "user_groups:\n          type: array", "groups:\n          type: array"
        )
    )
    check = ContractCheck(path, raise_on_difference=False)
    list_groups(client(httpx.Response(200, json={"user_groups": []}), check))
    assert [each.path for each in check.differences] == ["$.groups", "$.user_groups"]


def test_what_is_deprecated_is_no_difference_and_no_warning(tmp_path: Path):
    document = documents.load()
    for parameter in document["components"]["parameters"].values():
        parameter["deprecated"] = True
    for header in document["components"]["headers"].values():
        header["deprecated"] = True
    for schema in document["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            field["deprecated"] = True
    path = tmp_path / "openapi.yaml"
    path.write_text(yaml.safe_dump(document))
    check = ContractCheck(path)
    emulator = Emulator("acc", "k", "s")
    http = httpx.Client(transport=emulator.transport())
    with CldProvisioning(
        account_id="acc", security=Security("k", "s"), client=http, hooks=[check]
    ) as sdk:
        sdk.user_groups.list(extended_details=True)
        sdk.user_groups.create(name="Legal")
    assert check.differences == ()


def test_a_document_that_does_not_exist_is_named(tmp_path: Path):
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
        'the contract check needs more packages: pip install "./cld-user-groups[contract]" '
        "(a checkout of the project)\n"
    )


def test_the_check_works_in_a_package_that_is_imported_from_a_zip(tmp_path: Path):
    archive = tmp_path / "sdk.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for package in ("overlay/cld_user_groups", "generated/cld_provisioning_api"):
            folder = documents.ROOT / package
            for module in folder.rglob("*.py"):
                file.write(module, module.relative_to(folder.parent))
        # As in the wheel: pyproject.toml includes it there.
        file.write(documents.PATH, "cld_user_groups/openapi.yaml")
    program = """
import httpx, cld_user_groups
from cld_user_groups.contract import ContractCheck
from cld_user_groups.emulator import Emulator
check = ContractCheck()
http = httpx.Client(transport=Emulator().transport())
security = cld_user_groups.Security("k", "s")
with cld_user_groups.CldProvisioning(security, "acc", client=http, hooks=[check]) as client:
    client.user_groups.list()
print(cld_user_groups.__file__, check.differences)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(archive)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == f"{archive / 'cld_user_groups' / '__init__.py'} ()\n"
