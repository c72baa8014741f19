"""`completion`: the script for a shell, and the names of groups that it completes."""

from __future__ import annotations

import os
import re
import shlex
import time
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
    print_result(script.replace(*_MENDED.get(name, ("", ""))))


def complete_group(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names of groups that begin as what is typed, in any case; none if that fails."""
    from click.shell_completion import CompletionItem

    try:
        names = _names(settings_of(context))
    except Exception:  # noqa: BLE001 - a shell that is being typed into shows no errors
        return []
    start = incomplete.casefold()
    # bash takes what it is offered as it would be typed; the other shells quote by themselves.
    is_bash = "bash" in os.environ.get("_CLD_USER_GROUPS_COMPLETE", "")
    typed = _typed_into_bash() if is_bash else ""
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
    """Let the next completion request the names anew: a run may have changed them."""
    with suppress(OSError):
        _file_of(account_id).unlink()


def _names(settings: Settings) -> list[str]:
    """Return the names from the file, or else from one request, also where that one fails."""
    import msgspec

    with settings.open_client() as client:
        path = _file_of(client.account_id)
        if _is_fresh(path):
            return msgspec.json.decode(path.read_bytes(), type=list[str])
        names: list[str] = []
        try:
            listed = client.user_groups.list(retries=None, timeout_ms=_TIMEOUT_MS)
            names = sorted(group.name for group in listed.user_groups or () if group.name)
        finally:
            with suppress(OSError):
                membership.state.make_private(path.parent)
                membership.state.replace_file(path, msgspec.json.encode(names))
        return names


def _file_of(account_id: str) -> Path:
    return membership.state_directory(account_id) / "completion.json"


def _is_fresh(path: Path) -> bool:
    try:
        return 0 <= time.time() - path.stat().st_mtime < _LIFETIME
    except OSError:
        return False
