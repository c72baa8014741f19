"""Every keyword of OpenAPI 3.0, added, removed and changed: breaking unless listed as harmless."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from tests.support.tables import case
from tools.contract_diff.changes import Kind
from tools.contract_diff.rules import changes

Node = dict[str, Any]

# The specification as its authors publish it for validators: the list of what there is to change.
OPENAPI: Node = json.loads(
    files("openapi_spec_validator")
    .joinpath("resources", "schemas", "v3.0", "schema.json")
    .read_text("utf-8")
)
# Definitions that only combine others.
_COMBINATIONS = {"ExampleXORExamples", "SchemaXORContent", "ParameterLocation", "SecurityScheme"}


def minimal(**root: Any) -> Node:
    paths = {"/things": {"post": {"operationId": "postThing", "responses": {"200": response()}}}}
    info = {"title": "Small", "version": "1.0.0"}
    return {"openapi": "3.0.3", "info": info, "paths": paths, **root}


def response(**fields: Any) -> Node:
    return {"description": "Done.", **fields}


def operation(**fields: Any) -> Node:
    document = minimal()
    document["paths"]["/things"]["post"].update(fields)
    return document


def sent(media: Node) -> Node:
    return operation(requestBody={"content": {"application/json": media}})


def received(media: Node) -> Node:
    return operation(responses={"200": response(content={"application/json": media})})


def of_property(schema: Node) -> Node:
    return {"schema": {"type": "object", "properties": {"a": schema}}}


def referring(reference: Node) -> Node:
    return {**received({"schema": reference}), "components": {"schemas": {"A": {}, "B": {}}}}


def secured(scheme: Node) -> Node:
    return minimal(security=[{"a": []}], components={"securitySchemes": {"a": scheme}})


def flow(name: str) -> Callable[[Node], Node]:
    return lambda it: secured({"type": "oauth2", "flows": {name: it}})


KEY = {"type": "apiKey", "name": "key", "in": "header"}

# For each object of the specification: a document around one, and the fields that one has anyway.
OBJECTS: dict[str, tuple[Callable[[Node], Node], Node]] = {
    "OpenAPI": (lambda it: it, minimal()),
    "Reference": (referring, {}),
    "Info": (lambda it: minimal(info=it), {"title": "Small"}),
    "Contact": (lambda it: minimal(info={"contact": it}), {}),
    "License": (lambda it: minimal(info={"license": it}), {}),
    "Server": (lambda it: minimal(servers=[it]), {"url": "https://{a}.example.com"}),
    "ServerVariable": (lambda it: minimal(servers=[{"url": "https://{a}", "variables": {"a": it}}]),
        {"default": "eu"}),
    "Components": (lambda it: minimal(components=it), {}),
    "Schema sent": (lambda it: sent(of_property(it)), {}),
    "Schema received": (lambda it: received(of_property(it)), {}),
    "Schema unused": (lambda it: minimal(components={"schemas": {"A": it}}), {}),
    "Discriminator": (lambda it: sent({"schema": {"discriminator": it}}), {"propertyName": "a"}),
    "XML": (lambda it: sent({"schema": {"xml": it}}), {}),
    "Response": (lambda it: operation(responses={"200": it}), {}),
    "MediaType sent": (sent, {}),
    "MediaType received": (received, {}),
    "Example": (lambda it: received({"examples": {"a": it}}), {}),
    "Header": (lambda it: operation(responses={"200": response(headers={"X-A": it})}), {}),
    "Paths": (lambda it: minimal(paths=it), {}),
    "PathItem": (lambda it: minimal(paths={"/things": it}), {"get": {"operationId": "getThing"}}),
    "Operation": (lambda it: minimal(paths={"/things": {"post": it}}),
        {"operationId": "postThing"}),
    "Responses": (lambda it: operation(responses=it), {"200": response()}),
    "SecurityRequirement": (
        lambda it: minimal(security=[it], components={"securitySchemes": {"a": KEY, "b": KEY}}),
        {}),
    "Tag": (lambda it: minimal(tags=[it]), {"name": "things"}),
    "ExternalDocumentation": (lambda it: minimal(externalDocs=it), {}),
    "Parameter": (lambda it: operation(parameters=[it]), {"name": "a", "in": "query"}),
    "RequestBody": (lambda it: operation(requestBody=it), {}),
    "APIKeySecurityScheme": (secured, {"type": "apiKey"}),
    "HTTPSecurityScheme": (secured, {"type": "http"}),
    "OAuth2SecurityScheme": (secured, {"type": "oauth2"}),
    "OpenIdConnectSecurityScheme": (secured, {"type": "openIdConnect"}),
    "OAuthFlows": (lambda it: secured({"type": "oauth2", "flows": it}), {}),
    "ImplicitOAuthFlow": (flow("implicit"), {}),
    "PasswordOAuthFlow": (flow("password"), {}),
    "ClientCredentialsFlow": (flow("clientCredentials"), {}),
    "AuthorizationCodeOAuthFlow": (flow("authorizationCode"), {}),
    "Link": (lambda it: operation(responses={"200": response(links={"a": it})}), {}),
    "Callback": (lambda it: operation(callbacks={"a": it}), {}),
    "Encoding": (lambda it: sent({"encoding": {"a": it}}), {}),
}  # fmt: skip

# What the specification lists by a pattern and not by a name.
BY_PATTERN: dict[str, tuple[str, ...]] = {
    "Reference": ("$ref",),
    "Paths": ("/others",),
    "PathItem": ("put", "post", "delete", "options", "head", "patch", "trace"),
    "Responses": ("201", "302", "2XX", "404", "4XX", "503"),
    "SecurityRequirement": ("a",),
    "Callback": ("{$request.body#/url}",),
}

_STRING, _INTEGER = {"type": "string"}, {"type": "integer"}
_TEXTS = ("one", "other")
# Two values of each field that is no text.
VALUES: dict[str, tuple[Any, Any]] = {
    **dict.fromkeys(("schema", "items", "not"), (_STRING, _INTEGER)),
    **dict.fromkeys(("minLength", "minItems", "minProperties", "minimum"), (1, 2)),
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties", "maximum"), (1, 2)),
    "multipleOf": (2, 4),
    **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum", "uniqueItems"), (True, False)),
    **dict.fromkeys(("nullable", "readOnly", "writeOnly", "deprecated"), (True, False)),
    **dict.fromkeys(("attribute", "wrapped", "allowEmptyValue"), (True, False)),
    **dict.fromkeys(("explode", "allowReserved"), (True, False)),
    **dict.fromkeys(("oneOf", "anyOf", "allOf"), ([_STRING], [_STRING, _INTEGER])),
    "additionalProperties": (False, _STRING),
    "properties": ({"b": {}}, {"c": {}}),
    "discriminator": ({"propertyName": "b"}, {"propertyName": "c"}),
    "xml": ({"name": "b"}, {"name": "c"}),
    "enum": (["eu"], ["eu", "us"]),
    "externalDocs": ({"url": "https://a.example"}, {"url": "https://b.example"}),
    **dict.fromkeys(("contact", "license"), ({"name": "A"}, {"name": "B"})),
    "headers": ({"X-B": {"schema": {}}}, {"X-C": {"schema": {}}}),
    "content": ({"application/json": {}}, {"application/xml": {}}),
    "links": ({"b": {"operationId": "getB"}}, {"b": {"operationId": "getC"}}),
    "examples": ({"b": {"value": 1}}, {"b": {"value": 2}}),
    "encoding": ({"b": {"style": "form"}}, {"b": {"style": "deepObject"}}),
    "variables": ({"a": {"default": "eu"}}, {"a": {"default": "us"}}),
    "parameters": ([{"name": "b", "in": "query"}], [{"name": "c", "in": "query"}]),
    "requestBody": ({"content": {}}, {"content": {}, "required": True}),
    "responses": ({"200": response()}, {"201": response()}),
    "callbacks": ({"b": {}}, {"c": {}}),
    "security": ([{"a": []}], [{"b": []}]),
    "servers": ([{"url": "https://b.example"}], [{"url": "https://c.example"}]),
    "tags": (["b"], ["c"]),
    "mapping": ({"b": "B"}, {"b": "C"}),
    "scopes": ({"read": "Reads."}, {"read": "Reads.", "write": "Writes."}),
    "flows": ({"implicit": {}}, {"password": {}}),
    **dict.fromkeys(("implicit", "password", "clientCredentials", "authorizationCode"),
        ({"scopes": {}}, {"scopes": {"read": ""}})),
    "server": ({"url": "https://b.example"}, {"url": "https://c.example"}),
    "$ref": ("#/components/schemas/A", "#/components/schemas/B"),
    **dict.fromkeys(("get", "put", "post", "delete", "options", "head", "patch", "trace"),
        ({"operationId": "b"}, {"operationId": "c"})),
}  # fmt: skip
# Those whose values differ from object to object.
VALUES_OF: dict[tuple[str, str], tuple[Any, Any]] = {
    ("OpenAPI", "info"): ({"title": "A"}, {"title": "B"}),
    ("OpenAPI", "tags"): ([{"name": "b"}], [{"name": "c"}]),
    ("OpenAPI", "paths"): (
        {"/things": {"get": {"operationId": "b"}}},
        {"/things": {"get": {"operationId": "c"}}},
    ),
    ("OpenAPI", "components"): ({"schemas": {"A": {}}}, {"schemas": {"B": {}}}),
    **{
        ("Components", name): ({"B": value}, {"C": value})
        for name, value in {
            "schemas": _STRING,
            "responses": response(),
            "parameters": {"name": "b", "in": "query"},
            "examples": {"value": 1},
            "requestBodies": {"content": {}},
            "headers": {"schema": {}},
            "securitySchemes": KEY,
            "links": {"operationId": "getB"},
            "callbacks": {},
        }.items()
    },
    **{(name, "required"): (True, False) for name in ("Header", "Parameter", "RequestBody")},
    **{
        (f"Schema {name}", "required"): (["undeclared"], ["undeclared", "too"])
        for name in ("sent", "received", "unused")
    },
    ("PathItem", "$ref"): ("#/components/schemas/A", "#/components/schemas/B"),
    ("Link", "parameters"): ({"b": 1}, {"b": 2}),
    ("Paths", "/others"): ({"get": {"operationId": "b"}}, {"get": {"operationId": "c"}}),
    ("SecurityRequirement", "a"): ([], ["read"]),
    **{
        ("Responses", status): (response(), response(content={"text/plain": {}}))
        for status in (*BY_PATTERN["Responses"], "default")
    },
    ("Callback", BY_PATTERN["Callback"][0]): ({"post": {}}, {"put": {}}),
}  # fmt: skip

_LETTERS = {"b": Kind.BREAKING, "a": Kind.ADDITIVE, "c": Kind.COSMETIC}
_SCHEMA_TEXTS = dict.fromkeys(("description", "externalDocs", "example", "deprecated"), "ccc")
_LOWER = ("minLength", "minItems", "minProperties", "minimum")
_UPPER = ("maxLength", "maxItems", "maxProperties", "maximum")
_FLAGS = ("exclusiveMaximum", "exclusiveMinimum", "uniqueItems")
_EXAMPLES = dict.fromkeys(("example", "examples"), "ccc")

# All that is harmless: what adding a field means, removing it, and changing it from one of its two
# values to the other. Whatever does not stand here is breaking in all three ways.
HARMLESS: dict[str, dict[str, str]] = {
    "OpenAPI": {
        **dict.fromkeys(("info", "tags", "externalDocs"), "ccc"),
        **dict.fromkeys(("paths", "components"), "abb"),
        "security": "bab",
    },
    "Info": dict.fromkeys(OPENAPI["definitions"]["Info"]["properties"], "ccc"),
    **{
        name: dict.fromkeys((*OPENAPI["definitions"][name]["properties"], "newKeyword"), "ccc")
        for name in ("Contact", "License", "Tag", "ExternalDocumentation", "Example", "Link")
    },
    "Server": {"description": "ccc", "variables": "abb"},
    "ServerVariable": {"description": "ccc", "enum": "bba"},
    # Of these only a schema becomes code without an operation that refers to it.
    "Components": dict.fromkeys(OPENAPI["definitions"]["Components"]["properties"], "ccc")
    | {"schemas": "abb"},
    "Schema sent": {
        **_SCHEMA_TEXTS,
        **dict.fromkeys(_LOWER, "bab"),
        **dict.fromkeys(_UPPER, "baa"),
        **dict.fromkeys(_FLAGS, "baa"),
        **dict.fromkeys(("pattern", "multipleOf"), "bab"),
        "nullable": "abb",
        "properties": "abb",
        "enum": "bba",
        "anyOf": "bba",
    },
    "Schema received": {
        **_SCHEMA_TEXTS,
        **dict.fromkeys(_LOWER, "aba"),
        **dict.fromkeys(_UPPER, "abb"),
        **dict.fromkeys(_FLAGS, "abb"),
        **dict.fromkeys(("pattern", "multipleOf"), "abb"),
        "nullable": "baa",
        "properties": "abb",
    },
    "Schema unused": {**_SCHEMA_TEXTS, "properties": "abb"},
    "Response": {"description": "ccc", "links": "ccc", "headers": "abb"},
    "MediaType sent": _EXAMPLES,
    "MediaType received": _EXAMPLES,
    "Header": {"description": "ccc", "deprecated": "ccc", **_EXAMPLES, "required": "abb"},
    "Paths": {"/others": "abb"},
    "PathItem": {
        "summary": "ccc",
        "description": "ccc",
        "parameters": "abb",
        **dict.fromkeys(BY_PATTERN["PathItem"], "abb"),
    },
    "Operation": {
        **dict.fromkeys(("summary", "description", "externalDocs", "deprecated"), "ccc"),
        "parameters": "abb",
        "requestBody": "abb",
        "security": "bab",
    },
    # An error that becomes documented was an error before.
    "Responses": dict.fromkeys(("404", "4XX", "503"), "abb"),
    "Parameter": {
        **dict.fromkeys(("description", "deprecated"), "ccc"),
        **_EXAMPLES,
        "required": "baa",
        "explode": "ccb",  # true is what is meant without it, in a query
    },
    "RequestBody": {"description": "ccc", "required": "baa"},
    "SecurityRequirement": {"a": "bab"},
    **{
        f"{name}SecurityScheme": {"description": "ccc"}
        for name in ("APIKey", "HTTP", "OAuth2", "OpenIdConnect")
    },
}


def fields_of(name: str) -> list[str]:
    definition = name.split()[0]
    known = OPENAPI if definition == "OpenAPI" else OPENAPI["definitions"][definition]
    return [*known.get("properties", ()), *BY_PATTERN.get(definition, ())]


def worst(old: Node, new: Node) -> Kind:
    """Return the worst that is said of a change, whose documents share nothing."""
    kinds = {each.kind for each in changes(copy.deepcopy(old), copy.deepcopy(new))}
    return next(kind for kind in Kind if kind in kinds)


def meanings(name: str, field: str, values: tuple[Any, Any]) -> dict[str, Kind]:
    build, base = OBJECTS[name]
    rest = {key: value for key, value in base.items() if key != field}
    absent, one, other = (build(rest | more) for more in ({}, *({field: each} for each in values)))
    return {
        "added": worst(absent, one),
        "removed": worst(one, absent),
        "changed": worst(one, other),
    }


def test_every_object_of_the_specification_is_in_the_table():
    assert {name.split()[0] for name in OBJECTS} | _COMBINATIONS == {
        "OpenAPI",
        *OPENAPI["definitions"],
    }


@pytest.mark.parametrize("name", OBJECTS)
def test_a_keyword_that_changes_is_breaking_unless_known_to_be_harmless(name: str):
    for field in fields_of(name):
        values = VALUES_OF.get((name, field)) or VALUES.get(field, _TEXTS)
        expected = [_LETTERS[letter] for letter in HARMLESS.get(name, {}).get(field, "bbb")]
        with case(field):
            assert [*meanings(name, field, values).values()] == expected


# What an extension in them would be: a scheme, a callback, or part of what has no rules at all.
_OF_NAMES = ("SecurityRequirement", "Callback", "Discriminator", "XML", "Encoding", "OAuthFlows")
_OF_NAMES += tuple(name for name in OBJECTS if name.endswith("Flow"))


@pytest.mark.parametrize("name", [each for each in OBJECTS if each != "SecurityRequirement"])
def test_a_keyword_that_no_rule_knows_is_breaking(name: str):
    expected = HARMLESS.get(name, {}).get("newKeyword", "bbb")
    found = meanings(name, "newKeyword", ({"a": 1}, {"a": 2}))
    assert [*found.values()] == [_LETTERS[letter] for letter in expected]


@pytest.mark.parametrize("name", [each for each in OBJECTS if each not in _OF_NAMES])
def test_an_extension_that_no_rule_knows_is_cosmetic(name: str):
    found = meanings(name, "x-new", ({"a": 1}, {"a": 2}))
    assert {*found.values()} == {Kind.COSMETIC}


@pytest.mark.parametrize("name", ["Schema sent", "Schema received", "Schema unused"])
def test_a_value_of_the_wrong_type_is_breaking(name: str):
    build, _ = OBJECTS[name]
    for field in fields_of("Schema"):
        right, _ = VALUES_OF.get((name, field)) or VALUES.get(field, _TEXTS)
        for wrong in (1, True, "a text", [1], {"a": 1}):
            if type(right) is not type(wrong) and field not in _SCHEMA_TEXTS:
                with case(field, wrong):
                    assert worst(build({field: right}), build({field: wrong})) is Kind.BREAKING
                    assert worst(build({field: wrong}), build({field: right})) is Kind.BREAKING


def enum_of(*values: Any) -> Node:
    return sent(of_property({"enum": [*values]}))


def test_a_member_of_an_enum_that_becomes_another_type_is_breaking():
    assert worst(enum_of("a", True), enum_of("a", 1, "b")) is Kind.BREAKING
    assert worst(enum_of("a", True), enum_of("a", True, "b")) is Kind.ADDITIVE


REFERRED: dict[str, tuple[str, Node, Callable[[Node], Node]]] = {
    "parameter": ("parameters",
        {"name": "b", "in": "query"}, lambda it: operation(parameters=[it])),
    "request body": ("requestBodies", {"content": {}}, lambda it: operation(requestBody=it)),
    "response": ("responses", response(), lambda it: operation(responses={"200": it})),
    "header": ("headers",
        {"schema": {}}, lambda it: operation(responses={"200": response(headers={"X-B": it})})),
}  # fmt: skip


@pytest.mark.parametrize("name", REFERRED)
def test_a_keyword_beside_a_reference_of_any_kind_is_breaking(name: str):
    holder, component, build = REFERRED[name]

    def beside(**fields: Any) -> Node:
        reference = {"$ref": f"#/components/{holder}/A", **fields}
        return build(reference) | {"components": {holder: {"A": component}}}

    for field in ("required", "deprecated", "schema"):
        with case(field):
            assert worst(beside(), beside(**{field: True})) is Kind.BREAKING
            assert worst(beside(**{field: True}), beside()) is Kind.BREAKING
    assert worst(beside(), beside(description="A text.")) is Kind.COSMETIC


def test_a_schema_that_only_a_value_names_is_compared_as_a_class():
    def naming(schema: Node) -> Node:
        document = received({"example": {"$ref": "#/components/schemas/A"}})
        return document | {"components": {"schemas": {"A": schema}}}

    assert worst(naming(_STRING), naming(_INTEGER)) is Kind.BREAKING
