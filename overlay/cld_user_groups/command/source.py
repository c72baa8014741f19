"""Reads what a command is given, a file of groups or a saved plan, and makes the plan for it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from cld_user_groups import CldProvisioning

from .lazy import content, identity, membership
from .lookup import quoted, source_timeout

if TYPE_CHECKING:
    from cld_user_groups.membership import Desired, Plan, Snapshot

_PLAN_MARK = b'"cld-user-groups/plan/'
_SPACE = b"\xef\xbb\xbf \t\r\n"


def read_source(path: str) -> Desired | Plan:
    """Read a file of groups or a saved plan, which its content shows; "-" is standard input.

    Raises:
        MembershipError: It cannot be read, or is not valid.
    """
    timeout = source_timeout()
    if path == "-":
        found = content.read_content(path, timeout=timeout)
        if _is_plan(found):
            return membership.parse_plan(found, path)
        return membership.read_file(path, stdin=BytesIO(found))
    if _is_plan(_json_in(Path(path), content.MAX_BYTES)):
        return membership.load_plan(path)
    return membership.read_file(path, timeout=timeout)


def read_groups(path: str) -> Desired:
    """Read a file of groups; "-" is standard input.

    Raises:
        MembershipError: It cannot be read, is not valid, or is a saved plan.
    """
    desired = read_source(path)
    if isinstance(desired, membership.Plan):
        message = "this is a saved plan, not a file of groups"
        apply_it = shlex.join(["cld-user-groups", "apply", path])
        raise membership.FileError(
            [membership.Problem(path, None, message, f"apply it: {apply_it}")]
        )
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

    Raises:
        FileError: It is for another account.
    """
    if desired.account is not None and desired.account != account_id:
        message = f"the file is for the account `{desired.account}`, not `{account_id}`"
        raise membership.FileError([membership.Problem(desired.source, None, message)])


def with_new_groups(desired: Desired, names: Sequence[str]) -> Desired:
    """Return a file with the word of a human that some of its groups are meant to be new.

    Raises:
        FileError: The file has no group of such a name.
    """
    unknown = [name for name in names if all(name != group.name for group in desired.groups)]
    if unknown:
        message = f"--allow-new: the file has no group {', '.join(map(quoted, unknown))}"
        raise membership.FileError([membership.Problem(desired.source, None, message)])
    groups = (
        evolve(group, allow_new=group.allow_new or group.name in names) for group in desired.groups
    )
    return evolve(desired, groups=tuple(groups))


def make_plan(
    client: CldProvisioning, desired: Desired, today: date | None = None
) -> tuple[Plan, Snapshot]:
    """Read the account; return the plan for a day, by default today in UTC, and what was read.

    Raises:
        PlanError: The file does not fit the account.
    """
    check_is_for(desired, client.account_id)  # before anything is sent
    now = datetime.now(UTC)
    day = today or now.date()
    snapshot = membership.read_account(client, desired, day)
    if today is None:
        check_clocks(desired, snapshot, day)
    return membership.plan(snapshot, desired, day, now=now), snapshot


def check_clocks(desired: Desired, snapshot: Snapshot, day: date) -> None:
    """Reject memberships that end or do not, depending on which of two clocks is right.

    Raises:
        PlanError: The server is in another day, and an `until` is between the two.
    """
    server_day = day if snapshot.server_time is None else snapshot.server_time.date()
    for group in desired.groups:
        for member in group.members:
            if identity.is_wanted(member, day) is not identity.is_wanted(member, server_day):
                message = (
                    f"whether `until: {member.until}` has passed is not known: it is {day} (UTC) "
                    f"on this machine, and {server_day} on the server"
                )
                hint = "correct the clock, or give the day with `plan --today`"
                raise membership.PlanError(
                    [membership.Problem(member.source, member.line, message, hint)]
                )


def hold_to_guards(
    plan: Plan, snapshot: Snapshot, *, allow_removals: int | None, only_adds: bool = False
) -> Plan:
    """Return a plan with the guards' verdict on the account as it was read.

    Args:
        plan: The plan.
        snapshot: The account.
        allow_removals: How many removals a human has allowed.
        only_adds: Whether to leave out all that takes something away.
    """
    if only_adds:
        return membership.adds_only(plan)
    return evolve(
        plan, breaches=membership.check_guards(plan, snapshot, plan.limits, allow_removals)
    )


def _is_plan(content: bytes) -> bool:
    # Anywhere: a tool that has sorted the keys puts `format` far behind.
    return _is_json(content) and _PLAN_MARK in content


def _is_json(content: bytes) -> bool:
    return content.lstrip(_SPACE)[:1] == b"{"
