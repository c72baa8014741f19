"""openapi.yaml in the documents: a page of each operation and schema, and sections of methods."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from .schema_tables import escaped, object_table, type_of

OPENAPI = Path(__file__).resolve().parents[2] / "openapi.yaml"
_METHODS = ("get", "post", "put", "patch", "delete")
Node = Mapping[str, Any]


def http_api() -> str:
    """Return the page's Markdown."""
    document: Node = yaml.safe_load(OPENAPI.read_text("utf-8"))
    return "\n\n".join((*_operations(document), "## Schemas", *_schemas(document)))


def with_methods(page: str) -> str:
    """Return a page with sections of the methods that it lacks, at `<!-- methods: users -->`."""
    return re.sub(r"<!-- methods: (\w+) -->", lambda mark: _methods(mark[1], page), page)


def _methods(tag: str, page: str) -> str:
    document: Node = yaml.safe_load(OPENAPI.read_text("utf-8"))
    sections: list[str] = []
    for operation in (
        item[method] for item in document["paths"].values() for method in _METHODS if method in item
    ):
        name, docs = operation["x-method"], operation["x-docs"]
        if tag in operation["tags"] and f"\n## {name}\n" not in page:
            sections += [f"## {name}", docs["summary"], docs.get("about", "")]
            sections += [f"```python\n{docs['example']}```", f"- Returns: {docs['returns']}"]
    return "\n\n".join(filter(None, sections))


def _operations(document: Node) -> Iterator[str]:
    for tag in document["tags"]:
        yield f"## {tag['name']}"
        yield tag["description"]
        for path, item in document["paths"].items():
            for method in _METHODS:
                if method in item and tag["name"] in item[method]["tags"]:
                    yield from _operation(document, path, item, method)


def _operation(document: Node, path: str, item: Node, method: str) -> Iterator[str]:
    operation = item[method]
    yield f"### {operation['operationId']}"
    yield f"```text\n{method.upper()} {path}\n```"
    yield operation["description"]
    parameters = [
        _resolve(document, each)
        for each in (*item.get("parameters", ()), *operation.get("parameters", ()))
    ]
    yield _table(
        "| parameter | in | type | description |",
        (
            f"| `{each['name']}` | {each['in']} | {type_of(each['schema'], _links(document))} "
            f"| {escaped(each.get('description', ''))} |"
            for each in parameters
        ),
    )
    if "requestBody" in operation:
        body = _resolve(document, operation["requestBody"])
        yield f"The body is {_content(document, body)}."
        yield from _examples(document, body)
    responses = {
        status: _resolve(document, each) for status, each in operation["responses"].items()
    }
    yield _table(
        "| status | body | meaning |",
        (
            f"| {status} | {_content(document, each)} | {escaped(each['description'])} |"
            for status, each in responses.items()
        ),
    )
    for status, each in responses.items():
        if status.startswith("2"):
            yield from _examples(document, each)


def _content(document: Node, holder: Node) -> str:
    if "content" not in holder:
        return "none"
    (media,) = holder["content"].values()
    return type_of(media["schema"], _links(document))


def _examples(document: Node, holder: Node) -> Iterator[str]:
    examples = (media.get("examples", {}) for media in holder.get("content", {}).values())
    for reference in (each for found in examples for each in found.values()):
        example = _resolve(document, reference)
        value = json.dumps(example["value"], indent=2)
        yield f"{example['summary']}:\n\n```json\n{value}\n```"


def _schemas(document: Node) -> Iterator[str]:
    links = _links(document)
    for name, schema in document["components"]["schemas"].items():
        yield f"(schema-{name.lower()})=\n### {name}"
        yield schema.get("description", "")
        yield object_table(schema, links) if "properties" in schema else type_of(schema, links)


def _links(document: Node) -> dict[str, str]:
    return {name: f"[{name}](#schema-{name.lower()})" for name in document["components"]["schemas"]}


def _table(head: str, rows: Iterator[str]) -> str:
    rule = " --- ".join("|" * head.count("|"))
    return "\n".join((head, rule, *rows))


def _resolve(document: Node, node: Node) -> Node:
    if "$ref" not in node:
        return node
    target: Any = document
    for part in node["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return dict(target)
