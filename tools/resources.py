"""Generate the resources of overlay/cld_user_groups/ from the operations in its _operations/.

An operation is written once, as a function that returns its call. From each file of operations this
makes the four classes of a resource, sync and async, each also for raw responses: real methods with
the signature and the description of the operation and with the per-request options, so that help(),
editors and tracebacks show what a caller needs.

With --check nothing is written; exit with 1 if the output would differ.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import indent

from attrs import frozen

from .method_docs import parse

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "overlay" / "cld_user_groups"
MODULE = """\
# Generated from _operations/{module}.py by tools/resources.py (`make generate`).
# Do not edit: change the operations instead.

import builtins
from collections.abc import Mapping

{imports}
from cld_user_groups._engine.request import RawResponse, check_options
from cld_user_groups._engine.resource import AsyncResource, SyncResource
from cld_user_groups._operations import {module} as operations
from cld_user_groups.utils import UNSET, RetryConfig, Unset

{classes}
"""
CLASS = '''
class {name}({base}):
    """{doc}"""

    __slots__ = ()
{members}
'''
WITH_RAW_RESPONSE = '''
@property
def with_raw_response(self) -> {raw}:
    """The same methods{exceptions}; each returns a RawResponse: the result with its response."""
    return {raw}(self.account_id, self._send)
'''
METHOD = '''
{keyword} {name}(self, *, {parameters}) -> {result}:
    """{doc}
    """
    return {body}
'''


@frozen
class Options:
    """The per-request options, which every method accepts.

    Attributes:
        check: The function that checks them.
        doc: What they mean, in the form of arguments in a docstring.
    """

    check: ast.FunctionDef
    doc: str


def read_options(source: str) -> Options:
    """Read the options from the source of _engine/request.py."""
    named = {getattr(node, "name", ""): node for node in ast.parse(source).body}
    check, described = named["check_options"], named["CallOptions"]
    assert isinstance(check, ast.FunctionDef)
    assert isinstance(described, ast.ClassDef)
    return Options(check, (ast.get_docstring(described) or "").partition("Attributes:\n")[2])


@frozen
class Operation:
    """An operation: a function that returns a call, or a generator of several.

    Attributes:
        resource: The name of the resource.
        function: The function.
        result: The type of its result: the T of ApiCall[T], the R of Calls[T, R].
        is_composed: Whether it makes several calls.
    """

    resource: str
    function: ast.FunctionDef
    result: str
    is_composed: bool

    @property
    def name(self) -> str:
        """The name of its method. A trailing underscore keeps a function from hiding a builtin."""
        return self.function.name.removesuffix("_")

    def method(
        self, options: Options, names: Sequence[str], *, is_async: bool, is_raw: bool
    ) -> str:
        """Return the source of a method.

        Args:
            options: The per-request options.
            names: The names of all methods of the class.
            is_async: Whether it is a method of the async client.
            is_raw: Whether it returns a raw response.
        """
        calls = f"operations.{self.function.name}(self.account_id, {_passed_on(self.function)})"
        body = f"self._send({calls}, check_options({_passed_on(options.check)}))"
        if self.is_composed:
            body = body.replace("_send", "_send_all", 1)
        if is_async:
            body = f"(await {body})"
        if not is_raw and not self.is_composed:
            body += ".parsed"
        try:
            doc = parse(ast.get_docstring(self.function) or "", options.doc)
        except ValueError as error:
            raise SystemExit(f"{self.resource}: {self.function.name}: {error}") from None
        if is_async:
            doc = doc.awaited(f"client.{self.resource}.")
        if is_raw:
            doc = doc.raw()
        return METHOD.format(
            keyword="async def" if is_async else "def",
            name=self.name,
            parameters=", ".join(
                [*_parameters(self.function, names), *_parameters(options.check, ())]
            ),
            result=f"RawResponse[{self.result}]" if is_raw else self.result,
            doc=indent(doc.text(), "    ").lstrip(),
            body=body,
        )


def operations(resource: str, tree: ast.Module) -> Iterator[Operation]:
    """Find the operations of a resource: the public functions of its file."""
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef) or function.name.startswith("_"):
            continue
        returns = ast.unparse(function.returns) if function.returns else ""
        match = re.fullmatch(r"(?:ApiCall\[|(?P<composed>Calls\[\w+, ))(?P<result>.+)\]", returns)
        if match is None:
            raise SystemExit(
                f"{resource}: {function.name} must return an ApiCall[T] or a Calls[T, R]"
            )
        yield Operation(resource, function, match["result"], match["composed"] is not None)


def _parameters(function: ast.FunctionDef, names: Sequence[str]) -> Iterator[str]:
    """Yield the keyword-only parameters of a function.

    In their annotations a builtin with the name of a method, `list` for one, would be that method.
    """
    arguments = function.args
    for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        annotation = ast.unparse(parameter.annotation) if parameter.annotation else ""
        for name in names:
            annotation = re.sub(rf"\b{name}\[", f"builtins.{name}[", annotation)
        value = "" if default is None else f" = {ast.unparse(default)}"
        yield f"{parameter.arg}: {annotation}{value}"


def _passed_on(function: ast.FunctionDef) -> str:
    return ", ".join(f"{each.arg}={each.arg}" for each in function.args.kwonlyargs)


def render(resource: str, source: str, options: Options) -> str:
    """Return the source of the four classes of a resource.

    Args:
        resource: The name of the resource.
        source: The source of its operations.
        options: The per-request options.
    """
    tree = ast.parse(source)
    # All imports of the operations; ruff removes those that the methods do not need.
    imports = [ast.unparse(node) for node in tree.body if isinstance(node, ast.ImportFrom)]
    found = list(operations(resource, tree))
    names = [operation.name for operation in found]
    composed = [f"`{operation.name}`" for operation in found if operation.is_composed]
    about = (ast.get_docstring(tree) or "").rstrip(".")
    own_name = resource.title().replace("_", "")
    classes: list[str] = []
    for prefix, base in (("", "SyncResource"), ("Async", "AsyncResource")):
        raw_name = f"{prefix}Raw{own_name}"
        with_raw_response = WITH_RAW_RESPONSE.format(
            raw=raw_name, exceptions=f", except {' and '.join(composed)}" if composed else ""
        )
        for is_raw in (True, False):
            members = [] if is_raw else [with_raw_response]
            members += [
                operation.method(options, names, is_async=bool(prefix), is_raw=is_raw)
                for operation in found
                if not (is_raw and operation.is_composed)
            ]
            classes.append(
                CLASS.format(
                    name=raw_name if is_raw else f"{prefix}{own_name}",
                    base=base,
                    doc=f"{about}; each result as a RawResponse." if is_raw else f"{about}.",
                    members=indent("".join(members), "    "),
                )
            )
    text = MODULE.format(module=resource, imports="\n".join(imports), classes="\n".join(classes))
    return _ruff(_ruff(text, "check", "--fix-only", "--select", "F401,I,UP034"), "format")


def _ruff(source: str, *arguments: str) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            *arguments,
            "--quiet",
            "--stdin-filename",
            "overlay/new.py",
            "-",
        ],
        input=source,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"make generate: ruff failed: {done.stderr}")
    return done.stdout


def main() -> None:
    """Generate the resources, or check that they are up to date."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="only compare")
    is_check = arguments.parse_args().check
    options = read_options((PACKAGE / "_engine" / "request.py").read_text("utf-8"))
    changed: list[str] = []
    for source in sorted((PACKAGE / "_operations").glob("[!_]*.py")):
        output = PACKAGE / source.name
        new = render(source.stem, source.read_text("utf-8"), options)
        if not output.exists() or output.read_text("utf-8") != new:
            changed.append(output.name)
            if not is_check:
                output.write_text(new, "utf-8")
    if is_check and changed:
        raise SystemExit(f"{', '.join(changed)}: out of date, run `make generate`")
    print(f"the resources {'have changed' if changed else 'are up to date'}")


if __name__ == "__main__":
    main()
