"""Compare two lists of groups, each an export, another file of groups, or an account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from cld_user_groups.identity import email_key

from .grants import GroupRef
from .model import Action, DesiredGroup, DesiredMember, Snapshot


@frozen(kw_only=True)
class GroupDifference:
    """One difference, as the change that leads from the one to the other.

    Attributes:
        group: The group, by the name that it has in the end; its ID, or None where neither side has
            one.
        old_name: The name before, for `rename_group`.
        member: The member, for `add_user` and `remove_user`.
    """

    action: Action
    group: GroupRef
    old_name: str | None = None
    member: DesiredMember | None = None


def groups_of(snapshot: Snapshot) -> tuple[DesiredGroup, ...]:
    """Return the groups of an account, in the form of a file's."""
    found: list[DesiredGroup] = []
    for group in snapshot.groups:
        members = tuple(DesiredMember(id=each.id, email=each.email) for each in group.members)
        found.append(DesiredGroup(name=group.name, id=group.id, members=members))
    return tuple(found)


def compare(
    before: Iterable[DesiredGroup], after: Iterable[DesiredGroup], *, by_id: bool = True
) -> tuple[GroupDifference, ...]:
    """Return the differences, group by group: those of `before` in its order, then new ones.

    A group is the same by its ID, or by its name or a previous one where one side has no ID; a
    member by ID, or by e-mail where one side has no ID.

    Args:
        before: The earlier file or account.
        after: The later file or account.
        by_id: Whether IDs count; they do not from one account to another.
    """
    old = [group for group in before if group.state == "present"]
    new = [group for group in after if group.state == "present"]
    pairs = _pairs(old, new, by_id=by_id)
    found: list[GroupDifference] = []
    for position, group in enumerate(old):
        other = new[pairs[position]] if position in pairs else None
        found += _between(group, other, by_id=by_id)
    for position in sorted(set(range(len(new))).difference(pairs.values())):
        found += _between(None, new[position], by_id=by_id)
    return tuple(found)


def _pairs(
    old: Sequence[DesiredGroup], new: Sequence[DesiredGroup], *, by_id: bool
) -> dict[int, int]:
    """Return which group of the one side is which of the other, by their positions."""
    found: dict[int, int] = {}
    paired: set[int] = set()

    def pair(position: int, other: int | None) -> None:
        if other is not None and position not in found and other not in paired:
            found[position] = other
            paired.add(other)

    if by_id:
        ids = {group.id: position for position, group in enumerate(new)}
        for position, group in enumerate(old):
            pair(position, None if group.id is None else ids.get(group.id))
    names = {group.name: position for position, group in enumerate(new)}
    previous = {name: position for position, group in enumerate(new) for name in group.previously}
    for of_name in (names, previous):
        for position, group in enumerate(old):
            other = of_name.get(group.name)
            # Two IDs are two groups, whatever they are called.
            if other is not None and not (by_id and group.id and new[other].id):
                pair(position, other)
    return found


def _without(
    listed: Sequence[DesiredMember], others: Sequence[DesiredMember], *, by_id: bool
) -> Iterator[DesiredMember]:
    """Yield who is not among others: by ID, or by e-mail where one side has no ID."""
    ids = {each.id for each in others if by_id and each.id is not None}
    of_unpinned = _keys(each for each in others if not by_id or each.id is None)
    # To make the keys of all takes long, and only who has no ID needs them.
    of_all = _keys(others) if any(each.id is None for each in listed) else of_unpinned
    for each in listed:
        keys = of_unpinned if each.id is not None else of_all
        if each.id not in ids and (each.email is None or email_key(each.email) not in keys):
            yield each


def _keys(members: Iterable[DesiredMember]) -> set[str]:
    return {email_key(each.email) for each in members if each.email is not None}


def _between(
    old: DesiredGroup | None, new: DesiredGroup | None, *, by_id: bool
) -> Iterator[GroupDifference]:
    """Yield how a group differs; None where there is none."""
    either = new or old
    assert either is not None
    ref = GroupRef(id=either.id or (old.id if old else None), name=either.name)
    if old is None:
        yield GroupDifference(action=Action.CREATE_GROUP, group=ref)
    elif new is not None and old.name != new.name:
        yield GroupDifference(action=Action.RENAME_GROUP, group=ref, old_name=old.name)
    before, after = (() if each is None else each.members for each in (old, new))
    for member in _without(after, before, by_id=by_id):
        yield GroupDifference(action=Action.ADD_USER, group=ref, member=member)
    for member in _without(before, after, by_id=by_id):
        yield GroupDifference(action=Action.REMOVE_USER, group=ref, member=member)
    if new is None:
        yield GroupDifference(action=Action.DELETE_GROUP, group=ref)
