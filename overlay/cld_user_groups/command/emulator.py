"""`emulator`: serves the emulator, as `python -m cld_user_groups.emulator` does."""

from __future__ import annotations

import click

from . import exit_codes


@click.command(
    "emulator",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.pass_context
def emulator_command(context: click.Context) -> int:
    """Serve an emulated account, for demos, tests and rehearsals on a copy (`--from FILE`).

    The options are the emulator's own: `cld-user-groups emulator --help` lists them.
    """
    from cld_user_groups.emulator.__main__ import main

    try:
        return main(context.args, program=context.command_path)
    except SystemExit as ended:
        # The emulator's parser exits with 2, which here means that there are changes.
        if ended.code == 2:
            return exit_codes.USAGE
        raise
