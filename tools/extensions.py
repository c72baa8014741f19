"""The extensions of openapi.yaml that the client is made from, checked, for the templates.

The generator parses none of them. `extensions` returns what the templates import: by operation, the
name of its method, its effect, its docstrings, and the lengths of lists, which the generator drops.
What is missing or not valid is named with its operation, before the generator runs.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

EFFECTS = ("read", "create", "update", "delete", "add", "remove")
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
_KEYS = {"x-method", "x-effect", "x-result", "x-body", "x-docs"}
_DOCS = {"summary", "about", "example", "arguments", "returns", "raises"}
# The arguments that every method has.
_OPTIONS = {
    "retries": "The retries of this call, None for none. Default: the client's.",
    "server_url": "The server of this call. Default: the client's.",
    "timeout_ms": "The time limit of this call, in milliseconds: for connecting, between any two "
    "parts of what is sent or received, and for the whole body. Default: the client's.",
    "http_headers": "Headers to add, or to replace.",
}
_FORMS = "The {}, as a model or a dict; or, instead of it, its {}:"
_RAISES = {
    "TypeError, ValueError": "An argument is not valid; nothing was sent.",
    "CloudinaryError": "The server responded with {an} error.",
    "httpx.TransportError": "No complete response was received.",
}

Node = Mapping[str, Any]


_DEPRECATED = "Deprecated: using it warns, and a later version of the API may not have it."


class ExtensionError(Exception):
    """An extension is missing or not valid; the message says what to write where."""


def extensions(document: Node) -> dict[str, dict[str, Any]]:
    """Return what the templates need of each operation, by its operationId.

    Raises:
        ExtensionError: An extension is missing or not valid.
    """
    found: dict[str, dict[str, Any]] = {}
    methods: dict[tuple[str, str], str] = {}
    for place, item in document["paths"].items():
        for method in (name for name in METHODS if name in item):
            operation = item[method]
            operation_id = operation["operationId"]
            found[operation_id] = made = _Operation(document, item, operation).made()
            name = (operation["tags"][0], made["method"])
            if methods.setdefault(name, operation_id) != operation_id:
                raise ExtensionError(
                    f"openapi.yaml: {operation_id} ({method.upper()} {place}) and {methods[name]} "
                    f"have the same x-method, {made['method']}"
                )
    return found


def describe_deprecated(node: Any) -> bool:
    """Let each description say what is deprecated, which the generator drops; return whether any.

    Args:
        node: The document, which is changed in place.
    """
    found = False
    if isinstance(node, list | dict):
        for each in node.values() if isinstance(node, dict) else node:
            found = describe_deprecated(each) or found
    if isinstance(node, dict) and node.get("deprecated") is True:
        node["description"] = f"{node.get('description') or ''} {_DEPRECATED}".strip()
        found = True
    return found


class _Operation:
    def __init__(self, document: Node, item: Node, operation: Node) -> None:
        self.document = document
        self.operation = operation
        self.id: str = operation["operationId"]
        given = [*item.get("parameters", ()), *operation.get("parameters", ())]
        self.parameters = [self.resolve(parameter) for parameter in given]

    def made(self) -> dict[str, Any]:
        operation = self.operation
        if any(each["in"] == "cookie" for each in self.parameters):
            self.fail("a cookie parameter is not supported")
        for key in ("x-method", "x-effect", "x-docs"):
            if key not in operation:
                self.fail(f"{key} is missing: see the comment on top of the file")
        for key in operation:
            if key.startswith("x-") and key not in _KEYS:
                self.fail(f"{key} is not known; known are {', '.join(sorted(_KEYS))}")
        method, effect = operation["x-method"], operation["x-effect"]
        if not re.fullmatch(r"[a-z][a-z0-9_]*", str(method)) or keyword.iskeyword(method):
            self.fail(f"x-method must be the name of a method, not {method!r}")
        if effect not in EFFECTS:
            self.fail(f"x-effect must be one of {', '.join(EFFECTS)}, not {effect!r}")
        docs = self.docs()
        tag = operation["tags"][0]
        return {
            "method": method,
            "effect": effect,
            "result": operation.get("x-result", ""),
            "body": operation.get("x-body", "request"),
            "shadows": hasattr(builtins, method),
            "deprecated": operation.get("deprecated", False),
            "deprecated_arguments": [
                _python_name(name) for name, node in self.fields() if node.get("deprecated")
            ],
            "doc": _text(docs),
            "async_doc": _text({**docs, "example": _awaited(docs["example"], f"client.{tag}.")}),
            "maxima": {
                _python_name(each["name"]): each["schema"]["maxItems"]
                for each in self.parameters
                if each["in"] == "query" and "maxItems" in each["schema"]
            },
        }

    def docs(self) -> dict[str, Any]:
        docs = self.operation["x-docs"]
        if not isinstance(docs, dict) or not docs.keys() <= _DOCS:
            self.fail(f"x-docs must be a mapping with keys of {', '.join(sorted(_DOCS))}")
        for key in ("summary", "example", "returns"):
            if not docs.get(key):
                self.fail(f"x-docs has no {key}")
        try:
            ast.parse(docs["example"])
        except SyntaxError as error:
            self.fail(f"x-docs: example is not Python: {error}")
        about = docs.get("about", "")
        if self.operation.get("deprecated"):
            about = f"{_DEPRECATED}\n\n{about}"
        arguments = self.descriptions(docs.get("arguments", {}))
        return {"raises": {}, **docs, "about": about, "arguments": arguments}

    def descriptions(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return what each argument is: what is given for it, or its description."""
        arguments = dict(self.arguments())
        unknown = given.keys() - arguments.keys()
        if unknown:
            self.fail(f"x-docs: there is no argument {min(unknown)}")
        described = {**arguments, **given}
        for name, node in self.fields():
            argument = _python_name(name)
            if node.get("deprecated") and _DEPRECATED not in described[argument]:
                described[argument] += f" {_DEPRECATED}"
        for name, text in described.items():
            if not text:
                self.fail(f"x-docs: arguments: {name} is not described")
        return described

    def arguments(self) -> Iterator[tuple[str, str]]:
        """Yield the arguments of the method in their order, each with its description."""
        for each in self.parameters:
            if each["in"] == "path" and each["name"] != "account_id":
                yield each["name"], _described(each["name"], each)
        if "requestBody" in self.operation:
            yield self.operation.get("x-body", "request"), _FORMS.format("request", "fields")
        elif sum(each["in"] == "query" for each in self.parameters) > 1:
            yield "request", _FORMS.format("query", "parameters")
        for name, node in self.fields():
            yield _python_name(name), _described(name, node)

    def fields(self) -> Iterator[tuple[str, Node]]:
        """Yield the fields of the body and the parameters of the query."""
        if "requestBody" in self.operation:
            (content,) = self.resolve(self.operation["requestBody"])["content"].values()
            for name, schema in self.resolve(content["schema"])["properties"].items():
                yield name, self.resolve(schema)
        for each in self.parameters:
            if each["in"] == "query":
                yield each["name"], each

    def resolve(self, node: Node) -> Node:
        while "$ref" in node:
            found: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def fail(self, message: str) -> None:
        raise ExtensionError(f"openapi.yaml: {self.id}: {message}")


def _described(name: str, node: Node) -> str:
    return str(node.get("description") or f"What the API calls `{name}`.")


def _python_name(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _text(docs: Node) -> str:
    """Return a docstring, without the indentation that it gets in its class."""
    raises = {**_RAISES}
    raises = {
        "TypeError, ValueError": raises.pop("TypeError, ValueError"),
        **docs["raises"],
        **raises,
    }
    raises["CloudinaryError"] = raises["CloudinaryError"].format(
        an="another" if docs["raises"] else "an"
    )
    parts = [
        docs["summary"].strip(),
        *(_wrapped(part, "") for part in docs["about"].strip().split("\n\n") if part),
        textwrap.indent(docs["example"].strip(), "    "),
        "Args:\n" + _items({**docs["arguments"], **_OPTIONS}),
        "Returns:\n" + _wrapped(docs["returns"], "    "),
        "Raises:\n" + _items(raises),
    ]
    return "\n\n".join(parts)


def _items(texts: Mapping[str, str]) -> str:
    return "\n".join(
        textwrap.indent(_wrapped(f"{name}: {text}", "    ", "        "), "")
        for name, text in texts.items()
    )


def _wrapped(text: str, first: str, rest: str | None = None) -> str:
    return textwrap.fill(
        " ".join(text.split()),
        width=92,  # 100 less the indentation in a method
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _awaited(code: str, calls: str) -> str:
    """Return code that awaits each call that begins with `calls`.

    >>> _awaited("print(client.users.get(user_id=ID).name)", "client.users.")
    'print((await client.users.get(user_id=ID)).name)'
    """
    lines = code.splitlines()
    nodes = list(ast.walk(ast.parse(code)))
    of_attributes = [node.value for node in nodes if isinstance(node, ast.Attribute)]
    insertions: list[tuple[int, int, str]] = []
    for node in nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(calls):
            assert node.end_lineno is not None
            assert node.end_col_offset is not None
            is_attribute = node in of_attributes
            insertions += [
                (node.lineno, node.col_offset, "(await " if is_attribute else "await "),
                (node.end_lineno, node.end_col_offset, ")" if is_attribute else ""),
            ]
    for number, column, text in sorted(insertions, reverse=True):
        line = lines[number - 1]
        lines[number - 1] = line[:column] + text + line[column:]
    return "\n".join(lines)
