"""Deliberate mistakes in the OpenAPI document or the emulator, and the tests that notice them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from tests.support import documents, operations
from tests.support.documents import Document

from cld_user_groups._openapi import OpenAPIDocument

from . import test_documented_facts, test_emulator, test_examples, test_generated, test_requests
from .fuzzing import Application

Test = Callable[..., None]
Around = Callable[[Application], Application]

GROUPS = "/v1_1/provisioning/accounts/{account_id}/user_groups"
GROUP = f"{GROUPS}/{{group_id}}"


@frozen
class Noticed:
    """The contract test that must notice a mistake, and its arguments."""

    by: Test
    arguments: dict[str, Any]

    def run(self, document: Document, tmp_path: Path, around: Around) -> None:
        available = {**self.arguments, "document": document, "tmp_path": tmp_path, "around": around}
        names = inspect.signature(self.by).parameters
        if "strict" in names:
            available["strict"] = OpenAPIDocument(document, any_server=False)
        self.by(**{name: available[name] for name in names})

    def __str__(self) -> str:
        return self.by.__name__


def noticed(by: Test, **arguments: Any) -> Noticed:
    return Noticed(by, arguments)


OF_GROUPS = [id_ for id_, name in operations.METHODS.items() if name.startswith("user_groups.")]
# The examples of these alone show all of the mistakes, in a fraction of the time.
EMULATOR = {
    wire: noticed(
        test_emulator.test_the_emulator_responds_as_documented,
        wire=wire,
        sent=OF_GROUPS,
        phases=("examples",),
        max_examples=1,
        seeds=(1,),
        least_cases=1,
        reached=frozenset({"getUserGroups", "getUserGroup", "updateUserGroup"}),
    )
    for wire in ("observed", "documented")
}


def schema(document: Document, name: str) -> Document:
    return document["components"]["schemas"][name]


def fields(document: Document, name: str) -> Document:
    return schema(document, name)["properties"]


def rename(holder: Document, old: str, new: str) -> None:
    holder[new] = holder.pop(old)


def add_a_required_query_parameter(document: Document) -> None:
    parameter = {"name": "page", "in": "query", "required": True, "schema": {"type": "integer"}}
    document["paths"][GROUPS]["get"]["parameters"].append(parameter)


def require_another_field(document: Document) -> None:
    fields(document, "UserGroupRequest")["colour"] = {"type": "string"}
    schema(document, "UserGroupRequest")["required"].append("colour")


REQUEST = test_requests.test_a_request_is_as_documented_whatever_its_arguments

DOCUMENT: dict[str, tuple[Callable[[Document], object], Noticed]] = {
    "a field is renamed, and the model has the old name": (
        lambda new: rename(fields(new, "UserGroup"), "name", "title"),
        noticed(
            test_generated.test_a_model_has_the_fields_of_its_schema_with_their_types,
            name="UserGroup",
        ),
    ),
    "a field is renamed, and the generator makes something else": (
        lambda new: rename(fields(new, "UserGroup"), "name", "title"),
        noticed(test_generated.test_generating_again_changes_nothing),
    ),
    "a field is renamed, and the emulator sends the old name": (
        lambda new: rename(fields(new, "UserGroup"), "created_at", "created"),
        EMULATOR["observed"],
    ),
    "a field is renamed, and the examples have the old name": (
        lambda new: rename(fields(new, "UserGroupUser"), "email", "mail"),
        noticed(test_examples.test_every_example_fits_its_schema_and_has_no_other_fields),
    ),
    "a field is renamed, and the SDK sends the old name": (
        lambda new: rename(fields(new, "UserGroupRequest"), "extended_details", "details"),
        noticed(REQUEST, operation_id="createUserGroup", mode="sync"),
    ),
    "a field is renamed in the examples": (
        lambda new: rename(
            new["components"]["examples"]["UserGroupUserJohn"]["value"], "email", "mail"
        ),
        noticed(
            test_examples.test_an_example_of_a_success_decodes_without_loss,
            operation_id="addUserToUserGroup",
        ),
    ),
    "a type is changed, and the model has the old one": (
        lambda new: fields(new, "UserGroup").update(id={"type": "integer"}),
        noticed(
            test_generated.test_a_model_has_the_fields_of_its_schema_with_their_types,
            name="UserGroup",
        ),
    ),
    "a type is changed, and the emulator sends the old one": (
        lambda new: fields(new, "UserGroup").update(id={"type": "integer"}),
        EMULATOR["documented"],
    ),
    "a type is changed, and the SDK sends the old one": (
        lambda new: new["components"]["parameters"]["ExtendedDetails"].update(
            schema={"type": "integer"}
        ),
        noticed(REQUEST, operation_id="getUserGroups", mode="async"),
    ),
    "a format is taken away, and is a documented fact": (
        lambda new: fields(new, "UserGroup")["created_at"].pop("format"),
        noticed(test_documented_facts.test_a_schema_has_the_published_fields, name="UserGroup"),
    ),
    "a status is removed, and is a documented fact": (
        lambda new: new["paths"][GROUP]["put"]["responses"].pop("409"),
        noticed(
            test_documented_facts.test_an_operation_is_as_published, operation_id="updateUserGroup"
        ),
    ),
    "a status is removed, and the endpoint decodes it": (
        lambda new: new["paths"][GROUP]["put"]["responses"].pop("409"),
        noticed(
            test_generated.test_an_endpoint_decodes_exactly_the_documented_status_codes,
            operation_id="updateUserGroup",
        ),
    ),
    "a status is removed, and the emulator sends it": (
        lambda new: new["paths"][f"{GROUP}/users/{{user_id}}"]["post"]["responses"].pop("409"),
        EMULATOR["observed"],
    ),
    "a path is wrong, and the SDK sends the right one": (
        lambda new: rename(new["paths"], GROUP, GROUP.replace("user_groups", "groups")),
        noticed(REQUEST, operation_id="getUserGroup", mode="sync"),
    ),
    "a path is wrong, and the emulator knows the right one": (
        lambda new: rename(new["paths"], GROUP, GROUP.replace("user_groups", "groups")),
        EMULATOR["observed"],
    ),
    "a path is wrong, and the endpoint has the right one": (
        lambda new: rename(new["paths"], GROUP, GROUP.replace("user_groups", "groups")),
        noticed(
            test_generated.test_an_endpoint_sends_the_method_and_the_path_of_its_operation,
            operation_id="deleteUserGroup",
        ),
    ),
    "a method is wrong, and the SDK sends the right one": (
        lambda new: rename(new["paths"][GROUP], "put", "patch"),
        noticed(REQUEST, operation_id="updateUserGroup", mode="sync"),
    ),
    "a required parameter is missing in what the SDK sends": (
        add_a_required_query_parameter,
        noticed(REQUEST, operation_id="getUserGroups", mode="sync"),
    ),
    "a required field is missing in what the SDK sends": (
        require_another_field,
        noticed(REQUEST, operation_id="createUserGroup", mode="async"),
    ),
    "a required parameter is missing in the endpoint": (
        add_a_required_query_parameter,
        noticed(
            test_generated.test_an_endpoint_has_the_parameters_of_its_operation,
            operation_id="getUserGroups",
        ),
    ),
    "an operation is removed": (
        lambda new: new["paths"][GROUP].pop("delete"),
        noticed(test_documented_facts.test_no_published_operation_is_missing),
    ),
    "one of two shapes is removed": (
        lambda new: schema(new, "UserAdded")["anyOf"].pop(0),
        noticed(
            test_documented_facts.test_where_published_and_observed_differ_both_are_documented,
            name="UserAdded",
        ),
    ),
    "security is removed": (
        lambda new: new.pop("security"),
        noticed(
            test_documented_facts.test_an_operation_is_authenticated_with_http_basic,
            operation_id="getUserGroups",
        ),
    ),
    "security is removed from one operation": (
        lambda new: new["paths"][GROUP]["delete"].update(security=[]),
        noticed(
            test_documented_facts.test_an_operation_is_authenticated_with_http_basic,
            operation_id="deleteUserGroup",
        ),
    ),
    "security is of another scheme than what the SDK sends": (
        lambda new: new["components"]["securitySchemes"]["provisioningKey"].update(scheme="bearer"),
        noticed(REQUEST, operation_id="deleteUserGroup", mode="sync"),
    ),
    "a region is removed": (
        lambda new: new["servers"][0]["variables"]["region"]["enum"].remove("api-eu"),
        noticed(test_generated.test_the_servers_are_those_of_the_document),
    ),
}


def changing_responses(change: Callable[[Document, Any], Any]) -> Around:
    """Return a wrapper that changes the head and the body of each response."""

    def around(application: Application) -> Application:
        async def changed(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await application(scope, receive, send)
                return
            head: Document = {}

            async def send_changed(message: Document) -> None:
                if message["type"] != "http.response.body":
                    head.update(message)
                    return
                body = message["body"] and json.dumps(change(head, json.loads(message["body"])))
                content = body.encode() if isinstance(body, str) else body
                headers = [each for each in head["headers"] if each[0] != b"content-length"]
                await send({**head, "headers": headers})
                await send({**message, "body": content})

            await application(scope, receive, send_changed)

        return changed

    return around


def on_success(change: Callable[[Any], Any]) -> Around:
    """Return a wrapper that changes the body of each success."""
    return changing_responses(lambda head, body: change(body) if head["status"] == 200 else body)


def set_status(old: int, new: int) -> Around:
    """Return a wrapper that replaces a status code."""

    def change(head: Document, body: Any) -> Any:
        if head["status"] == old:
            head["status"] = new
        return body

    return changing_responses(change)


def as_text(head: Document, body: Any) -> Any:
    others = [each for each in head["headers"] if each[0] != b"content-type"]
    head["headers"] = [*others, (b"content-type", b"text/plain")]
    return body


def changing_requests(change: Callable[[Document], Document]) -> Around:
    """Return a wrapper that changes the scope of each request."""

    def around(application: Application) -> Application:
        async def changed(scope: Any, receive: Any, send: Any) -> None:
            different = change(scope) if scope["type"] == "http" else {}
            await application({**scope, **different}, receive, send)

        return changed

    return around


def with_credentials(scope: Document) -> Document:
    others = [each for each in scope["headers"] if each[0] != b"authorization"]
    return {"headers": [*others, (b"authorization", b"Basic azpz")]}


def about_the_group_itself(scope: Document) -> Document:
    return {"raw_path": scope["raw_path"].removesuffix(b"/users")}


def renamed_groups(body: Any) -> Any:
    return {"groups" if name == "user_groups" else name: value for name, value in body.items()}


# A mistake, and the check of schemathesis that notices it.
EMULATED: dict[str, tuple[Around, str]] = {
    "a response has an extra field": (
        on_success(lambda body: {**body, "extra": 1}),
        "response_schema_conformance",
    ),
    "a nested object has an extra field": (
        on_success(
            lambda body: {
                name: [{**item, "extra": 1} for item in value] if isinstance(value, list) else value
                for name, value in body.items()
            }
        ),
        "response_schema_conformance",
    ),
    "a field of a response is renamed": (on_success(renamed_groups), "response_schema_conformance"),
    "the type of a field of a response is wrong": (
        on_success(lambda body: {**body, "name": 5} if "name" in body else body),
        "response_schema_conformance",
    ),
    "a response is not an object": (on_success(lambda body: [body]), "response_schema_conformance"),
    "errors have another shape": (
        changing_responses(
            lambda head, body: (
                body if head["status"] == 200 else {"error": body["error"]["message"]}
            )
        ),
        "response_schema_conformance",
    ),
    "an undocumented status code is sent": (set_status(409, 410), "status_code_conformance"),
    "an undocumented success is sent": (set_status(200, 201), "status_code_conformance"),
    "a server error is sent": (set_status(409, 500), "not_a_server_error"),
    "the content type is wrong": (changing_responses(as_text), "content_type_conformance"),
    "security is removed": (changing_requests(with_credentials), "ignored_auth"),
    "a path is wrong": (changing_requests(about_the_group_itself), "response_schema_conformance"),
}


@pytest.mark.parametrize("mistake", DOCUMENT)
def test_a_mistake_in_the_document_is_noticed(
    document: Document, tmp_path: Path, around: Around, mistake: str
):
    change, by = DOCUMENT[mistake]
    with pytest.raises(AssertionError):
        by.run(documents.changed(document, change), tmp_path, around)


@pytest.mark.parametrize("mistake", EMULATED)
def test_a_mistake_in_the_emulator_is_noticed(document: Document, tmp_path: Path, mistake: str):
    around, check = EMULATED[mistake]
    with pytest.raises(AssertionError, match=f"(?m)^{check}: "):
        EMULATOR["observed"].run(document, tmp_path, around)


# The other tests that notice a mistake run with these arguments in modules of their own.
@pytest.mark.parametrize("wire", EMULATOR)
def test_without_a_mistake_the_examples_alone_pass(
    document: Document, tmp_path: Path, around: Around, wire: str
):
    EMULATOR[wire].run(document, tmp_path, around)


@pytest.fixture
def around() -> Around:
    """Return a wrapper for the emulator's application: none."""
    return lambda application: application
