"""`completion`: the script for a shell, and the groups, users and runs that it completes."""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from . import membership
from .options import FORMATS, Settings, command, settings_of
from .output import print_result

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: As click calls it: with the context, the parameter, and what is typed of its value.
Completer: TypeAlias = "Callable[[click.Context, click.Parameter, str], list[CompletionItem]]"

_SHELLS = ("bash", "zsh", "fish")

# click's scripts lose what follows a second comma, and backslashes: names of groups have both.
# And bash would take an e-mail for two words, and @FILE too.
_MENDED = {
    "bash": ("read type value", "read -r type value", "\nCOMP_WORDBREAKS=${COMP_WORDBREAKS//@}\n"),
    "fish": ('string split ","', 'string split --max 1 ","', ""),
}
# What is offered, kept for a minute: names of groups, and e-mails of members.
_GROUPS, _PEOPLE = "completion.json", "completion-people.json"
_LIFETIME = 60.0
_TIMEOUT_MS = 2_000


@command(
    "completion",
    click.argument("shell", type=click.Choice(_SHELLS), required=False),
    formats=FORMATS,
)
def completion_command(settings: Settings, shell: str | None) -> None:
    """Print the completion script of a shell: commands, options and names of groups.

    Default: the script for the shell in $SHELL. In ~/.bashrc, for one:

    eval "$(cld-user-groups completion bash)"
    """
    from click.shell_completion import get_completion_class

    context = click.get_current_context()
    name = shell or Path(os.environ.get("SHELL", "")).name
    kind = get_completion_class(name)
    if kind is None or name not in _SHELLS:
        raise click.UsageError(f"name the shell: {', '.join(_SHELLS)}", context)
    root = context.find_root()
    program = root.command.name or ""
    variable = f"_{program}_complete".replace("-", "_").upper()
    script = kind(root.command, {}, program, variable).source()
    old, new, added = _MENDED.get(name, ("", "", ""))
    print_result(script.replace(old, new) + added)


def _completer(find: Callable[[Settings, str], Iterable[str]]) -> Completer:
    """Return what offers the texts found that begin as what is typed, in any case."""

    def complete(
        context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        try:
            return _offered(find(settings_of(context), incomplete), incomplete)
        except Exception:  # noqa: BLE001 - a shell that is being typed into shows no errors
            return []

    return complete


def _users(settings: Settings, incomplete: str) -> Iterable[str]:
    """Return the e-mails of members, or the files after an @; a folder ends in a slash."""
    if not incomplete.startswith("@"):
        return _cached(settings, _PEOPLE)
    folder, slash, name = incomplete[1:].rpartition("/")
    return [
        f"@{folder}{slash}{path.name}{'/' if path.is_dir() else ''}"
        for path in sorted(Path(folder + slash or ".").expanduser().iterdir())
        if path.name.startswith(name) and (name or not path.name.startswith("."))
    ]


def _runs(settings: Settings, incomplete: str) -> Iterable[str]:
    with settings.open_client() as client:
        directory = membership.state_directory(client.account_id)
    return [each.id for each in membership.list_runs(directory)]  # the latest first


complete_group = _completer(lambda settings, incomplete: _cached(settings, _GROUPS))
complete_user = _completer(_users)
complete_run = _completer(_runs)
users_argument = click.argument(
    "users", metavar="USER...", nargs=-1, required=True, shell_complete=complete_user
)
#: The type of the name of a file, for the shell to complete; it need not exist.
FILE_NAME = click.Path(readable=False)


def _offered(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    # bash takes what it is offered as it would be typed; the other shells quote by themselves.
    is_bash = "bash" in os.environ.get("_CLD_USER_GROUPS_COMPLETE", "")
    typed = _typed_into_bash() if is_bash else ""
    if typed.startswith('"'):  # where click leaves the escapes of bash
        incomplete = re.sub(r'\\([\\"$`])', r"\1", typed[1:])
    start = incomplete.casefold()
    return [
        CompletionItem(_quoted_for_bash(name, typed) if is_bash else name)
        for name in names
        if name.casefold().startswith(start) and name.isprintable()
    ]


def _typed_into_bash() -> str:
    """Return the word that is being completed, as it is typed: with its opening quote, if any."""
    words = dict(enumerate(os.environ.get("COMP_WORDS", "").split("\n")))
    position = os.environ.get("COMP_CWORD", "")
    return words.get(int(position), "") if position.isdigit() else ""


def _quoted_for_bash(name: str, typed: str) -> str:
    """Return a name as bash would have it typed; after an opening quote, which bash closes."""
    if typed.startswith('"'):
        return re.sub(r'([\\"$`])', r"\\\1", name)
    return shlex.quote(name)


def forget_groups(account_id: str) -> None:
    """Let the next completion request names anew: a run may have changed them."""
    for name in (_GROUPS, _PEOPLE):
        with suppress(OSError):
            (membership.state_directory(account_id) / name).unlink()


def _cached(settings: Settings, name: str) -> list[str]:
    """Return the names in a file, or else from one request, also where that one fails."""
    import msgspec

    with settings.open_client() as client:
        path = membership.state_directory(client.account_id) / name
        with suppress(OSError):
            if 0 <= time.time() - path.stat().st_mtime < _LIFETIME:
                return msgspec.json.decode(path.read_bytes(), type=list[str])
        names: list[str] = []
        try:
            of_people = True if name == _PEOPLE else None
            lists = client.user_groups.list
            listed = lists(extended_details=of_people, retries=None, timeout_ms=_TIMEOUT_MS)
            groups = listed.user_groups or ()
            emails = (user.email for group in groups for user in group.users or ())
            found = emails if of_people else (group.name for group in groups)
            names = sorted({text for text in found if text})
        finally:
            with suppress(OSError):
                membership.state.make_private(path.parent)
                membership.state.replace_file(path, msgspec.json.encode(names))
        return names
