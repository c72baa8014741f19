"""What a change of an OpenAPI description means for the users of its SDK, operation by operation.

Looked at before this was written: oasdiff, the field's best, is a Go program, and no package of
PyPI or npm ships it (the npm name is a placeholder). npm's openapi-diff and openapi-changes need
Node, which this must not. On PyPI, api-diff-sentinel does not look into schemas, openapispecdiff
does not tell what breaks, and kryptorious-apiguard is the front of a paid product. So the rules
stand here: those that this kind of description needs. Whatever they do not know counts as breaking,
to be judged by a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from attrs import evolve, frozen

Document = Mapping[str, Any]
Node = Mapping[str, Any]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# What nobody's code depends on. No code is made from links.
_TEXTS = (
    "summary",
    "description",
    "title",
    "example",
    "examples",
    "externalDocs",
    "deprecated",
    "links",
)
_LOWER_LIMITS = ("minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum")
_UPPER_LIMITS = ("maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum")
# Where one of these is, less is allowed than where it is not.
_RESTRICTIONS = ("pattern", "uniqueItems", "multipleOf")
_WHOLE = "(description)"


class Kind(StrEnum):
    """What a change means for code that works today."""

    BREAKING = "breaking"
    ADDITIVE = "additive"
    COSMETIC = "cosmetic"


class Change(NamedTuple):
    """A change of one operation.

    Attributes:
        kind: What it means.
        operation: The operation's ID.
        text: Where it is and what it is.
        schema: The component schema in which it is, if it is in one.
    """

    kind: Kind
    operation: str
    text: str
    schema: str | None = None


@frozen
class _Place:
    """Where two nodes stand, and in whose hands what they describe is.

    Attributes:
        operation: The operation.
        name: The place in it: "answer 200 $.users[].id".
        is_sent: Whether users send it. They cannot take less freedom; in what they are sent, they
            cannot take more.
        schema: The component schema.
        above: The pairs of component schemas that this stands in, so that recursion ends.
    """

    operation: str
    name: str
    is_sent: bool = False
    schema: str | None = None
    above: tuple[tuple[str | None, str | None], ...] = ()

    def at(self, name: str) -> _Place:
        return evolve(self, name=f"{self.name}{name}")

    def change(self, kind: Kind, text: str) -> Change:
        return Change(
            kind, self.operation, f"{self.name}: {text}" if self.name else text, self.schema
        )

    def narrowed(self, text: str) -> Change:
        """Return the change to less freedom."""
        return self.change(Kind.BREAKING if self.is_sent else Kind.ADDITIVE, text)

    def widened(self, text: str) -> Change:
        """Return the change to more freedom."""
        return self.change(Kind.ADDITIVE if self.is_sent else Kind.BREAKING, text)


def changes(old: Document, new: Document) -> list[Change]:
    """Return the changes between two descriptions; those in all operations in each of them."""
    found = list(dict.fromkeys(_Comparison(old, new).all_changes()))
    if not found and old != new:
        found = [Change(Kind.COSMETIC, _WHOLE, "changed in what no operation uses")]
    return found


class _Comparison:
    """The comparison of two descriptions, whose references are followed."""

    def __init__(self, old: Document, new: Document) -> None:
        self._old = old
        self._new = new

    def all_changes(self) -> Iterator[Change]:
        old, new = _operations(self._old), _operations(self._new)
        for name in _both(old, new):
            if name not in new:
                yield Change(Kind.BREAKING, name, "removed")
            elif name not in old:
                yield Change(Kind.ADDITIVE, name, "added")
            else:
                yield from self._operation(_Place(name, ""), old[name], new[name])
        for name in ("info", "tags", "externalDocs"):
            if self._old.get(name) != self._new.get(name):
                yield Change(Kind.COSMETIC, _WHOLE, f"{name}: changed")

    def _operation(self, place: _Place, old: Node, new: Node) -> Iterator[Change]:
        for name in ("method", "path", "tag"):
            if old[name] != new[name]:
                # The tag is a package of the generated client.
                yield place.change(Kind.BREAKING, f"{name}: {old[name]} became {new[name]}")
        before, after = (_security(self._old, old), _security(self._new, new))
        if before != after:
            is_kept = before <= after
            yield place.change(Kind.ADDITIVE if is_kept else Kind.BREAKING, "security: changed")
        yield from self._servers(place, old, new)
        yield from self._parameters(place, old["parameters"], new["parameters"])
        yield from self._body(evolve(place, name="request", is_sent=True), old, new)
        yield from self._answers(place, old["responses"], new["responses"])
        yield from _texts(place, old["definition"], new["definition"])

    def _servers(self, place: _Place, old: Node, new: Node) -> Iterator[Change]:
        before, after = (
            {server["url"]: server for server in definition}
            for definition in (
                old["servers"] or self._old.get("servers", ()),
                new["servers"] or self._new.get("servers", ()),
            )
        )
        for url in _both(before, after):
            at = evolve(place, name=f"server {url}", is_sent=True)
            if url not in after:
                yield at.change(Kind.BREAKING, "removed")
            elif url not in before:
                yield at.change(Kind.ADDITIVE, "added")
            else:
                yield from _texts(at, before[url], after[url])
                yield from self._members(
                    at, before[url].get("variables", {}), after[url].get("variables", {})
                )

    def _parameters(
        self, place: _Place, old: Sequence[Node], new: Sequence[Node]
    ) -> Iterator[Change]:
        before, after = (
            {
                f"{each['in']} {each['name']}": each
                for each in (_resolved(document, parameter) for parameter in parameters)
            }
            for document, parameters in ((self._old, old), (self._new, new))
        )
        required = [
            {name for name in each if each[name].get("required")} for each in (before, after)
        ]
        sent = evolve(place, is_sent=True)
        yield from self._members(sent, before, after, required=(required[0], required[1]))

    def _body(self, place: _Place, old: Node, new: Node) -> Iterator[Change]:
        before, after = (
            _resolved(self._old, old["definition"].get("requestBody")),
            _resolved(self._new, new["definition"].get("requestBody")),
        )
        if not before and not after:
            return
        if not after:
            yield place.change(Kind.BREAKING, "the body was removed")
        elif not before:
            is_required = bool(after.get("required"))
            kind = Kind.BREAKING if is_required else Kind.ADDITIVE
            yield place.change(kind, f"a body was added{' and is required' * is_required}")
        else:
            if bool(before.get("required")) != bool(after.get("required")):
                yield (
                    place.narrowed("the body became required")
                    if after.get("required")
                    else place.widened("the body became optional")
                )
            yield from self._content(place, before, after)

    def _answers(self, place: _Place, old: Node, new: Node) -> Iterator[Change]:
        for status in _both(old, new):
            at = evolve(place, name=f"answer {status}")
            if status not in new:
                yield at.change(Kind.BREAKING, "removed")
            elif status not in old:
                yield at.change(Kind.ADDITIVE, "added")
            else:
                before = _resolved(self._old, old[status])
                after = _resolved(self._new, new[status])
                yield from self._content(at, before, after)
                headers = (
                    _resolved_all(self._old, before.get("headers", {})),
                    _resolved_all(self._new, after.get("headers", {})),
                )
                yield from self._members(at.at(" header"), *headers)

    def _content(self, place: _Place, old: Node, new: Node) -> Iterator[Change]:
        yield from _texts(place, old, new)
        before, after = old.get("content", {}), new.get("content", {})
        for media in _both(before, after):
            if media not in after:
                yield place.change(Kind.BREAKING, f"{media}: removed")
            elif media not in before:
                yield place.change(Kind.ADDITIVE, f"{media}: added")
            else:
                yield from _texts(place, before[media], after[media])
                yield from self._schema(
                    place.at(" $"), before[media].get("schema", {}), after[media].get("schema", {})
                )

    def _members(
        self,
        place: _Place,
        old: Node,
        new: Node,
        *,
        required: tuple[set[str], set[str]] = (set(), set()),
    ) -> Iterator[Change]:
        """Compare what has a name: parameters, headers, fields, a server's variables."""
        was_required, is_required = required
        for name in _both(old, new):
            at = place.at(f".{name}" if "$" in place.name else f" {name}")
            at = evolve(at, name=at.name.lstrip())
            if name not in new:
                yield at.change(Kind.BREAKING, "removed")
            elif name not in old:
                is_demanded = place.is_sent and name in is_required
                kind = Kind.BREAKING if is_demanded else Kind.ADDITIVE
                yield at.change(kind, f"added{' and is required' * is_demanded}")
            else:
                if (name in was_required) < (name in is_required):
                    yield at.narrowed("became required")
                if (name in was_required) > (name in is_required):
                    yield at.widened("became optional")
                yield from self._member(at, old[name], new[name])

    def _member(self, place: _Place, old: Node, new: Node) -> Iterator[Change]:
        """Compare a field, or what has its schema inside: a parameter or a header."""
        if "schema" not in old and "schema" not in new:
            yield from self._schema(place, old, new)
            return
        yield from _texts(place, old, new)
        yield from _others(place, old, new, {"name", "in", "required", "schema"})
        yield from self._schema(place, old.get("schema", {}), new.get("schema", {}))

    def _schema(self, place: _Place, old: Node, new: Node) -> Iterator[Change]:
        pair = (_name(old), _name(new))
        if pair != (None, None):
            if pair in place.above:
                return
            place = evolve(place, schema=pair[1] or pair[0], above=(*place.above, pair))
            old, new = _resolved(self._old, old), _resolved(self._new, new)
        yield from _texts(place, old, new)
        for keyword in ("type", "format"):
            if old.get(keyword) != new.get(keyword):
                yield place.change(
                    Kind.BREAKING, f"{keyword}: {old.get(keyword)} became {new.get(keyword)}"
                )
        yield from _enum(place, old, new)
        yield from _limits(place, old, new)
        required = (set(old.get("required", ())), set(new.get("required", ())))
        yield from self._members(
            place, old.get("properties", {}), new.get("properties", {}), required=required
        )
        if "items" in old and "items" in new:
            yield from self._schema(place.at("[]"), old["items"], new["items"])
        for keyword in ("anyOf", "oneOf"):
            yield from self._alternatives(place, old.get(keyword, ()), new.get(keyword, ()))
        known = {"type", "format", "enum", "nullable", "required", "properties", "anyOf", "oneOf"}
        known |= {"items"} if "items" in old and "items" in new else set()
        known |= {*_LOWER_LIMITS, *_UPPER_LIMITS, *_RESTRICTIONS}
        yield from _others(place, old, new, known)

    def _alternatives(
        self, place: _Place, old: Sequence[Node], new: Sequence[Node]
    ) -> Iterator[Change]:
        before, after = (
            {_name(each) or f"alternative {index}": each for index, each in enumerate(several)}
            for several in (old, new)
        )
        for name in _both(before, after):
            if name not in after:
                yield place.narrowed(f"can no longer be {name}")
            elif name not in before:
                yield place.widened(f"can be {name}")
            else:
                yield from self._schema(place, before[name], after[name])


def _operations(document: Document) -> dict[str, Node]:
    """Return the operations by their IDs, each with all that its path item adds."""
    found: dict[str, Node] = {}
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                definition = item[method]
                own = {
                    (each.get("in"), each.get("name")) for each in definition.get("parameters", ())
                }
                inherited = [
                    each
                    for each in item.get("parameters", ())
                    if (each.get("in"), each.get("name")) not in own or "$ref" in each
                ]
                found[definition.get("operationId", f"{method.upper()} {path}")] = {
                    "method": method.upper(),
                    "path": path,
                    "tag": next(iter(definition.get("tags", ())), None),
                    "servers": definition.get("servers") or item.get("servers"),
                    "parameters": [*inherited, *definition.get("parameters", ())],
                    "responses": definition.get("responses", {}),
                    "definition": definition,
                }
    return found


def _security(document: Document, operation: Node) -> set[frozenset[str]]:
    """Return the ways in which an operation can be authenticated, whatever they are called."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    required = operation["definition"].get("security", document.get("security", ()))
    alternatives: Sequence[Node] = required or ({},)
    return {
        frozenset(
            str({key: value for key, value in schemes.get(name, {}).items() if key not in _TEXTS})
            for name in requirement
        )
        for requirement in alternatives
    }


def _name(node: Node) -> str | None:
    return str(node["$ref"]).rpartition("/")[2] if "$ref" in node else None


def _resolved(document: Document, node: Any) -> Any:
    while isinstance(node, Mapping) and "$ref" in node:
        target: Any = document
        for name in str(node["$ref"]).removeprefix("#/").split("/"):
            target = target[name]
        node = target
    return node


def _resolved_all(document: Document, nodes: Node) -> Node:
    return {name: _resolved(document, node) for name, node in nodes.items()}


def _both(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys([*old, *new]))


def _texts(place: _Place, old: Node, new: Node) -> Iterator[Change]:
    for name in _both(old, new):
        if (name in _TEXTS or name.startswith("x-")) and old.get(name) != new.get(name):
            yield place.change(Kind.COSMETIC, f"{name}: changed")


def _others(place: _Place, old: Node, new: Node, known: set[str]) -> Iterator[Change]:
    """Find changes that no rule knows."""
    for name in _both(old, new):
        if name in known or name in _TEXTS or name.startswith("x-"):
            continue
        if old.get(name) != new.get(name):
            yield place.change(Kind.BREAKING, f"{name}: changed, to be judged by hand")


def _enum(place: _Place, old: Node, new: Node) -> Iterator[Change]:
    before, after = old.get("enum"), new.get("enum")
    if before is None and after is not None:
        yield place.narrowed(f"enum: only {_list(after)} now")
    elif before is not None and after is None:
        yield place.widened("enum: any value now")
    elif before is not None and after is not None:
        gone = [value for value in before if value not in after]
        come = [value for value in after if value not in before]
        if gone:
            yield place.narrowed(f"enum: without {_list(gone)}")
        if come:
            yield place.widened(f"enum: with {_list(come)}")


def _list(values: Sequence[Any]) -> str:
    return ", ".join(str(value) for value in values)


def _limits(place: _Place, old: Node, new: Node) -> Iterator[Change]:
    if bool(old.get("nullable")) != bool(new.get("nullable")):
        yield place.widened("can be null") if new.get("nullable") else place.narrowed("not null")
    for name in (*_LOWER_LIMITS, *_UPPER_LIMITS, *_RESTRICTIONS):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        text = f"{name}: {before} became {after}"
        if name in _RESTRICTIONS and None not in (before, after):
            yield place.change(Kind.BREAKING, text)
        elif after is None or (
            before is not None and (after < before if name in _LOWER_LIMITS else after > before)
        ):
            yield place.widened(text)
        else:
            yield place.narrowed(text)
