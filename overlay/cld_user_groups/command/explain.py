"""`explain`: since which run a user is in a group, by whom, why, and until when."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from .arguments import one_user
from .completion import complete_group
from .output import print_message, print_result
from .settings import TABLE_FORMATS, global_options, settings_of

if TYPE_CHECKING:
    from cld_user_groups.membership import (
        Explanation,
        GroupRef,
        History,
        Listing,
        Member,
        Snapshot,
        Step,
    )

    from .resolving import Named
    from .tables import Table

# Of a digest, enough to tell two files apart, as Git shows a commit.
_SHOWN_OF_DIGEST = 12


@click.command("explain")
@click.argument("group", shell_complete=complete_group)
@click.argument("user")
@click.option("--file", metavar="FILE", help="Also show what this file of groups says.")
@global_options(TABLE_FORMATS)
@click.pass_context
def explain_command(context: click.Context, group: str, user: str, file: str | None) -> None:
    """Explain why USER is in GROUP or not: since which run, who, why, until when.

    GROUP is a name or an ID, USER an e-mail or an ID; those that are gone are explained too. What
    is known comes from the journals of this machine, so changes made elsewhere are not.
    """
    settings = settings_of(context)
    from cld_user_groups.membership import explain, read_account, read_history, state_directory

    from .resolving import lookup_of
    from .source import check_is_for, read_groups
    from .tables import print_table

    desired = None if file is None else read_groups(file)
    named = one_user(user)
    with settings.open_client() as client:
        if desired is not None:
            check_is_for(desired, client.account_id)
        snapshot = read_account(client, lookup_of([named]))
    history = read_history(state_directory(snapshot.account_id))
    explained = explain(
        snapshot,
        history,
        _group(snapshot, history, group),
        _user(snapshot, history, named),
        desired=desired,
        today=datetime.now(UTC).date(),
    )
    if settings.format == "text" and sys.stdout.isatty():
        print_result("\n".join(_lines(explained)))
    else:
        print_table(_table(explained, snapshot.account_id), settings)
    if history.unreadable:
        count, first = len(history.unreadable), history.unreadable[0].id
        print_message(f"{count} of the journals cannot be read, and may have more: {first}, ...")


def _group(snapshot: Snapshot, history: History, text: str) -> GroupRef:
    """Return the group of a name or an ID, else a deleted one that the journals know."""
    from cld_user_groups.membership import GroupRef, MembershipError

    from .resolving import Finder

    try:
        found = Finder(snapshot).group(text)
        return GroupRef(id=found.id, name=found.name)
    except MembershipError:
        ids = {group.id for group in snapshot.groups}
        known = [
            each
            for each in history.groups.values()
            if text in (each.id, each.name) and each.id not in ids
        ]
        if not known:
            raise
        return known[-1]


def _user(snapshot: Snapshot, history: History, named: Named) -> Member:
    """Return the user of an e-mail or an ID, else one who is gone and whom the journals know."""
    from cld_user_groups.membership import Member, MembershipError, email_key

    from .resolving import Finder

    try:
        ((found, _),) = Finder(snapshot).users([named])
        return found
    except MembershipError:
        users = [periods[-1].user for periods in history.periods.values() if periods]
        for user in reversed(users):
            emails = (email_key(user.email or ""), email_key(named.text))
            if user.id == named.text or emails[0] == emails[1]:
                return Member(id=user.id, email=user.email)
        raise


def _table(explained: Explanation, account_id: str) -> Table:
    from .tables import Column, Table

    step, period = explained.step, explained.period
    until = period.until if period is not None and explained.is_member else None
    values: dict[str, Any] = {
        "group": explained.group.name,
        "user": explained.user.email,
        "is_member": explained.is_member,
        "verdict": explained.verdict,
        "since": step.at if step and explained.is_member else None,
        "ended": step.at if step and not explained.is_member else None,
        "until": until and str(until),
        "by": step and _author(step),
        "reason": (step and step.reason) or None,
        "run": step and step.run,
        "source": step and _source(step),
        "digest": (step and step.header.plan.digest) or None,
        "certain": step and step.status == "done",
        "file": explained.listing and _said(explained.listing),
        "group_id": explained.group.id,
        "user_id": explained.user.id,
    }
    return Table(
        format="cld-user-groups/explanation/1",
        account=account_id,
        key="explanation",
        columns=tuple(map(Column, values)),
        rows=[tuple(values.values())],
        details={"steps": [_step_document(step) for step in explained.steps]},
    )


def _step_document(step: Step) -> dict[str, Any]:
    return {
        "at": step.at,
        "action": step.action,
        "status": step.status,
        "run": step.run,
        "by": _author(step),
        "source": step.source,
        "line": step.line,
        "digest": step.header.plan.digest or None,
        "reason": step.reason or None,
        "until": step.until,
        "request_id": step.outcome.request_id,
    }


def _lines(explained: Explanation) -> Iterator[str]:
    """Yield the explanation for people."""
    from cld_user_groups.membership import Verdict, printable

    who = printable(explained.user.email or explained.user.id)
    where = printable(explained.group.name)
    yield {
        Verdict.MADE_BY_RUN: f"{who} is in {where}.",
        Verdict.MADE_ELSEWHERE: (
            f"{who} is in {where}, and no run of this machine made it so: it is older than the "
            f"journals, or was made in the console or on another machine."
        ),
        Verdict.ENDED_BY_RUN: f"{who} is no longer in {where}.",
        Verdict.ENDED_ELSEWHERE: (
            f"{who} is no longer in {where}, and no run of this machine ended it: it was ended in "
            f"the console or on another machine."
        ),
        Verdict.NEVER_MADE: f"{who} is not in {where}, and no run of this machine changed that.",
    }[explained.verdict]
    yield from _steps(explained.steps)
    if explained.listing is not None:
        yield f"The file: {printable(_said(explained.listing))}."


def _steps(steps: Iterable[Step]) -> Iterator[str]:
    from cld_user_groups.membership import Action, Status, printable

    done = {
        Action.ADD_USER: "added",
        Action.REMOVE_USER: "removed",
        Action.DELETE_GROUP: "group deleted",
    }
    doubt = {Status.ALREADY: " (it was so already)", Status.UNKNOWN: " (perhaps)"}
    for step in steps:
        until = f" until {step.until}" if step.until else ""
        why = f": {printable(step.reason)}" if step.reason else ""
        yield (
            f"  {step.at:%Y-%m-%d %H:%M} UTC  {done[step.action]}{doubt.get(step.status, '')}"
            f"{until} by {printable(_author(step))}{why}"
        )
        digest = step.header.plan.digest[:_SHOWN_OF_DIGEST]
        of = f", SHA-256 {digest}" if digest else ""
        yield f"      run {step.run}, from {printable(_source(step))}{of}"


def _said(listing: Listing) -> str:
    """Return what a file says, in a few words."""
    group, member = listing.group, listing.member
    if group is None:
        return "does not name the group"
    if member is None:
        where = f"{group.source}:{group.line}"
        if listing.is_wanted is None:
            return f"{where} names the group, does not list the user, and leaves other members"
        return f"{where} names the group, and does not want the user in it"
    until = f" until {member.until}" if member.until else ""
    why = f": {member.reason}" if member.reason else ""
    ended = "" if listing.is_wanted else " (which is over)"
    return f"{member.source}:{member.line} lists the user{until}{ended}{why}"


def _author(step: Step) -> str:
    return f"{step.by.user}@{step.by.host}"


def _source(step: Step) -> str:
    return step.source if step.line is None else f"{step.source}:{step.line}"
