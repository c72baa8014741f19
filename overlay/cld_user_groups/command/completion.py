"""`completion`: the script for a shell, and the groups, users, runs and files that it completes."""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import membership
from .options import Settings, command, settings_of
from .output import print_result

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_SHELLS = ("bash", "zsh", "fish")

# click's scripts lose what follows a second comma, and backslashes: names of groups have both.
_MENDED = {
    "bash": ("read type value", "read -r type value"),
    "fish": ('string split ","', 'string split --max 1 ","'),
}
# bash would take an e-mail for two words, and @FILE too.
_ADDED = {"bash": "\nCOMP_WORDBREAKS=${COMP_WORDBREAKS//@}\n"}
# What is offered, kept for a minute: names of groups, and e-mails of members.
_GROUPS, _PEOPLE = "completion.json", "completion-people.json"
_LIFETIME = 60.0
_TIMEOUT_MS = 2_000


@command("completion", click.argument("shell", type=click.Choice(_SHELLS), required=False))
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
    print_result(script.replace(*_MENDED.get(name, ("", ""))) + _ADDED.get(name, ""))


def complete_group(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names of groups that begin as what is typed, in any case; none if that fails."""
    try:
        names = _cached(settings_of(context), _GROUPS)
    except Exception:  # noqa: BLE001 - a shell that is being typed into shows no errors
        return []
    return _offered(names, incomplete)


def complete_user(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the e-mails of members that begin as what is typed, or files after an @."""
    try:
        if incomplete.startswith("@"):
            return _offered(_files(incomplete.removeprefix("@")), incomplete)
        return _offered(_cached(settings_of(context), _PEOPLE), incomplete)
    except Exception:  # noqa: BLE001 - as above
        return []


def complete_run(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the IDs of the runs that begin as what is typed, the latest first."""
    try:
        with settings_of(context).open_client() as client:
            directory = membership.state_directory(client.account_id)
        return _offered([each.id for each in membership.list_runs(directory)], incomplete)
    except Exception:  # noqa: BLE001 - as above
        return []


def complete_file(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Let the shell complete the name of a file."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


users_argument = click.argument(
    "users", metavar="USER...", nargs=-1, required=True, shell_complete=complete_user
)


def _files(start: str) -> list[str]:
    """Return the files that begin so, each after an @; a folder ends in a slash."""
    folder, _, name = start.rpartition("/")
    place = f"{folder}/" if "/" in start else ""
    found = sorted(Path(place or ".").expanduser().iterdir())
    return [
        f"@{place}{path.name}{'/' if path.is_dir() else ''}"
        for path in found
        if path.name.startswith(name) and (name or not path.name.startswith("."))
    ]


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
    words = os.environ.get("COMP_WORDS", "").split("\n")
    position = os.environ.get("COMP_CWORD", "")
    return words[int(position)] if position.isdigit() and int(position) < len(words) else ""


def _quoted_for_bash(name: str, typed: str) -> str:
    """Return a name as bash would have it typed; after an opening quote, which bash closes."""
    if typed.startswith('"'):
        return re.sub(r'([\\"$`])', r"\\\1", name)
    return shlex.quote(name)


def forget_groups(account_id: str) -> None:
    """Let the next completion request names anew: a run may have changed them."""
    for name in (_GROUPS, _PEOPLE):
        with suppress(OSError):
            _file_of(account_id, name).unlink()


def _cached(settings: Settings, name: str) -> list[str]:
    """Return the names in a file, or else from one request, also where that one fails."""
    import msgspec

    with settings.open_client() as client:
        path = _file_of(client.account_id, name)
        if _is_fresh(path):
            return msgspec.json.decode(path.read_bytes(), type=list[str])
        names: list[str] = []
        try:
            listed = client.user_groups.list(
                extended_details=True if name == _PEOPLE else None,
                retries=None,
                timeout_ms=_TIMEOUT_MS,
            )
            groups = listed.user_groups or ()
            found = (
                (user.email for group in groups for user in group.users or ())
                if name == _PEOPLE
                else (group.name for group in groups)
            )
            names = sorted({text for text in found if text})
        finally:
            with suppress(OSError):
                membership.state.make_private(path.parent)
                membership.state.replace_file(path, msgspec.json.encode(names))
        return names


def _file_of(account_id: str, name: str) -> Path:
    return membership.state_directory(account_id) / name


def _is_fresh(path: Path) -> bool:
    try:
        return 0 <= time.time() - path.stat().st_mtime < _LIFETIME
    except OSError:
        return False
