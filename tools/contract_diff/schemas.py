"""Which changes of a schema are harmless, by who writes the values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve

from .changes import (
    Change,
    Direction,
    Kind,
    Node,
    Place,
    Rule,
    compare,
    cosmetic,
    either,
    named,
    written,
)
from .document import schema_name


def schema(place: Place, old: Any, new: Any) -> Iterator[Change]:
    """Compare two schemas, or references to them."""
    pair = (schema_name(old), schema_name(new))
    if pair == (None, None):
        yield from compare(_RULES, place, old, new)
        return
    if pair[0] != pair[1]:
        was, now = (f"the schema {name}" if name else "a schema of its own" for name in pair)
        yield place.breaking(f"{was} became {now}")
    if pair in place.above:
        return
    # OpenAPI 3.0 ignores what stands beside a reference; a generator may not.
    beside = [
        {name: value for name, value in node.items() if name != "$ref"} if target else {}
        for target, node in zip(pair, (old, new), strict=True)
    ]
    yield from compare(_BESIDE_A_REFERENCE, place, *beside)
    below = evolve(place, schema=pair[1] or pair[0], above=(*place.above, pair))
    targets = [
        side[target] if target else node
        for side, target, node in zip(place.schemas, pair, (old, new), strict=True)
    ]
    yield from schema(below, *targets)


def _schema_field(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    if name in old and name in new:
        yield from schema(place.at("[]"), old[name], new[name])


def _properties(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    before, after = old.get(name, {}), new.get(name, {})
    for each in either(before, after):
        at = place.at(f".{each}")
        if each not in after:
            yield at.breaking("removed")
        elif each not in before:
            yield at.change(Kind.ADDITIVE, "added")
        else:
            yield from schema(at, before[each], after[each])


def _required(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    before, after = old.get(name, ()), new.get(name, ())
    for each in either(dict.fromkeys(before), dict.fromkeys(after)):
        at = place.at(f".{each}")
        known = [each in side.get("properties", {}) for side in (old, new)]
        if each in before and each in after:
            continue
        if not (known[1] if each in after else known[0]):
            yield at.breaking("required, or no longer so, without being a property")
        elif each in after:
            yield at.narrowed("became required")
        else:
            yield at.widened("became optional")
    if set(before) == set(after) and list(before) != list(after):
        yield place.change(Kind.COSMETIC, f"{name}: in another order")


def _any_of(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    """Compare alternatives in their order, in which the decoder tries them."""
    if name not in old or name not in new:
        return
    before, after = old[name], new[name]
    for was, now in zip(before, after, strict=False):
        yield from schema(place, was, now)
    for gone in before[len(after) :]:
        yield place.breaking(f"can no longer be {schema_name(gone) or gone}")
    for come in after[len(before) :]:
        yield place.widened(f"can be {schema_name(come) or come}")


def _one_of(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    """Compare alternatives of which only one may match: a wider one can shut out another."""
    if len(old.get(name, ())) == len(new.get(name, ())):
        yield from _any_of(evolve(place, direction=Direction.BOTH), name, old, new)


def _all_of(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    if len(old.get(name, ())) == len(new.get(name, ())):
        yield from _any_of(place, name, old, new)


def enum(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    """Compare enumerations: a member that is gone is missing in the generated class as well."""
    if name not in old or name not in new:
        return
    before, after = old[name], new[name]
    # As text, in which true is not 1.
    was, now = ({written(value): value for value in side} for side in (before, after))
    if gone := [was[each] for each in was if each not in now]:
        yield place.breaking(f"{name}: without {_list(gone)}")
    if come := [now[each] for each in now if each not in was]:
        yield place.widened(f"{name}: with {_list(come)}")
    if not gone and not come and before != after:
        yield place.change(Kind.COSMETIC, f"{name}: in another order")


def _list(values: Sequence[Any]) -> str:
    return ", ".join(str(value) for value in values)


def flag(*, widens: bool) -> Rule:
    """Return the rule for a boolean keyword that is false where it is absent."""

    def rule(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
        before, after = old.get(name, False), new.get(name, False)
        if not isinstance(before, bool) or not isinstance(after, bool):
            return
        if before != after:
            text = f"{name}: {_word(before)} became {_word(after)}"
            yield place.widened(text) if after is widens else place.narrowed(text)
        elif (name in old) != (name in new):
            yield place.change(Kind.COSMETIC, f"{name}: false, as where it is absent")

    return rule


def _word(value: bool) -> str:
    return str(value).lower()


def _limit(*, is_lower: bool) -> Rule:
    def rule(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
        # Where there is no limit, every number is allowed.
        none = float("-inf" if is_lower else "inf")
        before, after = old.get(name, none), new.get(name, none)
        if not _is_number(before) or not _is_number(after) or before == after:
            return
        is_wider = after < before if is_lower else after > before
        text = f"{name}: {old.get(name)} became {new.get(name)}"
        yield place.widened(text) if is_wider else place.narrowed(text)

    return rule


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _restriction(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    """Compare a keyword that allows fewer values than its absence, and is not comparable itself."""
    if name not in old:
        yield place.narrowed(f"{name}: {new[name]} is new")
    elif name not in new:
        yield place.widened(f"{name}: {old[name]} is gone")


# Only what stands here can be harmless. Not here, and so breaking: title, from which the generator
# takes the names of modules; type, format, default, not, additionalProperties, discriminator,
# readOnly, writeOnly, xml, and whatever OpenAPI 3.0 does not have.
_RULES: Mapping[str, Rule] = {
    **named("description", "externalDocs", "example", "deprecated", rule=cosmetic),
    **named("minLength", "minItems", "minProperties", "minimum", rule=_limit(is_lower=True)),
    **named("maxLength", "maxItems", "maxProperties", "maximum", rule=_limit(is_lower=False)),
    **named("exclusiveMinimum", "exclusiveMaximum", "uniqueItems", rule=flag(widens=False)),
    **named("pattern", "multipleOf", rule=_restriction),
    "nullable": flag(widens=True),
    "enum": enum,
    "properties": _properties,
    "required": _required,
    "items": _schema_field,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "allOf": _all_of,
}
_BESIDE_A_REFERENCE: Mapping[str, Rule] = named("description", "summary", rule=cosmetic)
