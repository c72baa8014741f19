"""Which changes of an OpenAPI document are harmless: a table of keywords for each kind of object.

The rules stand first, the tables at the end.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from math import inf, isfinite
from typing import Any

from attrs import evolve

from .changes import (
    DOCUMENT,
    EVERY_OPERATION,
    Change,
    Changes,
    Kind,
    Node,
    Place,
    Rule,
    Rules,
    by_name,
    compare,
    cosmetic,
    either,
    members,
    schema_name,
    unclaimed,
    written,
)
from .document import TEXTS, comparable, reachable


def changes(old: Node, new: Node) -> list[Change]:
    """Return the changes between two OpenAPI documents."""
    before, after = comparable(old), comparable(new)
    place = Place(DOCUMENT, schemas=(before["schemas"], after["schemas"]))
    # A schema that no operation refers to is still a class of the generated package.
    both = frozenset(before["operations"]) & frozenset(after["operations"])
    used = set.intersection(
        *(reachable(form, [form["operations"][name] for name in both]) for form in (before, after))
    )
    for form in (before, after):
        form["schemas"] = {name: each for name, each in form["schemas"].items() if name not in used}
    found = list(dict.fromkeys(compare(_DOCUMENT, place, before, after)))
    if not found and old != new:
        found = [Change(Kind.COSMETIC, DOCUMENT, "the same is written in another way")]
    # One change stands in place of those that every operation has.
    own = (each for each in found if each.subject in both)
    alike = {each: evolve(each, subject=EVERY_OPERATION) for each in own}
    counts = Counter(alike.values())
    everywhere = [each for each, count in counts.items() if count == len(both) > 1]
    return [*everywhere, *(each for each in found if alike.get(each) not in everywhere)]


# Schemas


def _schema(place: Place, old: Any, new: Any) -> Changes:
    """Compare two schemas, or references to them."""
    pair = (schema_name(old), schema_name(new))
    if pair == (None, None):
        yield from compare(_SCHEMA, place, old, new)
        return
    if pair[0] != pair[1]:
        was, now = (f"the schema {name}" if name else "a schema of its own" for name in pair)
        yield place.breaking(f"{was} became {now}")
    if pair in place.above:
        return
    sides = [*zip(place.schemas, pair, (old, new), strict=True)]
    # OpenAPI 3.0 ignores what stands beside a reference; a generator may not.
    beside = ({k: node[k] for k in node if k != "$ref"} if name else {} for _, name, node in sides)
    yield from compare(_TEXTS, place, *beside)
    targets = (schemas[name] if name else node for schemas, name, node in sides)
    below = evolve(place, schema=pair[1] or pair[0], above=(*place.above, pair))
    yield from _schema(below, *targets)


def _in_both(rule: Callable[[Place, str, Any, Any], Changes]) -> Rule:
    """Return the rule for a keyword that claims nothing where one side has not the keyword."""
    return lambda place, name, old, new: (
        rule(place, name, old[name], new[name]) if name in old and name in new else iter(())
    )


def _required(place: Place, name: str, old: Node, new: Node) -> Changes:
    before, after = old.get(name) or (), new.get(name) or ()
    for each in either(before, after):
        at = place.at(f".{each}")
        if each in before and each in after:
            continue
        if each not in ((new if each in after else old).get("properties") or {}):
            yield at.breaking("required, or no longer so, without being a property")
        else:
            yield at.narrowed("became required") if each in after else at.widened("became optional")
    if set(before) == set(after) and list(before) != list(after):
        yield place.change(Kind.COSMETIC, f"{name}: in another order")


def _any_of(place: Place, _: str, old: list[Any], new: list[Any]) -> Changes:
    """Compare alternatives in their order, in which the decoder tries them."""
    for was, now in zip(old, new, strict=False):
        yield from _schema(place, was, now)
    for gone in old[len(new) :]:
        yield place.breaking(f"can no longer be {schema_name(gone) or gone}")
    for come in new[len(old) :]:
        yield place.widened(f"can be {schema_name(come) or come}")


def _as_many(place: Place, name: str, old: list[Any], new: list[Any]) -> Changes:
    """Compare what must all match, or of which only one may: a wider one can shut out another."""
    if len(old) == len(new):
        direction = "both" if name == "oneOf" else place.direction
        yield from _any_of(evolve(place, direction=direction), name, old, new)


def _enum(place: Place, name: str, old: list[Any], new: list[Any]) -> Changes:
    """Compare enumerations: a member that is gone is missing in the generated class as well."""
    # As text, in which true is not 1.
    was, now = ({written(value): value for value in side} for side in (old, new))
    if gone := [str(was[each]) for each in was if each not in now]:
        yield place.breaking(f"{name}: without {', '.join(gone)}")
    if come := [str(now[each]) for each in now if each not in was]:
        yield place.widened(f"{name}: with {', '.join(come)}")
    if not gone and not come and old != new:
        yield place.change(Kind.COSMETIC, f"{name}: in another order")


def _ordered(
    place: Place, name: str, old: Node, new: Node, *, absent: float, narrows: bool = True
) -> Changes:
    """Compare a keyword whose greater value, or true, narrows or widens what is allowed."""
    before, after = (side.get(name, absent) for side in (old, new))
    types = {bool} if absent is False else {int, float}
    if before != after and {type(before), type(after)} <= types:
        was, now = (json.dumps(each) if isfinite(each) else None for each in (before, after))
        judge = place.narrowed if (after > before) is narrows else place.widened
        yield judge(f"{name}: {was} became {now}")


_lowest = partial(_ordered, absent=-inf)
_highest = partial(_ordered, absent=inf, narrows=False)
_flag = partial(_ordered, absent=False)


def _restriction(place: Place, name: str, old: Node, new: Node) -> Changes:
    """Compare a keyword that allows fewer values than its absence, and is not comparable itself."""
    if name not in old:
        yield place.narrowed(f"{name}: {new[name]} is new")
    elif name not in new:
        yield place.widened(f"{name}: {old[name]} is gone")


# Operations


def _paths(place: Place, name: str, old: Node, new: Node) -> Changes:
    for each in either(old[name], new[name]):
        at = place.at(f"path {each}")
        yield from compare(_PATH, at, old[name].get(each, {}), new[name].get(each, {}))


def _added_to_send(place: Place, node: Node) -> Change:
    is_required = node.get("required")
    return place.breaking("added and required") if is_required else place.additive("added")


def _responses(place: Place, name: str, old: Node, new: Node) -> Changes:
    def added(at: Place, _: Any) -> Change:
        status = at.name.rpartition(" ")[2]
        # An error that was not documented is documented: it was raised before as well.
        is_error = status[:1] in ("4", "5") and not {"default", f"{status[0]}XX"} & {*old[name]}
        return at.additive("added") if is_error else at.breaking("added")

    at = evolve(place, direction="received").at
    below = partial(compare, _RESPONSE)
    yield from by_name(old[name], new[name], lambda it: at(f"response {it}"), below, added)


def _content(place: Place, name: str, old: Node, new: Node) -> Changes:
    # The server may now respond in a form that callers do not read.
    is_sent = bool(old.get(name)) and place.direction == "sent"
    yield from by_name(
        old.get(name) or {},
        new.get(name) or {},
        lambda each: place.at(f": {each}" if place.name else each),
        lambda _, was, now: compare(_MEDIA, place, was, now),
        lambda at, _: at.additive("added") if is_sent else at.breaking("added"),
    )


def _schema_of(place: Place, name: str, old: Node, new: Node) -> Changes:
    yield from _schema(place.at(" $"), old.get(name, {}), new.get(name, {}))


def _servers(place: Place, _: str, old: list[Node], new: list[Node]) -> Changes:
    """Compare servers in their order, by which `server_idx` chooses."""
    for index, (was, now) in enumerate(zip(old, new, strict=False)):
        yield from compare(_SERVER, place.at(f"server {index}"), was, now)
    for gone in old[len(new) :]:
        yield place.at(f"server {gone['url']}").breaking("removed")
    for come in new[len(old) :]:
        yield place.at(f"server {come['url']}").additive("added after the others")


def _security(place: Place, name: str, old: Node, new: Node) -> Changes:
    """Compare the ways to be authenticated: each must still do, and may ask for less."""
    is_kept = all(any(_asks_no_more(now, was) for now in new[name]) for was in old[name])
    if old[name] != new[name]:
        yield place.change(Kind.ADDITIVE if is_kept else Kind.BREAKING, f"{name}: changed")


def _asks_no_more(new: list[tuple[Any, list[str]]], old: list[tuple[Any, list[str]]]) -> bool:
    return all(any(now == was and {*scopes} <= {*had} for was, had in old) for now, scopes in new)


# Our own extensions of an operation. What follows a lost response, by the operation's effect:
_RETRIES = {
    "read": "is retried",
    "create": "is not retried",
    **dict.fromkeys(("update", "replace"), "is retried, and replaces the first"),
    **dict.fromkeys(("delete", "remove"), "is retried, and a 404 is then a success"),
    "add": "is retried, and a 409 is then a success",
}


def _extension(place: Place, name: str, old: Node, new: Node, *, text: str) -> Changes:
    before, after = old.get(name), new.get(name)
    was, now = (_RETRIES.get(str(each), "is not known") for each in (before, after))
    if before is None:
        yield place.additive(f"{name}: {after} is new")
    elif before != after:
        yield place.breaking(f"{name}: {text.format(before, after, was, now)}")


# The tables. Only what stands here can be harmless: whatever has no rule is breaking.
_TEXTS: Rules = dict.fromkeys(TEXTS, cosmetic)
# Not here, and so breaking: title, from which the generator takes the names of modules; type,
# format, default, not, discriminator, readOnly, writeOnly, xml, and what OpenAPI 3.0 does not have.
_SCHEMA: Rules = {
    **dict.fromkeys(("description", "externalDocs", "example", "deprecated"), cosmetic),
    **dict.fromkeys(("minLength", "minItems", "minProperties", "minimum"), _lowest),
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties", "maximum"), _highest),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum", "uniqueItems"), _flag),
    **dict.fromkeys(("pattern", "multipleOf"), _restriction),
    "nullable": partial(_flag, narrows=False),
    "enum": _in_both(_enum),
    "properties": members(_schema, lambda it, each: it.at(f".{each}")),
    "required": _required,
    "items": _in_both(lambda place, _, old, new: _schema(place.at("[]"), old, new)),
    "anyOf": _in_both(_any_of),
    **dict.fromkeys(("oneOf", "allOf"), _in_both(_as_many)),
    # The generator names the members of an enumeration after it.
    "x-enum-varnames": unclaimed,
}
_MEDIA: Rules = {"example": cosmetic, "examples": cosmetic, "schema": _schema_of}
_PARAMETER: Rules = {
    **dict.fromkeys(("description", "deprecated", "example", "examples"), cosmetic),
    "required": _flag,
    "schema": _schema_of,
    "content": _content,
}
_BODY: Rules = {"description": cosmetic, "required": _flag, "content": _content}
_RESPONSE: Rules = {
    **dict.fromkeys(("description", "links"), cosmetic),  # no code is made from links
    "headers": members(partial(compare, _PARAMETER), lambda it, each: it.at(f" header {each}")),
    "content": _content,
}
_VARIABLE: Rules = {"description": cosmetic, "enum": _in_both(_enum)}
_SERVER: Rules = {"description": cosmetic, "variables": members(partial(compare, _VARIABLE))}
_OPERATION: Rules = {
    **dict.fromkeys(("summary", "description", "externalDocs", "deprecated"), cosmetic),
    "parameters": members(partial(compare, _PARAMETER), added=_added_to_send),
    "requestBody": members(partial(compare, _BODY), added=_added_to_send),
    "responses": _responses,
    "servers": _in_both(_servers),
    "security": _security,
    "x-method": partial(_extension, text="the method {} became {}"),
    "x-effect": partial(_extension, text="{} became {}: what may have been applied {}, now {}"),
    **dict.fromkeys(("x-result", "x-body"), unclaimed),
}
_PATH: Rules = {"summary": cosmetic, "description": cosmetic}
_INFO: Rules = dict.fromkeys(
    ("title", "description", "termsOfService", "contact", "license", "version"), cosmetic
)
_DOCUMENT: Rules = {
    "tags": cosmetic,
    "externalDocs": cosmetic,
    "info": lambda place, name, old, new: compare(
        _INFO, place.at(name), old.get(name, {}), new.get(name, {})
    ),
    "schemas": members(
        lambda place, old, new: _schema(
            evolve(place, above=((place.schema, place.schema),)), old, new
        ),
        lambda place, name: evolve(place, name=f"schema {name}", schema=name, direction="both"),
    ),
    "operations": members(
        partial(compare, _OPERATION), lambda place, name: evolve(place, subject=name)
    ),
    "paths": _paths,
}
