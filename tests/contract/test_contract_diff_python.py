"""What a change of the packages means for those who import them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.documents import ROOT
from tools.contract_diff.changes import CannotCompareError, Kind
from tools.contract_diff.python import changes

MODULES = {
    "__init__.py": 'from .client import Client\n\n__all__ = ("Client",)\n',
    "client.py": (
        "class Client:\n    def close(self) -> None: ...\n    def _open(self) -> None: ...\n"
    ),
    "api/__init__.py": "",
    "api/get_thing.py": (
        'OPERATION_ID = "getThing"\n'
        "def sync(id: str, *, client: Client, dry: bool | None = None) -> Thing | None: ...\n"
        "def _build() -> None: ...\n"
    ),
    "models/__init__.py": 'from .thing import Thing\n\n__all__ = ("Thing",)\n',
    "models/thing.py": (
        "from typing import NotRequired, TypedDict\n"
        "from attrs import define\n\n"
        "@define(weakref_slot=False)\n"
        "class Thing:\n"
        "    id: str | None = None\n"
        "    name: str | None = None\n\n"
        "@define(kw_only=True)\n"
        "class Owner:\n"
        "    id: str\n\n"
        "class ThingTypedDict(TypedDict):\n"
        "    id: NotRequired[str]\n"
    ),
}
THING, GET = "generated package.models.thing", "generated package.api.get_thing"
ID, NAME = "    id: str | None = None\n", "    name: str | None = None\n"
SIGNATURE = "(id: str, *, client: Client, dry: bool | None = None)"

# A file, what is replaced in it and by what, and what is said of that.
CHANGES: dict[str, tuple[str, str, str, list[tuple[str, str, str]]]] = {
    "a field is removed": (
        "models/thing.py", NAME, "",
        [("breaking", THING, "Thing.name: removed")]),
    "a field is added after the others": (
        "models/thing.py", NAME, f"{NAME}    size: int | None = None\n",
        [("additive", THING, "Thing.size: added")]),
    "a field is added before the others": (
        "models/thing.py", ID, f"    size: int | None = None\n{ID}",
        [("breaking", THING, "Thing.size: added, before other positional arguments")]),
    "a field that is no positional argument is added before the others": (
        "models/thing.py", "    id: str\n", "    size: int | None = None\n    id: str\n",
        [("additive", THING, "Owner.size: added")]),
    "a required field is added": (
        "models/thing.py", "    id: str\n", "    id: str\n    size: int\n",
        [("breaking", THING, "Owner.size: added, and required")]),
    "a field with a validator is added": (
        "models/thing.py", NAME, f"{NAME}    size: int = field(default=0, validator=positive)\n",
        [("additive", THING, "Thing.size: added")]),
    "a field that is not plain is added": (
        "models/thing.py", NAME, f"{NAME}    size: int = field(alias='s')\n",
        [("breaking", THING, "Thing.size: added, to be judged by hand")]),
    "a key is added to a dict": (
        "models/thing.py", "NotRequired[str]\n", "NotRequired[str]\n    size: NotRequired[int]\n",
        [("additive", THING, "ThingTypedDict.size: added")]),
    "a required key is added to a dict": (
        "models/thing.py", "NotRequired[str]\n", "NotRequired[str]\n    size: int\n",
        [("breaking", THING, "ThingTypedDict.size: added, and required")]),
    "fields change places": (
        "models/thing.py", f"{ID}{NAME}", f"{NAME}{ID}",
        [("breaking", THING, "Thing: the fields are in another order")]),
    "a field is no longer optional": (
        "models/thing.py", ID, "    id: str\n",
        [
            ("breaking", THING, "Thing.id: annotation: str | None became str"),
            ("breaking", THING, "Thing.id: value: None became nothing"),
        ]),
    "fields are no longer positional arguments": (
        "models/thing.py", "@define(weakref_slot=False)",
        "@define(weakref_slot=False, kw_only=True)",
        [("breaking", THING,
          "Thing: decorators: define(weakref_slot=False) became "
          "define(weakref_slot=False, kw_only=True)")]),
    "a class has another base": (
        "models/thing.py", "class Thing:", "class Thing(Model):",
        [("breaking", THING, "Thing: bases: nothing became Model")]),
    "a class is renamed": (
        "models/thing.py", "class Owner:", "class Person:",
        [("breaking", THING, "Owner: removed"), ("additive", THING, "Person: added")]),
    "a class is defined with another keyword": (
        "models/thing.py", "(TypedDict)", "(TypedDict, total=False)",
        [("breaking", THING,
          "ThingTypedDict: keywords: nothing became total=False")]),
    "a name is no longer exported": (
        "models/__init__.py", 'from .thing import Thing\n\n__all__ = ("Thing",)\n', "",
        [("breaking", "generated package.models", "Thing: removed")]),
    "a name is exported": (
        "models/__init__.py", 'import Thing\n\n__all__ = ("Thing",)',
        'import Owner, Thing\n\n__all__ = ("Owner", "Thing")',
        [("additive", "generated package.models", "Owner: added")]),
    "a name is another object": (
        "models/__init__.py", "import Thing", "import Owner as Thing",
        [("breaking", "generated package.models",
          "Thing: package.models.thing.Thing became package.models.thing.Owner")]),
    "a constant changes": (
        "api/get_thing.py", '"getThing"', '"readThing"',
        [("breaking", GET, "OPERATION_ID: value: 'getThing' became 'readThing'")]),
    "a parameter is removed": (
        "api/get_thing.py", ", dry: bool | None = None", "",
        [("breaking", GET, "sync(dry): removed")]),
    "an optional keyword is added": (
        "api/get_thing.py", ") -> Thing", ", why: str | None = None) -> Thing",
        [("additive", GET, "sync(why): added")]),
    "a required keyword is added": (
        "api/get_thing.py", ") -> Thing", ", why: str) -> Thing",
        [("breaking", GET, "sync(why): added")]),
    "a positional parameter is added": (
        "api/get_thing.py", "(id: str,", "(id: str, why: str = '',",
        [("breaking", GET, "sync(why): added")]),
    "a parameter becomes a keyword": (
        "api/get_thing.py", "(id: str, *, ", "(*, id: str, ",
        [("breaking", GET, "sync(id): passed in another way")]),
    "a parameter is given a default": (
        "api/get_thing.py", "(id: str,", "(id: str = '',",
        [("additive", GET, "sync(id): default: nothing became ''")]),
    "a default changes": (
        "api/get_thing.py", "dry: bool | None = None", "dry: bool | None = True",
        [("breaking", GET, "sync(dry): default: None became True")]),
    "a parameter accepts more": (
        "api/get_thing.py", "id: str", "id: str | int",
        [("additive", GET, "sync(id): annotation: str became str | int")]),
    "a parameter accepts something else": (
        "api/get_thing.py", "id: str", "id: int",
        [("breaking", GET, "sync(id): annotation: str became int")]),
    "a function returns more": (
        "api/get_thing.py", "-> Thing | None", "-> Thing | Owner | None",
        [("breaking", GET, "sync: returns: Thing | None became Thing | Owner | None")]),
    "a function returns less": (
        "api/get_thing.py", "-> Thing | None", "-> Thing",
        [("additive", GET, "sync: returns: Thing | None became Thing")]),
    "a function becomes async": (
        "api/get_thing.py", "def sync", "async def sync",
        [("breaking", GET, "sync: labels: nothing became async")]),
    "a function becomes a class": (
        "api/get_thing.py", f"def sync{SIGNATURE} -> Thing | None: ...", "class sync: ...",
        [("breaking", GET, "sync: function became class")]),
    "a method is removed": (
        "client.py", "    def close(self) -> None: ...\n", "",
        [("breaking", "generated package.client", "Client.close: removed")]),
    "what is private is removed": (
        "client.py", "    def _open(self) -> None: ...\n", "",
        []),
}  # fmt: skip


def write(folder: Path, modules: dict[str, str], package: str = "generated/package") -> Path:
    for name, text in modules.items():
        path = folder / package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_means(name: str, tmp_path: Path):
    file, old, new, expected = CHANGES[name]
    assert old in MODULES[file]
    found = changes(
        write(tmp_path / "old", MODULES),
        write(tmp_path / "new", {**MODULES, file: MODULES[file].replace(old, new, 1)}),
    )
    assert [(each.kind.value, each.subject, each.text) for each in found] == expected


OVERLAY = {
    "__init__.py": 'from .things import Things\n\n__all__ = ["Things"]\n',
    "things.py": (
        "from ._engine import Resource\n\n"
        "class Things(Resource):\n"
        "    def __init__(self, client: Client) -> None:\n        self.client = client\n"
        "    def get(self, *, id: str, dry: bool = False) -> Thing: ...\n"
        "    def _open(self) -> None: ...\n"
    ),
    "_engine.py": (
        "from package.models import Thing\n\n"
        "class Resource:\n    def close(self, wait: float = 1.0) -> None: ...\n"
    ),
    "command/__init__.py": "def main(arguments: list[str]) -> int: ...\n",
}
PUBLIC_CHANGES: dict[str, tuple[str, str, str, list[tuple[str, str, str]]]] = {
    "an argument of a method is renamed": (
        "things.py", "id: str", "thing_id: str",
        [
            ("breaking", "get", "Things.get(id): removed"),
            ("breaking", "get", "Things.get(thing_id): added"),
        ]),
    "an optional argument is added": (
        "things.py", "dry: bool = False", "dry: bool = False, why: str | None = None",
        [("additive", "get", "Things.get(why): added")]),
    "an argument of the constructor is removed": (
        "things.py", "self, client: Client", "self",
        [("breaking", "Things", "Things.__init__(client): removed")]),
    "an argument of an inherited method is removed": (
        "_engine.py", ", wait: float = 1.0", "",
        [("breaking", "close", "Things.close(wait): removed")]),
    "an inherited method moves into the class": (
        "things.py", "    def _open",
        "    def close(self, wait: float = 1.0) -> None: ...\n    def _open",
        []),
    "a method is deprecated": (
        "things.py", "    def get", "    @deprecated('use read')\n    def get",
        []),
    "what is private changes": (
        "things.py", "    def _open(self)", "    def _open(self, id: str)",
        []),
    "a function of the command changes": (
        "command/__init__.py", "arguments: list[str]", "argv: list[str]",
        []),
    "a name is no longer exported": (
        "__init__.py", '"Things"', "",
        [("breaking", "Things", "Things: removed")]),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLIC_CHANGES)
def test_a_change_of_what_is_public_means(name: str, tmp_path: Path):
    file, old, new, expected = PUBLIC_CHANGES[name]
    assert old in OVERLAY[file]
    changed = {**OVERLAY, file: OVERLAY[file].replace(old, new, 1)}
    for side, modules in (("old", OVERLAY), ("new", changed)):
        write(tmp_path / side, MODULES)
        write(tmp_path / side, modules, "overlay/sdk")
    found = changes(tmp_path / "old", tmp_path / "new")
    assert [(each.kind.value, each.schema, each.text) for each in found] == expected


def test_a_property_that_is_added_is_no_argument(tmp_path: Path):
    module = "class Thing:\n    def get(self, wait=elapsed): ...\n{}\n__all__ = ['Thing']\n"
    added = "    @cached_property\n    def parts(self) -> Parts: ..."
    for side, text in (("old", module.format("")), ("new", module.format(added))):
        write(tmp_path / side, {"__init__.py": ""})
        text = text if side == "old" else text.replace("=elapsed", "=_elapsed")
        write(tmp_path / side, {"__init__.py": f"from functools import cached_property\n{text}"},
              "overlay/sdk")  # fmt: skip
    (found,) = changes(tmp_path / "old", tmp_path / "new")
    assert (found.kind, found.text) == (Kind.ADDITIVE, "Thing.parts: added")


def test_a_property_is_no_positional_argument_after_a_new_field(tmp_path: Path):
    module = "@define\nclass Thing:\n    a: int\n{}    @property\n    def b(self) -> int: ...\n"
    for side, field in (("old", ""), ("new", "    c: int = 1\n")):
        write(tmp_path / side, {"__init__.py": ""})
        exported = module.format(field) + '__all__ = ["Thing"]\n'
        write(tmp_path / side, {"__init__.py": exported}, "overlay/sdk")
    (found,) = changes(tmp_path / "old", tmp_path / "new")
    assert (found.kind, found.text) == (Kind.ADDITIVE, "Thing.c: added")


def test_a_field_that_is_inherited_comes_before_other_positional_arguments(tmp_path: Path):
    module = "@define\nclass Base:\n{}\n@define\nclass Thing(Base):\n    id: int\n"
    exporting = '__all__ = ["Thing"]\n'
    for side, field in (("old", "    a: int"), ("new", "    a: int\n    b: int = 1")):
        write(tmp_path / side, {"__init__.py": ""})
        write(tmp_path / side, {"__init__.py": module.format(field) + exporting}, "overlay/sdk")
    (found,) = changes(tmp_path / "old", tmp_path / "new")
    assert (found.kind, found.text) == (
        Kind.BREAKING, "Thing.b: added, before other positional arguments",
    )  # fmt: skip


def test_an_export_whose_object_is_gone_is_breaking(tmp_path: Path):
    exporting = {"__init__.py": 'from package.gone import Gone\n\n__all__ = ["Gone"]\n'}
    write(tmp_path / "old", {"__init__.py": "", "gone.py": "class Gone: ...\n"})
    write(tmp_path / "new", {"__init__.py": ""})
    for side in ("old", "new"):
        write(tmp_path / side, exporting, "overlay/sdk")
    found = changes(tmp_path / "old", tmp_path / "new")
    assert "public sdk" in {each.subject for each in found if each.kind is Kind.BREAKING}


SENT: dict[str, tuple[str, str, frozenset[str], str]] = {
    "an argument of a request becomes optional": (
        "name: str", "name: str | None = None", frozenset({"Thing"}), "additive",
    ),
    "a field of a response becomes optional": (
        "name: str", "name: str | None = None", frozenset(), "breaking",
    ),
    "an argument of a request becomes required": (
        "size: int | None = None", "size: int", frozenset({"Thing"}), "breaking",
    ),
    "a key of a request becomes optional": (
        "name: Key", "name: NotRequired[Key | None]", frozenset({"Thing"}), "additive",
    ),
    "a key of a request becomes required": (
        "size: NotRequired[Key]", "size: Key | None", frozenset({"Thing"}), "breaking",
    ),
    "a type of values has more of them": (
        "['s', 'm']", "['s', 'm', 'l']", frozenset(), "additive",
    ),
    "a type of values has fewer of them": (
        "['s', 'm']", "['s']", frozenset(), "breaking",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SENT)
def test_a_change_of_a_class_means_what_its_use_says(name: str, tmp_path: Path):
    module = (
        "from attrs import define\n@define(kw_only=True)\nclass Thing:\n    name: str\n"
        "    size: int | None = None\n\nclass ThingTypedDict(TypedDict):\n    name: Key\n"
        "    size: NotRequired[Key]\n\nSize = Literal['s', 'm']\n"
    )
    old, new, sent, expected = SENT[name]
    assert old in module
    write(tmp_path / "old", {"__init__.py": module})
    write(tmp_path / "new", {"__init__.py": module.replace(old, new, 1)})
    found = changes(tmp_path / "old", tmp_path / "new", sent)
    assert {each.kind.value for each in found} == {expected}


def test_code_that_cannot_be_read_is_an_error(tmp_path: Path):
    write(tmp_path, {"__init__.py": "def (:"})
    with pytest.raises(CannotCompareError, match="generated/ cannot be read"):
        changes(tmp_path, tmp_path)


def test_a_renamed_module_is_removed_and_added(tmp_path: Path):
    renamed = {name.replace("get_thing", "read_thing"): text for name, text in MODULES.items()}
    found = changes(write(tmp_path / "old", MODULES), write(tmp_path / "new", renamed))
    assert [(each.kind.value, each.subject, each.text) for each in found] == [
        ("breaking", GET, "removed"),
        ("additive", "generated package.api.read_thing", "added"),
    ]


def test_a_renamed_package_is_removed_and_added(tmp_path: Path):
    old, new = write(tmp_path / "old", MODULES), write(tmp_path / "new", MODULES)
    (new / "generated" / "package").rename(new / "generated" / "other")
    assert [(each.kind.value, each.subject, each.text) for each in changes(old, new)] == [
        ("breaking", "generated package", "removed"),
        ("additive", "generated other", "added"),
    ]


def test_the_packages_of_this_project_can_be_compared():
    assert changes(ROOT, ROOT) == []
