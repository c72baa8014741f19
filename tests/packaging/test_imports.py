"""Imports point one way, and importing the client loads the client and no more."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

import pytest
from tests.support import documents

ROOT = Path(__file__).resolve().parents[2]

# From the bottom up: a module imports from its own layer and from those before it.
LAYERS = (
    "cld_provisioning_api",
    "cld_user_groups",
    "cld_user_groups.membership",
    "cld_user_groups.emulator",
    "cld_user_groups.assistant",
    "cld_user_groups.command",
    "cld_user_groups.__main__",
)

# What importing the client loads beyond its dependencies; submodules count as their package.
LOADED = [
    "cld_provisioning_api",
    "cld_user_groups",
    "cld_user_groups._engine",
    "cld_user_groups._find_users",
    "cld_user_groups._lazy",
    "cld_user_groups._operations",
    "cld_user_groups._version",
    "cld_user_groups.client",
    "cld_user_groups.errors",
    "cld_user_groups.hooks",
    "cld_user_groups.identity",
    "cld_user_groups.limits",
    "cld_user_groups.limits.local",
    "cld_user_groups.limits.protocol",
    "cld_user_groups.models",
    "cld_user_groups.security",
    "cld_user_groups.utils",
]
RESOURCES = [f"cld_user_groups.{tag['name']}" for tag in documents.load()["tags"]]

# httpx comes first: where click and rich are installed, it loads them for a command of its own.
IMPORT = """
import json, sys
import attrs, httpx, msgspec
before = set(sys.modules)
from cld_user_groups import *
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def modules() -> Iterator[tuple[str, Path]]:
    for folder in ("generated", "overlay"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT / folder).with_suffix("").parts), path


def within(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def layer(module: str) -> int | None:
    """Return the place of the innermost layer that holds a module."""
    return max((i for i, name in enumerate(LAYERS) if within(module, name)), default=None)


@cache
def imported(name: str, source: str) -> set[str]:
    """Return all that a module imports anywhere in it, in functions too."""
    found: set[str] = set()
    parent = (
        name.removesuffix(".__init__") if name.endswith("__init__") else name.rpartition(".")[0]
    )
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), parent)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return found


def against_the_direction(name: str, source: str) -> list[str]:
    """Return the imports of a module that point to a layer above its own."""
    own = layer(name)
    targets = sorted(imported(name, source))
    return [to for to in targets if own is not None and (layer(to) or 0) > own]


def test_imports_point_from_the_command_to_the_generated_code_only() -> None:
    wrong = {name: against_the_direction(name, path.read_text("utf-8")) for name, path in modules()}
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("cld_provisioning_api.client", "import cld_user_groups.errors"),
        ("cld_user_groups.client", "from .membership import plan"),
        ("cld_user_groups.__init__", "from . import command"),
        ("cld_user_groups._engine.io", "def f():\n from ..membership.model import Group"),
        ("cld_user_groups.membership.plan", "from cld_user_groups.command import main"),
    ],
)
def test_an_import_of_a_layer_above_is_found(module: str, line: str) -> None:
    assert against_the_direction(module, line) != []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("cld_user_groups.client", "import cld_provisioning_api, httpx"),
        ("cld_user_groups.membership.plan", "from .. import models"),
        ("cld_user_groups.command.__init__", "from ..membership import plan"),
    ],
)
def test_an_import_of_a_layer_below_is_accepted(module: str, line: str) -> None:
    assert against_the_direction(module, line) == []


def is_of_mcp(module: str) -> bool:
    return within(module, "mcp") or within(module, "mcp_types")


def test_only_the_server_for_assistants_imports_the_sdk_of_mcp() -> None:
    importing = {
        name
        for name, path in modules()
        if any(map(is_of_mcp, imported(name, path.read_text("utf-8"))))
    }
    assert importing == {"cld_user_groups.assistant.server", "cld_user_groups.assistant.tools"}


@pytest.mark.parametrize("call", [["--help"], ["mcp", "--help"], ["runs", "--assistant"]])
def test_no_other_call_of_the_command_loads_the_sdk_of_mcp(
    call: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", "account://k:s@acc")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    program = f"""
import sys
from cld_user_groups.command import main
try:
    main({call})
except SystemExit as ended:
    print(ended.code, *sys.modules, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    code, *loaded = done.stderr.splitlines()[-1].split()
    assert code == "0"
    assert not any(map(is_of_mcp, loaded))


def test_importing_the_client_loads_the_client_and_no_more() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True
    )
    loaded = [name for name in json.loads(done.stdout) if not standard(name)]
    own = [f"cld_user_groups.{name}" for name in ("_engine", "_operations")]
    for package in ("cld_provisioning_api", *own):
        loaded = [package if within(name, package) else name for name in loaded]
    for missing in {*RESOURCES} - {*loaded}:
        pytest.fail(f"overlay: write {missing} and import it in client.py, both as `roles` is")
    assert sorted(set(loaded)) == sorted([*LOADED, *RESOURCES])


def test_importing_the_package_alone_loads_neither_the_client_nor_httpx() -> None:
    program = "import sys, cld_user_groups; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name for name in done.stdout.split() if within(name, "cld_user_groups")}
    assert loaded == {f"cld_user_groups{name}" for name in ("", "._lazy", "._version")}
    assert not {"httpx", "attrs", "msgspec"} & set(done.stdout.split())


@pytest.mark.parametrize("package", ["cld_user_groups", "cld_user_groups.membership"])
def test_a_lazy_package_has_the_names_that_type_checkers_see(package: str) -> None:
    home = importlib.import_module(package)
    body = ast.parse(Path(home.__file__ or "").read_text("utf-8")).body
    seen = next(node for node in body if isinstance(node, ast.If))
    # Which are no public names, or modules.
    others = {"__version__", "drafts", "everyday", "review"}
    names = set(others)
    for node in seen.body:
        assert isinstance(node, ast.ImportFrom)
        module = resolve_name("." * node.level + (node.module or ""), package)
        for alias in node.names:
            names.add(alias.asname or alias.name)
            found = getattr(importlib.import_module(module), alias.name)
            assert getattr(home, alias.asname or alias.name) is found
    assert names == {*home.__all__, *others}
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = home.nonsense


def standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize("module", ["", ".models", ".utils"])
def test_the_documented_import_name_holds_the_same_objects(module: str) -> None:
    documented = importlib.import_module(f"cloudinary_account_provisioning{module}")
    home = importlib.import_module(f"cld_user_groups{module}")
    assert documented.__all__ == home.__all__
    submodules = {"models", "utils"} if not module else set()
    for name in set(documented.__all__) - submodules:
        assert getattr(documented, name) is getattr(home, name), name


def test_the_documented_import_name_defines_nothing_of_its_own() -> None:
    for path in (ROOT / "overlay/cloudinary_account_provisioning").glob("*.py"):
        body = ast.parse(path.read_text("utf-8")).body
        kinds = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign)
        assert [ast.unparse(node) for node in body if not isinstance(node, kinds)] == []
