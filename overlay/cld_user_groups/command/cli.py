"""The command line: the group of commands, and how a call of it ends."""

from __future__ import annotations

import difflib
import importlib
import itertools
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from cld_user_groups._version import __version__

from . import errors, interrupts
from .options import PLAN_FORMATS, Settings, global_options
from .output import HelpContext, finish_streams, logging_as, prepare_streams

#: By section, the commands, each after its module in this package, and what it does.
SECTIONS = {
    "People and groups": {
        "groups.list": "List the groups, and how many members each has.",
        "groups.show": "Show the members of a group, and what it grants.",
        "people.users": "List the users, or those whose name or e-mail has a text.",
        "people.whois": "Show the role, the groups and the last login of a user.",
        "groups.add": "Add users to a group.",
        "groups.remove": "Remove users from a group.",
        "people.onboard": "Add users to every group that another user is in.",
        "people.offboard": "Remove users from every group.",
        "groups.create": "Create an empty group.",
        "groups.rename": "Rename a group.",
        "groups.delete": "Delete a group.",
        "groups.copy": "Add the members of a group to another one.",
        "groups.merge": "Add the members of groups to one, and delete the others.",
    },
    "Files": {
        "files.export": "Write the account as a file.",
        "files.plan": "Show what would change so that the account matches a file.",
        "files.apply": "Make the account match a file, or apply a saved plan.",
        "files.schema": "Print the JSON Schema of a file, a plan or a journal.",
    },
    "History and reports": {
        "history.explain": "Explain why a user is in a group or not.",
        "files.diff": "Show how two exports differ, or one and the account.",
        "report.report": "Write the access review: who is in what, and since when.",
        "runs.runs": "List the runs from this machine; verify or prune them.",
        "history.undo": "Undo a run, by default the last one.",
    },
    "Assistants": {"assistant.mcp": "Serve an assistant, which may look and propose (MCP)."},
    "Setup and testing": {
        "doctor.doctor": "Check the installation, the settings and the account.",
        "cli.emulator": "Serve an emulated account, to rehearse on a copy.",
        "completion.completion": "Print the completion script of a shell.",
    },
}
#: The module of each command.
COMMANDS = {
    name: module
    for section in SECTIONS.values()
    for module, _, name in (entry.partition(".") for entry in section)
}


class SuggestingGroup(click.Group):
    """A group whose error for an unknown command has a hint."""

    context_class = HelpContext

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that a command line names."""
        name, commands = args[0], self.list_commands(ctx)
        if name not in commands and name[:1] != "-" and not ctx.resilient_parsing:
            close = difflib.get_close_matches(name, commands, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"see {ctx.command_path} --help."
            raise click.UsageError(f"there is no command {name!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


class RootGroup(SuggestingGroup):
    """The commands of `SECTIONS`, each imported when it runs.

    A call ends with the documented exit codes, and without a traceback.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, and return it; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f".{COMMANDS[cmd_name]}", __package__)
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, section by section; the help of each has the options."""
        width = max(map(len, COMMANDS))
        formatter.write_paragraph()
        for section, entries in SECTIONS.items():
            formatter.write_heading(section)
            with formatter.indentation():
                names = (entry.partition(".")[2] for entry in entries)
                rows = zip(names, entries.values(), strict=True)
                formatter.write_dl([(f"{name:{width}}", says) for name, says in rows])

    def main(self, args: Sequence[str] | None = None, *unused: Any, **options: Any) -> NoReturn:
        """Run the command line, by default that of this process, and exit."""
        arguments = list(sys.argv[1:] if args is None else args)
        settings = Settings(format="json" if _wants_json("--format", arguments) else "text")
        log_format = "json" if _wants_json("--log-format", arguments) else "text"
        settings.debug = "--debug" in arguments
        options.update(standalone_mode=False, obj=settings)
        options.setdefault("prog_name", self.name)
        prepare_streams()
        code = errors.DONE
        with logging_as(log_format, debug=settings.debug, is_quiet=lambda: settings.quiet):
            try:
                result = super().main(arguments, *unused, **options)
                interrupts.may_raise = False
                code = result if isinstance(result, int) else errors.DONE
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - reported, not swallowed
                interrupts.may_raise = False
                code = errors.report_failure(error, settings)
        finish_streams()
        sys.exit(code)


def _wants_json(option: str, arguments: Sequence[str]) -> bool:
    """Return whether an option asks for JSON, which holds for errors of the command line too."""
    pairs = itertools.pairwise(arguments)
    return f"{option}=json" in arguments or (option, "json") in pairs


@click.group(
    "cld-user-groups",
    cls=RootGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Each command has --help, with its options and two examples. Credentials: "
    "CLOUDINARY_ACCOUNT_URL, or a profile. Exit codes: 0 done, 1 error, 2 changes, 3 guard, "
    "4 stale, 5 incomplete, 64 usage.",
)
@global_options(PLAN_FORMATS)
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """Manage the user groups of a Cloudinary account, by hand or from a file."""


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
            return errors.USAGE
        raise
