"""The changes of a plan: what each waits for, and what waits for what is held back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain

from cld_user_groups.identity import name_key

from .accidents import NewGroups
from .matching import Findings, Match, Matching
from .model import Action, Change, Desired, DesiredMember, Group, Member, UserRef
from .order import (
    in_order,
    joins_of,
    keep_occupied,
    leave_out,
    left_out_with,
    select,
    with_waits,
)
from .problems import PlanError, Problem, quoted


class ChangeBuilder:
    """Makes changes of what differs between a file and an account."""

    def __init__(self, matching: Matching, findings: Findings) -> None:
        self.matching = matching
        self.findings = findings
        self.directory = matching.directory
        self.present = [each for each in matching.matches if each.desired.state == "present"]
        self.held_groups: set[Match] = set()  # which are not created or renamed

    def check_name(self, match: Match) -> None:
        """Hold back a group that cannot have the name that it is to get."""
        is_named = match.group is not None and match.group.name == match.desired.name
        if not is_named and not self.matching.can_be_named(match):
            self.held_groups.add(match)

    def check_new_groups(self, desired: Desired) -> None:
        """Hold back what looks like an accident; warn of a name near another."""
        new = [
            match
            for match in self.present
            if match.group is None and match not in self.held_groups
            if not match.desired.allow_new
        ]
        if not new:
            return
        losses = {
            name_key(match.desired.name): {member.id for member, _ in match.removed}
            for match in self.present
        }
        compared = NewGroups(self.directory, self.matching.claimed, desired.groups, len(new))
        for match in new:
            accident = compared.accident(match.desired, match.added, losses)
            if accident is not None:
                self.findings.held.append(accident)
                self.held_groups.add(match)
            elif (warning := compared.near(match.desired)) is not None:
                self.findings.warnings.append(warning)

    def changes(self, source: str) -> tuple[Change, ...]:
        """Return the changes, each after all that it depends on, without those held back."""
        new = [match for match in self.present if match.group is None]
        renamed = [
            match
            for match in self.present
            if match.group is not None and match.group.name != match.desired.name
        ]
        named = {match: at for at, match in enumerate((*new, *renamed))}
        changes = [_creation_or_rename(match) for match in named]
        for match in self.present:
            needed = (named[match],) if match.group is None else ()
            changes += (self._addition(match, *each, needed) for each in match.added.items())
        joins = joins_of(changes)
        changes += [
            _removal(match, *each, joins) for match in self.present for each in match.removed
        ]
        freed = {match.ref.id: named[match] for match in renamed}
        for match in self.matching.matches:
            if match.group is not None and match.desired.state == "absent":
                freed[match.group.id] = len(changes)
                changes.append(_deletion(match, match.group, joins))
        late = [
            (at, freed[group.id])
            for match, at in named.items()
            for group in self.matching.holders(match)
        ]
        ordered = with_waits(changes, late)
        kept = self._without_held(ordered, {named[at] for at in self.held_groups})
        kept = keep_occupied(kept, self.occupied)
        return _sorted(kept, source) if late else kept

    def _addition(
        self, match: Match, user_id: str, member: DesiredMember, depends_on: tuple[int, ...]
    ) -> Change:
        known = self.directory.by_id(user_id)
        return Change(
            action=Action.ADD_USER,
            group=match.ref,
            user=UserRef(id=user_id, email=(known and known.email) or member.email),
            until=member.until,
            reason=member.reason or "",
            source=member.source,
            line=member.line,
            depends_on=depends_on,
        )

    def _without_held(self, changes: Sequence[Change], held: set[int]) -> Sequence[Change]:
        """Return the changes without those held back, and without all that depends on them."""
        held_people = self.findings.held_people
        if not held and not held_people:
            return changes
        of_people = {
            position
            for position, change in enumerate(changes)
            if any(user.id in held_people for user in change.leavers)
        }
        awaited = {
            match.group.id
            for match in self.present
            if match.group and any(each.id in held_people for each in match.desired.members)
        }
        left_out = left_out_with(changes, held | of_people, self.occupied, awaited)
        self.findings.held += waiting(changes, left_out - held)
        return leave_out(changes, left_out)

    @cached_property
    def occupied(self) -> Mapping[str, int]:
        """How many members each group has that must not end empty."""
        return {
            match.group.id: len(match.group.members)
            for match in self.present
            if match.group is not None and not match.desired.allow_empty
        }


def _creation_or_rename(match: Match) -> Change:
    desired, group = match.desired, match.group
    reason = "not in the account"
    if group is not None:
        reason = "the group of this id" if desired.id else "by its previous name"
    return Change(
        action=Action.RENAME_GROUP if group else Action.CREATE_GROUP,
        group=match.ref,
        old_name=group.name if group else None,
        reason=desired.reason or reason,
        source=desired.source,
        line=desired.line,
    )


def _removal(
    match: Match, member: Member, ended: DesiredMember | None, joins: Mapping[str, Sequence[int]]
) -> Change:
    at = ended or match.desired
    reason = "not listed"
    if ended is not None:
        reason = f"ended on {ended.until}" + (f": {ended.reason}" if ended.reason else "")
    return Change(
        action=Action.REMOVE_USER,
        group=match.ref,
        user=member.ref,
        reason=reason,
        source=at.source,
        line=at.line,
        depends_on=tuple(joins.get(member.id, ())),
    )


def _deletion(match: Match, group: Group, joins: Mapping[str, Sequence[int]]) -> Change:
    needed = chain.from_iterable(joins.get(member.id, ()) for member in group.members)
    return Change(
        action=Action.DELETE_GROUP,
        group=group.ref,
        members=tuple(member.ref for member in group.members),
        reason=match.desired.reason or "to be absent",
        source=match.desired.source,
        line=match.desired.line,
        depends_on=tuple(sorted({*needed})),
    )


def waiting(changes: Sequence[Change], left_out: Iterable[int]) -> Iterator[Problem]:
    """Yield what is left out of a plan, additions aside, for it waits for what is held back."""
    for position in sorted(left_out):
        change = changes[position]
        if change.action is not Action.ADD_USER:
            message = f"{_described(change)} waits for what is held back"
            yield Problem(change.source, change.line, message)


def _described(change: Change) -> str:
    name = quoted(change.group.name)
    match change.action:
        case Action.REMOVE_USER if change.user is not None:
            return f"the removal of {quoted(change.user.text)} from {name}"
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
            if change.action in (Action.CREATE_GROUP, Action.RENAME_GROUP)
        )
    return select(changes, order)
