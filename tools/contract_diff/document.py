"""An OpenAPI document in a form that can be compared: one entry an operation, references followed.

What has the same meaning has the same form, as a response in place or in components, or an allOf
and what it adds up to. References to component schemas stay: the generator names modules by them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from .changes import CannotCompareError, Node, schema_name, written

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_SCHEMA = re.compile(r"#/components/schemas/[^/]+")
TEXTS = ("summary", "description", "externalDocs", "example", "examples", "deprecated")
# Values, in which "$ref" is no reference.
_VALUES = ("example", "examples")
# Values, in which null is one.
_LITERALS = (*_VALUES, "default", "enum")
# Of these, only what an operation refers to has a meaning; nothing is generated from the rest.
_REFERENCED = (
    *("parameters", "responses", "headers", "requestBodies"),
    *("examples", "links", "callbacks", "securitySchemes"),
)
# What an allOf may consist of to be the same as one schema with all of it.
_ADDS_UP = {"type", "properties", "required", *TEXTS}


def load(text: str, name: str) -> Node:
    """Return the document in a text, without the keys that have no value."""
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        document = yaml.load(text, Loader=loader)  # noqa: S506 (either is the safe one)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or error
        raise CannotCompareError(f"{name}{line}: invalid YAML: {problem}") from None
    if not isinstance(document, Mapping) or not isinstance(document.get("paths") or {}, Mapping):
        raise CannotCompareError(f"{name} is not an OpenAPI document")
    return {**_without_nulls(document)}


def _without_nulls(node: Any) -> Any:
    """Return a node without the keys that have no value, as `schemas:` with nothing below it."""
    if isinstance(node, Mapping):
        return {
            name: each if name in _LITERALS else _without_nulls(each)
            for name, each in node.items()
            if each is not None or name in _LITERALS
        }
    return [_without_nulls(each) for each in node] if isinstance(node, list) else node


def comparable(document: Node) -> dict[str, Any]:
    """Return a document in the form that is compared."""
    components: Node = document.get("components") or {}
    schemas: Node = components.get("schemas") or {}
    whole = ("components", "paths", "servers", "security")
    form: dict[str, Any] = {name: value for name, value in document.items() if name not in whole}
    form["openapi"] = ".".join(str(form.get("openapi")).split(".")[:2])  # a patch changes words
    for name, value in components.items():
        if name not in ("schemas", *_REFERENCED):
            form[name if name.startswith("x-") else f"components {name}"] = value
    form["schemas"] = {name: inlined(document, schema) for name, schema in schemas.items()}
    form["operations"] = {}
    form["paths"] = {}
    for path, item in (document.get("paths") or {}).items():
        if not path.startswith("/"):
            form[path if path.startswith("x-") else f"paths {path}"] = item
            continue
        rest = {k: v for k, v in item.items() if k not in (*_METHODS, "parameters", "servers")}
        if rest:
            form["paths"][path] = rest
        for method in _METHODS:
            if method in item:
                name = item[method].get("operationId", f"{method.upper()} {path}")
                if name in form["operations"]:
                    raise CannotCompareError(f"two operations are called {name}")
                form["operations"][name] = _operation(document, path, item, method)
    return form


def _operation(document: Node, path: str, item: Node, method: str) -> dict[str, Any]:
    form: dict[str, Any] = inlined(document, item[method])
    form.pop("operationId", None)
    form["method"], form["path"] = method.upper(), path
    servers = (each.get("servers") for each in (form, item, document))
    form["servers"] = next(filter(None, servers), [{"url": "/"}])
    form["security"] = list(_security(document, form.get("security", document.get("security"))))
    parameters = [*inlined(document, item.get("parameters") or []), *(form.get("parameters") or [])]
    # An operation's own parameter replaces the path item's of the same place and name.
    form["parameters"] = dict(_named(parameter) for parameter in parameters)
    if "requestBody" in form:
        form["requestBody"] = {"request": form["requestBody"]}
    responses = {str(status): each for status, each in (form.get("responses") or {}).items()}
    form["responses"] = {k: each for k, each in responses.items() if not k.startswith("x-")}
    for response in form["responses"].values():
        if isinstance(response, dict) and "headers" in response:
            headers = (response["headers"] or {}).items()
            response["headers"] = {str(name).lower(): header for name, header in headers}
    return form


def _named(parameter: Node) -> tuple[str, Node]:
    """Return a parameter and what identifies it; the names of headers have no case."""
    place, name = str(parameter.get("in")), str(parameter.get("name"))
    usual = "simple" if place in ("path", "header") else "form"
    explode = parameter.get("style", usual) == "form"
    meant = {"in": place, "name": name, "style": usual, "explode": explode}
    rest = {key: value for key, value in parameter.items() if value != meant.get(key, ...)}
    return f"{place} {name.lower() if place == 'header' else name}", rest


def _security(document: Node, requirements: Any) -> Iterator[list[tuple[Any, list[str]]]]:
    """Return each way to be authenticated: its schemes, whatever they are called, and scopes."""
    schemes: Node = (document.get("components") or {}).get("securitySchemes") or {}
    for requirement in requirements or [{}]:
        named = {name: inlined(document, schemes.get(name, {"name": name})) for name in requirement}
        yield [(_without(named[k], "description"), sorted(v)) for k, v in requirement.items()]


def _without(node: Node, *names: str) -> Node:
    """Return a node without some keys, and without extensions."""
    return {k: v for k, v in node.items() if k not in names and not k.startswith("x-")}


def inlined(document: Node, node: Any, above: tuple[str, ...] = ()) -> Any:
    """Return a node with its references followed, but for those to component schemas."""
    if isinstance(node, Mapping):
        target = node.get("$ref")
        if not isinstance(target, str):
            return _added_up(
                document, {name: inlined(document, each, above) for name, each in node.items()}
            )
        found = _target(document, target)
        if _SCHEMA.fullmatch(target) or target in above:
            return dict(node)
        referred = inlined(document, found, (*above, target))
        beside = _without(node, "$ref", "summary", "description")
        # OpenAPI 3.0 ignores what stands beside a reference; a generator may not.
        return {**referred, "beside the reference": beside} if beside else referred
    if isinstance(node, list):
        return [inlined(document, each, above) for each in node]
    return node


def _added_up(document: Node, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with its allOf as one schema, where that is certainly the same."""
    parts = schema.get("allOf")
    if not isinstance(parts, list) or not parts or not all(isinstance(p, Mapping) for p in parts):
        return schema
    rest = {name: value for name, value in schema.items() if name != "allOf"}
    if len(parts) == 1 and not {*rest} - {*TEXTS}:
        return {**parts[0], **rest}
    properties: dict[str, Any] = {}
    required: dict[str, None] = {}
    for part in (*parts, rest):
        name = schema_name(part)
        each = document["components"]["schemas"].get(name) if name else part
        if not isinstance(each, Mapping) or each.get("type", "object") != "object":
            return schema
        if any(key not in _ADDS_UP and not key.startswith("x-") for key in each):
            return schema
        for field, value in (each.get("properties") or {}).items():
            if written(properties.setdefault(field, value)) != written(value):
                return schema
        required |= dict.fromkeys(each.get("required") or ())
    texts = {name: value for name, value in rest.items() if name in TEXTS}
    form = {"type": "object", "properties": properties, "required": [*required], **texts}
    references = [*filter(schema_name, parts)]
    return form | ({"x-all-of": references} if references else {})


def _target(document: Node, reference: str) -> Any:
    target: Any = document
    for name in reference.removeprefix("#/").split("/"):
        key = name.replace("~1", "/").replace("~0", "~")
        if not isinstance(target, Mapping) or key not in target:
            raise CannotCompareError(f"cannot follow the reference {reference}")
        target = target[key]
    return target


def reachable(form: Node, nodes: Iterable[Any]) -> set[str]:
    """Return the names of the component schemas that nodes refer to, directly or not."""
    found: set[str] = set()
    waiting = [*nodes]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            name = schema_name(node)
            if name is not None and name not in found:
                found.add(name)
                waiting.append(form["schemas"].get(name))
            waiting += [each for key, each in node.items() if key not in _VALUES]
        elif isinstance(node, list):
            waiting += node
    return found


def sent_only(document: Node) -> frozenset[str]:
    """Return the names of the component schemas that requests have, and no response."""
    form = comparable(document)
    operations = form["operations"].values()
    sent = [each.get(part) for each in operations for part in ("parameters", "requestBody")]
    received = [each.get("responses") for each in operations]
    return frozenset(reachable(form, sent) - reachable(form, received))
