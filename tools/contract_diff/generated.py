"""Which changes of the generated package are harmless: its modules, classes, fields and functions.

griffe reads the code without importing it. Its own search for breaking changes is not enough here:
it compares neither annotations nor what makes a field required.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import griffe

from .changes import GENERATED, Change, Kind, either


def changes(old: Path, new: Path) -> list[Change]:
    """Return the changes between the packages in two folders."""
    before, after = _packages(old), _packages(new)
    found: list[Change] = []
    for name in either(before, after):
        if name not in after:
            found.append(Change(Kind.BREAKING, f"{GENERATED}{name}", "the package was removed"))
        elif name not in before:
            found.append(Change(Kind.ADDITIVE, f"{GENERATED}{name}", "the package was added"))
        else:
            found += _members(before[name], after[name])
    return found


def _packages(folder: Path) -> dict[str, griffe.Object]:
    return {
        path.parent.name: _load(folder, path.parent.name)
        for path in sorted(folder.glob("*/__init__.py"))
    }


def _load(folder: Path, name: str) -> griffe.Object:
    loaded = griffe.load(name, search_paths=[folder], allow_inspection=False)
    assert isinstance(loaded, griffe.Object)
    return loaded


def _public(holder: griffe.Object) -> dict[str, griffe.Object | griffe.Alias]:
    """Return the members of a module or a class that users may name.

    A private field of a class counts: it can be an argument of the constructor.
    """
    return {
        name: member
        for name, member in holder.members.items()
        if not _is_internal(name, is_field=holder.is_class and member.is_attribute)
        and (not member.is_alias or member.is_public)
    }


def _is_internal(name: str, *, is_field: bool) -> bool:
    if name.startswith("__") and name.endswith("__"):
        return name in ("__all__", "__slots__")
    return name.startswith("_") and not is_field


def _change(kind: Kind, member: griffe.Object | griffe.Alias, text: str) -> Change:
    """Return a change, with the module as its subject and the class beside it."""
    if isinstance(member, griffe.Module):
        return Change(kind, f"{GENERATED}{member.path}", text)
    parent = member.parent
    assert parent is not None
    is_class = member.is_alias or member.is_class
    owner = member.name if is_class else parent.name if parent.is_class else None
    module = parent.module.path
    place = member.path.removeprefix(f"{module}.")
    return Change(kind, f"{GENERATED}{module}", f"{place}: {text}", owner)


def _members(old: griffe.Object, new: griffe.Object) -> Iterator[Change]:
    before, after = _public(old), _public(new)
    for name in either(before, after):
        if name not in after:
            yield _change(Kind.BREAKING, before[name], "removed")
        elif name not in before:
            reason = _why_not_harmless(old, new, name) if new.is_class else None
            text = f"added, {reason}" if reason else "added"
            yield _change(Kind.BREAKING if reason else Kind.ADDITIVE, after[name], text)
        else:
            yield from _member(before[name], after[name])
    if new.is_class and _is_positional(new):
        kept = [
            [name for name in side if name in before and name in after]
            for side in (old.members, new.members)
        ]
        if kept[0] != kept[1]:
            yield _change(Kind.BREAKING, new, "the fields are in another order")


def _member(
    old: griffe.Object | griffe.Alias, new: griffe.Object | griffe.Alias
) -> Iterator[Change]:
    if isinstance(old, griffe.Alias) and isinstance(new, griffe.Alias):
        if old.target_path != new.target_path:
            text = f"{old.target_path} became {new.target_path}"
            yield _change(Kind.BREAKING, new, text)
    elif isinstance(old, griffe.Module) and isinstance(new, griffe.Module):
        yield from _members(old, new)
    elif isinstance(old, griffe.Class) and isinstance(new, griffe.Class):
        yield from _differences(old, new, ("bases", "keywords", "decorators"))
        yield from _members(old, new)
    elif isinstance(old, griffe.Function) and isinstance(new, griffe.Function):
        yield from _differences(old, new, ("decorators", "labels"))
        yield from _function(old, new)
    elif isinstance(old, griffe.Attribute) and isinstance(new, griffe.Attribute):
        yield from _differences(old, new, ("annotation", "value"))
    else:
        yield _change(Kind.BREAKING, new, f"{old.kind.value} became {new.kind.value}")


def _differences(
    old: griffe.Object, new: griffe.Object, attributes: tuple[str, ...]
) -> Iterator[Change]:
    for attribute in attributes:
        before, after = (_text(getattr(side, attribute)) for side in (old, new))
        if before != after:
            yield _change(Kind.BREAKING, new, f"{attribute}: {before} became {after}")


def _text(value: object) -> str:
    if isinstance(value, dict):
        value = [f"{name}={each}" for name, each in cast("dict[str, object]", value).items()]
    if isinstance(value, list | set):
        return ", ".join(sorted(_text(each) for each in value)) or "nothing"
    if isinstance(value, griffe.Decorator):
        return str(value.value)
    return "nothing" if value is None else str(value)


def _is_positional(holder: griffe.Object) -> bool:
    """Return whether the fields of a class are positional arguments of its constructor."""
    decorators = [_text(each) for each in getattr(holder, "decorators", [])]
    return any("define" in each and "kw_only=True" not in each for each in decorators)


def _why_not_harmless(old: griffe.Object, new: griffe.Object, name: str) -> str | None:
    """Return why a new member of a class breaks callers, or None."""
    member = new.members[name]
    if not isinstance(member, griffe.Attribute):
        return None
    annotation, value = str(member.annotation), _text(member.value)
    if value.startswith("field("):
        return "to be judged by hand"
    if member.value is None and not annotation.startswith(("NotRequired[", "ClassVar[")):
        return "and required"
    names = list(new.members)
    is_last = names.index(name) > max(
        (names.index(each) for each in old.members if each in names), default=-1
    )
    return "before other positional arguments" if _is_positional(new) and not is_last else None


def _function(old: griffe.Function, new: griffe.Function) -> Iterator[Change]:
    before = {each.name: (index, each) for index, each in enumerate(old.parameters)}
    after = {each.name: (index, each) for index, each in enumerate(new.parameters)}
    for name in either(before, after):
        if name not in after:
            yield _change(Kind.BREAKING, new, f"the parameter {name} was removed")
        elif name not in before:
            parameter = after[name][1]
            is_harmless = (
                parameter.kind is griffe.ParameterKind.keyword_only and not parameter.required
            )
            kind = Kind.ADDITIVE if is_harmless else Kind.BREAKING
            yield _change(kind, new, f"the parameter {name} was added")
        else:
            yield from _parameter(new, before[name], after[name])
    returned = [_text(each.returns) for each in (old, new)]
    if returned[0] != returned[1]:
        is_harmless = _alternatives(returned[1]) < _alternatives(returned[0])
        kind = Kind.ADDITIVE if is_harmless else Kind.BREAKING
        yield _change(kind, new, f"returned {returned[0]}, and now {returned[1]}")


def _parameter(
    function: griffe.Function,
    old: tuple[int, griffe.Parameter],
    new: tuple[int, griffe.Parameter],
) -> Iterator[Change]:
    (was_at, before), (is_at, after) = old, new
    name = f"the parameter {after.name}"
    is_keyword = griffe.ParameterKind.keyword_only in (before.kind, after.kind)
    if before.kind is not after.kind or (was_at != is_at and not is_keyword):
        yield _change(Kind.BREAKING, function, f"{name} is passed in another way")
    if before.default != after.default:
        kind = Kind.ADDITIVE if before.default is None else Kind.BREAKING
        was, now = (_text(each.default) for each in (before, after))
        yield _change(kind, function, f"{name}: the default {was} became {now}")
    annotations = [_text(each.annotation) for each in (before, after)]
    if annotations[0] != annotations[1]:
        is_harmless = _alternatives(annotations[0]) < _alternatives(annotations[1])
        kind = Kind.ADDITIVE if is_harmless else Kind.BREAKING
        yield _change(kind, function, f"{name}: {annotations[0]} became {annotations[1]}")


def _alternatives(annotation: str) -> frozenset[str]:
    """Return the alternatives of a union."""

    def of(node: ast.expr) -> Iterator[str]:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            yield from of(node.left)
            yield from of(node.right)
        else:
            yield ast.unparse(node)

    return frozenset(of(ast.parse(annotation, mode="eval").body))
