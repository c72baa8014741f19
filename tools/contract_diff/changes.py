"""A change, the place of a change, and the comparison of two objects field by field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

from attrs import evolve, field, frozen

Node = Mapping[str, Any]
# Who writes the values that a schema describes, and so may not be given less freedom, or more.
# Where both may, or a schema is only a class of the generated package, any difference breaks.
Direction = Literal["sent", "received", "both"]

EVERY_OPERATION = "every operation"
DOCUMENT = "(document)"
GENERATED = "generated "
PUBLIC = "public "
# What says as much as no keyword, whatever the object, as JSON.
_DEFAULTS: Mapping[str, str] = {
    **dict.fromkeys(("deprecated", "allowEmptyValue", "allowReserved", "nullable"), "false"),
    **dict.fromkeys(("readOnly", "writeOnly", "uniqueItems"), "false"),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), "false"),
    **dict.fromkeys(("minLength", "minItems", "minProperties"), "0"),
    **dict.fromkeys(("headers", "links", "encoding", "variables", "callbacks", "examples"), "{}"),
    "required": "false []",
    "additionalProperties": "true {}",
    "tags": "[]",
}


class CannotCompareError(Exception):
    """One of the two sides cannot be read; the message says what is wrong with it."""


class Kind(StrEnum):
    """The effect of a change on existing code."""

    BREAKING = "breaking"
    ADDITIVE = "additive"
    COSMETIC = "cosmetic"


@frozen
class Change:
    """A change of an operation (its ID), or of a module of the packages (`GENERATED`, `PUBLIC`)."""

    kind: Kind
    subject: str
    text: str
    schema: str | None = None  # or the class or function that has changed


Changes = Iterator[Change]


@frozen
class Place:
    """Where in the two documents, or in the packages, a comparison is."""

    subject: str
    name: str = ""  # in the subject: "response 200 $.users[].id"
    direction: Direction = "sent"
    schema: str | None = None
    schemas: tuple[Node, Node] = field(default=({}, {}), repr=False)  # those of both documents
    # The pairs of component schemas that this is part of, which end a recursion.
    above: tuple[tuple[str | None, str | None], ...] = ()
    sent: frozenset[str] = field(default=frozenset(), repr=False)  # schemas of requests only

    def at(self, name: str) -> Place:
        return evolve(self, name=f"{self.name}{name}".lstrip())

    def change(self, kind: Kind, text: str) -> Change:
        where = f"{self.name}: {text}" if self.name else text
        return Change(kind, self.subject, where, self.schema)

    def breaking(self, text: str) -> Change:
        return self.change(Kind.BREAKING, text)

    def additive(self, text: str) -> Change:
        return self.change(Kind.ADDITIVE, text)

    def added(self, _: Any) -> Change:
        return self.additive("added")

    def narrowed(self, text: str) -> Change:
        """Return a change that allows fewer values."""
        return (self.additive if self.direction == "received" else self.breaking)(text)

    def widened(self, text: str) -> Change:
        """Return a change that allows more values."""
        return (self.additive if self.direction == "sent" else self.breaking)(text)


# Compares one field of two objects that are not the same: place, field, old object, new object.
Rule = Callable[[Place, str, Node, Node], Changes]
Rules = Mapping[str, Rule]


def compare(rules: Rules, place: Place, old: Any, new: Any) -> Changes:
    """Compare two objects field by field.

    A change is harmless only if a rule says so. A field without a rule, and a difference of which
    its rule says nothing, is breaking: a keyword that nobody thought of cannot pass. An extension
    without a rule is for other tools.
    """
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        if old != new:
            yield place.breaking("changed, to be judged by hand")
        return
    for name in either(old, new):
        values = [side[name] for side in (old, new) if name in side]
        types = {type(each) for each in values}
        text = json.dumps(values[0], default=str)
        if len(values) == 1 and text in _DEFAULTS.get(name, "").split():
            yield place.change(Kind.COSMETIC, f"{name}: {text}, as where it is absent")
        elif name in rules:
            is_alike = len(types) == 1 or types == {int, float}
            found = list(rules[name](place, name, old, new)) if is_alike else []
            yield from found or unclaimed(place, name, old, new)
        elif name.startswith("x-"):
            yield from cosmetic(place, name, old, new)
        else:
            yield from unclaimed(place, name, old, new, place.schemas)


def unclaimed(
    place: Place, name: str, old: Node, new: Node, schemas: Sequence[Node] = ({}, {})
) -> Changes:
    """Call any difference of a field breaking, and of the schemas that it refers to."""
    was, now = old.get(name, "nothing"), new.get(name, "nothing")
    if name in old and name in new and written(was, schemas[0]) == written(now, schemas[1]):
        return
    is_long = isinstance(was, list | Mapping) or isinstance(now, list | Mapping)
    text = "changed, to be judged by hand" if is_long else f"{was} became {now}"
    yield place.breaking(f"{name}: {text}")


def written(node: Any, schemas: Node = MappingProxyType({}), above: tuple[str, ...] = ()) -> str:
    """Return a node as text, with the schemas it refers to: keys have no order, true is not 1."""
    if isinstance(node, Mapping):
        name = schema_name(node) or ""
        if name in schemas and name not in above:
            node, above = {**node, "is": schemas[name]}, (*above, name)
        return f"{{{','.join(sorted(f'{k!r}:{written(node[k], schemas, above)}' for k in node))}}}"
    if isinstance(node, list | tuple):
        return f"[{','.join(written(each, schemas, above) for each in node)}]"
    return repr(node)


def schema_name(node: Any) -> str | None:
    """Return the name of the component schema that a node refers to, if it does."""
    target = node.get("$ref") if isinstance(node, Mapping) else None
    return target.rpartition("/")[2] if isinstance(target, str) else None


def either(old: Iterable[str], new: Iterable[str]) -> list[str]:
    """Return the names in both, in their order, without repetition."""
    return list(dict.fromkeys([*old, *new]))


def cosmetic(place: Place, name: str, old: Node, new: Node) -> Changes:
    """Claim that no code depends on a field."""
    if old.get(name) != new.get(name):
        yield place.change(Kind.COSMETIC, f"{name}: changed")


def by_name(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    at: Callable[[str], Place],
    below: Callable[[Place, Any, Any], Changes],
    added: Callable[[Place, Any], Change] = Place.added,
) -> Changes:
    """Compare what has names, below the place of each: a name that is gone breaks callers."""
    for name in either(old, new):
        if name not in new:
            yield at(name).breaking("removed")
        elif name not in old:
            yield added(at(name), new[name])
        else:
            yield from below(at(name), old[name], new[name])


def members(
    below: Callable[[Place, Any, Any], Changes],
    at: Callable[[Place, str], Place] = lambda place, name: place.at(f" {name}"),
    added: Callable[[Place, Any], Change] = Place.added,
) -> Rule:
    """Return the rule for a mapping from names to objects."""
    return lambda place, field, old, new: by_name(
        old.get(field) or {}, new.get(field) or {}, partial(at, place), below, added
    )
