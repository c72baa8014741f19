"""Compare two lists of groups, each an export, another file of groups, or an account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import field, frozen

from cld_user_groups.identity import email_key

from .model import Action, DesiredGroup, DesiredMember, GroupRef, Snapshot


@frozen(kw_only=True)
class Difference:
    """One difference, as the change that leads from the one to the other.

    Attributes:
        action: The change.
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
    """Return the groups of an account, in the form of a file's.

    Args:
        snapshot: The account.
    """
    return tuple(
        DesiredGroup(
            name=group.name,
            id=group.id,
            members=tuple(
                DesiredMember(id=member.id, email=member.email) for member in group.members
            ),
        )
        for group in snapshot.groups
    )


def compare(
    before: Iterable[DesiredGroup], after: Iterable[DesiredGroup], *, by_id: bool = True
) -> tuple[Difference, ...]:
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
    pairs = _Pairs(old, new, by_id=by_id)
    found: list[Difference] = []
    for group in old:
        other = pairs.after(group)
        found += _removed(group) if other is None else _changed(group, other, by_id=by_id)
    for group in new:
        if not pairs.has_before(group):
            found += _added(group)
    return tuple(found)


class _Pairs:
    """Which group of the one side is which of the other."""

    def __init__(
        self, old: Sequence[DesiredGroup], new: Sequence[DesiredGroup], *, by_id: bool
    ) -> None:
        self._after: dict[int, DesiredGroup] = {}
        self._has_before: set[int] = set()
        if by_id:
            ids = {group.id: group for group in new if group.id is not None}
            for group in old:
                if group.id in ids:
                    self._pair(group, ids[group.id])
        self._by_name(old, {each.name: each for each in new}, by_id=by_id)
        previous = {name: each for each in new for name in each.previously}
        self._by_name(old, previous, by_id=by_id)

    def _by_name(
        self, old: Sequence[DesiredGroup], names: Mapping[str, DesiredGroup], *, by_id: bool
    ) -> None:
        for group in old:
            other = names.get(group.name)
            if other is None or id(group) in self._after or id(other) in self._has_before:
                continue
            # Two IDs are two groups, whatever they are called.
            if not by_id or group.id is None or other.id is None:
                self._pair(group, other)

    def _pair(self, group: DesiredGroup, other: DesiredGroup) -> None:
        self._after[id(group)] = other
        self._has_before.add(id(other))

    def after(self, group: DesiredGroup) -> DesiredGroup | None:
        """Return what a group has become, or None."""
        return self._after.get(id(group))

    def has_before(self, group: DesiredGroup) -> bool:
        """Return whether a group was there before."""
        return id(group) in self._has_before


@frozen
class _People:
    """The members of a group, to be found by ID or by e-mail."""

    ids: frozenset[str] = field(factory=frozenset[str])
    emails: frozenset[str] = field(factory=frozenset[str])
    emails_without_id: frozenset[str] = field(factory=frozenset[str])

    @classmethod
    def of(cls, members: Iterable[DesiredMember], *, by_id: bool) -> _People:
        """Return the members of a group."""
        people = [(member.id if by_id else None, _key(member)) for member in members]
        return cls(
            ids=frozenset(user_id for user_id, _ in people if user_id is not None),
            emails=frozenset(email for _, email in people if email is not None),
            emails_without_id=frozenset(
                email for user_id, email in people if email is not None and user_id is None
            ),
        )

    def has(self, member: DesiredMember, *, by_id: bool) -> bool:
        """Return whether a member of the other side is one of them."""
        if not by_id or member.id is None:
            return _key(member) in self.emails
        return member.id in self.ids or _key(member) in self.emails_without_id


def _key(member: DesiredMember) -> str | None:
    return None if member.email is None else email_key(member.email)


def _added(group: DesiredGroup) -> Iterator[Difference]:
    ref = GroupRef(id=group.id, name=group.name)
    yield Difference(action=Action.CREATE_GROUP, group=ref)
    for member in group.members:
        yield Difference(action=Action.ADD_USER, group=ref, member=member)


def _removed(group: DesiredGroup) -> Iterator[Difference]:
    ref = GroupRef(id=group.id, name=group.name)
    for member in group.members:
        yield Difference(action=Action.REMOVE_USER, group=ref, member=member)
    yield Difference(action=Action.DELETE_GROUP, group=ref)


def _changed(old: DesiredGroup, new: DesiredGroup, *, by_id: bool) -> Iterator[Difference]:
    ref = GroupRef(id=new.id or old.id, name=new.name)
    if old.name != new.name:
        yield Difference(action=Action.RENAME_GROUP, group=ref, old_name=old.name)
    before = _People.of(old.members, by_id=by_id)
    after = _People.of(new.members, by_id=by_id)
    for member in new.members:
        if not before.has(member, by_id=by_id):
            yield Difference(action=Action.ADD_USER, group=ref, member=member)
    for member in old.members:
        if not after.has(member, by_id=by_id):
            yield Difference(action=Action.REMOVE_USER, group=ref, member=member)
