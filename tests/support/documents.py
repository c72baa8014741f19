"""The OpenAPI document as the contract tests read it, whole or with one change."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen

from cld_user_groups._openapi import _closed

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "openapi.yaml"

Document = dict[str, Any]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def load() -> Document:
    """Return the OpenAPI document."""
    return yaml.load(PATH.read_bytes(), yaml.CSafeLoader)


def changed(document: Document, change: Callable[[Document], object]) -> Document:
    """Return a changed copy in which nothing is shared, as YAML's anchors are."""
    copied = _unshared(document)
    change(copied)
    return copied


def _unshared(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _unshared(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_unshared(item) for item in node]
    return copy.copy(node)


def resolve(document: Document, node: Any) -> Any:
    """Return a node, or the target of its reference."""
    while isinstance(node, dict) and "$ref" in node:
        target: Any = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        node = target
    return node


@frozen
class Operation:
    """An operation, its references resolved one level deep; `body` is the name of its schema."""

    operation_id: str
    method: str
    path: str
    definition: dict[str, Any]
    parameters: tuple[dict[str, Any], ...]
    responses: dict[str, dict[str, Any]]
    body: str | None

    @property
    def required_names(self) -> tuple[str, ...]:
        """The names of the parameters that are required."""
        return tuple(each["name"] for each in self.parameters if each.get("required"))

    def names_of(self, place: str) -> tuple[str, ...]:
        """Return the names of the parameters in "path" or "query"."""
        return tuple(each["name"] for each in self.parameters if each["in"] == place)


def operations(document: Document) -> dict[str, Operation]:
    """Return the operations by their IDs."""
    return {each.operation_id: each for each in _operations(document)}


def _operations(document: Document) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method not in item:
                continue
            definition = item[method]
            parameters = (*item.get("parameters", ()), *definition.get("parameters", ()))
            yield Operation(
                operation_id=definition["operationId"],
                method=method.upper(),
                path=path,
                definition=definition,
                parameters=tuple(resolve(document, each) for each in parameters),
                responses={
                    status: resolve(document, response)
                    for status, response in definition["responses"].items()
                },
                body=_body(resolve(document, definition.get("requestBody", {}))),
            )


def _body(request: dict[str, Any]) -> str | None:
    for media in request.get("content", {}).values():
        return str(media["schema"]["$ref"]).rpartition("/")[2]
    return None


@frozen
class Media:
    """A body in the document: its place, its schema, and its examples by name."""

    where: str
    schema: dict[str, Any]
    examples: dict[str, Any]


def all_media(document: Document) -> Iterator[Media]:
    """Return every body in the document: of requests, successes and errors."""
    for operation in operations(document).values():
        request = resolve(document, operation.definition.get("requestBody", {}))
        for place, holder in (("request", request), *operation.responses.items()):
            for media in holder.get("content", {}).values():
                examples = {
                    name: resolve(document, example)["value"]
                    for name, example in media.get("examples", {}).items()
                }
                if "example" in media:
                    examples["example"] = media["example"]
                yield Media(f"{operation.operation_id} {place}", media["schema"], examples)


def success_examples(document: Document, operation_id: str) -> dict[str, Any]:
    """Return the examples of a 200 by name, the observed shape first."""
    found = [each for each in all_media(document) if each.where == f"{operation_id} 200"]
    return found[0].examples if found else {}


def request_examples(document: Document, operation_id: str) -> list[dict[str, Any]]:
    """Return the examples of the body of an operation's requests."""
    found = (each for each in all_media(document) if each.where == f"{operation_id} request")
    return [example for media in found for example in media.examples.values()]


def model_schemas(document: Document) -> dict[str, dict[str, Any]]:
    """Return the schemas of objects, not those that are a choice of others."""
    schemas = document["components"]["schemas"]
    return {name: schema for name, schema in schemas.items() if "properties" in schema}


# Disallows undocumented fields in a part of a document.
closed = _closed
