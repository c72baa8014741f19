"""Plan: a pure function from an account, a file and a date to an ordered list of changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from attrs import evolve

from .changes import ChangeBuilder
from .directory import Directory, is_wanted
from .effects import with_effects, without_effects
from .guards import Protected, check_guards, check_protect
from .matching import Findings, Matching, MemberMatching
from .model import Action, Change, Desired, Group, Plan, Snapshot
from .order import with_dependents, without
from .problems import FileError, PlanError, Problem, in_file_order, listed, quoted
from .rules import hold_to_rules, managed_words, rules_of

#: How long a plan is valid. The groups that it touches must not have changed in any case; this is
#: for what it read and does not touch, such as who has which e-mail.
EXPIRES_AFTER = timedelta(hours=24)
#: How many groups that a file does not name are listed.
_SHOWN = 5


def plan(
    snapshot: Snapshot,
    desired: Desired,
    today: date,
    *,
    now: datetime,
    expires_after: timedelta = EXPIRES_AFTER,
) -> Plan:
    """Return the fewest changes that bring an account into the state that a file describes.

    Only groups that the file names are touched. Changes come in the order create, rename, add,
    remove, delete, so that nobody loses access on the way to another group.

    Args:
        snapshot: The account, and the users that the file names.
        desired: What the file asks for.
        today: The day for which memberships are wanted: `until` is their last day.
        now: When the plan is created, as an aware datetime.
        expires_after: How long it is valid, at most 24 hours.

    Returns:
        The plan, with the guards that it does not pass.

    Raises:
        PlanError: The file does not fit the account; all problems at once.
        ValueError: `now` is not aware, or `expires_after` is more than 24 hours.
    """
    if desired.account is not None and desired.account != snapshot.account_id:
        account = quoted(snapshot.account_id)
        message = f"the file is for the account {quoted(desired.account)}, not {account}"
        raise PlanError([Problem(desired.source, None, message)])
    if now.tzinfo is None:
        raise ValueError("now must be an aware datetime")
    if expires_after > EXPIRES_AFTER:
        raise ValueError(f"expires_after must be at most 24 hours, not {expires_after}")
    findings = Findings()
    directory = Directory(snapshot)
    matching = Matching(directory, desired, findings)
    protected = Protected(desired.protect, snapshot)
    members = MemberMatching(directory, snapshot, today, protected, findings)
    builder = ChangeBuilder(matching, findings)
    for match in builder.present:
        members.compare(match)
        builder.check_name(match)
    members.note_unverified()
    builder.check_new_groups(desired)
    groups = [
        (match.desired, [match.ref] if match.group or match.desired.state == "present" else [])
        for match in matching.matches
    ]
    rules = rules_of(desired, groups, directory, findings.problems)
    warnings = [
        *_unnamed_groups(matching, desired),
        *check_protect(desired, directory, findings.problems),
        *findings.warnings,
    ]
    if findings.problems:
        raise PlanError(in_file_order(findings.problems, desired.source))
    proposed = builder.changes(desired.source)
    checked = hold_to_rules(proposed, rules, snapshot, builder.occupied)
    changes, held = checked.changes, [*findings.held, *checked.held]
    existing = [match.group for match in matching.matches if match.group is not None]
    unguarded = Plan(
        account_id=snapshot.account_id,
        source=desired.source,
        digest=desired.digest,
        created_at=now,
        expires_at=now + expires_after,
        today=today,
        changes=changes,
        fingerprints=fingerprints_of(existing, changes),
        requests_left=snapshot.requests_left,
        notes=(*findings.notes, *note_on_managed(desired), *note_on_roles(changes)),
        warnings=tuple(map(str, (*warnings, *checked.warnings))),
        held_back=tuple(map(str, in_file_order(held, desired.source))),
        limits=desired.guards,
        protect=desired.protect,
        allow_empty=tuple(
            match.group.id
            for match in matching.matches
            if match.group and match.desired.allow_empty
        ),
        memberships=sum(len(group.members) for group in existing),
        rules=rules.rules,
        managed=managed_words(rules),
    )
    return with_effects(evolve(unguarded, breaches=check_guards(unguarded, snapshot)), snapshot)


def check_is_for(desired: Desired | None, account_id: str) -> None:
    """Reject a file that names another account."""
    if desired is not None and desired.account not in (None, account_id):
        message = f"the file is for the account `{desired.account}`, not `{account_id}`"
        raise FileError([Problem(desired.source, None, message)])


def check_clocks(desired: Desired, snapshot: Snapshot, day: date) -> None:
    """Reject memberships that end or do not, depending on which of two clocks is right."""
    server_day = snapshot.server_day(day)
    for group in desired.groups:
        for member in group.members:
            if is_wanted(member, day) is not is_wanted(member, server_day):
                message = (
                    f"whether `until: {member.until}` has passed is not known: it is {day} (UTC) "
                    f"on this machine, and {server_day} on the server"
                )
                hint = "correct the clock, or give the day with `plan --today`"
                raise PlanError([Problem(member.source, member.line, message, hint)])


def note_on_managed(desired: Desired) -> Iterator[str]:
    """Yield which groups of a file are never written, for something else manages them."""
    managed = [
        f"{quoted(group.name)} by {quoted(group.managed_by)} (line {group.line})"
        for group in desired.groups
        if group.managed_by is not None
    ]
    if managed:
        yield f"Managed elsewhere, and never written: {', '.join(managed)}."


def note_on_roles(changes: Sequence[Change]) -> Iterator[str]:
    """Yield what a plan does to that which depends on the IDs of groups, and is not read."""
    deleted = [quoted(each.group.name) for each in changes if each.action is Action.DELETE_GROUP]
    if deleted:
        yield (
            "Roles and shares depend on the ID of a group, and end with it; `undo` gives back "
            f"roles only with --restore-roles, and no shares: {', '.join(deleted)}."
        )


def _unnamed_groups(matching: Matching, desired: Desired) -> Iterator[Problem]:
    """Yield a warning that says how many groups of the account a file does not name."""
    groups = matching.directory.groups()
    names = [group.name for group in groups if group.id not in matching.claimed]
    if names and desired.digest:  # a command names its groups only
        count = f"{len(names)} of {len(groups)} groups of the account"
        are = "is" if len(names) == 1 else "are"
        message = f"{count} {are} not named, and left alone: {listed(names, _SHOWN)}"
        yield Problem(desired.source, None, message)


def fingerprint(group: Group) -> str:
    """Return a digest of a group: its ID, its name and its members."""
    state = [group.id, group.name, *sorted(member.id for member in group.members)]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()


def fingerprints_of(groups: Iterable[Group], changes: Iterable[Change]) -> dict[str, str]:
    """Return the fingerprints of the groups that changes are about, by ID."""
    touched = {change.group.id for change in changes}
    return {group.id: fingerprint(group) for group in groups if group.id in touched}


def adds_only(full: Plan) -> Plan:
    """Return a plan without its removals and deletions, and without what depends on them.

    No guard can reject the rest, so it has no breaches. What it gives, `with_effects` says.
    """
    taking = (Action.REMOVE_USER, Action.DELETE_GROUP)
    losses = {at for at, change in enumerate(full.changes) if change.action in taking}
    blocked_at = with_dependents(full.changes, losses) - losses
    blocked = [
        f"{change.action.value} of {quoted(change.group.name)} is left out: "
        "it needs a change that takes something away."
        for at, change in enumerate(full.changes)
        if at in blocked_at
    ]
    changes = without(full.changes, losses | blocked_at)
    left_out = frozenset(note_on_roles(full.changes))
    full = without_effects(full)
    return evolve(
        full.with_changes(changes),
        breaches=(),
        notes=(*(note for note in full.notes if note not in left_out), *blocked),
    )
