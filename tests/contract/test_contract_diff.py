"""What a change of the OpenAPI document means for users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from tests.support import documents
from tools.contract_diff.changes import CannotCompareError
from tools.contract_diff.document import load, sent_only
from tools.contract_diff.rules import changes

SMALL = """
openapi: 3.0.3
info: {title: Small, version: 1.0.0}
servers:
  - url: https://{region}.example.com
    variables:
      region: {default: eu, enum: [eu, us]}
security: [{key: []}]
paths:
  /things/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string, minLength: 1}}
    put:
      operationId: putThing
      description: Puts a thing.
      tags: [things]
      parameters:
        - {name: dry, in: query, schema: {type: boolean}}
        - {name: why, in: query, required: true, schema: {type: string, enum: [work, play]}}
      requestBody: {$ref: '#/components/requestBodies/Thing'}
      responses:
        '200':
          description: The thing.
          headers:
            X-Count: {schema: {type: integer}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Thing'}
        '404':
          description: None such.
          headers:
            X-Why: {required: true, schema: {type: string}}
      security:
        - token: [read]
      x-effect: update
    get:
      operationId: getThing
      x-method: get
      tags: [things]
      responses:
        '200':
          description: The thing, or its owner.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Either'}
        default:
          description: An error.
components:
  securitySchemes:
    key: {type: http, scheme: basic}
    token: {type: openIdConnect, openIdConnectUrl: 'https://example.com'}
  requestBodies:
    Thing:
      required: true
      content:
        application/json:
          schema: {$ref: '#/components/schemas/ThingRequest'}
  schemas:
    Thing:
      type: object
      required: [id]
      properties:
        id: {type: string}
        size: {type: string, enum: [s, m, l]}
        made_at: {type: string, format: date-time}
        owner: {$ref: '#/components/schemas/Owner'}
        parts: {type: array, items: {$ref: '#/components/schemas/Thing'}}
    Owner:
      type: object
      properties:
        name: {type: string, description: A name.}
    ThingRequest:
      type: object
      required: [name, weight]
      properties:
        name: {type: string, minLength: 1, maxLength: 10}
        size: {type: string, enum: [s, m, l]}
        note: {type: string}
        weight: {type: number, maximum: 10}
        free: {}
        labels: {type: object, additionalProperties: {$ref: '#/components/schemas/Hidden'}}
    Either:
      anyOf:
        - {$ref: '#/components/schemas/Thing'}
        - {$ref: '#/components/schemas/Owner'}
    Hidden: {type: string}
    Unused: {type: string}
"""

Document = dict[str, Any]


def small() -> Document:
    return yaml.safe_load(SMALL)


def put(document: Document) -> Document:
    return document["paths"]["/things/{id}"]["put"]


def get(document: Document) -> Document:
    return document["paths"]["/things/{id}"]["get"]


def parameters(document: Document) -> list[Document]:
    return put(document)["parameters"]


def schemas(document: Document) -> Document:
    return document["components"]["schemas"]


def fields(document: Document, schema: str) -> Document:
    return schemas(document)[schema]["properties"]


def sent(document: Document) -> Document:
    return fields(document, "ThingRequest")


def required(document: Document) -> list[str]:
    return schemas(document)["ThingRequest"]["required"]


def ref(schema: str) -> Document:
    return {"$ref": f"#/components/schemas/{schema}"}


def rename(holder: Document, old: str, new: str) -> None:
    holder[new] = holder.pop(old)


# A change, and all that is said about it: the kind, the operation and the text.
CHANGES: dict[str, tuple[Any, ...]] = {
    "a field of a response is renamed": (lambda new: rename(fields(new, "Owner"), "name", "title"),
        "additive every operation: response 200 $.owner.title: added",
        "additive getThing: response 200 $.title: added",
        "breaking every operation: response 200 $.owner.name: removed",
        "breaking getThing: response 200 $.name: removed"),
    "a field of a request is renamed": (lambda new: rename(sent(new), "note", "remark"),
        "breaking putThing: request $.note: removed",
        "additive putThing: request $.remark: added"),
    "the type of a field changes": (lambda new: fields(new, "Thing").update(id={"type": "integer"}),
        "breaking every operation: response 200 $.id: type: string became integer"),
    "the format of a field changes": (lambda new: fields(new, "Thing")["made_at"].pop("format"),
        "breaking every operation: response 200 $.made_at: format: date-time became nothing"),
    "a status is removed": (lambda new: put(new)["responses"].pop("404"),
        "breaking putThing: response 404: removed"),
    "a status is added": (
        lambda new: put(new)["responses"].update({"409": {"description": "Taken."}}),
        "additive putThing: response 409: added"),
    "a parameter becomes required": (lambda new: parameters(new)[0].update(required=True),
        "breaking putThing: query dry: required: false became true"),
    "a parameter becomes optional": (lambda new: parameters(new)[1].pop("required"),
        "additive putThing: query why: required: true became false"),
    "a required parameter is added": (
        lambda new: parameters(new).append({"name": "who", "in": "query", "required": True}),
        "breaking putThing: query who: added and required"),
    "an optional parameter is added": (
        lambda new: parameters(new).append({"name": "who", "in": "query"}),
        "additive putThing: query who: added"),
    "a parameter is removed": (lambda new: parameters(new).pop(0),
        "breaking putThing: query dry: removed"),
    "a parameter is sent in another way": (
        lambda new: parameters(new)[0].update(style="deepObject"),
        "breaking putThing: query dry: style: nothing became deepObject"),
    "an optional field of a request is added": (
        lambda new: sent(new).update(colour={"type": "string"}),
        "additive putThing: request $.colour: added"),
    "a required field of a request is added": (
        lambda new: (sent(new).update(colour={}), required(new).append("colour")),
        "additive putThing: request $.colour: added",
        "breaking putThing: request $.colour: became required"),
    "a field of a request becomes required": (lambda new: required(new).append("note"),
        "breaking putThing: request $.note: became required"),
    "a field of a response becomes optional": (lambda new: schemas(new)["Thing"].pop("required"),
        "breaking every operation: response 200 $.id: became optional"),
    "a field of a response becomes required": (
        lambda new: schemas(new)["Owner"].update(required=["name"]),
        "additive every operation: response 200 $.owner.name: became required",
        "additive getThing: response 200 $.name: became required"),
    "an operation is added": (
        lambda new: new["paths"]["/things/{id}"].update(
            delete={"operationId": "deleteThing", "responses": {"200": {"description": "Done."}}}
        ),
        "additive deleteThing: added"),
    "an operation is removed": (lambda new: new["paths"]["/things/{id}"].pop("put"),
        "breaking putThing: removed"),
    "a path changes": (lambda new: rename(new["paths"], "/things/{id}", "/objects/{id}"),
        "breaking every operation: path: /things/{id} became /objects/{id}"),
    "a method changes": (lambda new: rename(new["paths"]["/things/{id}"], "put", "patch"),
        "breaking putThing: method: PUT became PATCH"),
    "a tag, and with it a package, changes": (lambda new: put(new).update(tags=["objects"]),
        "breaking putThing: tags: changed, to be judged by hand"),
    "a description changes": (
        lambda new: fields(new, "Owner")["name"].update(description="The name."),
        "cosmetic every operation: response 200 $.owner.name: description: changed",
        "cosmetic getThing: response 200 $.name: description: changed"),
    "an operation's description changes": (
        lambda new: put(new).update(description="Puts a thing somewhere."),
        "cosmetic putThing: description: changed"),
    "the document's version changes": (lambda new: new["info"].update(version="1.1.0"),
        "cosmetic (document): info: version: changed"),
    "an unused schema is added": (lambda new: schemas(new).update(Other={"type": "string"}),
        "additive (document): schema Other: added"),
    "the security of every operation changes": (
        lambda new: (
            new["components"]["securitySchemes"]["key"].update(scheme="bearer"),
            put(new).pop("security"),
        ),
        "breaking every operation: security: changed"),
    "the security of one operation is removed": (lambda new: put(new).update(security=[]),
        "additive putThing: security: changed"),
    "another way to be authenticated is added": (
        lambda new: put(new)["security"].append({"key": []}),
        "additive putThing: security: changed"),
    "a security scheme is only called something else": (
        lambda new: (
            rename(new["components"]["securitySchemes"], "key", "password"),
            new.update(security=[{"password": []}]),
        ),
        "cosmetic (document): the same is written in another way"),
    "an enum of a request is narrowed": (lambda new: sent(new)["size"]["enum"].remove("m"),
        "breaking putThing: request $.size: enum: without m"),
    "an enum of a request is widened": (lambda new: sent(new)["size"]["enum"].append("xl"),
        "additive putThing: request $.size: enum: with xl"),
    "an enum of a response is widened": (
        lambda new: fields(new, "Thing")["size"]["enum"].append("xl"),
        "breaking every operation: response 200 $.size: enum: with xl"),
    "an enum of a response is narrowed": (
        lambda new: fields(new, "Thing")["size"]["enum"].remove("m"),
        "breaking every operation: response 200 $.size: enum: without m"),
    "an enum is taken away": (lambda new: parameters(new)[1]["schema"].pop("enum"),
        "breaking putThing: query why $: enum: changed, to be judged by hand"),
    "an enum comes": (lambda new: parameters(new)[0]["schema"].update(enum=[True]),
        "breaking putThing: query dry $: enum: changed, to be judged by hand"),
    "a limit of a request is tightened": (
        lambda new: sent(new)["name"].update(minLength=2, maxLength=9),
        "breaking putThing: request $.name: minLength: 1 became 2",
        "breaking putThing: request $.name: maxLength: 10 became 9"),
    "a limit of a request is loosened": (
        lambda new: (sent(new)["name"].pop("minLength"), sent(new)["name"].update(maxLength=11)),
        "additive putThing: request $.name: minLength: 1 became None",
        "additive putThing: request $.name: maxLength: 10 became 11"),
    "a pattern of a request comes": (lambda new: sent(new)["name"].update(pattern="a"),
        "breaking putThing: request $.name: pattern: a is new"),
    "a field of a response can be null": (
        lambda new: fields(new, "Owner")["name"].update(nullable=True),
        "breaking every operation: response 200 $.owner.name: nullable: false became true",
        "breaking getThing: response 200 $.name: nullable: false became true"),
    "a response can have another shape": (
        lambda new: schemas(new)["Either"]["anyOf"].append(ref("ThingRequest")),
        "breaking getThing: response 200 $: can be ThingRequest"),
    "a response has one shape less": (lambda new: schemas(new)["Either"]["anyOf"].pop(),
        "breaking getThing: response 200 $: can no longer be Owner"),
    "the items of a list change": (
        lambda new: fields(new, "Thing")["parts"].update(items={"type": "string"}),
        "breaking every operation: response 200 $.parts[].id: became optional",
        "breaking every operation: response 200 $.parts[].id: removed",
        "breaking every operation: response 200 $.parts[].made_at: removed",
        "breaking every operation: response 200 $.parts[].owner: removed",
        "breaking every operation: response 200 $.parts[].parts: removed",
        "breaking every operation: response 200 $.parts[].size: removed",
        "breaking every operation: response 200 $.parts[]: "
        "the schema Thing became a schema of its own",
        "breaking every operation: response 200 $.parts[]: type: object became string"),
    "a body is no longer required": (
        lambda new: new["components"]["requestBodies"]["Thing"].pop("required"),
        "additive putThing: request: required: true became false"),
    "a body is removed": (lambda new: put(new).pop("requestBody"),
        "breaking putThing: request: removed"),
    "the media type of a response changes": (
        lambda new: rename(
            put(new)["responses"]["200"]["content"], "application/json", "application/xml"
        ),
        "breaking putThing: response 200: application/json: removed",
        "breaking putThing: response 200: application/xml: added"),
    "a header of a response is removed": (
        lambda new: put(new)["responses"]["200"]["headers"].pop("X-Count"),
        "breaking putThing: response 200 header x-count: removed"),
    "a server is removed": (lambda new: new.update(servers=[{"url": "https://example.com"}]),
        "breaking every operation: server 0 region: removed",
        "breaking every operation: server 0: url: "
        "https://{region}.example.com became https://example.com"),
    "a region is removed and another is the default": (
        lambda new: new["servers"][0]["variables"]["region"].update(default="us", enum=["us"]),
        "breaking every operation: server 0 region: default: eu became us",
        "breaking every operation: server 0 region: enum: without eu"),
    "a field that took anything gets alternatives": (
        lambda new: sent(new)["free"].update(oneOf=[{"type": "string"}, {"type": "integer"}]),
        "breaking putThing: request $.free: oneOf: changed, to be judged by hand"),
    "a component is renamed": (
        lambda new: (
            rename(schemas(new), "Owner", "Person"),
            fields(new, "Thing").update(owner=ref("Person")),
            schemas(new)["Either"].update(anyOf=[ref("Thing"), ref("Person")]),
        ),
        "additive (document): schema Person: added",
        "breaking (document): schema Owner: removed",
        "breaking every operation: response 200 $.owner: the schema Owner became the schema Person",
        "breaking getThing: response 200 $: the schema Owner became the schema Person"),
    "a schema, and with it a module, gets a title": (
        lambda new: schemas(new)["Owner"].update(title="The owner"),
        "breaking every operation: response 200 $.owner: title: nothing became The owner",
        "breaking getThing: response 200 $: title: nothing became The owner"),
    "a server is put before another": (
        lambda new: new["servers"].insert(0, {"url": "https://example.com"}),
        "additive every operation: server https://{region}.example.com: added after the others",
        "breaking every operation: server 0 region: removed",
        "breaking every operation: server 0: url: "
        "https://{region}.example.com became https://example.com"),
    "a server is added after the others": (
        lambda new: new["servers"].append({"url": "https://example.com"}),
        "additive every operation: server https://example.com: added after the others"),
    "required names what is no property": (lambda new: required(new).append("hidden"),
        "breaking putThing: request $.hidden: required, or no longer so, without being a property"),
    "a header of a response becomes optional": (
        lambda new: put(new)["responses"]["404"]["headers"]["X-Why"].pop("required"),
        "breaking putThing: response 404 header x-why: required: true became false"),
    "a scope is asked for": (lambda new: put(new)["security"][0]["token"].append("write"),
        "breaking putThing: security: changed"),
    "a scope is no longer asked for": (lambda new: put(new)["security"][0]["token"].remove("read"),
        "additive putThing: security: changed"),
    "an exclusive limit comes": (lambda new: sent(new)["weight"].update(exclusiveMaximum=True),
        "breaking putThing: request $.weight: exclusiveMaximum: false became true"),
    "a limit becomes a boolean": (lambda new: sent(new)["weight"].update(maximum=True),
        "breaking putThing: request $.weight: maximum: 10 became True"),
    "an error is documented where a default was": (
        lambda new: get(new)["responses"].update({"404": {"description": "None such."}}),
        "breaking getThing: response 404: added"),
    "another success is documented": (
        lambda new: put(new)["responses"].update({"202": {"description": "Later."}}),
        "breaking putThing: response 202: added"),
    "a schema changes that only a keyword without a rule refers to": (
        lambda new: schemas(new)["Hidden"].update(minLength=1),
        "breaking putThing: request $.labels: additionalProperties: changed, to be judged by hand"),
    "a schema changes that nothing refers to": (
        lambda new: schemas(new)["Unused"].update(maxLength=1),
        "breaking (document): schema Unused: maxLength: None became 1"),
    "a parameter moves from the path to its operations": (lambda new: [
            new["paths"]["/things/{id}"][method].setdefault("parameters", []).append(parameter)
            for parameter in new["paths"]["/things/{id}"].pop("parameters")
            for method in ("put", "get")
        ],
        "cosmetic (document): the same is written in another way"),
    "a request body is written in place": (
        lambda new: put(new).update(requestBody=new["components"]["requestBodies"].pop("Thing")),
        "cosmetic (document): the same is written in another way"),
    "what is false is said to be": (lambda new: parameters(new)[0].update(required=False),
        "cosmetic putThing: query dry: required: false, as where it is absent"),
    "required fields are in another order": (lambda new: required(new).reverse(),
        "cosmetic putThing: request $: required: in another order"),
    "the method of an operation changes": (lambda new: get(new).update({"x-method": "read"}),
        "breaking getThing: x-method: the method get became read"),
    "the effect of an operation changes": (lambda new: put(new).update({"x-effect": "create"}),
        "breaking putThing: x-effect: update became create: what may have been applied "
        "is retried, and replaces the first, now is not retried"),
    "the result of a method changes": (lambda new: put(new).update({"x-result": "Owner"}),
        "breaking putThing: x-result: nothing became Owner"),
    "the name of a method's body changes": (lambda new: put(new).update({"x-body": "thing"}),
        "breaking putThing: x-body: nothing became thing"),
    "another extension changes": (lambda new: get(new).update({"x-internal": True}),
        "cosmetic getThing: x-internal: changed"),
    "a keyword that no rule knows": (
        lambda new: schemas(new)["ThingRequest"].update(additionalProperties=False),
        "breaking putThing: request $: additionalProperties: nothing became False"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_means(name: str):
    change, *expected = CHANGES[name]
    new = documents.changed(small(), change)
    found = [f"{each.kind} {each.subject}: {each.text}" for each in changes(small(), new)]
    assert sorted(found) == sorted(expected)


def all_of(new: Document) -> None:
    thing = schemas(new)["Thing"]
    base = {"type": "object", "properties": {"id": thing["properties"].pop("id")}}
    schemas(new)["Base"] = base
    schemas(new)["Thing"] = {"allOf": [ref("Base"), thing], "description": "A thing."}


# Other ways to write the same.
HARMLESS: dict[str, Callable[[Document], Any]] = {
    "a style that is meant anyway": lambda new: parameters(new)[0].update(
        style="form", explode=True
    ),
    "a body that needs no field": lambda new: schemas(new)["Owner"].update(required=[]),
    "a schema that takes any other field": lambda new: schemas(new)["Owner"].update(
        additionalProperties={}
    ),
    "a text of any length": lambda new: fields(new, "Owner")["name"].update(minLength=0),
    "a field that is not null": lambda new: fields(new, "Owner")["name"].update(nullable=False),
    "a reference in an allOf": lambda new: fields(new, "Thing").update(
        owner={"allOf": [ref("Owner")], "description": "Who has it."}
    ),
    "a schema that is put together": all_of,
    "a component without a value": lambda new: new["components"].update(links=None),
    "a path without a value": lambda new: new["paths"].update({"/none": None}),
    "the security of all, for one": lambda new: get(new).update(security=[{"key": []}]),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_says_the_same_breaks_nobody(name: str):
    new = load(yaml.safe_dump(documents.changed(small(), HARMLESS[name])), "openapi.yaml")
    for old, changed in ((small(), new), (new, small())):
        found = {each.text for each in changes(old, changed) if each.kind.value == "breaking"}
        assert found <= {"schema Base: removed"}


# What looks like it.
BREAKING: dict[str, Callable[[Document], Any]] = {
    "an allOf that asks for more": lambda new: sent(new).update(
        free={"allOf": [{}, {"required": ["a"]}]}
    ),
    "an allOf that drops a field": lambda new: schemas(new).update(
        Owner={"allOf": [{"type": "object"}]}
    ),
    "an allOf whose parts disagree": lambda new: schemas(new)["Owner"].update(
        allOf=[{"type": "object", "properties": {"name": {"type": "integer"}}}]
    ),
    "a style that is not meant anyway": lambda new: parameters(new)[0].update(explode=False),
    "a null that is a value": lambda new: sent(new)["size"].update(enum=None),
    "a schema without a value": lambda new: sent(new).update(note=None),
}


@pytest.mark.parametrize("name", BREAKING)
def test_what_looks_like_the_same_is_breaking(name: str):
    new = load(yaml.safe_dump(documents.changed(small(), BREAKING[name])), "openapi.yaml")
    assert "breaking" in {each.kind.value for each in changes(small(), new)}


def test_nothing_changed_means_nothing():
    assert changes(small(), small()) == []


def test_the_document_of_this_project_can_be_compared(document: documents.Document):
    assert changes(document, document) == []
    removed = changes(document, documents.changed(document, lambda new: new.update(paths={})))
    assert {each.subject for each in removed} == {*documents.operations(document)}


def test_a_change_in_a_schema_names_the_schema():
    new = documents.changed(small(), lambda new: fields(new, "Owner").pop("name"))
    assert {each.schema for each in changes(small(), new)} == {"Owner"}


def test_schemas_of_requests_only_are_known():
    assert sent_only(small()) == {"ThingRequest", "Hidden"}


def test_a_reference_that_leads_nowhere_is_an_error():
    new = documents.changed(small(), lambda new: schemas(new).pop("Owner"))
    with pytest.raises(CannotCompareError, match="#/components/schemas/Owner"):
        changes(small(), new)


def test_a_change_of_every_operation_is_said_once():
    new = documents.changed(small(), lambda new: fields(new, "Thing").pop("made_at"))
    assert [each.subject for each in changes(small(), new)] == ["every operation"]
