"""The command line: the group of commands, and how a call of it ends."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from cld_user_groups._version import __version__

from . import exit_codes
from .apply import apply_command
from .export import export_command
from .failures import report_failure
from .plan import plan_command
from .runs import runs_command
from .schema import schema_command
from .settings import PLAN_FORMATS, Settings, global_options
from .undo import undo_command


class Tool(click.Group):
    """A group of commands that ends with the documented exit codes, and without a traceback."""

    def main(self, args: Sequence[str] | None = None, *unused: Any, **options: Any) -> NoReturn:
        """Run the command line, and exit.

        Args:
            args: The command line. Default: that of this process.
            unused: The other arguments of click's own.
            options: The context's, as click's own has them.

        Raises:
            SystemExit: Always.
        """
        arguments = list(sys.argv[1:] if args is None else args)
        settings = Settings(format="json" if _wants_json(arguments) else "text")
        settings.debug = "--debug" in arguments
        options.update(standalone_mode=False, obj=settings)
        options.setdefault("prog_name", self.name)
        code = exit_codes.DONE
        try:
            result = super().main(arguments, *unused, **options)
            code = result if isinstance(result, int) else exit_codes.DONE
            sys.stdout.flush()
        except BrokenPipeError:
            _forget_stdout()
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - told, not swallowed
            code = report_failure(error, settings)
        sys.exit(code)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Return whether an error of the command line itself is to be told as JSON."""
    pairs = itertools.pairwise(arguments)
    return "--format=json" in arguments or ("--format", "json") in pairs


def _forget_stdout() -> None:
    """Let the interpreter flush standard output at its end, though nobody reads it any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group("cld-user-groups", cls=Tool, context_settings={"help_option_names": ["-h", "--help"]})
@global_options(PLAN_FORMATS)
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """Make the user groups of a Cloudinary account what a file says.

    Credentials come from CLOUDINARY_ACCOUNT_URL, or from CLOUDINARY_PROVISIONING_API_KEY and
    CLOUDINARY_PROVISIONING_API_SECRET. Results go to standard output, all else to standard error.

    Exit codes: 0 done or nothing to do; 1 error; 2 there are changes (plan --detailed-exitcode);
    3 refused by a guard; 4 stale plan; 5 incomplete; 64 usage.
    """


for command in (
    export_command,
    plan_command,
    apply_command,
    undo_command,
    runs_command,
    schema_command,
):
    cli.add_command(command)
