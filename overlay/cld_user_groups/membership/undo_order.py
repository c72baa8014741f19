"""The order of the steps of an undo: create, rename, add, remove, delete, as far as they allow."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve

from .model import Action, Change
from .planning._occupied import awaited_additions

_ORDER = {action: position for position, action in enumerate(Action)}


def make_before_break(steps: Sequence[Change], members: Mapping[str, int]) -> tuple[Change, ...]:
    """Return the steps in an order that spares people a time without access.

    Args:
        steps: The steps, each with the positions of those that it depends on.
        members: How many members each group has now, by ID.
    """
    needs = [set(step.depends_on) for step in steps]
    _spare_access(steps, needs)
    for position, addition in awaited_additions(steps, members).items():
        if not leads_to(addition, position, needs):
            needs[position].add(addition)
    waiting = [len(needed) for needed in needs]
    followers: list[list[int]] = [[] for _ in needs]
    for position, needed in enumerate(needs):
        for before in needed:
            followers[before].append(position)
    ready = [
        (_ORDER[steps[position].action], position)
        for position, count in enumerate(waiting)
        if not count
    ]
    heapq.heapify(ready)
    order: list[int] = []
    while ready:
        _, position = heapq.heappop(ready)
        order.append(position)
        for follower in followers[position]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heapq.heappush(ready, (_ORDER[steps[follower].action], follower))
    new = {old: position for position, old in enumerate(order)}
    return tuple(
        evolve(steps[old], depends_on=tuple(sorted(new[before] for before in needs[old])))
        for old in order
    )


def _spare_access(steps: Sequence[Change], needs: list[set[int]]) -> None:
    """Let people leave a group only after they have joined another, where that is possible."""
    joins: dict[str, list[int]] = {}
    for position, step in enumerate(steps):
        if step.action is Action.ADD_USER and step.user is not None:
            joins.setdefault(step.user.id, []).append(position)
    for position, step in enumerate(steps):
        leaving = step.members if step.action is Action.DELETE_GROUP else ()
        if step.action is Action.REMOVE_USER and step.user is not None:
            leaving = (step.user,)
        for user in leaving:
            for join in joins.get(user.id, ()):
                if not leads_to(join, position, needs):
                    needs[position].add(join)


def leads_to(start: int, goal: int, needs: Sequence[Iterable[int]]) -> bool:
    """Return whether a step depends on another, directly or not."""
    seen = {start}
    left = [start]
    while left:
        for needed in needs[left.pop()]:
            if needed == goal:
                return True
            if needed not in seen:
                seen.add(needed)
                left.append(needed)
    return False
