"""HTML and SVG from elements, in which all that is not markup already is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from cld_user_groups.membership.problems import printable


class Markup(str):
    """Text that is HTML already: what `element` returns, or a file of our own."""

    __slots__ = ()


#: What an element holds: markup, text that is escaped, or several of both.
Content: TypeAlias = "str | Iterable[Content]"

_VOID = frozenset({"br", "input", "meta"})


def element(name: str, /, *content: Content, **attributes: str | int | bool | None) -> Markup:
    """Return an element.

    Args:
        name: Its name.
        content: What it holds; control characters are shown escaped.
        attributes: Its attributes: `class_` is `class`, `aria_label` is `aria-label`. True is an
            attribute without a value; False and None are none.
    """
    opened = f"<{name}{''.join(map(_attribute, attributes.items()))}>"
    return Markup(opened if name in _VOID else f"{opened}{joined(*content)}</{name}>")


def joined(*content: Content) -> Markup:
    """Return content as markup, one after another.

    Args:
        content: The content.
    """
    return Markup("".join(map(_escaped, content)))


def _escaped(content: Content) -> str:
    if isinstance(content, Markup):
        return content
    if isinstance(content, str):
        return escape(printable(content))
    return joined(*content)


def _attribute(attribute: tuple[str, str | int | bool | None]) -> str:
    name, value = attribute
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(printable(str(value)))}"'
