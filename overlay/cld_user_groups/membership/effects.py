"""What a plan gives and ends: the roles of the groups that people join and leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from attrs import evolve, field, frozen

from .grants import (
    NOT_READ,
    Grant,
    GroupRef,
    RoleCount,
    RoleEffect,
    RoleEffects,
    Roles,
    ThroughGroup,
)
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


@frozen
class _Team:
    """Who is in a group, by ID, what it grants, by its key, and who has left it."""

    group: GroupRef
    members: dict[str, None]
    grants: dict[tuple[object, ...], Grant]
    left: dict[str, None] = field(factory=dict[str, None])


def _before_and_after(plan: Plan, snapshot: Snapshot) -> tuple[dict[str, _Team], dict[str, _Team]]:
    """Return the groups of an account before and after a plan: first its own, in its order."""
    refs: dict[str, GroupRef] = {}
    for change in plan.changes:  # the first of a group names it: an undo that renames it, for one
        refs.setdefault(change.group.key, change.group)
    before = {key: _Team(ref, {}, {}) for key, ref in refs.items()}
    for group in snapshot.groups:
        members = dict.fromkeys(member.id for member in group.members)
        grants = {grant.key: grant for grant in snapshot.roles.of(group.id) or ()}
        before[group.id] = _Team(refs.get(group.id, group.ref), members, grants)
    after = before.copy()
    for key, ref in refs.items():
        after[key] = _Team(ref, before[key].members.copy(), before[key].grants.copy())
    for change in plan.changes:
        team = after[change.group.key]
        for user in change.leavers:
            team.members.pop(user.id, None)
            team.left[user.id] = None
        if change.action is Action.ADD_USER and change.user is not None:
            team.members[change.user.id] = None
        if change.role is not None:
            team.grants.setdefault(change.role.key, change.role)
    return before, after


class _Effects:
    """The effects of a plan, and what about them is not known."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._global_only: dict[GroupRef, None] = {}
        self._not_known: dict[GroupRef, None] = {}
        # By effect, each grant with somebody who gets or loses it.
        self._changed: dict[str, list[tuple[Grant, str]]] = {"begins": [], "ends": []}
        # Who lacks own roles was asked for only if somebody has them, and not all asked have.
        has_own = any(kind == "user" for kind, _ in roles.known)
        self._asked_for_own = has_own and roles.reason != NOT_READ.reason
        self._own: Literal["known", "not_read", "not_known"] = "known" if has_own else "not_read"

    def of(self, plan: Plan, snapshot: Snapshot) -> RoleEffects:
        """Return the effects of a plan on an account."""
        before, after = _before_and_after(plan, snapshot)
        named_only = (Action.CREATE_GROUP, Action.RENAME_GROUP)
        moved = {each.group.key for each in plan.changes if each.action not in named_only}
        pairs = [(before[key], after[key]) for key in before if key in moved]
        people = {user for was, will in pairs for user in (*was.members, *will.members)}
        had, has = (_joined(teams.values(), people) for teams in (before, after))
        effects: list[RoleEffect] = []
        for was, will in pairs:
            if was.group.id is not None:
                self._note(was.group)
            joined = [user for user in will.members if user not in was.members]
            for grant in sorted(will.grants.values(), key=lambda grant: not grant.is_full_control):
                is_assigned = grant.key not in was.grants
                gain = dict.fromkeys((*joined, *(will.members if is_assigned else ())))
                if gain:
                    effects.append(self._effect(was.group, "begins", grant, gain, had))
                if will.left and not is_assigned:
                    effects.append(self._effect(was.group, "ends", grant, will.left, has))
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
        elsewhere: Mapping[str, Sequence[_Team]],
    ) -> RoleEffect:
        """Return what a grant of a group means for people, given what they have elsewhere."""
        through = Counter[GroupRef]()
        own = not_known = 0
        for user_id in people:
            others = elsewhere[user_id]
            if also := next((each for each in others if grant.key in each.grants), None):
                through[also.group] += 1
            elif any(grant.key == each.key for each in self._roles.of(user_id, "user") or ()):
                own += 1
            elif not self._is_told(grant, user_id, others):
                not_known += 1
            else:
                self._changed[effect].append((grant, user_id))
        return RoleEffect(
            group=group,
            effect=effect,
            **grant.document,
            text=grant.text,
            people=len(people),
            through=tuple(ThroughGroup(group=each, people=n) for each, n in through.items()),
            own=own,
            not_known=not_known,
        )

    def _is_told(self, grant: Grant, user_id: str, others: Sequence[_Team]) -> bool:
        """Whether it is known that neither other groups nor the user have a grant."""
        existing = (each.group for each in others if each.group.id is not None)
        untold = [each for each in existing if not self._tells("group", each.id, grant)]
        for group in untold:
            self._note(group)
        if self._roles.of(user_id, "user") is None and not self._asked_for_own:
            self._own = "not_read"  # which is said once, rather than of each
        elif not self._tells("user", user_id, grant):
            self._own = "not_known" if self._own == "known" else self._own
            return False
        return not untold

    def _tells(self, kind: str, principal_id: str | None, grant: Grant) -> bool:
        """Whether a principal is known to have no other roles of the kind of a grant.

        It is not published that roles for content are returned without being asked for.
        """
        grants = self._roles.of(principal_id, kind)
        if grants is None or not grant.is_content:
            return grants is not None
        return any(each.is_content for each in grants)

    def _note(self, group: GroupRef) -> None:
        """Note what is not known of a group."""
        grants = self._roles.of(group.id)
        if grants is None:
            self._not_known[group] = None
        elif not any(each.is_content for each in grants):
            self._global_only[group] = None


def _joined(teams: Iterable[_Team], people: set[str]) -> Mapping[str, Sequence[_Team]]:
    """Return the groups of people, by name."""
    found: dict[str, list[_Team]] = {user_id: [] for user_id in people}
    for team in sorted(teams, key=lambda team: (team.group.name.casefold(), team.group.key)):
        for user_id in people & team.members.keys():
            found[user_id].append(team)
    return found


def _count(changed: Sequence[tuple[Grant, str]]) -> RoleCount:
    roles = {grant.key: grant for grant, _ in changed}
    return RoleCount(
        roles=len(roles),
        people=len({user_id for _, user_id in changed}),
        full_control=sum(grant.is_full_control for grant in roles.values()),
    )
