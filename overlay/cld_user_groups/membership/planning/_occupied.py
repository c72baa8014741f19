"""Who leaves a group that loses all its members waits for someone new in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cld_user_groups.membership.model import Action, Change


def awaited_additions(changes: Sequence[Change], members: Mapping[str, int]) -> dict[int, int]:
    """Return, by position, the addition that a removal has to wait for.

    The guards let a group lose everyone it has where others join it. If none of these additions
    succeeds, nobody must be removed either: the group would end empty.

    Args:
        changes: The changes.
        members: How many members a group has now, by ID, for the groups that must not end empty.
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
