"""Who may do what, and through which group: from who is in what, and what groups grant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from attrs import evolve, frozen

from cld_user_groups.membership.grants import FULL_CONTROL, Grant, Roles

from .model import Access, Finding, Kind, Person, Review, ReviewedGroup, RoleHolder


def access_of(
    groups: Iterable[ReviewedGroup], people: Sequence[Person], roles: Roles
) -> tuple[Access, ...]:
    """Return who may do what, as far as it is known: full control first."""
    granting: defaultdict[Grant, list[str]] = defaultdict(list)
    joined: defaultdict[str, list[str]] = defaultdict(list)
    for group in groups:
        for grant in roles.of(group.id) or ():
            granting[grant].append(group.id)
        for member in group.members:
            joined[member.user_id].append(group.id)
    holders: defaultdict[Grant, list[RoleHolder]] = defaultdict(list)
    for person in people:
        is_known = roles.of(person.id, "user") is not None
        for grant, sources in roles.reach(person.id, joined[person.id]).items():
            own = None in sources if is_known else None
            ids = tuple(each for each in sources if each is not None)
            holders[grant].append(RoleHolder(user_id=person.id, own=own, group_ids=ids))
    return tuple(
        Access(grant=grant, group_ids=tuple(granting[grant]), holders=tuple(holders[grant]))
        for grant in sorted({*granting, *holders}, key=_by_weight)
    )


@frozen(kw_only=True)
class HeldRole:
    """A role that a person has.

    Attributes:
        user: The person.
        grant: The role, and where it applies.
        own: Whether it is assigned to the person too; None where that is not known.
        through: The groups through which the person has it.
    """

    user: Person
    grant: Grant
    own: bool | None
    through: tuple[ReviewedGroup, ...]

    @property
    def is_full_control(self) -> bool:
        """Whether the role allows everything where it applies."""
        return self.grant.is_full_control


def held_roles(review: Review) -> Iterator[HeldRole]:
    """Yield who has which roles, and through which groups, as far as it is known."""
    people = {each.id: each for each in review.people}
    groups = {each.id: each for each in review.groups}
    for access in review.access:
        for holder in access.holders:
            through = tuple(groups[group_id] for group_id in holder.group_ids)
            user = people[holder.user_id]
            yield HeldRole(user=user, grant=access.grant, own=holder.own, through=through)


def _by_weight(grant: Grant) -> tuple[bool, str, str]:
    return not grant.is_full_control, grant.text.casefold(), grant.role_id


def sole_sources(access: Iterable[Access]) -> dict[tuple[str, str], list[Grant]]:
    """Return the roles of full control that a person has through one group only, by both IDs.

    Another role of at least that extent is another source. Where roles are not known, there may be
    more sources.
    """
    held: defaultdict[str, list[tuple[Grant, RoleHolder]]] = defaultdict(list)
    for found in access:
        if found.grant.is_full_control:
            for holder in found.holders:
                held[holder.user_id].append((found.grant, holder))
    sole: defaultdict[tuple[str, str], list[Grant]] = defaultdict(list)
    for user_id, pairs in held.items():
        for grant, _ in pairs:
            covering = [holder for other, holder in pairs if _covers(other, grant)]
            sources = {group_id for holder in covering for group_id in holder.group_ids}
            if len(sources) == 1 and not any(holder.own for holder in covering):
                sole[user_id, sources.pop()].append(grant)
    return dict(sole)


def _covers(wide: Grant, narrow: Grant) -> bool:
    """Return whether one role of full control allows all that another does."""
    same_scope = wide.is_full_control and wide.scope == narrow.scope
    return same_scope and wide.where in (narrow.where, "all") and wide.within in ((), narrow.within)


def by_weight(review: Review, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by kind, those about full control first, then those where it is not known."""
    full = [found for found in review.access if found.grant.is_full_control]
    having = {holder.user_id for found in full for holder in found.holders}
    having |= {person.id for person in review.people if person.role in FULL_CONTROL}
    having |= {group_id for found in full for group_id in found.group_ids}
    groups_known = not review.unknown_groups

    def weighed(finding: Finding) -> Finding:
        subject, kind = finding.user_id or finding.group_id, "user" if finding.user_id else "group"
        is_known = review.roles.of(subject, kind) is not None and (groups_known or kind == "group")
        return evolve(finding, full_control=subject in having or (False if is_known else None))

    order = [*product(Kind, (True, None, False))]
    return tuple(
        sorted(map(weighed, findings), key=lambda each: order.index((each.kind, each.full_control)))
    )


def findings_of(review: Review) -> Iterator[Finding]:
    """Return what a reviewer is to look at in what is granted; nothing where it is not known."""
    sole = sole_sources(review.access)
    alike: dict[object, ReviewedGroup] = {}
    for group in review.groups:
        members = [member.user_id for member in group.members]
        for user_id in members:
            if (user_id, group.id) in sole:
                kind = Kind.FULL_CONTROL_BY_ONE_GROUP
                yield Finding(kind=kind, user_id=user_id, group_id=group.id)
        grants = review.roles.of(group.id)
        if grants == ():
            yield Finding(kind=Kind.WITHOUT_ROLES, group_id=group.id)
        if grants is not None and members:
            first = alike.setdefault((frozenset(grants), frozenset(members)), group)
            if first is not group:
                yield Finding(kind=Kind.SAME_ACCESS, group_id=group.id, same_as=first.id)
