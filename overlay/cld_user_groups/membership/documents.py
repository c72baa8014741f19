"""JSON documents: frozen classes written with every key, and read strictly; and the schemas."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib.resources import files
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
import msgspec

from cld_user_groups.identity import escaped

# Of a text and a list in a document that is shown in parts, and of the rows of a page.
_LONGEST, _MOST_LISTED, _MOST_ROWS = 1000, 200, 100
_LARGEST_PAGE = 100_000  # bytes of its rows, where it has more than one
_PLAIN: dict[type, type[msgspec.Struct]] = {}  # the forms of classes that are changed in nothing


def json_text(document: object) -> str:
    """Return a document as JSON for people and programs, its line break included."""
    return json_data(document).decode()


def json_data(document: object) -> bytes:
    """Return what `json_text` returns, encoded: without a copy, for a large document."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def form_of(
    kind: type,
    *,
    head: Mapping[str, Any] | None = None,
    without: Collection[str] = (),
    keys: Mapping[type, Mapping[str, str]] | None = None,
) -> type[msgspec.Struct]:
    """Return the form in which a frozen class, and all those in it, stand in a document.

    msgspec encodes an attrs class with its keys sorted, and decodes it with keys missing or
    unknown. The form has the keys in the order of the class; all are required, no other is allowed.
    An attribute with the metadata `optional` is written only where it differs from its default.
    `msgspec.convert(..., from_attributes=True)` leads from the class to the form and back. To be
    called while a module is imported, for msgspec must not examine a class in two threads at once.

    `head` has the types of keys that come first, which the class does not have; `without` the
    attributes that are not written; `keys`, by class, the keys that differ from the attributes.
    """
    is_plain = not (head or without or keys)
    if is_plain and kind in _PLAIN:  # a schema has each name once
        return _PLAIN[kind]
    hints = get_type_hints(kind)
    fields = [
        (
            each.name,
            _form(hints[each.name], keys or {}),
            *([each.default] if "optional" in each.metadata else []),
        )
        for each in attrs.fields(kind)
        if each.name not in without
    ]
    made = msgspec.defstruct(
        kind.__name__,
        [*(head or {}).items(), *fields],
        rename=(keys or {}).get(kind, {}),
        forbid_unknown_fields=True,
        omit_defaults=True,  # others than the optional ones have none here
        kw_only=True,
    )
    return _PLAIN.setdefault(kind, made) if is_plain else made


def form(name: str, **fields: Any) -> Any:
    """Return the form of a part of a document, with those of the classes in it; [X]: a list."""
    generic: Any = list
    made = [
        (key, generic[_form(hint[0], {})] if isinstance(hint, list) else _form(hint, {}))
        for key, hint in fields.items()
    ]
    return msgspec.defstruct(name, made, kw_only=True)


def _form(hint: Any, keys: Mapping[type, Mapping[str, str]]) -> Any:
    """Return a type with the forms of the classes in it."""
    if isinstance(hint, type) and attrs.has(hint):
        return form_of(hint, keys=keys)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is None or origin is Literal:
        return hint
    generic: Any = Union if origin is UnionType else origin
    return generic[tuple(_form(each, keys) for each in arguments)]


def groups_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a file of groups, for editors and validators."""
    return _read("groups.schema.json")


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema of a saved plan."""
    return _read("plan.schema.json")


def journal_schema() -> dict[str, Any]:
    """Return the JSON Schema of a line of a journal."""
    return _read("journal.schema.json")


def review_schema() -> dict[str, Any]:
    """Return the JSON Schema of an access review."""
    return _read("review.schema.json")


def roles_schema() -> dict[str, Any]:
    """Return the JSON Schema of what `show`, `list`, `whois` and `explain` tell of roles."""
    return _read("roles.schema.json")


def _read(name: str) -> dict[str, Any]:
    path = files(__name__.rpartition(".")[0]) / "schemas" / name
    schema: dict[str, Any] = json.loads(path.read_bytes())
    return schema


def pages_of(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the rows of a document in pages, none of which is large; one page if there are none."""
    page: list[Any] = []
    size = 0
    for row in rows:
        length = len(msgspec.json.encode(row))  # some have a group for each of an account's
        if page and (len(page) == _MOST_ROWS or size + length > _LARGEST_PAGE):
            yield page
            page, size = [], 0
        page.append(row)
        size += length
    yield page


def as_shown(value: Any, cut: list[str] | None = None, at: str = "") -> Any:
    """Return data whose texts are escaped, and cut if long; lists too, which `cut` then names."""
    match value:
        case str():
            return escaped(value[:_LONGEST]) + ("…" if len(value) > _LONGEST else "")
        case {**fields}:
            shown = {as_shown(key): each for key, each in fields.items()}
            return {key: as_shown(each, cut, f"{at}.{key}") for key, each in shown.items()}
        case [*items]:
            if cut is not None and len(items) > _MOST_LISTED:
                cut.append(at[1:])
                items = items[:_MOST_LISTED]
            return [as_shown(each, cut, f"{at}.{index}") for index, each in enumerate(items)]
        case _:
            return value
