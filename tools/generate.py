"""Generate generated/ from openapi.yaml, generator-config.yaml and templates/.

The new output replaces the old one only if it imports and msgspec can decode all of its models.
With --check nothing is written; exit with 1 if the output would differ.
"""

from __future__ import annotations

import argparse
import ast
import filecmp
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # run as a script, not as a module
    sys.path.insert(0, str(ROOT))

from tools.extensions import ExtensionError, describe_deprecated, extensions  # noqa: E402

PACKAGE = "cld_provisioning_api"
# The documented names of models: an exception has the name of one.
ALIASES = {"Error": "ErrorDetail", "ErrorResponseData": "ErrorResponse"}
HEADER = """\
# Generated from openapi.yaml by openapi-python-client with templates/ (`make generate`).
# Do not edit: change openapi.yaml, generator-config.yaml or templates/ instead.

"""


def generate(root: Path, parent: Path) -> Path:
    """Generate the package of a project below a folder, and return its path."""
    output = parent / PACKAGE
    templates = parent / "templates"
    shutil.copytree(root / "templates", templates)
    path = root / "openapi.yaml"
    document = yaml.safe_load(path.read_text("utf-8"))
    if describe_deprecated(document):
        path = parent / "openapi.yaml"
        path.write_text(yaml.safe_dump(document), "utf-8")
    try:
        found = {
            "operations": extensions(document),
            "descriptions": {tag["name"]: tag["description"] for tag in document["tags"]},
        }
    except ExtensionError as error:
        raise SystemExit(f"make generate: {error}") from None
    lines = [f"{{% set {name} = {json.dumps(value)} %}}" for name, value in found.items()]
    (templates / "extensions.jinja").write_text("\n".join(lines), "utf-8")
    command = [
        *("openapi-python-client", "generate", "--path", str(path)),
        *("--config", str(root / "generator-config.yaml")),
        *("--custom-template-path", str(templates)),
        *("--meta", "none", "--output-path", str(output), "--fail-on-warning"),
    ]
    # The generator, and the ruff that it calls, are those beside this Python.
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    # Left to itself, the generator draws its failures in a box of 80 columns, which takes seconds.
    environment = {**os.environ, "PATH": tools, "TYPER_STANDARD_TRACEBACK": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}make generate: the generator failed")
    shutil.copy(templates / "calling.py", output)
    (output / "public.py").write_text(public_module(output), "utf-8")
    # Here rather than in templates/, where each template, stock ones too, would have to repeat it.
    for module in output.rglob("*.py"):
        module.write_text(HEADER + module.read_text("utf-8"), "utf-8")
    return output


def public_module(package: Path) -> str:
    """Return the module of what the methods take, return and raise, with the models in it."""
    homes: dict[str, str] = {}
    used: dict[str, set[str]] = {"": set()}  # the names in each class, in the methods those of ""
    for path in sorted([*package.glob("models/*.py"), *package.glob("api/*/*.py")]):
        is_resource = path.name == "__init__.py" and path.parent.name != "models"
        for node in ast.parse(path.read_text("utf-8")).body:
            names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            if is_resource:
                used[""] |= names
            elif isinstance(node, ast.ClassDef) or (
                isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("Literal[")
            ):
                name = node.name if isinstance(node, ast.ClassDef) else ast.unparse(node.targets[0])
                homes[name] = ".".join(path.relative_to(package).with_suffix("").parts)
                used[name] = names
    public, waiting = set[str](), [""]
    while waiting:
        found = (used[waiting.pop()] & homes.keys()) - public
        public |= found
        waiting += found
    imports = [f"from .{homes[name]} import {name}" for name in sorted(public)]
    for name, original in ALIASES.items():
        if original in homes:
            imports.append(f"from .{homes[original]} import {original} as {name}")
            public.add(name)
    exported = [f'    "{name}",' for name in sorted(public)]
    title = '"""What the methods take, return and raise, with the models in it."""'
    return "\n".join([title, "", *imports, "", "__all__ = [", *exported, "]", ""])


def check_decoders(parent: Path) -> None:
    """Build the decoder of each generated model: msgspec rejects types that it cannot fill."""
    sys.path.insert(0, str(parent))
    models = importlib.import_module(f"{PACKAGE}.models")
    decode = importlib.import_module(f"{PACKAGE}.types").decode
    for name in models.__all__:
        try:
            decode(b"{}", getattr(models, name))
        except ValueError:
            pass  # a required field is missing: the decoder is there
        except TypeError as error:
            raise SystemExit(f"make generate: {name} cannot be decoded: {error}") from None


def differences(comparison: filecmp.dircmp[str], below: Path = Path()) -> list[str]:
    """Return the files in which two trees differ, compared byte by byte."""
    names = comparison.left_only + comparison.right_only + comparison.funny_files
    _, different, unreadable = filecmp.cmpfiles(
        comparison.left, comparison.right, comparison.common_files, shallow=False
    )
    found = [str(below / name) for name in [*names, *different, *unreadable]]
    for name, inner in comparison.subdirs.items():
        found += differences(inner, below / name)
    return found


def main() -> None:
    """Generate the package, or check that it is up to date."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="only compare")
    arguments.add_argument("--root", type=Path, default=ROOT, help="the project (default: this)")
    options = arguments.parse_args()
    current = options.root / "generated" / PACKAGE
    with tempfile.TemporaryDirectory() as folder:
        new = generate(options.root, Path(folder))
        sys.dont_write_bytecode = True
        check_decoders(Path(folder))
        current.mkdir(parents=True, exist_ok=True)
        ignored = ["__pycache__"]
        changed = differences(filecmp.dircmp(current, new, ignore=ignored, hide=[]))
        if options.check and changed:
            raise SystemExit(
                f"generated/ is out of date ({', '.join(sorted(changed))}): run `make generate`"
            )
        if changed:
            shutil.rmtree(current)
            shutil.copytree(new, current)
    print(f"generated/ {'has changed' if changed else 'is up to date'}")


if __name__ == "__main__":
    main()
