"""Reads what a command is given: a file of groups, or a saved plan."""

from __future__ import annotations

import shlex
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import evolve

from .settings import Settings, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cld_user_groups import CldProvisioning
    from cld_user_groups.membership import Change, Desired, Plan, Snapshot

_PLAN_MARK = b'"cld-user-groups/plan/'
_SPACE = b"\xef\xbb\xbf \t\r\n"


def read_source(path: str) -> Desired | Plan:
    """Read a file of groups, or a saved plan, which its content shows.

    Args:
        path: The file; "-" for standard input.

    Raises:
        MembershipError: It cannot be read, or is not valid.
    """
    from cld_user_groups.membership import load_plan, parse_plan, read_file
    from cld_user_groups.membership.files.content import MAX_BYTES, read_content

    timeout = source_timeout()
    if path == "-":
        content = read_content(path, timeout=timeout)
        if _is_plan(content):
            return parse_plan(content, path)
        return read_file(path, stdin=BytesIO(content))
    if _is_plan(_json_in(Path(path), MAX_BYTES)):
        return load_plan(path)
    return read_file(path, timeout=timeout)


def source_timeout() -> float:
    """Return how long to wait for the end of a source that is a pipe, in seconds."""
    context = click.get_current_context(silent=True)
    return Settings().source_timeout if context is None else settings_of(context).source_timeout


def read_groups(path: str) -> Desired:
    """Read a file of groups.

    Args:
        path: The file; "-" for standard input.

    Raises:
        MembershipError: It cannot be read, is not valid, or is a saved plan.
    """
    from cld_user_groups.membership import FileError, Plan, Problem

    desired = read_source(path)
    if isinstance(desired, Plan):
        message = "this is a saved plan, not a file of groups"
        apply_it = shlex.join(["cld-user-groups", "apply", path])
        raise FileError([Problem(path, None, message, f"apply it: {apply_it}")])
    return desired


def _json_in(path: Path, max_bytes: int) -> bytes:
    """Return a file in JSON; nothing of others, nor of a pipe, which can be read only once."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            beginning = file.read(64)
            return beginning + file.read(max_bytes) if _is_json(beginning) else b""
    except OSError:
        return b""  # `read_file` says what is wrong with it


def check_is_for(desired: Desired, account_id: str) -> None:
    """Reject a file that names another account.

    Args:
        desired: What the file asks for.
        account_id: The account.

    Raises:
        FileError: It is for another account.
    """
    from cld_user_groups.membership import FileError, Problem

    if desired.account is not None and desired.account != account_id:
        message = f"the file is for the account `{desired.account}`, not `{account_id}`"
        raise FileError([Problem(desired.source, None, message)])


def with_new_groups(desired: Desired, names: Sequence[str]) -> Desired:
    """Return a file with the word of a human that some of its groups are meant to be new.

    Args:
        desired: What the file asks for.
        names: The names of the groups.

    Raises:
        FileError: The file has no group of such a name.
    """
    from cld_user_groups.membership import FileError, Problem
    from cld_user_groups.membership.problems import quoted

    unknown = [name for name in names if all(name != group.name for group in desired.groups)]
    if unknown:
        message = f"--allow-new: the file has no group {', '.join(map(quoted, unknown))}"
        raise FileError([Problem(desired.source, None, message)])
    groups = (
        evolve(group, allow_new=group.allow_new or group.name in names) for group in desired.groups
    )
    return evolve(desired, groups=tuple(groups))


def make_plan(
    client: CldProvisioning, desired: Desired, today: date | None = None
) -> tuple[Plan, Snapshot]:
    """Read the account, and return the plan for it with what was read.

    Args:
        client: The client of the account.
        desired: What the file asks for.
        today: The day for which memberships are wanted. Default: today, in UTC.

    Raises:
        PlanError: The file does not fit the account.
    """
    from cld_user_groups.membership import plan, read_account

    check_is_for(desired, client.account_id)  # before anything is sent
    now = datetime.now(UTC)
    day = today or now.date()
    snapshot = read_account(client, desired, day)
    if today is None:
        check_clocks(desired, snapshot, day)
    return plan(snapshot, desired, day, now=now), snapshot


def check_clocks(desired: Desired, snapshot: Snapshot, day: date) -> None:
    """Reject memberships that end or do not, depending on which of two clocks is right.

    Args:
        desired: What the file asks for.
        snapshot: The account, with the time of its server.
        day: Today, by the clock of this machine.

    Raises:
        PlanError: The server is in another day, and an `until` is between the two.
    """
    from cld_user_groups.membership import PlanError, Problem
    from cld_user_groups.membership.identity import is_wanted

    server_day = day if snapshot.server_time is None else snapshot.server_time.date()
    for group in desired.groups:
        for member in group.members:
            if is_wanted(member, day) is not is_wanted(member, server_day):
                message = (
                    f"whether `until: {member.until}` has passed is not known: it is {day} (UTC) "
                    f"on this machine, and {server_day} on the server"
                )
                hint = "correct the clock, or give the day with `plan --today`"
                raise PlanError([Problem(member.source, member.line, message, hint)])


def hold_to_guards(
    made: Plan, snapshot: Snapshot, *, allow_removals: int | None, only_adds: bool
) -> Plan:
    """Return a plan with the guards' verdict on the account as it was read.

    Args:
        made: The plan.
        snapshot: The account.
        allow_removals: How many removals a human has allowed.
        only_adds: Whether to leave out all that takes something away.
    """
    from cld_user_groups.membership import adds_only, check_guards

    if only_adds:
        return adds_only(made)
    return evolve(made, breaches=check_guards(made, snapshot, made.limits, allow_removals))


def changes_needed(
    desired: Desired, snapshot: Snapshot, day: date, *, only_adds: bool
) -> tuple[Change, ...]:
    """Return the changes that an account needs to be what a file asks for.

    Args:
        desired: What the file asks for.
        snapshot: The account.
        day: The day for which memberships are wanted.
        only_adds: Whether to leave out all that takes something away.

    Raises:
        PlanError: The file no longer fits the account.
    """
    from cld_user_groups.membership import adds_only, plan

    made = plan(snapshot, desired, day, now=datetime.now(UTC))
    return (adds_only(made) if only_adds else made).changes


def _is_plan(content: bytes) -> bool:
    # Anywhere: a tool that has sorted the keys puts `format` far behind.
    return _is_json(content) and _PLAN_MARK in content


def _is_json(content: bytes) -> bool:
    return content.lstrip(_SPACE)[:1] == b"{"
