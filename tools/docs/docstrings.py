"""Docstrings as autodoc reads them: the project writes Markdown, Sphinx expects reStructuredText.

Only what differs is rewritten: code in backticks, and examples, which are indented by four. The
sections (`Args:`, `Raises:`) are left to napoleon.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_CODE = re.compile(r"(?<![`:\w])`([^`]+)`(?!`)")
_NAME = re.compile(r"[A-Za-z_][\w.]*(\(\))?")
_SECTION = re.compile(r"[A-Z][a-z]+:$")


def to_rest(lines: Iterable[str]) -> list[str]:
    """Return the lines of a docstring as reStructuredText."""
    rest: list[str] = []
    in_section = in_example = False
    for line in lines:
        is_indented = line.startswith("    ")
        if line and not is_indented:
            in_section, in_example = bool(_SECTION.match(line)), False
        elif is_indented and not in_section and not in_example and rest and not rest[-1]:
            in_example = True
            if not (len(rest) > 1 and rest[-2].endswith("::")):
                rest += [".. code-block:: python", ""]
        rest.append(line)
    return _outside_examples(rest)


def _outside_examples(lines: list[str]) -> list[str]:
    text, converted = "\n".join(lines), ""
    for index, part in enumerate(
        re.split(r"(^\.\. code-block::.*\n(?:\n|    .*\n?)+)", text, flags=re.MULTILINE)
    ):
        converted += part if index % 2 else _CODE.sub(_code, part)
    return converted.split("\n")


def _code(match: re.Match[str]) -> str:
    """Return code as a reference where it may be a name of the reference, else as a literal."""
    code = " ".join(match[1].split())
    return f":py:obj:`{code}`" if _NAME.fullmatch(code) else f"``{code}``"
