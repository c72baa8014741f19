"""Which changes of the packages are harmless: their modules, classes, fields and functions.

griffe reads the code without importing it. Its own search for breaking changes is not enough here:
it compares neither annotations nor what makes a field required.
"""

from __future__ import annotations

import ast
import pkgutil
import re
from collections.abc import Container, Iterator, Mapping
from itertools import dropwhile
from pathlib import Path
from typing import Any, cast

import griffe
from attrs import evolve

from .changes import GENERATED, PUBLIC, CannotCompareError, Change, Changes, Place, by_name

Member = griffe.Object | griffe.Alias
# The pages that tell what of a module without __all__ is public.
REFERENCE = "docs/reference/python"
# The command is for people: its options and output are documented, its functions are not.
_NOT_PUBLIC = ("command", "__main__")
_HARMLESS_OF_A_FIELD = {"default", "validator", "repr", "metadata", "eq", "hash"}
_HARMLESS_DECORATORS = ("deprecated", "override", "final")
_INTERNAL = re.compile(r"(?:.*\.)?_|cld_provisioning_api\.")  # of a base
_FIELDS = ("define", "frozen", "mutable", "dataclass")


def changes(old: Path, new: Path, sent: frozenset[str] = frozenset()) -> list[Change]:
    """Return the changes between two projects: in generated/, and in what overlay/ makes public.

    The classes of the schemas that are only `sent` may become easier to construct.
    """
    before, after = _modules(old), _modules(new)

    def at(name: str) -> Place:
        return Place(f"{GENERATED}{name}", direction="both", sent=sent)

    found = [*by_name(before["generated"], after["generated"], at, _members)]
    if before["overlay"]:
        was, now = _exported(old, before["overlay"]), _exported(new, after["overlay"])
        found += _public(was, now, before["generated"])
    return found


def _modules(root: Path) -> dict[str, dict[str, griffe.Object]]:
    """Return the packages and modules of each folder of a project, by their names."""
    folders = {name: str(root / name) for name in ("generated", "overlay")}
    loader = griffe.GriffeLoader(search_paths=[*folders.values()], allow_inspection=False)
    found: dict[str, dict[str, griffe.Object]] = {}
    for folder, path in folders.items():
        names = [each.name for each in pkgutil.iter_modules([path]) if each.name.isidentifier()]
        try:
            found[folder] = {name: cast(griffe.Object, loader.load(name)) for name in names}
        except (griffe.GriffeError, ImportError) as error:
            raise CannotCompareError(f"{folder}/ cannot be read: {error}") from None
    return found


# What is public in overlay/


def _exported(root: Path, packages: Mapping[str, griffe.Object]) -> dict[str, Member]:
    """Return what users may import, by its path: the packages, and their modules one level down."""
    reference = "".join(page.read_text("utf-8") for page in (root / REFERENCE).glob("*.md"))
    return {
        f"{module.path}.{name}": _resolved(member)
        for package in packages.values()
        for module in (package, *package.modules.values())
        if module is package or not (module.name.startswith("_") or module.name in _NOT_PUBLIC)
        for name, member in module.members.items()
        if member.is_public and (member.is_alias or not member.is_module) and name != "__all__"
        if module.exports or not reference or f"{module.path}.{name}" in reference
    }


def _resolved(member: Member) -> Member:
    try:
        return member.final_target if isinstance(member, griffe.Alias) else member
    except griffe.GriffeError:
        return member  # of another library


def _public(
    before: Mapping[str, Member], after: Mapping[str, Member], generated: Container[str]
) -> Changes:
    seen: set[str] = set()

    def at(path: str) -> Place:
        module, _, name = path.rpartition(".")
        return Place(f"{PUBLIC}{module}", name, "both", name)

    def below(place: Place, old: Member, new: Member) -> Changes:
        is_generated = old.path == new.path and old.path.partition(".")[0] in generated
        if old.path not in seen and not is_generated and not isinstance(new, griffe.Module):
            seen.add(old.path)  # the same object is exported from several modules
            for each in _member(place, old, new):
                path = re.split(r"[(:]", each.text)[0].removesuffix(".__init__")
                yield evolve(each, schema=path.rpartition(".")[2])

    return by_name(before, after, at, below)


# Objects


def _visible(place: Place, holder: griffe.Object) -> dict[str, Member]:
    """Return the members of a module or a class that users may name.

    A private field of a generated class counts: it can be an argument of the constructor. Of a
    public class, what it inherits counts too.
    """
    is_public = place.subject.startswith(PUBLIC)
    found: dict[str, Member] = {}
    for name, member in (holder.all_members if is_public else holder.members).items():
        is_argument = holder.is_class and isinstance(member, griffe.Attribute) and not is_public
        is_hidden = (member.is_private and not is_argument) or name in ("__all__", "__slots__")
        if not is_hidden and (is_public or not member.is_alias or member.is_public):
            found[name] = _resolved(member) if is_public else member
    return found


def _below(place: Place, holder: griffe.Object, member: Member) -> Place:
    """Return the place of a member: its module is the subject, its class is beside it."""
    if holder.is_class:
        return place.at(f".{member.name}")
    if isinstance(member, griffe.Module):
        return evolve(place, subject=f"{place.subject}.{member.name}")
    owner = member.name if member.is_alias or member.is_class else None
    # The class of a request is beside its operation, or made from a schema of requests only.
    is_sent = ".api." in place.subject or member.name.removesuffix("TypedDict") in place.sent
    at = evolve(place, name=member.name, schema=owner)
    return evolve(at, direction="sent" if is_sent and owner else "both")


def _members(place: Place, old: griffe.Object, new: griffe.Object) -> Changes:
    before, after = _visible(place, old), _visible(place, new)

    def added(at: Place, member: Member) -> Change:
        reason = _why_not_harmless(old, new, member) if new.is_class else None
        return at.breaking(f"added, {reason}") if reason else at.additive("added")

    both = {**before, **after}
    yield from by_name(before, after, lambda it: _below(place, new, both[it]), _member, added)
    kept = before.keys() & after.keys()
    was, now = ([name for name in side.members if name in kept] for side in (old, new))
    if was != now and _is_positional(new):
        yield place.breaking("the fields are in another order")


def _member(at: Place, old: Member, new: Member) -> Changes:
    match old, new:
        case griffe.Alias(), griffe.Alias():
            if old.target_path != new.target_path:
                yield at.breaking(f"{old.target_path} became {new.target_path}")
        case griffe.Module(), griffe.Module():
            yield from _members(at, old, new)
        case griffe.Class(), griffe.Class():
            yield from _differences(at, old, new, "bases", "keywords", "decorators")
            yield from _members(at, old, new)
        case griffe.Function(), griffe.Function():
            yield from _differences(at, old, new, "decorators", "labels")
            yield from _function(at, old, new)
        case griffe.Attribute(), griffe.Attribute():
            # An attribute that a constructor sets without an annotation is an argument of it.
            if new.annotation is not None or "instance-attribute" not in new.labels:
                yield from _retyped(at, "annotation", old.annotation, new.annotation)
                yield from _redefined(at, "value", old.value, new.value)
        case _:
            yield at.breaking(f"{old.kind.value} became {new.kind.value}")


def _differences(at: Place, old: griffe.Object, new: griffe.Object, *attributes: str) -> Changes:
    for attribute in attributes:
        was, now = (_comparable(at, attribute, getattr(each, attribute)) for each in (old, new))
        if attribute == "bases" and at.subject.startswith(PUBLIC):
            now = [each for each in now if each in was]
        if _text(was) != _text(now):
            yield at.breaking(f"{attribute}: {_text(was)} became {_text(now)}")


def _comparable(at: Place, attribute: str, value: Any) -> Any:
    """Return what of an attribute can break callers."""
    if attribute == "decorators":
        return [str(each.value) for each in value if _name(each) not in _HARMLESS_DECORATORS]
    if attribute == "bases" and at.subject.startswith(PUBLIC):
        # What private and generated bases give is compared itself.
        return [
            each for each in value if not _INTERNAL.match(getattr(each, "canonical_path", each))
        ]
    return value


def _redefined(at: Place, name: str, old: object, new: object) -> Changes:
    """Compare two defaults, or two constants."""
    was, now = _default(old), _default(new)
    if was != now:
        has_more = str(was).startswith("Literal[") and _alternatives(was) < _alternatives(now)
        # The document tells whether responses have more values.
        judge = at.widened if was is None else at.additive if has_more else at.breaking
        yield judge(f"{name}: {_text(was)} became {_text(now)}")


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


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = [f"{name}={each}" for name, each in value.items()]
    if isinstance(value, list | set):
        return ", ".join(sorted(map(str, value))) or "nothing"
    return "nothing" if value is None else str(value)


def _is_positional(holder: griffe.Object) -> bool:
    """Return whether the fields of a class are positional arguments of its constructor."""
    return isinstance(holder, griffe.Class) and any(
        _name(each) in _FIELDS and "kw_only=True" not in str(each.value)
        for each in holder.decorators
    )


def _name(decorator: griffe.Decorator) -> str:
    return decorator.callable_path.rpartition(".")[2]


def _why_not_harmless(old: griffe.Object, new: griffe.Object, member: Member) -> str | None:
    """Return why a new member of a class breaks callers, or None."""
    # With a constructor of its own, the attributes are no arguments of it.
    if not isinstance(member, griffe.Attribute) or "__init__" in new.members:
        return None
    annotation, value = str(member.annotation), _default(member.value)
    if "property" in member.labels or annotation.startswith("ClassVar["):
        return None
    if value is not None and value.startswith("field("):
        return "to be judged by hand"
    if value is None and not annotation.startswith("NotRequired["):
        return "and required"
    # Without what is inherited, which comes first.
    following = [*dropwhile(lambda name: name != member.name, new.members)]
    fields = {name for name, each in old.attributes.items() if "property" not in each.labels}
    is_last = bool(following) and fields.isdisjoint(following)
    return "before other positional arguments" if _is_positional(new) and not is_last else None


# Functions


def _function(at: Place, old: griffe.Function, new: griffe.Function) -> Changes:
    def added(place: Place, parameter: tuple[int, griffe.Parameter]) -> Change:
        kind, is_required = parameter[1].kind, parameter[1].required
        is_harmless = kind is griffe.ParameterKind.keyword_only and not is_required
        return place.additive("added") if is_harmless else place.breaking("added")

    passed = evolve(at, direction="sent")
    before, after = ({it[1].name: it for it in enumerate(side.parameters)} for side in (old, new))
    yield from by_name(before, after, lambda name: passed.at(f"({name})"), _parameter, added)
    was, now = ({each.signature() for each in side.overloads or ()} for side in (old, new))
    if was - now:
        yield at.breaking("can no longer be called in one of the ways that its overloads list")
    yield from _retyped(evolve(at, direction="received"), "returns", old.returns, new.returns)


def _parameter(
    at: Place, old: tuple[int, griffe.Parameter], new: tuple[int, griffe.Parameter]
) -> Changes:
    (before, was), (after, now) = old, new
    is_keyword = griffe.ParameterKind.keyword_only in (was.kind, now.kind)
    if was.kind is not now.kind or (before != after and not is_keyword):
        yield at.breaking("passed in another way")
    yield from _redefined(at, "default", was.default, now.default)
    yield from _retyped(at, "annotation", was.annotation, now.annotation)


def _retyped(at: Place, name: str, old: object, new: object) -> Changes:
    """Compare two annotations: of what a caller passes, or of what it is given."""
    was, now = _alternatives(old), _alternatives(new)
    if _text(old) != _text(new):
        judge = at.widened if was < now else at.narrowed if now < was else at.breaking
        yield judge(f"{name}: {_text(old)} became {_text(new)}")


def _alternatives(annotation: object) -> frozenset[str]:
    """Return the alternatives of a union, or of its literals."""

    def of(node: ast.expr) -> Iterator[str]:
        match node:
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                yield from (*of(left), *of(right))
            case ast.Subscript(value=ast.Name("Literal"), slice=inner):
                members = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                yield from (f"Literal[{ast.unparse(each)}]" for each in members)
            case ast.Subscript(value=ast.Name("NotRequired"), slice=inner):
                yield from ("nothing", *of(inner))
            case _:
                yield ast.unparse(node)

    return frozenset(of(ast.parse(_text(annotation), mode="eval").body))
