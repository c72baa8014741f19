"""What a plan gives and ends: the roles of the groups that people join and leave."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias

from attrs import define, evolve, field

from .grants import Grant, Roles
from .model import (
    Action,
    GroupRef,
    Plan,
    RoleCount,
    RoleEffect,
    RoleEffects,
    Snapshot,
    ThroughGroup,
)
from .problems import quoted

_ENDED: Final = "Roles that end with "
#: By user, the groups that they are in, by name.
_Groups: TypeAlias = Mapping[str, Sequence[GroupRef]]


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
class _Moves:
    """Who joins and who leaves a group that exists, by ID, and whether it is deleted."""

    group: GroupRef
    joined: dict[str, None] = field(factory=dict[str, None])
    left: dict[str, None] = field(factory=dict[str, None])
    is_deleted: bool = False


def _moves(plan: Plan) -> dict[str, _Moves]:
    """Return the moves of a plan, by the ID of the group: a new one grants nothing yet."""
    found: dict[str, _Moves] = {}
    for change in plan.changes:
        if change.group.id is None:
            continue
        moves = found.setdefault(change.group.id, _Moves(change.group))
        moves.left.update(dict.fromkeys(user.id for user in change.leavers))
        moves.is_deleted = moves.is_deleted or change.action is Action.DELETE_GROUP
        if change.action is Action.ADD_USER and change.user is not None:
            moves.joined[change.user.id] = None
    return found


def _memberships(moves: Mapping[str, _Moves], snapshot: Snapshot) -> tuple[_Groups, _Groups]:
    """Return the groups of those who join or leave one, before the plan and afterwards."""
    people = {user_id for each in moves.values() for user_id in (*each.joined, *each.left)}
    before, after = defaultdict[str, list[GroupRef]](list), defaultdict[str, list[GroupRef]](list)
    refs = {each.id: GroupRef(id=each.id, name=each.name) for each in snapshot.groups}
    refs |= {group_id: each.group for group_id, each in moves.items()}
    for group in sorted(snapshot.groups, key=lambda each: (refs[each.id].name.casefold(), each.id)):
        ref, move = refs[group.id], moves.get(group.id) or _Moves(refs[group.id])
        members = {member.id for member in group.members} & people
        for user_id in members:
            before[user_id].append(ref)
        for user_id in () if move.is_deleted else (members | move.joined.keys()) - move.left.keys():
            after[user_id].append(ref)
    return before, after


class _Effects:
    """The effects of a plan, and what about them is not known."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._keys: dict[tuple[str, str], frozenset[tuple[object, ...]]] = {
            principal: frozenset(grant.key for grant in grants)
            for principal, grants in roles.known.items()
        }
        self._global_only: dict[GroupRef, None] = {}
        self._not_known: dict[GroupRef, None] = {}
        self._changed: dict[str, set[tuple[Grant, str]]] = {"begins": set(), "ends": set()}
        # Who lacks own roles was asked for only if somebody has them, and not all asked have.
        self._was_asked = roles.reason != Roles().reason
        self._has_own = any(kind == "user" for kind, _ in roles.known)
        self._own: Literal["known", "not_read", "not_known"] = "known"
        if not self._has_own:
            self._own = "not_read"

    def of(self, plan: Plan, snapshot: Snapshot) -> RoleEffects:
        """Return the effects of a plan on an account."""
        moves = _moves(plan)
        before, after = _memberships(moves, snapshot)
        effects: list[RoleEffect] = []
        for each in moves.values():
            if not (each.joined or each.left or each.is_deleted):
                continue
            self._note(each.group)
            grants = self._roles.of(each.group.id) or ()
            for grant in sorted(grants, key=lambda grant: not grant.is_full_control):
                if each.joined:
                    effects.append(self._effect(each.group, "begins", grant, each.joined, before))
                if each.left:
                    effects.append(self._effect(each.group, "ends", grant, each.left, after))
        return RoleEffects(
            requests=self._roles.requests,
            begin=_count(self._changed["begins"]),
            end=_count(self._changed["ends"]),
            effects=tuple(effects),
            global_only=tuple(self._global_only),
            not_known=tuple(self._not_known),
            not_known_because=(
                self._roles.reason if self._not_known or self._own == "not_known" else None
            ),
            own_roles=self._own,
        )

    def _effect(
        self,
        group: GroupRef,
        effect: Literal["begins", "ends"],
        grant: Grant,
        people: Iterable[str],
        groups: _Groups,
    ) -> RoleEffect:
        """Return what a grant of a group means for people, given their groups at another time."""
        through = Counter[GroupRef]()
        own = not_known = count = 0
        for user_id in people:
            count += 1
            others = [other for other in groups.get(user_id, ()) if other.id != group.id]
            same = (o for o in others if grant.key in self._keys.get(("group", o.id or ""), ()))
            if (other := next(same, None)) is not None:
                through[other] += 1
            elif grant.key in self._keys.get(("user", user_id), ()):
                own += 1
            elif not self._is_told(grant, user_id, others):
                not_known += 1
            else:
                self._changed[effect].add((grant, user_id))
        return RoleEffect(
            group=group,
            effect=effect,
            **grant.document,
            text=grant.text,
            people=count,
            through=tuple(ThroughGroup(group=key, people=n) for key, n in through.items()),
            own=own,
            not_known=not_known,
        )

    def _is_told(self, grant: Grant, user_id: str, others: Iterable[GroupRef]) -> bool:
        """Whether it is known that neither other groups nor the user have a grant."""
        are_told = [self._note(other, grant) for other in others]
        own = self._roles.of(user_id, "user")
        if own is None and not (self._has_own and self._was_asked):
            self._own = "not_read"  # which is said once, rather than of each
        else:
            are_told.append(is_told := _shows(grant, own))
            if not is_told and self._own == "known":
                self._own = "not_known"
        return all(are_told)

    def _note(self, group: GroupRef, grant: Grant | None = None) -> bool:
        """Note what is not known of a group; return whether it would show a grant."""
        grants = self._roles.of(group.id)
        if grants is None:
            self._not_known[group] = None
        elif not any(each.is_content for each in grants) and (grant is None or grant.is_content):
            self._global_only[group] = None
        return grant is None or _shows(grant, grants)


def _shows(grant: Grant, grants: Sequence[Grant] | None) -> bool:
    """Whether a principal that has no such grant is known to have none.

    It is not published that roles in folders and collections are returned without being asked for.
    """
    return grants is not None and (not grant.is_content or any(each.is_content for each in grants))


def _count(changed: Iterable[tuple[Grant, str]]) -> RoleCount:
    roles = {grant.key: grant for grant, _ in changed}
    return RoleCount(
        roles=len(roles),
        people=len({user_id for _, user_id in changed}),
        full_control=sum(grant.is_full_control for grant in roles.values()),
    )
