"""The lines of a journal: one JSON object each.

`docs/journal-format.md` describes the format, `schemas/journal.schema.json` defines it.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import msgspec
from attrs import field, frozen

from cld_user_groups._version import __version__

from .model import Change, Plan
from .outcome import Status, Stop

FORMAT = "cld-user-groups/journal/1"


@frozen(kw_only=True)
class Author:
    """Who ran it: the user, the machine and the process.

    Attributes:
        user: The name of the operating system's user, or "" where it has none.
        host: The machine's name.
        pid: The process ID.
    """

    user: str
    host: str
    pid: int


@frozen(kw_only=True)
class PlanInfo:
    """Which plan is applied.

    Attributes:
        source: The file that it comes from, or what created it.
        digest: The digest of that file, or "".
        created_at: When it was created.
        changes: How many changes it has.
        protect: IDs, e-mails and globs of members who are never removed, by an undo neither.
    """

    source: str
    digest: str
    created_at: datetime
    changes: int
    protect: tuple[str, ...] = ()


@frozen(kw_only=True)
class Header:
    """The first line: who applies which plan to which account.

    Attributes:
        format: The format of the journal.
        run: The ID of the run.
        tool: The program and its version.
        started_at: When the run began, in UTC.
        account: The account.
        by: Who ran it.
        plan: The plan.
        sequence: The number of the run, which tells the order of runs whatever the clock says; None
            in a journal of an earlier version, which comes before all that have one.
    """

    format: str = FORMAT
    run: str
    sequence: int | None = None
    tool: str
    started_at: datetime
    account: str
    by: Author
    plan: PlanInfo


@frozen(kw_only=True)
class Intent:
    """A change is about to be sent.

    Attributes:
        at: When, in UTC.
        position: The position of the change in the plan, from 0.
        change: The change, with the ID of its group where that is known by now.
    """

    at: datetime
    position: int
    change: Change


@frozen(kw_only=True)
class Ended:
    """A change has ended. The last such line about a change is the one that counts.

    Attributes:
        at: When, in UTC.
        position: The position of the change in the plan, from 0.
        status: Its outcome; `not_started` for one that was throttled, and not applied.
        group_id: The ID of its group, or None where it is not known.
        request_id: The server's ID of the deciding request, or None.
        error: What went wrong, or "".
    """

    at: datetime
    position: int
    status: Status
    group_id: str | None = None
    request_id: str | None = None
    error: str = ""


@frozen(kw_only=True)
class End:
    """The last line: the run ended by itself.

    Attributes:
        at: When, in UTC.
        summary: How many changes have each status.
        stopped: Why the run ended early, or None.
        detail: The same in a sentence, or "".
        verified: Whether the account has all that the plan asks for, or None where it was not
            read again.
        differences: What it does not have, a sentence each.
    """

    at: datetime
    summary: Mapping[str, int] = field(factory=dict[str, int])
    stopped: Stop | None = None
    detail: str = ""
    verified: bool | None = None
    differences: tuple[str, ...] = ()


Line = Header | Intent | Ended | End
TYPES: dict[str, type[Line]] = {
    "header": Header,
    "intent": Intent,
    "outcome": Ended,
    "end": End,
}
_NAMES = {kind: name for name, kind in TYPES.items()}


def encode_line(line: Line) -> bytes:
    """Return a line of the journal, its line break included.

    Args:
        line: The line.
    """
    fields = {"type": _NAMES[type(line)], **_without_defaults(line)}
    return msgspec.json.encode(fields) + b"\n"


def header(run: str, plan: Plan, now: datetime, sequence: int) -> Header:
    """Return the first line of a run's journal.

    Args:
        run: The ID of the run.
        plan: The plan.
        now: When the run begins.
        sequence: The number of the run.
    """
    return Header(
        run=run,
        sequence=sequence,
        tool=f"cld-user-groups {__version__}",
        started_at=now,
        account=plan.account_id,
        by=author(),
        plan=PlanInfo(
            source=plan.source,
            digest=plan.digest,
            created_at=plan.created_at,
            changes=len(plan.changes),
            protect=plan.protect,
        ),
    )


def author() -> Author:
    """Return who this is."""
    return Author(user=_user(), host=socket.gethostname(), pid=os.getpid())


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without that user, or Windows
        return ""


def _without_defaults(line: Line) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for attribute in attrs.fields(type(line)):
        value = getattr(line, attribute.name)
        if attribute.name == "format" or value not in (None, "", ()):
            values[attribute.name] = value
    return values
