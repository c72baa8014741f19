"""Runs a command that changes the account: it becomes a desired state, and that a plan."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypedDict, Unpack

import click
from attrs import evolve, frozen

from cld_user_groups import CldProvisioning
from cld_user_groups.membership import Desired, Plan, Snapshot, plan, read_account

from .resolving import Finder, Named, lookup_of
from .running import Options, run_plan
from .settings import settings_of
from .source import hold_to_guards
from .wanted import Wanted


@frozen
class Request:
    """What a command asks for.

    Attributes:
        words: The command and its groups: the source that the plan and the journal name.
        want: Returns what is asked for, once the account has been read.
        users: The other arguments.
        people: The users whom they mean, to be looked up.
        adds: Whether they are to be added to groups.
    """

    words: Sequence[str]
    want: Callable[[Finder], Wanted]
    users: Sequence[str] = ()
    people: Sequence[Named] = ()
    adds: bool = False


class ChangeOptions(TypedDict, total=False):
    """The options that commands which change the account share.

    Attributes:
        yes: Whether to go on without being asked.
        dry_run: Whether only to show the plan.
        reason: Why, for the journal.
        allow_removals: How many removals a human has allowed.
    """

    yes: bool
    dry_run: bool
    reason: str | None
    allow_removals: int | None


def run_change(context: click.Context, request: Request, **options: Unpack[ChangeOptions]) -> int:
    """Plan what a command asks for, show the plan, ask, apply it, and return the exit code.

    Args:
        context: The command's context.
        request: What it asks for.
        options: See `ChangeOptions`.

    Raises:
        MembershipError: A group or a user is not found, or ambiguous. Nothing was written.
    """
    source = shlex.join(["cld-user-groups", *request.words])
    reason = options.get("reason") or ""
    why = ["--reason", reason] if reason else []

    def prepare(client: CldProvisioning) -> tuple[Plan, Snapshot]:
        now = datetime.now(UTC)
        lookup = lookup_of(request.people, adds=request.adds)
        snapshot = read_account(client, lookup, now.date())
        wanted = request.want(Finder(snapshot))
        desired = Desired(source=source, digest="", guards=wanted.guards, groups=wanted.groups)
        made = _explained(plan(snapshot, desired, now.date(), now=now), reason, wanted.notes)
        allowed = options.get("allow_removals")
        return hold_to_guards(made, snapshot, allow_removals=allowed, only_adds=False), snapshot

    settings = settings_of(context)
    how = Options(
        yes=options.get("yes", False),
        dry_run=options.get("dry_run", False),
        again=settings.command_line(*request.words, *request.users, *why),
    )
    return run_plan(settings, prepare, how)


def _explained(made: Plan, reason: str, notes: Sequence[str]) -> Plan:
    """Return a plan with the user's reason: those of `plan` speak of a file and its lines."""
    changes = tuple(
        evolve(change, reason=reason, line=change.line or None) for change in made.changes
    )
    return evolve(made, changes=changes, notes=(*made.notes, *notes))
