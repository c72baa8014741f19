"""A change, the place of a change, and the comparison of two objects field by field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from attrs import evolve, field, frozen

Node = Mapping[str, Any]

EVERY_OPERATION = "every operation"
DOCUMENT = "(document)"
GENERATED = "generated "
PUBLIC = "public "
# In this order: for Python a bool is an int.
_JSON_TYPES = (bool, int, float, str, list, Mapping)
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


class Direction(StrEnum):
    """Who writes the values that a schema describes.

    A caller cannot be given less freedom in what it sends, nor the server more freedom in what it
    responds with. Where both may write, or a schema is only a class of the generated package, any
    difference in freedom is breaking.
    """

    SENT = "sent"
    RECEIVED = "received"
    BOTH = "both"


@frozen
class Change:
    """A change of an operation (its ID), or of a module of the packages (`GENERATED`, `PUBLIC`)."""

    kind: Kind
    subject: str
    text: str
    schema: str | None = None  # or the class or function that has changed


@frozen
class Place:
    """Where in the two documents, or in the packages, a comparison is."""

    subject: str
    name: str = ""  # in the subject: "response 200 $.users[].id"
    direction: Direction = Direction.SENT
    schema: str | None = None
    schemas: tuple[Node, Node] = field(default=({}, {}), repr=False)  # those of both documents
    # The pairs of component schemas that this is part of, which end a recursion.
    above: tuple[tuple[str | None, str | None], ...] = ()
    sent: frozenset[str] = field(default=frozenset(), repr=False)  # schemas of requests only

    def at(self, name: str) -> Place:
        """Return a place further down."""
        return evolve(self, name=f"{self.name}{name}".lstrip())

    def change(self, kind: Kind, text: str) -> Change:
        """Return a change at this place."""
        where = f"{self.name}: {text}" if self.name else text
        return Change(kind, self.subject, where, self.schema)

    def breaking(self, text: str) -> Change:
        """Return a breaking change at this place."""
        return self.change(Kind.BREAKING, text)

    def additive(self, text: str) -> Change:
        """Return a change at this place that only adds."""
        return self.change(Kind.ADDITIVE, text)

    def narrowed(self, text: str) -> Change:
        """Return a change that allows fewer values."""
        return (self.additive if self.direction is Direction.RECEIVED else self.breaking)(text)

    def widened(self, text: str) -> Change:
        """Return a change that allows more values."""
        return (self.additive if self.direction is Direction.SENT else self.breaking)(text)


# Compares one field of two objects that are not the same: place, field, old object, new object.
Rule = Callable[[Place, str, Node, Node], Iterator[Change]]
Rules = Mapping[str, Rule]


def compare(rules: Rules, place: Place, old: Any, new: Any) -> Iterator[Change]:
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
        before, after = ([side[name]] if name in side else [] for side in (old, new))
        if _is_default(name, before, after):
            text = f"{name}: {json.dumps(*before, *after)}, as where it is absent"
            yield place.change(Kind.COSMETIC, text)
        elif name.startswith("x-") and name not in rules:
            yield from cosmetic(place, name, old, new)
        elif name not in rules:
            followed = [
                _followed(*each) for each in zip(place.schemas, (before, after), strict=True)
            ]
            yield from _judged_by_hand(place, name, *followed)
        elif _are_alike(before, after) and (found := list(rules[name](place, name, old, new))):
            yield from found
        else:
            yield from _judged_by_hand(place, name, before, after)


def _is_default(name: str, before: list[Any], after: list[Any]) -> bool:
    """Return whether a field is absent from one side, and on the other what its absence means."""
    if len(before) == len(after) or name not in _DEFAULTS:
        return False
    return json.dumps(*before, *after, default=str) in _DEFAULTS[name].split()


def _judged_by_hand(
    place: Place, name: str, before: list[Any], after: list[Any]
) -> Iterator[Change]:
    """Call any change of a field breaking, whose value is in a list, or absent from it."""
    if written(before) == written(after):
        return
    if any(isinstance(value, list | Mapping) for value in (*before, *after)):
        yield place.breaking(f"{name}: changed, to be judged by hand")
    else:
        was, now = (each[0] if each else "nothing" for each in (before, after))
        yield place.breaking(f"{name}: {was} became {now}")


def _are_alike(before: list[Any], after: list[Any]) -> bool:
    """Return whether a rule can compare a field: one value is absent, or both have one type."""
    types = {
        next((each for each in _JSON_TYPES if isinstance(value, each)), None)
        for value in (*before, *after)
    }
    return len(types) == 1 or types == {int, float}


def written(node: Any) -> str:
    """Return a node as text, in which the keys have no order and true is not 1."""
    if isinstance(node, Mapping):
        return f"{{{','.join(sorted(f'{key!r}:{written(node[key])}' for key in node))}}}"
    if isinstance(node, list | tuple):
        return f"[{','.join(written(each) for each in node)}]"
    return repr(node)


def _followed(schemas: Node, node: Any, above: tuple[str, ...] = ()) -> Any:
    """Return a node with the component schemas that it refers to beside each reference."""
    if isinstance(node, Mapping):
        target = node.get("$ref")
        if isinstance(target, str) and target not in above:
            schema = schemas.get(target.rpartition("/")[2])
            return {**node, "is": _followed(schemas, schema, (*above, target))}
        return {name: _followed(schemas, each, above) for name, each in node.items()}
    return [_followed(schemas, each, above) for each in node] if isinstance(node, list) else node


def either(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the keys of both, in their order, without repetition."""
    return list(dict.fromkeys([*old, *new]))


def cosmetic(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    """Claim that no code depends on a field."""
    if old.get(name) != new.get(name):
        yield place.change(Kind.COSMETIC, f"{name}: changed")


def members(
    below: Callable[[Place, Any, Any], Iterator[Change]],
    at: Callable[[Place, str], Place] = lambda place, name: place.at(f" {name}"),
    added: Callable[[Place, Any], Change] = lambda place, _: place.additive("added"),
) -> Rule:
    """Return the rule for a mapping from names to objects: a name that is gone breaks callers.

    Args:
        below: Compares an object that both sides have.
        at: Returns the place of an object.
        added: Judges an object that was added.
    """

    def rule(place: Place, field: str, old: Node, new: Node) -> Iterator[Change]:
        before, after = old.get(field) or {}, new.get(field) or {}
        for name in either(before, after):
            if name not in after:
                yield at(place, name).breaking("removed")
            elif name not in before:
                yield added(at(place, name), after[name])
            else:
                yield from below(at(place, name), before[name], after[name])

    return rule
