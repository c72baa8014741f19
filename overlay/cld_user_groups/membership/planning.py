"""Plan: a pure function from an account, a file and a date to an ordered list of changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from attrs import evolve

from cld_user_groups.identity import name_key

from .accidents import NewGroups
from .guards import Protected, check_guards, check_protect
from .identity import Directory
from .matching import Match, Matching, MemberDifference, MemberMatching
from .model import (
    Action,
    Change,
    Desired,
    DesiredGroup,
    Group,
    GroupRef,
    Plan,
    Snapshot,
    UserRef,
)
from .order import awaited_additions, in_order, select, with_dependents
from .problems import PlanError, Problem, in_file_order, quoted

#: How long a plan is valid. The groups that it touches must not have changed in any case; this is
#: for what it read and does not touch, such as who has which e-mail.
EXPIRES_AFTER = timedelta(hours=24)
#: How many groups that a file does not name are listed.
_SHOWN = 5
_NEEDS_NAME = (Action.CREATE_GROUP, Action.RENAME_GROUP)


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
    directory = Directory(snapshot)
    matching = Matching(directory, desired, problems)
    protected = Protected(desired.protect, snapshot)
    members = MemberMatching(directory, snapshot, today, protected, problems)
    builder = _ChangeBuilder(matching)
    for match in matching.matches:
        if match.desired.state == "present":
            builder.add(match, members.compare(match.desired, match.group))
        elif match.group is not None:
            builder.deletions.append((match.desired, match.group))
    warnings = [
        *check_protect(desired, directory, problems),
        *members.warnings,
        *builder.check_new_groups(desired),
    ]
    if problems:
        raise PlanError(in_file_order(problems, desired.source))
    changes = builder.changes(desired.source, members.held_people)
    held = (*matching.held, *members.held, *builder.held)
    touched = {change.group.id for change in changes}
    groups = [match.group for match in matching.matches if match.group is not None]
    unguarded = Plan(
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
            *members.notes,
            *members.unverified_note(),
            *note_on_roles(changes),
        ),
        warnings=tuple(map(str, (*_unnamed_groups(matching, desired), *warnings))),
        held_back=tuple(map(str, in_file_order(held, desired.source))),
        limits=desired.guards,
        protect=desired.protect,
        allow_empty=tuple(
            match.group.id
            for match in matching.matches
            if match.group and match.desired.allow_empty
        ),
        memberships=sum(len(group.members) for group in groups),
    )
    return evolve(unguarded, breaches=check_guards(unguarded, snapshot))


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


def _unnamed_groups(matching: Matching, desired: Desired) -> Iterator[Problem]:
    """Yield a warning that says how many groups of the account a file does not name."""
    groups = matching.directory.groups()
    names = [group.name for group in groups if group.id not in matching.claimed]
    if names and desired.digest:  # a command names its groups only
        shown = ", ".join(map(quoted, names[:_SHOWN]))
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        count = f"{len(names)} of {len(groups)} groups of the account"
        are = "is" if len(names) == 1 else "are"
        message = f"{count} {are} not named, and left alone: {shown}{more}"
        yield Problem(desired.source, None, message)


def fingerprint(group: Group) -> str:
    """Return a digest of a group: its ID, its name and its members."""
    state = [group.id, group.name, *sorted(member.id for member in group.members)]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()


def adds_only(full: Plan) -> Plan:
    """Return a plan without its removals and deletions, and without what depends on them.

    No guard can reject the rest, so it has no breaches.
    """
    kept: dict[int, None] = {}
    blocked: list[str] = []
    for position, change in enumerate(full.changes):
        if change.action in (Action.REMOVE_USER, Action.DELETE_GROUP):
            continue
        if all(needed in kept for needed in change.depends_on):
            kept[position] = None
        else:
            blocked.append(
                f"{change.action.value} of {quoted(change.group.name)} is left out: "
                "it needs a change that takes something away."
            )
    changes = select(full.changes, kept)
    touched = {change.group.id for change in changes}
    left_out = frozenset(note_on_roles(full.changes))
    return evolve(
        full,
        changes=changes,
        fingerprints={key: digest for key, digest in full.fingerprints.items() if key in touched},
        breaches=(),
        notes=(*(note for note in full.notes if note not in left_out), *blocked),
    )


class _ChangeBuilder:
    """Collects what differs between a file and an account, and makes changes of it.

    What a change depends on is kept as positions in the list of changes, which are those in the
    plan unless a name has to become free first.
    """

    def __init__(self, matching: Matching) -> None:
        self.matching = matching
        self.directory = matching.directory
        self.differences: list[tuple[Match, MemberDifference]] = []
        self.held_groups: set[int] = set()  # positions in `differences`
        self.held: list[Problem] = []
        self.deletions: list[tuple[DesiredGroup, Group]] = []

    def add(self, match: Match, difference: MemberDifference) -> None:
        """Add a group whose state is present."""
        is_named = match.group is not None and match.group.name == match.desired.name
        if not is_named and not self.matching.can_be_named(match):
            self.held_groups.add(len(self.differences))
        self.differences.append((match, difference))

    def check_new_groups(self, desired: Desired) -> Iterator[Problem]:
        """Hold back what looks like an accident; yield a warning for a name near another."""
        new = {
            position: (match.desired, difference)
            for position, (match, difference) in enumerate(self.differences)
            if match.group is None and position not in self.held_groups
            if not match.desired.allow_new
        }
        if not new:
            return
        losses = {
            name_key(match.desired.name): {member.id for member, _ in difference.removed}
            for match, difference in self.differences
        }
        compared = NewGroups(self.directory, self.matching.claimed, desired.groups, len(new))
        for position, (group, difference) in new.items():
            accident = compared.accident(group, difference.added, losses)
            if accident is not None:
                self.held.append(accident)
                self.held_groups.add(position)
            elif (warning := compared.near(group)) is not None:
                yield warning

    def changes(self, source: str, held_people: Collection[str]) -> tuple[Change, ...]:
        """Return the changes, each after all that it depends on, without those held back.

        Args:
            source: The file.
            held_people: The IDs of those who lose nothing, for it is not known who is meant.

        Raises:
            PlanError: Groups are to exchange their names, which no order of single renames does.
        """
        refs = [
            GroupRef(id=match.group.id if match.group else None, name=match.desired.name)
            for match, _ in self.differences
        ]
        matches = [match for match, _ in self.differences]
        creations = [at for at, match in enumerate(matches) if match.group is None]
        renames = [at for at, (new, old) in enumerate(matches) if old and old.name != new.name]
        named: dict[int, int] = {}  # by position in `differences`, the creation or the rename
        changes: list[Change] = []
        for at in (*creations, *renames):
            named[at] = len(changes)
            changes.append(_creation_or_rename(refs[at], matches[at]))
        added = self._add_additions(changes, refs, named)
        self._add_removals(changes, refs, added)
        freed = {group.id: named[at] for at in renames if (group := matches[at].group)}
        for desired, group in self.deletions:
            freed[group.id] = len(changes)
            changes.append(_deletion(desired, group, added))
        is_late = False
        for at, position in named.items():
            needed = tuple(freed[group.id] for group in self.matching.holders(matches[at]))
            if needed:
                is_late = True
                changes[position] = evolve(changes[position], depends_on=needed)
        changes = self._without_held(changes, {named[at] for at in self.held_groups}, held_people)
        self._keep_occupied(changes)
        return _sorted(changes, source) if is_late else tuple(changes)

    def _add_additions(
        self, changes: list[Change], refs: Sequence[GroupRef], named: Mapping[int, int]
    ) -> Mapping[str, Sequence[int]]:
        """Append all additions; return their positions by user."""
        found: dict[str, list[int]] = {}
        for at, (match, difference) in enumerate(self.differences):
            depends_on = (named[at],) if match.group is None else ()
            for user_id, member in difference.added.items():
                found.setdefault(user_id, []).append(len(changes))
                known = self.directory.by_id(user_id)
                email = known.email if known and known.email else member.email
                changes.append(
                    Change(
                        action=Action.ADD_USER,
                        group=refs[at],
                        user=UserRef(id=user_id, email=email),
                        until=member.until,
                        reason=member.reason or "",
                        source=member.source,
                        line=member.line,
                        depends_on=depends_on,
                    )
                )
        return found

    def _add_removals(
        self,
        changes: list[Change],
        refs: Sequence[GroupRef],
        added: Mapping[str, Sequence[int]],
    ) -> None:
        for ref, (match, difference) in zip(refs, self.differences, strict=True):
            for member, ended in difference.removed:
                at = ended or match.desired
                reason = "not listed"
                if ended is not None:
                    reason = f"ended on {ended.until}"
                    reason += f": {ended.reason}" if ended.reason else ""
                changes.append(
                    Change(
                        action=Action.REMOVE_USER,
                        group=ref,
                        user=UserRef(id=member.id, email=member.email),
                        reason=reason,
                        source=at.source,
                        line=at.line,
                        depends_on=tuple(added.get(member.id, ())),
                    )
                )

    def _without_held(
        self, changes: list[Change], held: set[int], held_people: Collection[str]
    ) -> list[Change]:
        """Return the changes without those held back, and without all that depends on them."""
        if not held and not held_people:
            return changes
        of_people = {
            position
            for position, change in enumerate(changes)
            if any(user.id in held_people for user in change.leavers)
        }
        left_out = with_dependents(changes, held | of_people)
        left_out |= self._last_members(changes, left_out, held_people)
        for position in sorted(left_out - held):
            change = changes[position]
            if change.action is not Action.ADD_USER:
                message = f"{_described(change)} waits for what is held back"
                self.held.append(Problem(change.source, change.line, message))
        old_names = {
            changes[at].group.id: changes[at].old_name or ""
            for at in left_out
            if changes[at].action is Action.RENAME_GROUP
        }
        return [
            evolve(change, group=evolve(change.group, name=old_names[change.group.id]))
            if change.group.id in old_names
            else change
            for change in select(changes, (at for at in range(len(changes)) if at not in left_out))
        ]

    def _last_members(
        self, changes: Sequence[Change], held: set[int], held_people: Collection[str]
    ) -> set[int]:
        """Return the removals that would empty a group because those who join it are held back."""
        of_group: dict[str | None, list[int]] = {}
        for position, change in enumerate(changes):
            of_group.setdefault(change.group.id, []).append(position)
        found: set[int] = set()
        for (desired, group), difference in self.differences:
            if group is None or desired.allow_empty or not difference.removed:
                continue
            positions = of_group[group.id]
            done = [changes[at].action for at in positions if at not in held]
            is_awaited = any(
                at in held for at in positions if changes[at].action is Action.ADD_USER
            )
            is_awaited = is_awaited or any(member.id in held_people for member in desired.members)
            is_emptied = done.count(Action.REMOVE_USER) >= len(group.members)
            if is_emptied and is_awaited and Action.ADD_USER not in done:
                found |= {at for at in positions if changes[at].action is Action.REMOVE_USER}
        return found - held

    def _keep_occupied(self, changes: list[Change]) -> None:
        members = {
            group.id: len(group.members)
            for (desired, group), _ in self.differences
            if group is not None and not desired.allow_empty
        }
        for position, addition in awaited_additions(changes, members).items():
            depends_on = tuple(sorted({addition, *changes[position].depends_on}))
            changes[position] = evolve(changes[position], depends_on=depends_on)


def _creation_or_rename(ref: GroupRef, match: Match) -> Change:
    desired, group = match
    action, reason = Action.CREATE_GROUP, "not in the account"
    if group is not None:
        action = Action.RENAME_GROUP
        reason = "the group of this id" if desired.id else "by its previous name"
    return Change(
        action=action,
        group=ref,
        old_name=group.name if group else None,
        reason=desired.reason or reason,
        source=desired.source,
        line=desired.line,
    )


def _deletion(desired: DesiredGroup, group: Group, added: Mapping[str, Sequence[int]]) -> Change:
    needed = {position for member in group.members for position in added.get(member.id, ())}
    return Change(
        action=Action.DELETE_GROUP,
        group=GroupRef(id=group.id, name=group.name),
        members=tuple(UserRef(id=member.id, email=member.email) for member in group.members),
        reason=desired.reason or "to be absent",
        source=desired.source,
        line=desired.line,
        depends_on=tuple(sorted(needed)),
    )


def _described(change: Change) -> str:
    name = quoted(change.group.name)
    match change.action:
        case Action.REMOVE_USER if change.user is not None:
            return f"the removal of {quoted(change.user.email or change.user.id)} from {name}"
        case Action.DELETE_GROUP:
            return f"the deletion of {name}"
        case Action.RENAME_GROUP:
            return f"the new name {name} of {quoted(change.old_name or '')}"
        case _:
            return f"the group {name}"


def _sorted(changes: Sequence[Change], source: str) -> tuple[Change, ...]:
    """Return changes in an order that satisfies `depends_on`, else as they were."""
    order = in_order(changes)
    stuck = set(range(len(changes))).difference(order)
    if stuck:
        raise PlanError(
            Problem(
                change.source or source,
                change.line,
                f"{quoted(change.group.name)} waits for a name that waits for it",
                "give one of the groups another name first, in a run of its own",
            )
            for change in map(changes.__getitem__, sorted(stuck))
            if change.action in _NEEDS_NAME
        )
    return select(changes, order)
