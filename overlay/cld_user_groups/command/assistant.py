"""The command `mcp`, which serves an assistant."""

from __future__ import annotations

import os
import signal
from types import FrameType

import click

from . import errors, membership
from .options import FORMATS, Settings, command, flag, number, option, positive_duration


@command(
    "mcp",
    option(
        "--file",
        "The file of groups: to be shown and proposed; its guards, its rules and who is "
        "protected hold for each proposal. Default: the one that the profile names.",
        type=click.Path(exists=True, dir_okay=False),
    ),
    flag("--read-only", "Only look: leave out `propose`."),
    number("--keep-quota", "Leave N requests of the quota unused.", 0),
    option(
        "--call-timeout",
        "How long a call of a tool may take.",
        "DURATION",
        type=positive_duration,
        default="2m",
        show_default=True,
    ),
    formats=FORMATS,
)
def mcp_command(
    settings: Settings, file: str | None, read_only: bool, keep_quota: int, call_timeout: float
) -> None:
    """Serve an assistant over standard input and output (Model Context Protocol).

    It can look at the account, and propose plans, which are saved. It cannot write to the account:
    a person does, with `apply`. Its calls are listed by `runs --assistant`.
    """
    from cld_user_groups.assistant.server import serve
    from cld_user_groups.assistant.tools import Account
    from cld_user_groups.hooks import OnlyReads

    reads = OnlyReads(keep_quota=keep_quota)
    file = file or settings.groups_file
    with settings.open_client(hooks=(reads,)) as client:
        account = Account(
            client=client,
            reads=reads,
            file=file,
            source_timeout=settings.source_timeout,
            command_line=settings.command_line,
            state=membership.state_directory(client.account_id),
        )
        account.desired()  # so that a file that is not valid is an error at once
        for number_of_signal in (signal.SIGINT, signal.SIGTERM):
            # Nothing can be half done, and a thread that reads standard input cannot be ended.
            signal.signal(number_of_signal, _exit)
        serve(account, read_only=read_only, timeout=call_timeout)


def _exit(number: int, frame: FrameType | None) -> None:
    os._exit(errors.DONE)
