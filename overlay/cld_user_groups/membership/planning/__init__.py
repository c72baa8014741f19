"""Plan: a pure function from an account, a file and a date to an ordered list of changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

import attrs

from cld_user_groups.identity import name_key
from cld_user_groups.membership.guards import check_guards
from cld_user_groups.membership.identity import Directory
from cld_user_groups.membership.model import Action, Change, Desired, Group, Plan, Snapshot
from cld_user_groups.membership.problems import PlanError, Problem, quoted

from ._changes import Builder
from ._matching import Matching
from ._memberships import Comparison, Protected, check_protect
from ._new_groups import NewGroups

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
    problems: list[Problem] = []
    matching = Matching(snapshot.groups, desired, problems)
    protected = Protected(desired.protect, snapshot)
    comparison = Comparison(Directory(snapshot), snapshot.missing_ids, today, protected, problems)
    builder = Builder(matching, comparison.directory)
    for match in matching.matches:
        if match.wanted.state == "present":
            builder.add(match, comparison.compare(match.wanted, match.group))
        elif match.group is not None:
            builder.delete(match, match.group)
    warnings = [
        *check_protect(desired, comparison.directory, problems),
        *comparison.warnings,
        *_check_new_groups(builder, snapshot, desired),
    ]
    if problems:
        raise PlanError(_in_order(problems, desired))
    changes = builder.ordered(desired.source, comparison.held_people)
    held = (*matching.held, *comparison.held, *builder.held)
    touched = {change.group.id for change in changes}
    groups = [match.group for match in matching.matches if match.group is not None]
    made = Plan(
        account_id=snapshot.account_id,
        source=desired.source,
        digest=desired.digest,
        created_at=now,
        expires_at=now + expires_after,
        today=today,
        changes=changes,
        fingerprints={group.id: fingerprint(group) for group in groups if group.id in touched},
        requests_left=snapshot.requests_left,
        notes=(
            *matching.notes,
            *comparison.notes,
            *comparison.unverified_note(),
            *note_on_roles(changes),
        ),
        warnings=tuple(map(str, (*_unnamed_groups(snapshot, matching, desired), *warnings))),
        held_back=tuple(map(str, _in_order(held, desired))),
        limits=desired.guards,
        protect=desired.protect,
        allow_empty=tuple(
            match.group.id for match in matching.matches if match.group and match.wanted.allow_empty
        ),
        memberships=sum(len(group.members) for group in groups),
    )
    return attrs.evolve(made, breaches=check_guards(made, snapshot, made.limits))


def note_on_roles(changes: Sequence[Change]) -> Iterator[str]:
    """Yield what a plan does to that which hangs on the IDs of groups, and is not read.

    Args:
        changes: The changes of the plan.
    """
    deleted = [quoted(each.group.name) for each in changes if each.action is Action.DELETE_GROUP]
    if deleted:
        yield (
            "Roles and shares hang on the ID of a group, and end with it; `undo` does not give "
            f"them back: {', '.join(deleted)}."
        )


def _check_new_groups(builder: Builder, snapshot: Snapshot, desired: Desired) -> Iterator[Problem]:
    """Hold back what looks like an accident; yield a warning for each name that may be mistyped."""
    new = {
        position: (match.wanted, difference)
        for position, (match, difference) in enumerate(builder.differences)
        if match.group is None and position not in builder.held_groups
        if not match.wanted.allow_new
    }
    if not new:
        return
    losses = {
        name_key(match.wanted.name): {member.id for member, _ in difference.removed}
        for match, difference in builder.differences
    }
    compared = NewGroups(snapshot.groups, builder.matching.claimed, desired.groups, len(new))
    for position, (wanted, difference) in new.items():
        accident = compared.accident(wanted, difference.added, losses)
        if accident is not None:
            builder.held.append(accident)
            builder.held_groups.add(position)
        elif (warning := compared.near(wanted)) is not None:
            yield warning


def _unnamed_groups(snapshot: Snapshot, matching: Matching, desired: Desired) -> Iterator[Problem]:
    """Yield a warning that says how many groups of the account a file does not name."""
    names = [group.name for group in snapshot.groups if group.id not in matching.claimed]
    if names and desired.digest:  # a command names its groups only
        shown = ", ".join(map(quoted, names[:_SHOWN]))
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        count = f"{len(names)} of {len(snapshot.groups)} groups"
        message = f"{count} of the account are not named, and left alone: {shown}{more}"
        yield Problem(desired.source, None, message)


def _in_order(problems: Iterable[Problem], desired: Desired) -> tuple[Problem, ...]:
    """Return problems by line, those of the file itself before those of files it includes."""
    return tuple(
        sorted(problems, key=lambda at: (at.source != desired.source, at.source, at.line or 0))
    )


def fingerprint(group: Group) -> str:
    """Return a digest of a group: its ID, its name and its members."""
    state = [group.id, group.name, *sorted(member.id for member in group.members)]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()


def adds_only(made: Plan) -> Plan:
    """Return a plan without its removals and deletions, and without what depends on them.

    No guard can reject the rest, so it has no breaches.
    """
    kept: dict[int, int] = {}
    changes: list[Change] = []
    blocked: list[str] = []
    for position, change in enumerate(made.changes):
        if change.action in (Action.REMOVE_USER, Action.DELETE_GROUP):
            continue
        if not all(needed in kept for needed in change.depends_on):
            blocked.append(
                f"{change.action.value} of {quoted(change.group.name)} is left out: "
                "it needs a change that takes something away."
            )
            continue
        kept[position] = len(changes)
        depends_on = tuple(kept[needed] for needed in change.depends_on)
        changes.append(attrs.evolve(change, depends_on=depends_on))
    touched = {change.group.id for change in changes}
    left_out = frozenset(note_on_roles(made.changes))
    return attrs.evolve(
        made,
        changes=tuple(changes),
        fingerprints={key: digest for key, digest in made.fingerprints.items() if key in touched},
        breaches=(),
        notes=(*(note for note in made.notes if note not in left_out), *blocked),
    )
