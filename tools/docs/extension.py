"""The Sphinx extension of the site, which docs/conf.py lists."""

from __future__ import annotations

import builtins
import re
from collections.abc import Container, Iterator
from functools import cached_property
from importlib import import_module
from types import FunctionType, ModuleType

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from .commands import (
    add_examples,
    leave_out_examples,
    leave_out_global_options,
    show_code,
    write_pages,
)
from .docstrings import to_rest
from .http_api import with_methods
from .pages import GENERATED
from .search import SearchWithNumbers

#: What a class is made of, for people who use it.
MEMBERS = (FunctionType, property, cached_property, classmethod, staticmethod)
LOGGER = logging.getLogger(__name__)
#: The modules whose `__all__` the reference must document.
MODULES = (
    "cld_user_groups",
    "cld_user_groups.models",
    "cld_user_groups.errors",
    "cld_user_groups.hooks",
    "cld_user_groups.limits",
    "cld_user_groups.utils",
    "cld_user_groups.contract",
    "cld_user_groups.emulator",
    "cld_user_groups.membership",
    "cloudinary_account_provisioning",
    "cld_provisioning_api",
    "cld_provisioning_api.models",
)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the project's own parts to the build."""
    for module in map(import_module, MODULES):  # autodoc sees no name that is yet to be imported
        for name in module.__all__:
            getattr(module, name)
    app.add_search_language(SearchWithNumbers)
    app.connect("builder-inited", write_pages)
    app.connect("source-read", insert_generated)
    # Before napoleon, which has the usual priority of 500.
    app.connect("autodoc-process-docstring", convert_docstring, priority=400)
    app.connect("autodoc-process-docstring", keep_attribute, priority=600)
    app.connect("autodoc-process-signature", write_defaults)
    app.connect("sphinx-click-process-description", show_code)
    app.connect("sphinx-click-process-options", show_code)
    app.connect("sphinx-click-process-description", add_examples)
    app.connect("sphinx-click-process-options", leave_out_global_options)
    app.connect("sphinx-click-process-epilog", leave_out_examples)
    app.connect("doctree-read", polish)
    app.connect("doctree-read", add_description)
    app.connect("missing-reference", as_code)
    app.connect("env-check-consistency", check_public_names)
    # The `*` and `/` of a signature, which the Markdown builder does not know.
    app.add_node(nodes.abbreviation, override=True, markdown=(_as_text, _as_text))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def insert_generated(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put what is generated in place of its mark in a page: `<!-- generated: http-api -->`."""
    for name, generate in GENERATED.items():
        mark = f"<!-- generated: {name} -->"
        if mark in source[0]:
            source[0] = source[0].replace(mark, generate())
    source[0] = with_methods(source[0])


def convert_docstring(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Convert a docstring; that of a module is left out, for its page says it."""
    lines[:] = [] if what == "module" else to_rest(lines)
    app.env.temp_data["docstring"] = list(lines)


def write_defaults(
    app: Sphinx,
    what: str,
    name: str,
    obj: object,
    options: object,
    signature: str | None,
    returns: str | None,
) -> tuple[str | None, str | None]:
    """Write defaults that are functions by their names, and those that a factory makes as `...`.

    The type variable of the httpx client is written as the type that the client accepts.
    """
    named = re.sub(r"<(?:built-in )?function (\w+)[^>]*>", r"\1", signature or "")
    own = "AsyncClient" if ".Async" in name else "Client"
    named = named.replace("= NOTHING", "= ...").replace("client: C |", f"client: httpx.{own} |")
    return named or signature, returns


def keep_attribute(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Take an attribute's docstring back from napoleon, which reads a type before its colon."""
    if what in ("attribute", "data", "property"):
        lines[:] = app.env.temp_data["docstring"]


def polish(app: Sphinx, doctree: nodes.document) -> None:
    """Use the words of the docstrings, and leave out that a class is an object."""
    for text in list(doctree.findall(nodes.Text)):
        if text == " -- " and isinstance(text.parent, nodes.paragraph):
            text.parent.replace(text, nodes.Text(": "))
        elif text == "Variables" and isinstance(text.parent, nodes.field_name):
            text.parent.replace(text, nodes.Text("Attributes"))
    for paragraph in list(doctree.findall(nodes.paragraph)):
        if paragraph.astext() == "Bases: object":
            paragraph.parent.remove(paragraph)
    for reference in list(doctree.findall(pending_xref)):
        # The type of an annotation, not the attribute `type` of a model.
        if reference["reftype"] == "class" and isinstance(
            getattr(builtins, reference["reftarget"], None), type
        ):
            reference.attributes.pop("refspecific", None)


def add_description(app: Sphinx, doctree: nodes.document) -> None:
    """Describe a page by its first sentence, for search engines and for llms.txt."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            text, _, _ = f"{' '.join(paragraph.astext().split())} ".partition(". ")
            text = text.strip().removesuffix(":")
            doctree.insert(0, nodes.meta("", name="description", content=text))
            return


def _as_text(writer: object, node: nodes.Element) -> None:
    """Write the text in a node, and nothing around it."""


def as_code(
    app: Sphinx, env: BuildEnvironment, node: nodes.Element, contnode: nodes.Element
) -> nodes.Element | None:
    """Show as code what is no public name of the project: private types, and other projects'."""
    if node.get("refdomain") != "py":
        return None
    package, _, name = str(node["reftarget"]).rpartition(".")
    is_ours = package.partition(".")[0] in ("", *(module.partition(".")[0] for module in MODULES))
    is_public = is_ours and any(name in import_module(module).__all__ for module in MODULES)
    return contnode if node["reftype"] == "obj" or not is_public else None


def check_public_names(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of public names, and of their public methods, that no page documents."""
    documented = env.domains.python_domain.objects.keys()
    for module in map(import_module, MODULES):
        for name in module.__all__:
            for missing in _undocumented(getattr(module, name), name, documented):
                LOGGER.warning("undocumented: %s.%s", module.__name__, missing, type="public")


def _undocumented(found: object, name: str, documented: Container[str]) -> Iterator[str]:
    if isinstance(found, ModuleType) or name == "__version__":
        return
    homes = [
        f"{module}.{name}"
        for module in MODULES
        if getattr(import_module(module), name, None) is found
    ]
    home = next((each for each in homes if each in documented), None)
    if home is None:
        yield name
    elif isinstance(found, type):
        for member, value in vars(found).items():
            is_public = not member.startswith("_") and isinstance(value, MEMBERS)
            if is_public and f"{home}.{member}" not in documented:
                yield f"{name}.{member}"
