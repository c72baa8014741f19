"""The options of the command line: those of every command, those that several share, durations."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypeAlias

import click

from .settings import FORMATS, Settings, settings_of

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]
P = ParamSpec("P")

_PARTS = re.compile(
    r"(?=.)(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+)s?)?", re.ASCII
)
_SECONDS = {"hours": 3600, "minutes": 60, "seconds": 1}


def duration(text: str) -> float:
    """Return the seconds of a duration: `90`, `90s`, `15m`, `1h30m`.

    Raises:
        click.BadParameter: It is not one.
    """
    found = _PARTS.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a duration such as 90s, 15m or 1h30m.")
    return float(sum(int(amount) * _SECONDS[unit] for unit, amount in found.groupdict("0").items()))


def some_time(text: str) -> float:
    """Return the seconds of a duration that is not 0.

    Raises:
        click.BadParameter: It is not one, or 0.
    """
    seconds = duration(text)
    if not seconds:
        raise click.BadParameter(f"{text!r} is no time at all: 90s, 15m and 1h30m are.")
    return seconds


def flag(*names: str, help: str) -> Decorator:  # noqa: A002
    """Return an option without a value."""
    return click.option(*names, is_flag=True, help=help)


force_option = flag("--force", help="Replace the file even if it was written or edited by hand.")
adds_only_option = flag("--adds-only", help="Leave out removals and deletions.")
yes_option = flag("--yes", "-y", help="Do not ask.")
dry_run_option = flag("--dry-run", help="Only show the plan.")
allow_removals_option = click.option(
    "--allow-removals", type=click.IntRange(min=0), metavar="N", help="Allow exactly N removals."
)
allow_new_option = click.option(
    "--allow-new",
    metavar="NAME",
    multiple=True,
    help="Create the group of this name, though it looks like an accident.",
)
reason_option = click.option(
    "--reason", metavar="TEXT", help="The reason, which the journal records."
)
users_argument = click.argument("users", metavar="USER...", nargs=-1, required=True)


def command(
    name: str, *parameters: Decorator, formats: tuple[str, ...] = FORMATS
) -> Callable[[Callable[Concatenate[Settings, P], Any]], click.Command]:
    """Return a decorator: a command whose function takes the settings, then its parameters.

    Args:
        name: The name of the command.
        parameters: Its own arguments and options on the command line, in the order of the help.
        formats: The formats that it knows.
    """

    def decorate(function: Callable[Concatenate[Settings, P], Any]) -> click.Command:
        callback = click.make_pass_decorator(Settings, ensure=True)(function)
        return declared(name, callback, parameters, formats)

    return decorate


def declared(
    name: str,
    callback: Callable[..., Any],
    parameters: Sequence[Decorator],
    formats: tuple[str, ...],
) -> click.Command:
    """Return a command with its parameters and the global options."""
    for add in (global_options(formats), *reversed(parameters)):
        callback = add(callback)
    return click.command(name)(callback)


def _complete_profile(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Return the names of profiles that begin as what is typed; none if the file is not valid."""
    from .profiles import ProfileError, profiles_file, read_profiles

    try:
        return [name for name in read_profiles(profiles_file()) if name.startswith(incomplete)]
    except ProfileError:
        return []


def global_options(formats: tuple[str, ...] = FORMATS) -> Decorator:
    """Return a decorator that adds the options of every command, before and after its name."""

    def store(context: click.Context, parameter: click.Parameter, value: object) -> None:
        settings = settings_of(context)
        if parameter.name and value not in (None, False):
            setattr(settings, parameter.name, value)
        if parameter.name == "format" and settings.format not in formats:
            raise click.BadParameter(
                f"{settings.format!r} is not one of {', '.join(map(repr, formats))}.",
                context,
                parameter,
            )

    def option(name: str, help: str, **more: Any) -> Decorator:  # noqa: A002
        return click.option(name, help=help, expose_value=False, callback=store, **more)

    options = [
        option("--server-url", "The URL of the server, instead of a region.", metavar="URL"),
        option(
            "--region", "The region of the server.", type=click.Choice(["api", "api-eu", "api-ap"])
        ),
        option("--account-id", "The ID of the account. [CLOUDINARY_ACCOUNT_ID]", metavar="ID"),
        option(
            "--profile",
            "The profile to use. [CLOUDINARY_PROFILE]",
            metavar="NAME",
            shell_complete=_complete_profile,
        ),
        option(
            "--lease",
            "The Redis that keeps other machines off the account. [CLOUDINARY_LEASE_URL]",
            metavar="URL",
        ),
        option(
            "--format",
            "The format of standard output. Default: text.",
            type=click.Choice(formats),
        ),
        option(
            "--log-format",
            "The format of standard error: text (default), or one JSON object per line.",
            type=click.Choice(["text", "json"]),
        ),
        option("--quiet", "Print no progress, and no messages except errors.", is_flag=True),
        option(
            "--timeout",
            "How long to wait for a connection, and for a whole response. Default: 10s, 30s.",
            type=duration,
            metavar="DURATION",
        ),
        option(
            "--source-timeout",
            "How long to wait for a source that is a pipe to end: 90s, 15m. Default: 10m.",
            type=some_time,
            metavar="DURATION",
        ),
        option(
            "--max-body",
            "The maximum size of a response, in MiB. Default: 64.",
            type=click.IntRange(min=1),
            metavar="MIB",
        ),
        option("--debug", "Show requests and the tracebacks of errors.", is_flag=True),
    ]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for add in reversed(options):
            command = add(command)
        return command

    return decorate
