"""JSON Schemas as Markdown: a table for each kind of object."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


def schema_section(schema: Schema, prefix: str) -> str:
    """Return the tables of a JSON Schema: the document itself, then each object in it.

    Args:
        schema: The schema.
        prefix: What the anchors of its objects begin with.
    """
    tables = dict(_objects(schema))
    links = {name: f"[{name}](#{prefix}-{name})" for name in tables}
    values = {name: each for name, each in schema["$defs"].items() if name not in tables}
    parts = [object_table(_inlined(schema, values), links)] if "properties" in schema else []
    for name, each in tables.items():
        parts += [
            f"({prefix}-{name})=\n### `{name}`",
            each.get("description", ""),
            object_table(_inlined(each, values), links),
        ]
    return "\n\n".join(filter(None, parts))


def object_table(schema: Schema, links: Mapping[str, str]) -> str:
    """Return the table of an object's keys.

    Args:
        schema: The object's schema.
        links: By the last part of a `$ref`, the link to what it refers to.
    """
    required = schema.get("required", ())
    rows = ["| key | type | required | description |", "| --- | --- | --- | --- |"]
    for key, value in schema["properties"].items():
        need = "yes" if key in required else ""
        kind = links[key] if _is_table(value) and key in links else type_of(value, links)
        rows.append(f"| `{key}` | {kind} | {need} | {escaped(_description(value))} |")
    return "\n".join(rows)


def type_of(schema: Schema, links: Mapping[str, str]) -> str:
    """Return a value's type for people to read, with links to the tables of objects."""
    if "$ref" in schema:
        return links[_name(schema)]
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(type_of(each, links) for each in schema[key]))
    kind = schema.get("type", "any")
    if kind == "array":
        items = type_of(schema["items"], links)
        return f"array of ({items})" if " or " in items else f"array of {items}"
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {type_of(schema['additionalProperties'], links)}"
    form = schema.get("format")
    return f"{kind} ({form})" if form else str(kind)


def escaped(text: str) -> str:
    """Return text for the cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _description(schema: Schema) -> str:
    parts = [schema.get("description", "")]
    if "default" in schema:
        parts.append(f"Default: `{json.dumps(schema['default'])}`.")
    if "examples" in schema:
        parts.append(f"Example: `{json.dumps(schema['examples'][0])}`.")
    return " ".join(filter(None, parts))


def _objects(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield what has a table of its own: named objects, and the objects within objects."""
    definitions = {n: each for n, each in schema["$defs"].items() if _is_table(each)}
    for name, each in {"": schema, **definitions}.items():
        if name:
            yield name, each
        yield from ((k, v) for k, v in each.get("properties", {}).items() if _is_table(v))


def _is_table(schema: object) -> bool:
    return isinstance(schema, Mapping) and "properties" in schema


def _inlined(node: Any, values: Mapping[str, Schema]) -> Any:
    """Return a schema with the definitions that have no table in place of references to them."""
    if isinstance(node, Mapping):
        merged = {**values[_name(node)], **node} if _name(node) in values else dict(node)
        if _name(node) in values:
            del merged["$ref"]
        return {key: _inlined(value, values) for key, value in merged.items()}
    return [_inlined(each, values) for each in node] if isinstance(node, list) else node


def _name(node: Schema) -> str:
    reference = node.get("$ref", "")
    return reference.rpartition("/")[2] if isinstance(reference, str) else ""
