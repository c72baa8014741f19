"""The order of changes: what waits for what, and make before break."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush

from attrs import evolve

from .grants import GroupRef
from .model import Action, Change

_RANK = {action: rank for rank, action in enumerate(Action)}


def in_order(changes: Sequence[Change]) -> list[int]:
    """Return the positions of changes so that each comes after those that it depends on.

    As far as that allows, they are in the order of the actions, and else as they were. Changes in a
    circle, and those that depend on one, are left out.
    """
    sorter = TopologicalSorter({at: each.depends_on for at, each in enumerate(changes)})
    with suppress(CycleError):  # the sorter still goes as far as it can
        sorter.prepare()
    ready: list[tuple[int, int]] = []
    order: list[int] = []
    while sorter.is_active():
        for position in sorter.get_ready():
            heappush(ready, (_RANK[changes[position].action], position))
        _, position = heappop(ready)
        order.append(position)
        sorter.done(position)
    return order


def select(changes: Sequence[Change], positions: Iterable[int]) -> tuple[Change, ...]:
    """Return the changes at these positions, in their order; with each, those it depends on."""
    kept = list(positions)
    new = {old: position for position, old in enumerate(kept)}
    return tuple(
        evolve(
            changes[old], depends_on=tuple(sorted(map(new.__getitem__, changes[old].depends_on)))
        )
        for old in kept
    )


def without(changes: Sequence[Change], left_out: Container[int]) -> tuple[Change, ...]:
    """Return the changes except those at these positions, on which no other depends."""
    return select(changes, (at for at in range(len(changes)) if at not in left_out))


def with_dependents(changes: Sequence[Change], positions: Iterable[int]) -> set[int]:
    """Return positions, and those of all changes that depend on them, directly or not."""
    needed_by: list[list[int]] = [[] for _ in changes]
    for position, change in enumerate(changes):
        for needed in change.depends_on:
            needed_by[needed].append(position)
    return _reached(positions, needed_by)


def leads_to(start: int, goal: int, needs: Sequence[Collection[int]]) -> bool:
    """Return whether a change depends on another, directly or not."""
    return goal in needs[start] or goal in _reached([start], needs)


def _reached(starts: Iterable[int], edges: Sequence[Iterable[int]]) -> set[int]:
    found = set(starts)
    waiting = list(found)
    while waiting:
        more = [at for at in edges[waiting.pop()] if at not in found]
        found.update(more)
        waiting += more
    return found


def left_out_with(
    changes: Sequence[Change],
    held: Iterable[int],
    members: Mapping[str, int],
    awaited: Container[str] = (),
) -> set[int]:
    """Return positions that are held back, and those of all that must not be done without them.

    That is what depends on them, and the removals that would empty a group because those who join
    it are held back. `members` tells how many a group has now, by ID, for the groups that must not
    end empty; `awaited` has the IDs of those that other people are to join, who are held back too.
    """
    of_group: dict[tuple[str | None, Action], set[int]] = {}
    for position, change in enumerate(changes):
        of_group.setdefault((change.group.id, change.action), set()).add(position)
    left_out = with_dependents(changes, held)
    is_over = False
    while not is_over:
        is_over = True
        for group_id, count in members.items():
            leaving = of_group.get((group_id, Action.REMOVE_USER), set()) - left_out
            joining = of_group.get((group_id, Action.ADD_USER), set())
            if not leaving or len(leaving) < count or not joining <= left_out:
                continue
            if joining or group_id in awaited:
                left_out |= with_dependents(changes, leaving)
                is_over = False
    return left_out


def leave_out(changes: Sequence[Change], left_out: Container[int]) -> tuple[Change, ...]:
    """Return the other changes; a group whose new name is left out has its old one in them."""
    old_names = {
        change.group.id: change.old_name or ""
        for position, change in enumerate(changes)
        if position in left_out and change.action is Action.RENAME_GROUP
    }
    return tuple(
        evolve(change, group=evolve(change.group, name=old_names[change.group.id]))
        if change.group.id in old_names
        else change
        for change in without(changes, left_out)
    )


def keep_occupied(changes: Sequence[Change], members: Mapping[str, int]) -> tuple[Change, ...]:
    """Return changes whose removals wait for an addition where a group would end empty."""
    return with_waits(changes, awaited_additions(changes, members).items())


def with_waits(changes: Sequence[Change], waits: Iterable[tuple[int, int]]) -> tuple[Change, ...]:
    """Return changes that depend, by position, on more than before."""
    needs: dict[int, set[int]] = {}
    for position, needed in waits:
        needs.setdefault(position, set(changes[position].depends_on)).add(needed)
    found = list(changes)
    for position, positions in needs.items():
        found[position] = evolve(found[position], depends_on=tuple(sorted(positions)))
    return tuple(found)


def joins_of(changes: Iterable[Change]) -> dict[str, list[int]]:
    """Return the positions of the additions of each user: whom they add leaves after them."""
    joins: dict[str, list[int]] = {}
    for position, change in enumerate(changes):
        if change.action is Action.ADD_USER and change.user is not None:
            joins.setdefault(change.user.id, []).append(position)
    return joins


def joins_before_leaving(changes: Sequence[Change]) -> Iterator[tuple[int, int]]:
    """Yield what takes somebody out of a group, and each addition of them that comes first."""
    joins = joins_of(changes)
    for position, change in enumerate(changes):
        for user in change.leavers:
            yield from ((position, join) for join in joins.get(user.id, ()))


def awaited_additions(changes: Sequence[Change], members: Mapping[str, int]) -> dict[int, int]:
    """Return, by position, the addition that a removal has to wait for: others may fail to join.

    `members` tells how many a group has now, by ID, for the groups that must not end empty.
    """
    first: dict[str, int] = {}
    removals: dict[str, list[int]] = {}
    for position, change in enumerate(changes):
        group_id = change.group.id
        if group_id is None or group_id not in members:
            continue
        if change.action is Action.ADD_USER:
            first.setdefault(group_id, position)
        elif change.action is Action.REMOVE_USER:
            removals.setdefault(group_id, []).append(position)
    return {
        position: first[group_id]
        for group_id, positions in removals.items()
        if group_id in first and len(positions) >= members[group_id]
        for position in positions
    }


def make_before_break(steps: Sequence[Change], members: Mapping[str, int]) -> tuple[Change, ...]:
    """Return the steps of an undo in an order that spares people a time without access.

    Nobody leaves before what gives access elsewhere, its roles too, unless that waits for it.
    `members` tells how many each group has now, by ID.
    """
    roles: dict[GroupRef, list[int]] = {}
    for position, step in enumerate(steps):
        if step.action is Action.ASSIGN_ROLE:
            roles.setdefault(step.group, []).append(position)
    waits = [*joins_before_leaving(steps)]
    waits = [(at, each) for at, join in waits for each in (join, *roles.get(steps[join].group, ()))]
    needs = [set(step.depends_on) for step in steps]
    for position, needed in (*waits, *awaited_additions(steps, members).items()):
        if not leads_to(needed, position, needs):
            needs[position].add(needed)
    steps = [
        evolve(step, depends_on=tuple(needed)) for step, needed in zip(steps, needs, strict=True)
    ]
    order = in_order(steps)
    assert len(order) == len(steps)  # nothing was added that makes a circle
    return select(steps, order)
