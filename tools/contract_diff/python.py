"""Which changes of the packages are harmless: their modules, classes, fields and functions.

griffe reads the code without importing it. Its own search for breaking changes is not enough here:
it compares neither annotations nor what makes a field required.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import griffe
from attrs import evolve

from .changes import GENERATED, PUBLIC, CannotCompareError, Change, Direction, Place, either

Member = griffe.Object | griffe.Alias
# The pages that tell what of a module without __all__ is public.
REFERENCE = "docs/reference/python"
# The command is for people: its options and output are documented, its functions are not.
_NOT_PUBLIC = ("command", "__main__")
_HARMLESS_OF_A_FIELD = {"default", "validator", "repr", "metadata", "eq", "hash"}
_HARMLESS_DECORATORS = ("deprecated", "override", "final")


def changes(old: Path, new: Path, sent: frozenset[str] = frozenset()) -> list[Change]:
    """Return the changes between two projects: in generated/, and in what overlay/ makes public.

    Args:
        old: The project as it was.
        new: The project as it is.
        sent: The schemas of requests only: their classes may become easier to construct.
    """
    before, after = _modules(old), _modules(new)
    found = _packages(before["generated"], after["generated"], sent)
    generated = [evolve(each, subject=f"{GENERATED}{each.subject}") for each in found]
    if not before["overlay"]:
        return generated
    names = [
        _exported(side["overlay"], "".join(page.read_text("utf-8") for page in pages))
        for side, pages in (
            (before, [*(old / REFERENCE).glob("*.md")]),
            (after, [*(new / REFERENCE).glob("*.md")]),
        )
    ]
    return [*generated, *_public(names[0], names[1], frozenset(before["generated"]))]


def _modules(root: Path) -> dict[str, dict[str, griffe.Object]]:
    """Return the packages and modules of each folder of a project, by their names."""
    folders = ("generated", "overlay")
    loader = griffe.GriffeLoader(
        search_paths=[root / name for name in folders], allow_inspection=False
    )
    found: dict[str, dict[str, griffe.Object]] = {}
    for folder in folders:
        paths = (root / folder).glob("*") if (root / folder).is_dir() else ()
        names = [each.stem for each in paths if (each / "__init__.py").is_file() or _is_code(each)]
        try:
            found[folder] = {name: cast(griffe.Object, loader.load(name)) for name in sorted(names)}
        except (griffe.GriffeError, ImportError) as error:
            raise CannotCompareError(f"{folder}/ cannot be read: {error}") from None
    return found


def _is_code(path: Path) -> bool:
    return path.suffix == ".py" and path.stem.isidentifier()


def _packages(
    before: Mapping[str, griffe.Object], after: Mapping[str, griffe.Object], sent: frozenset[str]
) -> Iterator[Change]:
    for name in either(before, after):
        place = Place(name, direction=Direction.BOTH, sent=sent)
        if name not in after:
            yield place.breaking("the package was removed")
        elif name not in before:
            yield place.additive("the package was added")
        else:
            yield from _members(place, before[name], after[name])


# What is public in overlay/


def _exported(packages: Mapping[str, griffe.Object], reference: str) -> dict[str, Member]:
    """Return what users may import, by its path: the packages, and their modules one level down."""
    modules = dict(packages)
    for name, package in packages.items():
        for each in package.modules.values():
            if not each.name.startswith("_") and each.name not in _NOT_PUBLIC:
                modules[f"{name}.{each.name}"] = each
    return {
        f"{path}.{name}": _resolved(member)
        for path, module in modules.items()
        for name, member in module.members.items()
        if member.is_public and (member.is_alias or not member.is_module) and name != "__all__"
        if module.exports or not reference or f"{path}.{name}" in reference
    }


def _resolved(member: Member) -> Member:
    try:
        return member.final_target if isinstance(member, griffe.Alias) else member
    except griffe.GriffeError:
        return member  # of another library


def _public(
    before: Mapping[str, Member], after: Mapping[str, Member], generated: frozenset[str]
) -> Iterator[Change]:
    seen: set[str] = set()
    for path in either(before, after):
        module, _, name = path.rpartition(".")
        place = Place(f"{PUBLIC}{module}", name, Direction.BOTH, name)
        if path not in after:
            yield place.breaking("removed")
        elif path not in before:
            yield place.additive("added")
        else:
            old, new = before[path], after[path]
            is_generated = old.path == new.path and old.path.partition(".")[0] in generated
            if old.path not in seen and not is_generated and not isinstance(new, griffe.Module):
                seen.add(old.path)  # the same object is exported from several modules
                for each in _member(place, old, new):
                    parts = each.text.partition(": ")[0].removesuffix(".__init__").split(".")
                    yield evolve(each, schema=parts[-1])


# Objects


def _visible(place: Place, holder: griffe.Object) -> dict[str, Member]:
    """Return the members of a module or a class that users may name.

    A private field of a generated class counts: it can be an argument of the constructor. Of a
    public class, what it inherits counts too.
    """
    is_public = place.subject.startswith(PUBLIC)
    members = holder.all_members if is_public and holder.is_class else holder.members
    return {
        name: _resolved(member) if is_public else member
        for name, member in members.items()
        if not _is_internal(name, is_field=_is_field(holder, member) and not is_public)
        and (not member.is_alias or member.is_public or is_public)
    }


def _is_field(holder: griffe.Object, member: Member) -> bool:
    return holder.is_class and isinstance(member, griffe.Attribute)


def _is_internal(name: str, *, is_field: bool) -> bool:
    if name.startswith("__") and name.endswith("__"):
        return name in ("__all__", "__slots__")
    return name.startswith("_") and not is_field


def _below(place: Place, holder: griffe.Object, member: Member) -> Place:
    """Return the place of a member: its module is the subject, its class is beside it."""
    if not holder.is_class:
        if isinstance(member, griffe.Module):
            return evolve(place, subject=f"{place.subject}.{member.name}")
        owner = member.name if member.is_alias or member.is_class else None
        # The class of a request is beside its operation, or made from a schema of requests only.
        is_sent = ".api." in place.subject or member.name.removesuffix("TypedDict") in place.sent
        direction = Direction.SENT if is_sent and owner else Direction.BOTH
        return evolve(place, name=member.name, schema=owner, direction=direction)
    return place.at(f".{member.name}")


def _members(place: Place, old: griffe.Object, new: griffe.Object) -> Iterator[Change]:
    before, after = _visible(place, old), _visible(place, new)
    for name in either(before, after):
        at = _below(place, new, after[name] if name in after else before[name])
        if name not in after:
            yield at.breaking("removed")
        elif name in before:
            yield from _member(at, before[name], after[name])
        elif new.is_class and (reason := _why_not_harmless(old, new, name, after[name])):
            yield at.breaking(f"added, {reason}")
        else:
            yield at.additive("added")
    if new.is_class and _is_positional(new):
        kept = [
            [name for name in side if name in before and name in after]
            for side in (old.members, new.members)
        ]
        if kept[0] != kept[1]:
            yield place.breaking("the fields are in another order")


def _member(at: Place, old: Member, new: Member) -> Iterator[Change]:
    match old, new:
        case griffe.Alias(), griffe.Alias():
            if old.target_path != new.target_path:
                yield at.breaking(f"{old.target_path} became {new.target_path}")
        case griffe.Module(), griffe.Module():
            yield from _members(at, old, new)
        case griffe.Class(), griffe.Class():
            yield from _differences(at, old, new, ("bases", "keywords", "decorators"))
            yield from _members(at, old, new)
        case griffe.Function(), griffe.Function():
            yield from _differences(at, old, new, ("decorators", "labels"))
            yield from _function(at, old, new)
        case griffe.Attribute(), griffe.Attribute():
            is_argument = new.annotation is None and "instance-attribute" in new.labels
            fields = ("annotation", "value")
            yield from () if is_argument else _differences(at, old, new, fields)
        case _:
            yield at.breaking(f"{old.kind.value} became {new.kind.value}")


def _differences(
    at: Place, old: griffe.Object, new: griffe.Object, attributes: tuple[str, ...]
) -> Iterator[Change]:
    for attribute in attributes:
        was, now = getattr(old, attribute), getattr(new, attribute)
        if attribute == "value":
            was, now = _default(was), _default(now)
        if attribute == "bases" and at.subject.startswith(PUBLIC):
            was, now = (_without_private(each) for each in (was, now))
            now = [each for each in now if each in was]
        elif attribute == "decorators":
            was, now = (
                [each for each in side if _name_of(each) not in _HARMLESS_DECORATORS]
                for side in (was, now)
            )
        before, after = _text(was), _text(now)
        if before == after:
            continue
        text = f"{attribute}: {before} became {after}"
        is_wider = _alternatives(before) < _alternatives(after)
        if (attribute == "annotation" and is_wider) or (attribute, was) == ("value", None):
            yield at.widened(text)  # easier to construct
        elif attribute == "value" and is_wider and before.startswith("Literal["):
            yield at.additive(text)  # the document tells whether responses have more values
        else:
            yield at.breaking(text)


def _default(value: object) -> str | None:
    """Return the default of a field, however it is written, or the value of a constant."""
    if value is None:
        return None
    match ast.parse(str(value), mode="eval").body:
        case ast.Call(func=ast.Name("field") | ast.Attribute(attr="field"), keywords=given):
            others = [ast.unparse(each) for each in given if each.arg not in _HARMLESS_OF_A_FIELD]
            default = next((each.value for each in given if each.arg == "default"), None)
            text = _default(ast.unparse(default)) if default else None
            return f"field({', '.join([text or '', *others])})" if others else text
        case ast.Name(name):
            return name.lstrip("_")  # a constant that became private is the same
        case _:
            return str(value)


def _without_private(bases: list[griffe.Expr | str]) -> list[griffe.Expr | str]:
    """Return the bases that users may know; what the others give is compared itself."""
    paths = [each if isinstance(each, str) else each.canonical_path for each in bases]
    return [
        base
        for base, path in zip(bases, paths, strict=True)
        if not any(part.startswith("_") for part in path.split("."))
        and not path.startswith("cld_provisioning_api.")
    ]


def _name_of(decorator: griffe.Decorator) -> str:
    return decorator.callable_path.rpartition(".")[2]


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
    return any(
        "kw_only=True" not in each and each.partition("(")[0].rpartition(".")[2] in _FIELDS
        for each in decorators
    )


_FIELDS = ("define", "frozen", "mutable", "dataclass")


def _why_not_harmless(
    old: griffe.Object, new: griffe.Object, name: str, member: Member
) -> str | None:
    """Return why a new member of a class breaks callers, or None."""
    if not isinstance(member, griffe.Attribute) or not _has_fields(new):
        return None
    annotation, value = str(member.annotation), _default(member.value)
    if annotation.startswith("ClassVar["):
        return None
    if value is not None and value.startswith("field("):
        return "to be judged by hand"
    if value is None and not annotation.startswith("NotRequired["):
        return "and required"
    names = list(new.members)
    is_last = names.index(name) > max(
        (names.index(each) for each in old.members if each in names), default=-1
    )
    return "before other positional arguments" if _is_positional(new) and not is_last else None


def _has_fields(holder: griffe.Object) -> bool:
    """Return whether the attributes of a class are arguments of its constructor."""
    return isinstance(holder, griffe.Class) and "__init__" not in holder.members


# Functions


def _function(at: Place, old: griffe.Function, new: griffe.Function) -> Iterator[Change]:
    at = evolve(at, direction=Direction.SENT)
    before, after = (
        {each.name: (index, each) for index, each in enumerate(function.parameters)}
        for function in (old, new)
    )
    for name in either(before, after):
        if name not in after:
            yield at.breaking(f"the parameter {name} was removed")
        elif name in before:
            yield from _parameter(at, before[name], after[name])
        else:
            added = after[name][1]
            is_keyword = added.kind is griffe.ParameterKind.keyword_only
            is_harmless = is_keyword and not added.required
            text = f"the parameter {name} was added"
            yield at.additive(text) if is_harmless else at.breaking(text)
    was, now = ({each.signature() for each in side.overloads or ()} for side in (old, new))
    if was - now:
        yield at.breaking("can no longer be called in one of the ways that its overloads list")
    yield from _retyped(
        evolve(at, direction=Direction.RECEIVED),
        "returned {}, and now {}",
        old.returns,
        new.returns,
    )


def _parameter(
    at: Place, old: tuple[int, griffe.Parameter], new: tuple[int, griffe.Parameter]
) -> Iterator[Change]:
    (was_at, before), (is_at, after) = old, new
    name = f"the parameter {after.name}"
    is_keyword = griffe.ParameterKind.keyword_only in (before.kind, after.kind)
    if before.kind is not after.kind or (was_at != is_at and not is_keyword):
        yield at.breaking(f"{name} is passed in another way")
    if before.default != after.default:
        was, now = (_text(each.default) for each in (before, after))
        text = f"{name}: the default {was} became {now}"
        yield at.additive(text) if before.default is None else at.breaking(text)
    yield from _retyped(at, f"{name}: {{}} became {{}}", before.annotation, after.annotation)


def _retyped(at: Place, text: str, old: object, new: object) -> Iterator[Change]:
    """Compare two annotations: of what a caller passes, or of what it is given."""
    before, after = _text(old), _text(new)
    if before == after:
        return
    text = text.format(before, after)
    was, now = _alternatives(before), _alternatives(after)
    if was < now:
        yield at.widened(text)
    elif now < was:
        yield at.narrowed(text)
    else:
        yield at.breaking(text)


def _alternatives(annotation: str) -> frozenset[str]:
    """Return the alternatives of a union, or of its literals."""

    def of(node: ast.expr) -> Iterator[str]:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            yield from of(node.left)
            yield from of(node.right)
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal":
            members = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            yield from (f"Literal[{ast.unparse(each)}]" for each in members)
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "NotRequired":
            yield "nothing"
            yield from of(node.slice)
        else:
            yield ast.unparse(node)

    try:
        return frozenset(of(ast.parse(annotation, mode="eval").body))
    except SyntaxError:
        return frozenset([annotation])
