"""What has changed between two states of an account's groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from cld_user_groups.membership.model import Group, Snapshot

from .model import Comparison, Difference, Event


def compare(earlier: Iterable[Group], snapshot: Snapshot, *, to: str, at: datetime) -> Comparison:
    """Return what has changed since an earlier state.

    Args:
        earlier: The groups as they were, with their members.
        snapshot: The groups as they are.
        to: What it is compared with, in words.
        at: When that was, aware.
    """
    differences = sorted(
        _differences({group.id: group for group in earlier}, snapshot.groups),
        key=lambda found: (found.group.casefold(), found.group_id, list(Event).index(found.event)),
    )
    return Comparison(to=to, at=at, differences=tuple(differences))


def _differences(before: dict[str, Group], groups: Iterable[Group]) -> Iterator[Difference]:
    nobody = Group(id="", name="")
    left = dict(before)
    for group in groups:
        old = left.pop(group.id, None)
        if old is None:
            yield Difference(event=Event.GROUP_ADDED, group_id=group.id, group=group.name)
        elif old.name != group.name:
            yield Difference(
                event=Event.GROUP_RENAMED,
                group_id=group.id,
                group=group.name,
                old_name=old.name,
            )
        yield from _of_members(old or nobody, group, group)
    for group in left.values():
        yield Difference(event=Event.GROUP_REMOVED, group_id=group.id, group=group.name)
        yield from _of_members(group, nobody, group)


def _of_members(old: Group, new: Group, shown: Group) -> Iterator[Difference]:
    for event, group, other in (
        (Event.MEMBER_ADDED, new, old),
        (Event.MEMBER_REMOVED, old, new),
    ):
        others = {member.id for member in other.members}
        for member in group.members:
            if member.id not in others:
                yield Difference(
                    event=event,
                    group_id=shown.id,
                    group=shown.name,
                    user_id=member.id,
                    email=member.email,
                )
