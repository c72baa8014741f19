"""A group of commands that says which one a misspelled name may have meant."""

from __future__ import annotations

import difflib

import click


class SuggestingGroup(click.Group):
    """A group whose error for an unknown command has a way out."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that a command line names, as click asks for it.

        Raises:
            click.UsageError: There is no such command.
        """
        name, commands = args[0], self.list_commands(ctx)
        if name not in commands and name[:1] != "-" and not ctx.resilient_parsing:
            close = difflib.get_close_matches(name, commands, n=1)
            way_out = f"did you mean `{close[0]}`?" if close else f"see {ctx.command_path} --help."
            raise click.UsageError(f"there is no command {name!r}; {way_out}", ctx)
        return super().resolve_command(ctx, args)
