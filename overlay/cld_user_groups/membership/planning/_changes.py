"""Order the changes of a plan in order: make before break, and each name when it is free."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence

import attrs

from cld_user_groups.membership.identity import Directory
from cld_user_groups.membership.model import Action, Change, Group, GroupRef, UserRef
from cld_user_groups.membership.problems import PlanError, Problem, quoted

from ._matching import Match, Matching
from ._memberships import Difference
from ._occupied import awaited_additions


class Builder:
    """Collects changes by action, and puts them in order.

    What a change depends on is kept as positions in `changes`, which are those in the plan unless
    a name has to become free first.
    """

    def __init__(self, matching: Matching, directory: Directory) -> None:
        self.matching = matching
        self.directory = directory
        self.differences: list[tuple[Match, Difference]] = []
        self.held_groups: set[int] = set()  # positions in `differences`
        self.held: list[Problem] = []
        self.deletions: list[tuple[Match, Group]] = []

    def add(self, match: Match, difference: Difference) -> None:
        """Add a group whose state is present."""
        is_named = match.group is not None and match.group.name == match.wanted.name
        if not is_named and not self.matching.can_be_named(match):
            self.held_groups.add(len(self.differences))
        self.differences.append((match, difference))

    def delete(self, match: Match, group: Group) -> None:
        """Add a group whose state is absent."""
        self.deletions.append((match, group))

    def ordered(self, source: str, held_people: Collection[str]) -> tuple[Change, ...]:
        """Return the changes, each after all that it depends on, without those held back.

        Args:
            source: The file.
            held_people: The IDs of those who lose nothing, for it is not known who is meant.

        Raises:
            PlanError: Groups are to exchange their names, which no order of single renames does.
        """
        changes: list[Change] = []
        named: list[tuple[int, Match]] = []  # creations and renames: they need a free name
        held: set[int] = set()
        freed: dict[str, int] = {}  # by group ID, the change that makes its name free
        refs: list[GroupRef] = []
        created: dict[int, int] = {}
        for position, (match, _) in enumerate(self.differences):
            wanted, group = match
            refs.append(GroupRef(id=group.id if group else None, name=wanted.name))
            if group is None:
                created[position] = len(changes)
                if position in self.held_groups:
                    held.add(len(changes))
                named.append((len(changes), match))
                reason = wanted.reason or "not in the account"
                changes.append(_change(Action.CREATE_GROUP, refs[-1], match, reason))
        for position, (match, _) in enumerate(self.differences):
            wanted, group = match
            if group is not None and group.name != wanted.name:
                named.append((len(changes), match))
                if position in self.held_groups:
                    held.add(len(changes))
                freed[group.id] = len(changes)
                reason = "the group of this id" if wanted.id else "by its previous name"
                rename = _change(
                    Action.RENAME_GROUP, refs[position], match, wanted.reason or reason
                )
                changes.append(attrs.evolve(rename, old_name=group.name))
        added = self._add_additions(changes, refs, created)
        self._add_removals(changes, refs, added)
        for match, group in self.deletions:
            freed[group.id] = len(changes)
            changes.append(_deletion(match, group, added))
        late = self._wait_for_names(changes, named, freed)
        changes = self._without_held(changes, held, held_people)
        self._keep_occupied(changes)
        return _sorted(changes, source) if late else tuple(changes)

    def _without_held(
        self, changes: list[Change], held: set[int], held_people: Collection[str]
    ) -> list[Change]:
        """Return the changes without those held back, and without all that depends on them."""
        asked = frozenset(held)
        for position, change in enumerate(changes):
            user_ids = {user.id for user in change.members}
            if change.action is Action.REMOVE_USER and change.user is not None:
                user_ids = {change.user.id}
            if not user_ids.isdisjoint(held_people):
                held.add(position)
        if not held and not held_people:
            return changes
        _hold_dependents(changes, held)
        held |= self._last_members(changes, held, held_people)
        for position in sorted(held - asked):
            change = changes[position]
            if change.action is not Action.ADD_USER:
                message = f"{_described(change)} waits for what is held back"
                self.held.append(Problem(change.source, change.line, message))
        names = {
            changes[at].group.id: changes[at].old_name or ""
            for at in held
            if changes[at].action is Action.RENAME_GROUP
        }
        return [
            attrs.evolve(change, group=GroupRef(id=change.group.id, name=names[change.group.id]))
            if change.group.id in names
            else change
            for change in without(changes, held)
        ]

    def _last_members(
        self, changes: list[Change], held: set[int], held_people: Collection[str]
    ) -> set[int]:
        """Return the removals that would empty a group because those who join it are held back."""
        of_group: dict[str | None, list[int]] = {}
        for position, change in enumerate(changes):
            of_group.setdefault(change.group.id, []).append(position)
        found: set[int] = set()
        for match, difference in self.differences:
            wanted, group = match
            if group is None or wanted.allow_empty or not difference.removed:
                continue
            positions = of_group[group.id]
            done = [changes[at].action for at in positions if at not in held]
            is_awaited = any(
                at in held for at in positions if changes[at].action is Action.ADD_USER
            )
            is_awaited = is_awaited or any(member.id in held_people for member in wanted.members)
            is_emptied = done.count(Action.REMOVE_USER) >= len(group.members)
            if is_emptied and is_awaited and Action.ADD_USER not in done:
                found |= {at for at in positions if changes[at].action is Action.REMOVE_USER}
        return found - held

    def _add_additions(
        self, changes: list[Change], refs: list[GroupRef], created: dict[int, int]
    ) -> dict[str, tuple[int, ...]]:
        """Append all additions; return their positions by user."""
        found: dict[str, list[int]] = {}
        for position, (_, difference) in enumerate(self.differences):
            depends_on = (created[position],) if position in created else ()
            for user_id, member in difference.added.items():
                found.setdefault(user_id, []).append(len(changes))
                known = self.directory.by_id(user_id)
                email = known.email if known and known.email else member.email
                changes.append(
                    Change(
                        action=Action.ADD_USER,
                        group=refs[position],
                        user=UserRef(id=user_id, email=email),
                        until=member.until,
                        reason=member.reason or "",
                        source=member.source,
                        line=member.line,
                        depends_on=depends_on,
                    )
                )
        return {user_id: tuple(positions) for user_id, positions in found.items()}

    def _add_removals(
        self, changes: list[Change], refs: list[GroupRef], added: dict[str, tuple[int, ...]]
    ) -> None:
        for position, (match, difference) in enumerate(self.differences):
            for member, ended in difference.removed:
                at = ended or match.wanted
                reason = "not listed"
                if ended is not None:
                    reason = f"ended on {ended.until}" + (
                        f": {ended.reason}" if ended.reason else ""
                    )
                changes.append(
                    Change(
                        action=Action.REMOVE_USER,
                        group=refs[position],
                        user=UserRef(id=member.id, email=member.email),
                        reason=reason,
                        source=at.source,
                        line=at.line,
                        depends_on=added.get(member.id, ()),
                    )
                )

    def _keep_occupied(self, changes: list[Change]) -> None:
        members = {
            match.group.id: len(match.group.members)
            for match, _ in self.differences
            if match.group is not None and not match.wanted.allow_empty
        }
        for position, addition in awaited_additions(changes, members).items():
            change = changes[position]
            depends_on = tuple(sorted({addition, *change.depends_on}))
            changes[position] = attrs.evolve(change, depends_on=depends_on)

    def _wait_for_names(
        self, changes: list[Change], named: list[tuple[int, Match]], freed: dict[str, int]
    ) -> bool:
        """Make changes that need a name wait for those that free it; return whether any does."""
        late = False
        for position, match in named:
            needed = tuple(freed[group.id] for group in self.matching.holders(match))
            if needed:
                late = True
                changes[position] = attrs.evolve(changes[position], depends_on=needed)
        return late


def _hold_dependents(changes: Sequence[Change], held: set[int]) -> None:
    """Add to the positions that are held back those of all changes that depend on them."""
    needed_by: dict[int, list[int]] = {}
    for position, change in enumerate(changes):
        for needed in change.depends_on:
            needed_by.setdefault(needed, []).append(position)
    waiting = list(held)
    while waiting:
        for follower in needed_by.get(waiting.pop(), ()):
            if follower not in held:
                held.add(follower)
                waiting.append(follower)


def without(changes: Sequence[Change], left_out: Collection[int]) -> list[Change]:
    """Return changes without some, on which none of the others depends."""
    kept = [position for position in range(len(changes)) if position not in left_out]
    new = {old: position for position, old in enumerate(kept)}
    return [
        attrs.evolve(
            changes[old], depends_on=tuple(new[needed] for needed in changes[old].depends_on)
        )
        for old in kept
    ]


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


def _change(action: Action, ref: GroupRef, match: Match, reason: str) -> Change:
    wanted = match.wanted
    return Change(action=action, group=ref, reason=reason, source=wanted.source, line=wanted.line)


def _deletion(match: Match, group: Group, added: dict[str, tuple[int, ...]]) -> Change:
    ref = GroupRef(id=group.id, name=group.name)
    needed = {position for member in group.members for position in added.get(member.id, ())}
    return attrs.evolve(
        _change(Action.DELETE_GROUP, ref, match, match.wanted.reason or "to be absent"),
        members=tuple(UserRef(id=member.id, email=member.email) for member in group.members),
        depends_on=tuple(sorted(needed)),
    )


def _sorted(changes: Sequence[Change], source: str) -> tuple[Change, ...]:
    """Return changes in an order that satisfies `depends_on`, else as they were."""
    waiting = [len(change.depends_on) for change in changes]
    needed_by: list[list[int]] = [[] for _ in changes]
    for position, change in enumerate(changes):
        for needed in change.depends_on:
            needed_by[needed].append(position)
    ready = [position for position, count in enumerate(waiting) if not count]
    order: list[int] = []
    while ready:
        position = heapq.heappop(ready)
        order.append(position)
        for follower in needed_by[position]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heapq.heappush(ready, follower)
    if len(order) < len(changes):
        raise PlanError(_circles(changes, waiting, source))
    new = {old: position for position, old in enumerate(order)}
    return tuple(
        attrs.evolve(
            changes[old],
            depends_on=tuple(sorted(new[needed] for needed in changes[old].depends_on)),
        )
        for old in order
    )


def _circles(changes: Sequence[Change], waiting: list[int], source: str) -> list[Problem]:
    return [
        Problem(
            change.source or source,
            change.line,
            f"{quoted(change.group.name)} waits for a name that waits for it",
            "give one of the groups another name first, in a run of its own",
        )
        for change, count in zip(changes, waiting, strict=True)
        if count and change.action in (Action.CREATE_GROUP, Action.RENAME_GROUP)
    ]
