"""What a plan gives and ends: the roles of the groups that people join and leave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, Literal

from attrs import define, evolve, field

from .grants import Grant, GroupRef, RoleCount, RoleEffect, RoleEffects, Roles, ThroughGroup
from .model import Action, Plan, Snapshot
from .problems import quoted

_GLOBAL_ONLY: Final = "the Permissions API did not show their roles in folders and collections"
_ENDED: Final = "Roles that end with "


def with_effects(plan: Plan, snapshot: Snapshot) -> Plan:
    """Return a plan with what it gives and ends, as far as the roles of a snapshot are known.

    What the plan said of that before is left out: it was read at another time.

    Args:
        plan: The plan.
        snapshot: The account that the plan is for, with its roles.
    """
    plan = without_effects(plan)
    if not (snapshot.roles.were_read and plan.changes):
        return plan
    notes = (*plan.notes, *_notes(plan, snapshot.roles))
    return evolve(plan, notes=notes, roles=_Effects(snapshot.roles).of(plan, snapshot))


def without_effects(plan: Plan) -> Plan:
    """Return a plan that says nothing of roles."""
    notes = (note for note in plan.notes if not note.startswith(_ENDED))
    return evolve(plan, notes=tuple(notes), roles=None)


def _notes(plan: Plan, roles: Roles) -> Iterator[str]:
    """Yield what is assigned to the groups that a plan deletes."""
    deleted = [each.group for each in plan.changes if each.action is Action.DELETE_GROUP]
    unknown = ", ".join(quoted(each.name) for each in deleted if roles.of(each.id) is None)
    if unknown:
        yield f"{_ENDED}{unknown}: not known: {roles.reason}."
    for group in deleted:
        if roles.of(group.id) is not None:
            yield f"{_ENDED}{quoted(group.name)}: {'; '.join(roles.texts(group.id))}."


@define
class _Elsewhere:
    """The groups of a person, and through which of them each role comes, by its key."""

    groups: list[GroupRef] = field(factory=list[GroupRef])
    holders: dict[tuple[object, ...], GroupRef] = field(factory=dict[tuple[object, ...], GroupRef])


@define
class _Moves:
    """Who joins and who leaves a group, by ID, what it is assigned, and whether it is deleted."""

    group: GroupRef
    joined: dict[str, None] = field(factory=dict[str, None])
    left: dict[str, None] = field(factory=dict[str, None])
    assigned: list[Grant] = field(factory=list[Grant])
    stay: set[str] = field(factory=set[str])
    is_deleted: bool = False


def _moves(plan: Plan, snapshot: Snapshot) -> dict[str, _Moves]:
    """Return the moves of a plan, by group; those of a new one, if it is assigned a role."""
    found: dict[str, _Moves] = {}
    for change in plan.changes:
        moves = found.setdefault(change.group.key, _Moves(change.group))
        moves.left.update(dict.fromkeys(user.id for user in change.leavers))
        moves.is_deleted = moves.is_deleted or change.action is Action.DELETE_GROUP
        if change.action is Action.ADD_USER and change.user is not None:
            moves.joined[change.user.id] = None
        if change.role is not None:
            moves.assigned.append(change.role)
    for group in snapshot.groups:
        if (given := found.get(group.id)) is not None and given.assigned:
            given.stay = {member.id for member in group.members} - given.left.keys()
    return {key: each for key, each in found.items() if each.group.id is not None or each.assigned}


def _memberships(
    moves: Mapping[str, _Moves], snapshot: Snapshot
) -> tuple[Mapping[str, _Elsewhere], Mapping[str, _Elsewhere]]:
    """Return what those whom a plan is about have, before the plan and afterwards."""
    people = {
        user_id for each in moves.values() for user_id in (*each.joined, *each.left, *each.stay)
    }
    before, after = (defaultdict[str, _Elsewhere](_Elsewhere) for _ in range(2))
    refs = {each.id: each.ref for each in snapshot.groups}
    refs |= {key: each.group for key, each in moves.items()}
    members = {each.id: {member.id for member in each.members} & people for each in snapshot.groups}
    for key, ref in sorted(refs.items(), key=lambda each: (each[1].name.casefold(), each[0])):
        move, had = moves.get(key) or _Moves(ref), members.get(key, set[str]())
        keys = [grant.key for grant in snapshot.roles.of(ref.id) or ()]
        has = (had | move.joined.keys()) - move.left.keys()
        more = [grant.key for grant in move.assigned]
        for users, elsewhere, of_group in ((had, before, keys), (has, after, keys + more)):
            for user_id in users:
                of_user = elsewhere[user_id]
                if ref.id is not None:  # a new group has no other roles than those assigned
                    of_user.groups.append(ref)
                for role in of_group:
                    of_user.holders.setdefault(role, ref)
    return before, after


class _Effects:
    """The effects of a plan, and what about them is not known."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._global_only: dict[GroupRef, None] = {}
        self._not_known: dict[GroupRef, None] = {}
        # By effect, and by grant, who gets or loses it.
        self._changed: dict[str, dict[Grant, set[str]]] = {"begins": {}, "ends": {}}
        # Who lacks own roles was asked for only if somebody has them, and not all asked have.
        has_own = any(kind == "user" for kind, _ in roles.known)
        self._asked_for_own = has_own and roles.reason != Roles().reason
        self._own: Literal["known", "not_read", "not_known"] = "known" if has_own else "not_read"

    def of(self, plan: Plan, snapshot: Snapshot) -> RoleEffects:
        """Return the effects of a plan on an account."""
        moves = _moves(plan, snapshot)
        before, after = _memberships(moves, snapshot)
        effects: list[RoleEffect] = []
        for each in moves.values():
            if not (each.joined or each.left or each.assigned or each.is_deleted):
                continue
            grants = self._roles.of(each.group.id) or ()
            granted = {grant.key for grant in grants}
            assigned = [grant for grant in each.assigned if grant.key not in granted]
            if each.group.id is not None:
                self._note(each.group)
            for grant in sorted((*grants, *assigned), key=lambda grant: not grant.is_full_control):
                gain = [*each.joined, *(each.stay if grant in assigned else ())]
                if gain:
                    effects.append(self._effect(each.group, "begins", grant, gain, before))
                if each.left and grant in grants:
                    effects.append(self._effect(each.group, "ends", grant, each.left, after))
        return RoleEffects(
            requests=self._roles.requests,
            begin=_count(self._changed["begins"]),
            end=_count(self._changed["ends"]),
            effects=tuple(effects),
            global_only=tuple(self._global_only),
            not_known=tuple(self._not_known),
            not_known_because=self._reason(),
            own_roles=self._own,
        )

    def _reason(self) -> str | None:
        """Return why something is not known, or None."""
        if self._not_known or (self._own == "not_known" and self._asked_for_own):
            return self._roles.reason
        # All who were asked for are known: only the kind of role is not.
        return _GLOBAL_ONLY if self._own == "not_known" else None

    def _effect(
        self,
        group: GroupRef,
        effect: Literal["begins", "ends"],
        grant: Grant,
        people: Collection[str],
        elsewhere: Mapping[str, _Elsewhere],
    ) -> RoleEffect:
        """Return what a grant of a group means for people, given what they have elsewhere."""
        through: dict[str | None, list[GroupRef]] = {}
        changed = self._changed[effect].setdefault(grant, set())
        own = not_known = 0
        for user_id in people:
            others = elsewhere.get(user_id) or _Elsewhere()
            if (other := others.holders.get(grant.key)) is not None:
                through.setdefault(other.id, []).append(other)
            elif any(grant.key == each.key for each in self._roles.of(user_id, "user") or ()):
                own += 1
            elif not self._is_told(grant, user_id, others.groups):
                not_known += 1
            else:
                changed.add(user_id)
        return RoleEffect(
            group=group,
            effect=effect,
            **grant.document,
            text=grant.text,
            people=len(people),
            through=tuple(
                ThroughGroup(group=each[0], people=len(each)) for each in through.values()
            ),
            own=own,
            not_known=not_known,
        )

    def _is_told(self, grant: Grant, user_id: str, others: Sequence[GroupRef]) -> bool:
        """Whether it is known that neither other groups nor the user have a grant."""
        untold = [each for each in others if not _tells(self._roles.of(each.id), grant.is_content)]
        for group in untold:
            self._note(group)
        own = self._roles.of(user_id, "user")
        if own is None and not self._asked_for_own:
            self._own = "not_read"  # which is said once, rather than of each
        elif not _tells(own, grant.is_content):
            self._own = "not_known" if self._own == "known" else self._own
            return False
        return not untold

    def _note(self, group: GroupRef) -> None:
        """Note what is not known of a group."""
        grants = self._roles.of(group.id)
        if grants is None:
            self._not_known[group] = None
        elif not any(each.is_content for each in grants):
            self._global_only[group] = None


def _tells(grants: Sequence[Grant] | None, is_content: bool) -> bool:
    """Whether a principal with these grants is known to have no others of that kind.

    It is not published that roles in folders and collections are returned without being asked for.
    """
    if grants is None or not is_content:
        return grants is not None
    return any(each.is_content for each in grants)


def _count(changed: Mapping[Grant, Collection[str]]) -> RoleCount:
    roles = {grant.key: grant for grant, users in changed.items() if users}
    return RoleCount(
        roles=len(roles),
        people=len({user_id for users in changed.values() for user_id in users}),
        full_control=sum(grant.is_full_control for grant in roles.values()),
    )
