"""The frame of every HTML page: one file that needs nothing else, and prints well."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from .markup import Content, Markup, element, joined

_BREAK = Markup("\n")


def page(title: str, *content: Content, has_script: bool = False) -> str:
    """Return an HTML document.

    Args:
        title: The title, and the main heading.
        content: What stands below it.
        has_script: Whether tables that are `sortable` and `filterable` get their controls.
    """
    style = _asset("page.css")
    script = _asset("page.js") if has_script else ""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("title", title),
        Markup(f"<style>{style}</style>"),
    )
    body = element(
        "body",
        element("main", element("h1", title), *content),
        Markup(f"<script>{script}</script>") if script else "",
    )
    return f'<!DOCTYPE html>\n<html lang="en">\n{head}\n{body}\n</html>\n'


def table(
    caption: str,
    columns: Iterable[str],
    rows: Iterable[Iterable[Content]],
    *,
    class_: str | None = None,
) -> Markup:
    """Return a table that scrolls by itself where the window is narrower than it.

    Args:
        caption: The caption.
        columns: The headers of the columns.
        rows: The cells of each row: what `cell` returns, or what is in them.
        class_: Its class: "sortable", "filterable", or both.
    """
    header = element("tr", [element("th", column, scope="col") for column in columns])
    body = [(_BREAK, element("tr", map(_as_cell, row))) for row in rows]
    found = element(
        "table",
        element("caption", caption),
        element("thead", header),
        element("tbody", body),
        class_=class_,
    )
    # Reached by the keyboard too, so that the arrow keys scroll it.
    return element("div", found, class_="scroll", role="group", aria_label=caption, tabindex=0)


def cell(*content: Content, is_header: bool = False, **attributes: str | None) -> Markup:
    """Return a cell of a table, or the header of its row.

    Args:
        content: What is in it.
        is_header: Whether it says what the row is about.
        attributes: Its attributes, as those of `element`; `data_key` is what it is sorted by.
    """
    if is_header:
        return element("th", *content, scope="row", **attributes)
    return element("td", *content, **attributes)


def _as_cell(content: Content) -> Markup:
    is_cell = isinstance(content, Markup) and content.startswith(("<td", "<th"))
    return joined(content) if is_cell else cell(content)


def _policy(style: str, script: str) -> str:
    """Return a policy under which nothing is loaded, and nothing runs that is not ours."""
    allowed = [f"style-src 'sha256-{_digest(style)}'"]
    if script:
        allowed.append(f"script-src 'sha256-{_digest(script)}'")
    return "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"])


def _digest(text: str) -> str:
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _asset(name: str) -> str:
    return files("cld_user_groups.membership.rendering").joinpath(name).read_text("utf-8")
