"""The arguments and options that several commands share: users, and how a change is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .settings import TABLE_FORMATS, global_options

if TYPE_CHECKING:
    from .changing import Request
    from .resolving import Named

F = TypeVar("F", bound=Callable[..., Any])

force_option = click.option(
    "--force", is_flag=True, help="Replace the file even if it was written or edited by hand."
)
allow_removals_option = click.option(
    "--allow-removals",
    type=click.IntRange(min=0),
    metavar="N",
    help="Allow exactly N removals.",
)
allow_new_option = click.option(
    "--allow-new",
    metavar="NAME",
    multiple=True,
    help="Create the group of this name, though it looks like an accident.",
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Only show the plan.")
reason_option = click.option(
    "--reason", metavar="TEXT", help="The reason, which the journal records."
)

_CHANGE_OPTIONS = ("yes", "dry_run", "reason", "allow_removals")

users_argument = click.argument("users", metavar="USER...", nargs=-1, required=True)


def change_command(
    name: str, *parameters: Callable[[F], F], removes: bool = False
) -> Callable[[Callable[..., Request]], click.Command]:
    """Return a decorator: a command that plans what a function asks for, shows it, and applies it.

    Args:
        name: The name of the command.
        parameters: What the function takes: its arguments and options on the command line.
        removes: Whether members may be removed, and so --allow-removals is known.
    """
    common = (reason_option, dry_run_option, yes_option)
    options = (*common, allow_removals_option) if removes else common

    def decorate(function: Callable[..., Request]) -> click.Command:
        def run(context: click.Context, /, **values: Any) -> int:
            from .changing import run_change

            given = {key: values.pop(key) for key in _CHANGE_OPTIONS if key in values}
            return run_change(context, function(**values), **given)

        callback = update_wrapper(click.pass_context(run), function)
        for add in (global_options(TABLE_FORMATS), *reversed(options), *reversed(parameters)):
            callback = add(callback)
        return click.command(name)(callback)

    return decorate


def read_people(users: Sequence[str]) -> tuple[Named, ...]:
    """Return the users that are named: as such, in files (`@FILE`) and on standard input (`-`).

    A file has an e-mail or an ID a line; blank lines and those that begin with # are left out.

    Args:
        users: The arguments.

    Raises:
        FileError: A file cannot be read, names nobody, or has something else on a line.
        click.UsageError: An argument is blank, or standard input is named twice.
    """
    from .source import source_timeout

    if users.count("-") > 1:
        raise click.UsageError("standard input (-) can be read only once")
    found: list[Named] = []
    for text in users:
        if text == "-":
            found += _lines(_content("-", source_timeout()), "-")
        elif text.startswith("@"):
            if not text[1:]:
                raise click.UsageError("@ must be followed by the name of a file of users: @FILE")
            found += _lines(_content(text[1:], source_timeout()), text[1:])
        else:
            found.append(one_user(text))
    return tuple(found)


def one_user(text: str) -> Named:
    """Return the user that an argument names.

    Args:
        text: The argument.

    Raises:
        click.UsageError: It is blank.
    """
    from .resolving import Named

    if not text.strip():
        raise click.UsageError("a user must not be blank: give an e-mail or an ID")
    return Named(text.strip())


def _content(path: str, timeout: float) -> bytes:
    from cld_user_groups.membership import FileError, Problem
    from cld_user_groups.membership.files.content import read_content

    try:
        return read_content(path, timeout=timeout)
    except OSError as error:
        message = f"cannot read the file: {error.strerror or error}"
        raise FileError([Problem(path, None, message, "@ names a file of users")]) from None


def _lines(content: bytes, source: str) -> list[Named]:
    from cld_user_groups.membership import FileError, Problem
    from cld_user_groups.membership.files.content import decode_text
    from cld_user_groups.membership.problems import quoted

    from .resolving import Named

    lines = enumerate(decode_text(content, source).splitlines(), start=1)
    people = [
        Named(text, source, number)
        for number, line in lines
        if (text := line.strip()) and not text.startswith("#")
    ]
    problems = [
        Problem(source, named.line, f"{quoted(named.text)} is not an e-mail or an ID", "one a line")
        for named in people
        if not named.text.isprintable() or any(part in named.text for part in " ,;\t")
    ]
    if not people:
        problems.append(Problem(source, None, "the file names nobody"))
    if problems:
        raise FileError(problems)
    return people
