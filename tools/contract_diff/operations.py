"""Which changes of an operation are harmless, and of what stands around the operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve

from .changes import (
    DOCUMENT,
    EVERY_OPERATION,
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
)
from .document import Document, comparable, reachable
from .schemas import enum, flag, schema


def changes(old: Document, new: Document) -> list[Change]:
    """Return the changes between two OpenAPI documents.

    Raises:
        UnresolvedReferenceError: A reference in one of them leads nowhere.
    """
    before, after = comparable(old), comparable(new)
    place = Place(DOCUMENT, schemas=(before["schemas"], after["schemas"]))
    # A schema that no operation refers to is a class of the generated package all the same.
    both = frozenset(before["operations"]) & frozenset(after["operations"])
    used = reachable(before, both) & reachable(after, both)
    for form in (before, after):
        form["schemas"] = {name: each for name, each in form["schemas"].items() if name not in used}
    found = list(dict.fromkeys(compare(_DOCUMENT_RULES, place, before, after)))
    if not found and old != new:
        found = [Change(Kind.COSMETIC, DOCUMENT, "the same is written in another way")]
    return _merged(found, both)


def _merged(found: list[Change], operations: frozenset[str]) -> list[Change]:
    """Return the changes, with one in place of those that every operation has."""
    if len(operations) < 2:
        return found
    by_change: dict[Change, set[str]] = {}
    for change in found:
        by_change.setdefault(evolve(change, subject=EVERY_OPERATION), set()).add(change.subject)
    everywhere = [change for change, subjects in by_change.items() if subjects >= operations]
    others = [
        change
        for change in found
        if change.subject not in operations
        or evolve(change, subject=EVERY_OPERATION) not in everywhere
    ]
    return [*everywhere, *others]


def _schemas(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    for each in either(old[name], new[name]):
        at = evolve(place, name=f"schema {each}", schema=each, direction=Direction.BOTH)
        was_there, is_there = (each in side for side in place.schemas)
        if not is_there:
            yield at.breaking("removed")
        elif not was_there:
            yield at.change(Kind.ADDITIVE, "added")
        else:
            yield from schema(evolve(at, above=((each, each),)), old[name][each], new[name][each])


def _operations(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    for each in either(old[name], new[name]):
        at = evolve(place, subject=each)
        if each not in new[name]:
            yield at.breaking("removed")
        elif each not in old[name]:
            yield at.change(Kind.ADDITIVE, "added")
        else:
            yield from compare(_OPERATION_RULES, at, old[name][each], new[name][each])


def _paths(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    for each in either(old[name], new[name]):
        at = place.at(f"path {each}")
        yield from compare(_PATH_RULES, at, old[name].get(each, {}), new[name].get(each, {}))


def _parameters(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    for each in either(old[name], new[name]):
        at = place.at(f" {each}")
        if each not in new[name]:
            yield at.breaking("removed")
        elif each in old[name]:
            yield from compare(_PARAMETER_RULES, at, old[name][each], new[name][each])
        elif new[name][each].get("required"):
            yield at.breaking("added and required")
        else:
            yield at.change(Kind.ADDITIVE, "added")


def _request_body(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    at = place.at("request")
    if name not in new:
        yield at.breaking("the body was removed")
    elif name in old:
        yield from compare(_BODY_RULES, at, old[name], new[name])
    elif new[name].get("required"):
        yield at.breaking("a body was added and is required")
    else:
        yield at.change(Kind.ADDITIVE, "a body was added")


def _responses(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    for status in either(old[name], new[name]):
        at = evolve(place, direction=Direction.RECEIVED).at(f"response {status}")
        if status not in new[name]:
            yield at.breaking("removed")
        elif status in old[name]:
            yield from compare(_RESPONSE_RULES, at, old[name][status], new[name][status])
        elif status[:1] in ("4", "5") and not {"default", f"{status[0]}XX"} & {*old[name]}:
            # An error that was not documented is documented: it was raised before as well.
            yield at.change(Kind.ADDITIVE, "added")
        else:
            yield at.breaking("added")


def _headers(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    before, after = old.get(name, {}), new.get(name, {})
    for each in either(before, after):
        at = place.at(f" header {each}")
        if each not in after:
            yield at.breaking("removed")
        elif each not in before:
            yield at.change(Kind.ADDITIVE, "added")
        else:
            yield from compare(_PARAMETER_RULES, at, before[each], after[each])


def _content(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    before, after = old.get(name, {}), new.get(name, {})
    for media in either(before, after):
        if media not in after:
            yield place.breaking(f"{media}: removed")
        elif media not in before:
            # The server may now respond in a form that callers do not read.
            is_sent = bool(before) and place.direction is Direction.SENT
            yield place.change(Kind.ADDITIVE if is_sent else Kind.BREAKING, f"{media}: added")
        else:
            yield from compare(_MEDIA_RULES, place, before[media], after[media])


def _schema(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    yield from schema(place.at(" $"), old.get(name, {}), new.get(name, {}))


def _servers(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    """Compare servers in their order, by which `server_idx` chooses."""
    before, after = old[name], new[name]
    for index, (was, now) in enumerate(zip(before, after, strict=False)):
        yield from compare(_SERVER_RULES, place.at(f"server {index}"), was, now)
    for gone in before[len(after) :]:
        yield place.at(f"server {gone['url']}").breaking("removed")
    for come in after[len(before) :]:
        yield place.at(f"server {come['url']}").change(Kind.ADDITIVE, "added after the others")


def _variables(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    before, after = old.get(name, {}), new.get(name, {})
    for each in either(before, after):
        at = place.at(f" {each}")
        if each not in after:
            yield at.breaking("removed")
        elif each not in before:
            yield at.change(Kind.ADDITIVE, "added")
        else:
            yield from compare(_VARIABLE_RULES, at, before[each], after[each])


def _security(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    """Compare the ways to be authenticated: each must still do, and may ask for less."""
    if old[name] == new[name]:
        return
    is_kept = all(any(_asks_no_more(now, was) for now in new[name]) for was in old[name])
    yield place.change(Kind.ADDITIVE if is_kept else Kind.BREAKING, f"{name}: changed")


def _asks_no_more(new: list[tuple[Any, list[str]]], old: list[tuple[Any, list[str]]]) -> bool:
    return all(any(now == was and {*scopes} <= {*had} for was, had in old) for now, scopes in new)


# As in the schemas: only what stands here can be harmless.
_TEXTS = named("summary", "description", "externalDocs", rule=cosmetic)
_VARIABLE_RULES: Mapping[str, Rule] = {"description": cosmetic, "enum": enum}
_SERVER_RULES: Mapping[str, Rule] = {"description": cosmetic, "variables": _variables}
_EXAMPLES = named("example", "examples", rule=cosmetic)
_MEDIA_RULES: Mapping[str, Rule] = {**_EXAMPLES, "schema": _schema}
_PARAMETER_RULES: Mapping[str, Rule] = {
    **_EXAMPLES,
    **named("description", "deprecated", rule=cosmetic),
    "required": flag(widens=False),
    "schema": _schema,
    "content": _content,
}
_BODY_RULES: Mapping[str, Rule] = {
    "description": cosmetic,
    "required": flag(widens=False),
    "content": _content,
}
_RESPONSE_RULES: Mapping[str, Rule] = {
    # No code is made from links.
    **named("description", "links", rule=cosmetic),
    "headers": _headers,
    "content": _content,
}
_OPERATION_RULES: Mapping[str, Rule] = {
    **_TEXTS,
    "deprecated": cosmetic,
    "parameters": _parameters,
    "requestBody": _request_body,
    "responses": _responses,
    "servers": _servers,
    "security": _security,
}
_PATH_RULES: Mapping[str, Rule] = named("summary", "description", rule=cosmetic)
_INFO_RULES: Mapping[str, Rule] = named(
    "title", "description", "termsOfService", "contact", "license", "version", rule=cosmetic
)


def _info(place: Place, name: str, old: Node, new: Node) -> Iterator[Change]:
    yield from compare(_INFO_RULES, place.at(name), old.get(name, {}), new.get(name, {}))


_DOCUMENT_RULES: Mapping[str, Rule] = {
    **named("tags", "externalDocs", rule=cosmetic),
    "info": _info,
    "schemas": _schemas,
    "operations": _operations,
    "paths": _paths,
}
