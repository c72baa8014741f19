"""Render the templates of this package: HTML that escapes all data, Markdown, and text.

Data comes from the API and from files. Control characters in it are shown escaped in every format,
and in HTML nothing in it is ever markup.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from cld_user_groups.membership.problems import printable

if TYPE_CHECKING:
    from jinja2 import Environment

_BACKTICKS = re.compile("`+")


def shown(text: str) -> str:
    """Return text for one line: printable, and in quotes where it is blank."""
    printed = printable(text)
    return printed if printed.strip() else f'"{printed}"'


def code_span(text: str) -> str:
    """Return text as a code span, where nothing is markup, a link or a mention."""
    shown_text = shown(text)
    longest = max(map(len, _BACKTICKS.findall(shown_text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown_text[0] in "` " or shown_text[-1] in "` " else ""
    return f"{fence}{pad}{shown_text}{pad}{fence}"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, whose plural ends in "s" but for that of "person"."""
    plural = "people" if noun == "person" else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def joined(parts: Iterable[str]) -> str:
    """Return parts as a list in a sentence."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def render(name: str, data: Mapping[str, object]) -> str:
    """Return a rendered template, which stands in the folder `templates`."""
    return _environment(is_html=".html" in name).get_template(name).render(data)


@cache
def _environment(*, is_html: bool) -> Environment:
    # Imported here: a plan in the terminal does not need it.
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(value: object) -> str:
        if isinstance(value, Markup):
            return value
        text = value if isinstance(value, str) else str(value)
        return Markup(escape(printable(text))) if is_html else text  # noqa: S704 - escaped here

    loader = PackageLoader(__name__.rpartition(".")[0])
    environment = Environment(
        loader=loader,
        autoescape=is_html,  # noqa: S701 - Markdown and text are not HTML
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    def asset(name: str) -> Markup:
        return Markup(loader.get_source(environment, name)[0])  # noqa: S704 - ours

    def digest(text: str) -> str:
        """Return what a Content-Security-Policy calls a style or a script."""
        return b64encode(hashlib.sha256(text.encode()).digest()).decode()

    def css_string(text: str) -> Markup:
        """Return text as a string of a style sheet; what is not a letter or digit is escaped."""
        found = "".join(each if each.isalnum() else f"\\{ord(each):x} " for each in shown(text))
        return Markup(f'"{found}"')  # noqa: S704 - escaped here

    filters: dict[str, Any] = {
        "asset": asset, "code": code_span, "counted": counted, "css_string": css_string,
        "digest": digest, "printable": printable, "shown": shown,
    }  # fmt: skip
    environment.filters.update(filters)
    return environment
