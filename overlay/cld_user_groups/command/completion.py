"""`completion`: the script that makes a shell complete commands, options and groups."""

from __future__ import annotations

import os
from pathlib import Path

import click

from .output import print_result
from .settings import global_options

_SHELLS = ("bash", "zsh", "fish")

# click's scripts lose what follows a second comma, and backslashes: names of groups have both.
_MENDED = {
    "bash": ("read type value", "read -r type value"),
    "fish": ('string split ","', 'string split --max 1 ","'),
}


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS), required=False)
@global_options()
@click.pass_context
def completion_command(context: click.Context, shell: str | None) -> None:
    """Print the completion script of a shell: commands, options and names of groups.

    Default: the script for the shell in $SHELL. In ~/.bashrc, for one:

    eval "$(cld-user-groups completion bash)"
    """
    from click.shell_completion import get_completion_class

    name = shell or Path(os.environ.get("SHELL", "")).name
    kind = get_completion_class(name)
    if kind is None or name not in _SHELLS:
        raise click.UsageError(f"name the shell: {', '.join(_SHELLS)}", context)
    root = context.find_root()
    program = root.command.name or ""
    variable = f"_{program}_complete".replace("-", "_").upper()
    script = kind(root.command, {}, program, variable).source()
    print_result(script.replace(*_MENDED.get(name, ("", ""))))
