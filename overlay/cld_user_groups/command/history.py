"""What the journals of this machine explain, and undo: `explain`, `undo`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve

from cld_user_groups.identity import printable

from . import membership, options
from .completion import FILE_NAME, complete_group, complete_run, complete_user
from .options import Settings, command, flag, option
from .output import print_message
from .roles import of_user, print_roles
from .running import PlanRun
from .source import one_user, read_groups
from .tables import Table, columns, print_table

if TYPE_CHECKING:
    from cld_user_groups import CldProvisioning

# Of a digest, enough to tell two files apart, as Git shows a commit.
_SHOWN_OF_DIGEST = 12
_CHECK_ROLES = "Roles may not be as recorded: check each of them."


@command(
    "undo",
    click.argument("run", required=False, shell_complete=complete_run),
    options.yes,
    options.dry_run,
    options.allow_removals,
    options.roles,
    options.summary,
    flag(
        "--restore-roles",
        "Assign to a group that comes back the roles that it had, as they are recorded in the "
        "journal: a local file, which anybody under this user can edit.",
    ),
)
def undo_command(
    settings: Settings,
    /,
    run: str | None,
    allow_removals: int | None,
    restore_roles: bool,
    **how: Any,
) -> int:
    """Undo a run: the last one, or RUN.

    What its journal confirms, or the account shows, is undone as far as it is still in place. That
    is a plan too, with the same guards; it has a journal of its own, and can itself be undone. A
    deleted group comes back with another ID, with the roles of the old one only if --restore-roles
    says so, and without its shares. Exits with 5 where something is still in place that cannot be
    undone, and where --restore-roles cannot restore each role.
    """

    def prepare(client: CldProvisioning) -> membership.drafts.Draft:
        directory = membership.state_directory(client.account_id)
        found, restoration, doubts = membership.load_run(directory, run), None, list[str]()
        if restore_roles:
            for each in membership.verify_runs(directory):
                if each.run == found.id and each.problems:
                    why = "; ".join(each.problems)
                    doubts.append(f"The journal is not as it was written: {why}. {_CHECK_ROLES}")
            others = (each.run for each in membership.list_runs(directory) if each.run)
            restoration = membership.read_restoration(client, found, others)
        snapshot = membership.read_account(client)
        now = datetime.now(UTC)

        def make(snapshot: membership.Snapshot) -> membership.Plan:
            plan = membership.undo_plan(
                found, snapshot, now=now, restoration=restoration, allow_removals=allow_removals
            )
            return evolve(plan, warnings=(*plan.warnings, *doubts))

        return membership.drafts.Draft(make, snapshot)

    # A second attempt needs the ID of the run that was undone: the last one is then this undo.
    words = ["undo", run or "RUN", *(["--restore-roles"] if restore_roles else [])]
    resume = settings.command_line(*words) + ("" if run else ", with the same RUN")
    return PlanRun(settings=settings, prepare=prepare, resume=resume, **how).execute()


@command(
    "explain",
    click.argument("group", shell_complete=complete_group),
    click.argument("user", shell_complete=complete_user),
    option("--file", "Also show what this file of groups says.", "FILE", type=FILE_NAME),
)
def explain_command(settings: Settings, group: str, user: str, file: str | None) -> None:
    """Explain why USER is in GROUP or not: since which run, who, why, until when.

    GROUP is a name or an ID, USER an e-mail or an ID; those that are gone are explained too. What
    is known comes from the journals of this machine, so changes made elsewhere are not.
    """
    desired = None if file is None else read_groups(file)
    named = one_user(user)
    with settings.open_client() as client:
        membership.planning.check_is_for(desired, client.account_id)
        explained, snapshot, history = membership.explaining.read_explanation(
            client, group, named, desired
        )
        granted, said = _granted(client, snapshot, explained.group, explained.user)
    table = _explanation_table(explained, snapshot.account_id)
    table = evolve(table, details={**table.details, **granted})
    print_table(table, settings, lines=lambda color: _explanation_lines(explained))
    print_roles(said, settings)
    if history.unreadable:
        count, first = len(history.unreadable), history.unreadable[0].id
        print_message(f"{count} of the journals cannot be read, and may have more: {first}, ...")


def _granted(
    client: CldProvisioning,
    snapshot: membership.Snapshot,
    group: membership.GroupRef,
    user: membership.Member,
) -> tuple[dict[str, Any], dict[str, Sequence[str]]]:
    """Read what a group grants and a user may do, as JSON and for people; nothing of who is gone.

    The API rejects a request that names anybody who is gone, and would tell nothing at all.
    """
    roles: dict[str, Any] = {"roles": None, "user_roles": None}
    if all(each.id != group.id for each in snapshot.groups):
        return roles, {}
    directory = membership.Directory(snapshot)
    is_there = directory.by_id(user.id) is not None
    joined = directory.joined(user.id)
    found = membership.roles.roles_of(client, [group, *joined], [user.id] if is_there else [])
    said: dict[str, Sequence[str]] = {f"What {group.name} grants": found.texts(group.id)}
    roles["roles"] = found.document(group.id)
    if is_there:
        said[f"What {user.email or user.id} may do"], roles["user_roles"] = of_user(
            found, user.id, joined
        )
    return roles, said


def _explanation_table(explained: membership.Explanation, account_id: str) -> Table:
    step, period = explained.step, explained.period
    until = period.until if period is not None and explained.is_member else None
    restored = None if period is None else period.restored
    since = step if restored is None or period is None else period.since
    values: dict[str, Any] = {
        "group": explained.group.name,
        "user": explained.user.email,
        "is_member": explained.is_member,
        "verdict": explained.verdict,
        "since": since.at if since and explained.is_member else None,
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
        "restored": restored.at if restored and explained.is_member else None,
    }
    steps = {"steps": [_step_document(step) for step in explained.steps]}
    row = tuple(values.values())
    return Table("explanation", account_id, "explanation", columns(*values), [row], details=steps)


def _step_document(step: membership.Step) -> dict[str, Any]:
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


def _explanation_lines(explained: membership.Explanation) -> Iterator[str]:
    """Yield the explanation for people."""
    who = printable(explained.user.email or explained.user.id)
    where = printable(explained.group.name)
    yield {
        "made_by_run": f"{who} is in {where}.",
        "made_elsewhere": (
            f"{who} is in {where}, and no run of this machine made it so: it is older than the "
            f"journals, or was made in the console or on another machine."
        ),
        "ended_by_run": f"{who} is no longer in {where}.",
        "ended_elsewhere": (
            f"{who} is no longer in {where}, and no run of this machine ended it: it was ended in "
            f"the console or on another machine."
        ),
        "never_made": f"{who} is not in {where}, and no run of this machine changed that.",
    }[explained.verdict]
    period = explained.period
    if explained.is_member and period is not None and period.restored is not None:
        since = period.since
        before = f"since {_time(since)}, run {since.run}" if since else "not known to this machine"
        yield f"Restored on {_time(period.restored)}; before: {before}."
    yield from _steps(explained.steps)
    if explained.listing is not None:
        yield f"The file: {printable(_said(explained.listing))}."


def _steps(steps: Iterable[membership.Step]) -> Iterator[str]:
    done = {"add_user": "added", "remove_user": "removed", "delete_group": "group deleted"}
    doubt = {"already": " (already in place)", "unknown": " (perhaps)"}
    for step in steps:
        until = f" until {step.until}" if step.until else ""
        why = f": {printable(step.reason)}" if step.reason else ""
        is_restored = step.action == "add_user" and step.header.plan.undoes
        what = "restored" if is_restored else done[step.action]
        yield (
            f"  {_time(step)}  {what}{doubt.get(step.status, '')}"
            f"{until} by {printable(_author(step))}{why}"
        )
        digest = step.header.plan.digest[:_SHOWN_OF_DIGEST]
        of = f", SHA-256 {digest}" if digest else ""
        yield f"      run {step.run}, from {printable(_source(step))}{of}"


def _time(step: membership.Step) -> str:
    return f"{step.at:%Y-%m-%d %H:%M} UTC"


def _said(listing: membership.Listing) -> str:
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


def _author(step: membership.Step) -> str:
    return f"{step.by.user}@{step.by.host}"


def _source(step: membership.Step) -> str:
    return step.source if step.line is None else f"{step.source}:{step.line}"
