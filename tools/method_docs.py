"""The docstrings of the methods of the resources, made from those of the operations."""

from __future__ import annotations

import ast
from textwrap import dedent, indent

from attrs import evolve, frozen

_RAISES = """\
    TypeError, ValueError: An argument is not valid; nothing was sent.
{own}    CloudinaryError: The server responded with {an} error.
    httpx.TransportError: No complete response was received."""


@frozen
class MethodDoc:
    """A docstring in its parts.

    Attributes:
        about: The summary, and what else there is to know.
        example: An example, as code.
        arguments: The arguments, with their indentation.
        returns: What is returned.
        raises: The errors that are the operation's own, with their indentation, or "".
    """

    about: str
    example: str
    arguments: str
    returns: str
    raises: str

    def awaited(self, calls: str) -> MethodDoc:
        """Return the docstring for the async client: `calls` is what its calls begin with."""
        return evolve(self, example=awaited(self.example, calls))

    def raw(self) -> MethodDoc:
        """Return the docstring for a raw response, without the example."""
        returns = f"{self.returns[0].lower()}{self.returns[1:]}"
        return evolve(
            self, example="", returns=f"A RawResponse, with this as its `parsed`: {returns}"
        )

    def text(self) -> str:
        """Return the whole docstring, with the errors that every operation raises."""
        raises = _RAISES.format(own=self.raises, an="another" if self.raises else "an")
        parts = [
            self.about,
            *([indent(self.example, "    ")] if self.example else []),
            f"Args:\n{self.arguments}",
            f"Returns:\n{indent(self.returns, '    ')}",
            f"Raises:\n{raises}",
        ]
        return "\n\n".join(parts)


def parse(docstring: str, options: str) -> MethodDoc:
    """Parse the docstring of an operation.

    Args:
        docstring: The docstring, without indentation.
        options: The per-request options, in the form of further arguments.

    Raises:
        ValueError: The example or `Returns:` is missing.
    """
    about, has_returns, rest = docstring.partition("\n\nReturns:\n")
    about, _, arguments = about.partition("\n\nArgs:\n")
    returns, has_raises, raises = rest.partition("\n\nRaises:\n")
    about, has_example, example = about.partition("\n\n    ")
    if not (has_example and has_returns):
        raise ValueError("its docstring has no example, or no Returns:")
    return MethodDoc(
        about=about,
        example=dedent(f"    {example}"),
        arguments=f"{arguments}\n{options}".lstrip("\n"),
        returns=dedent(returns),
        raises=f"{raises}\n" if has_raises else "",
    )


def awaited(code: str, calls: str) -> str:
    """Return code that awaits each call that begins with `calls`.

    >>> awaited("print(client.users.get(user_id=ID).name)", "client.users.")
    'print((await client.users.get(user_id=ID)).name)'
    """
    lines = code.splitlines()
    nodes = list(ast.walk(ast.parse(code)))
    of_attributes = [node.value for node in nodes if isinstance(node, ast.Attribute)]
    insertions: list[tuple[int, int, str]] = []
    for node in nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(calls):
            assert node.end_lineno is not None
            assert node.end_col_offset is not None
            is_attribute = node in of_attributes
            insertions += [
                (node.lineno, node.col_offset, "(await " if is_attribute else "await "),
                (node.end_lineno, node.end_col_offset, ")" if is_attribute else ""),
            ]
    for number, column, text in sorted(insertions, reverse=True):
        line = lines[number - 1]
        lines[number - 1] = line[:column] + text + line[column:]
    return "\n".join(lines)
