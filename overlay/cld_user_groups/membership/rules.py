"""Rules: what the memberships of a file's groups must not be. Pure functions, as the guards are.

A guard rejects a whole plan. A rule holds back what would break it, or break it more than the
account does already, and what depends on that; a breach that stands is reported. Only additions
break a rule, so removals are never held back by one, but where they wait for such an addition.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from typing import Literal, TypeAlias

from attrs import evolve, field, frozen

from cld_user_groups.identity import forbidden_character, name_key

from .breaches import Ends, Memberships, at_rule
from .changes import waiting
from .directory import Directory
from .grants import GroupRef
from .model import Action, Change, Desired, DesiredGroup, DesiredMember, Plan, Rule, Snapshot
from .order import in_order, keep_occupied, leave_out, left_out_with, select
from .problems import PlanError, Problem, close_to, listed, quoted

#: The groups of a file, each with what it is in the account, or is to be.
Groups: TypeAlias = Sequence[tuple[DesiredGroup, Sequence[GroupRef]]]

# What a group that something else manages would need.
_NEEDED = {
    Action.CREATE_GROUP: "to create it",
    Action.RENAME_GROUP: "to rename it",
    Action.ADD_USER: "to add",
    Action.ASSIGN_ROLE: "to assign roles",
    Action.REMOVE_USER: "to remove",
    Action.DELETE_GROUP: "to delete it",
}


@frozen(kw_only=True)
class FileRules:
    """The rules of a file for an account, with what names no group as warnings.

    By group, it has what the file says of one that something else manages, and by group and user
    the last days of the memberships that the file lists.
    """

    rules: tuple[Rule, ...] = ()
    managed: Mapping[str, DesiredGroup] = field(factory=dict[str, DesiredGroup])
    ends: Ends = field(factory=dict[tuple[str, str], date])
    warnings: tuple[Problem, ...] = ()


@frozen(kw_only=True)
class Checked:
    """Changes without those that are held back, and what is to be said of it."""

    changes: tuple[Change, ...]
    held: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def check_rules(plan: Plan, snapshot: Snapshot, desired: Desired | None = None) -> Plan:
    """Return a plan without what breaks a rule, or is of a group that something else manages.

    For plans that are not of a file, such as an undo, and for those of which a part is left out; a
    plan of a file has been checked.

    Args:
        plan: The plan.
        snapshot: The account as it is now, with the roles that `role_principals` names.
        desired: The file that has the rules. Default: those that the plan carries.

    Raises:
        PlanError: A rule names a group that it cannot mean.
    """
    found = FileRules(rules=plan.rules)
    if desired is not None:
        new = [each.group for each in plan.changes if each.action is Action.CREATE_GROUP]
        found = rules_for(snapshot, desired, new)
    checked = hold_to_rules(plan.changes, found, snapshot, plan.occupied(snapshot))
    plan = evolve(
        plan.with_changes(checked.changes),
        held_back=tuple(dict.fromkeys((*plan.held_back, *map(str, checked.held)))),
    )
    if desired is None:
        return plan
    return evolve(
        plan,
        warnings=tuple(dict.fromkeys((*plan.warnings, *map(str, checked.warnings)))),
        rules=(*plan.rules, *found.rules),
        managed={**plan.managed, **managed_words(found)},
    )


def rules_for(snapshot: Snapshot, desired: Desired, new: Sequence[GroupRef] = ()) -> FileRules:
    """Return the rules of a file for an account, and for groups that a plan creates."""
    directory = Directory(snapshot)
    groups: list[tuple[DesiredGroup, Sequence[GroupRef]]] = []
    for group in desired.groups:
        found = [each.ref for each in directory.meant_by(group)]
        groups.append((group, found or [ref for ref in new if ref.name == group.name]))
    problems: list[Problem] = []
    rules = rules_of(desired, groups, directory, problems)
    if problems:
        raise PlanError(problems)
    return rules


def breaches_in(snapshot: Snapshot, desired: Desired) -> tuple[Problem, ...]:
    """Return the rules of a file that an account breaks as it is, with the people.

    Raises:
        PlanError: A rule names a group that it cannot mean.
    """
    return hold_to_rules((), rules_for(snapshot, desired), snapshot, {}).warnings


def managed_words(found: FileRules) -> dict[str, str]:
    """Return, by ID, what manages the groups that are never written."""
    return {
        key: group.managed_by or ""
        for key, group in found.managed.items()
        if not key.startswith("\0")
    }


def role_principals(
    snapshot: Snapshot, desired: Desired
) -> list[tuple[Literal["group", "user"], str]]:
    """Return whose roles the rules of a file need: all groups, and the members of some."""
    directory = Directory(snapshot)
    people: dict[str, None] = {}
    for group in desired.groups:
        if any(rule.kind == "not_with_role" for rule in group.rules):
            for found in directory.meant_by(group):
                people |= dict.fromkeys(directory.members(found.id))
            ids = map(directory.id_listed, group.members)
            people |= dict.fromkeys(filter(None, ids))
    if not people:
        return []
    groups = (group.id for group in snapshot.groups)
    return [*(("group", each) for each in groups), *(("user", each) for each in people)]


def readers_of(plan: Plan) -> tuple[DesiredGroup, ...]:
    """Return what makes `read_account` read the roles that the rules of a plan need."""
    added: defaultdict[str, list[DesiredMember]] = defaultdict(list)
    for change in plan.changes:
        if change.action is Action.ADD_USER and change.user is not None:
            added[change.group.key].append(DesiredMember(id=change.user.id))
    rules = [each for each in plan.rules if each.kind == "not_with_role" and added]
    return tuple(
        DesiredGroup(
            name=ref.name,
            id=ref.id,
            mode="additive",
            rules=(rule,),
            members=tuple(added.get(ref.key, ())),
        )
        for rule in rules
        for ref in rule.groups
    )


def rules_of(
    desired: Desired, groups: Groups, directory: Directory, problems: list[Problem]
) -> FileRules:
    """Return the rules of a file with the groups that they are about; note what cannot be meant."""
    warnings: list[Problem] = []
    present = tuple(chain(*(refs for group, refs in groups if group.state == "present")))
    rules: list[Rule] = []
    for rule in desired.rules:
        if rule.kind == "not_together":
            about = _named_in(rule, groups, directory, problems, warnings)
        else:
            about = present
        if len(about) > (rule.kind == "not_together"):
            rules.append(evolve(rule, groups=about))
    for group, refs in groups:
        rules += (evolve(rule, groups=tuple(refs)) for rule in group.rules if refs)
    ends: dict[tuple[str, str], date] = {}
    for group, refs in groups if any(rule.kind == "require_until" for rule in rules) else ():
        for member in group.members:
            user_id = directory.id_listed(member)
            if user_id is not None and member.until is not None:
                ends |= {(ref.key, user_id): member.until for ref in refs}
    return FileRules(
        rules=tuple(rules),
        managed={ref.key: group for group, refs in groups if group.managed_by for ref in refs},
        ends=ends,
        warnings=tuple(warnings),
    )


def _named_in(
    rule: Rule,
    groups: Groups,
    directory: Directory,
    problems: list[Problem],
    warnings: list[Problem],
) -> tuple[GroupRef, ...]:
    """Return the groups that a list names; a name that no group has is a warning."""
    found: dict[str, GroupRef] = {}
    of_groups = {ref.key: ref for _, refs in groups for ref in refs}
    names = [*(group.name for group, _ in groups), *(each.name for each in directory.groups())]
    for text in rule.values:
        by_id = directory.group(text)
        of_file = {
            ref.key: ref for group, refs in groups for ref in refs if text in (group.name, ref.id)
        }
        of_account = {
            each.id: of_groups.get(each.id, each.ref)
            for each in (*directory.named(text), *((by_id,) if by_id else ()))
        }
        meant = of_file or of_account
        what = f"{quoted(text)} in `not_together`"
        alike = [name for name in names if name_key(name) == name_key(text)]
        if len(meant) > 1:
            ids = ", ".join(quoted(ref.id or ref.name) for ref in meant.values())
            problems.append(
                at_rule(rule, f"{what} means several groups", f"give the ID, one of {ids}")
            )
        elif found.keys() & meant.keys():
            problems.append(at_rule(rule, f"{what} means a group that its list names twice"))
        elif meant:
            found |= meant
        elif forbidden_character(text) or (alike and text not in names):
            hint = f"did you mean {quoted(alike[0])}?" if alike else ""
            problems.append(at_rule(rule, f"{what} can be no group", hint))
        elif text not in names:
            message = f"{what} is no group: nobody is kept apart from it"
            warnings.append(at_rule(rule, message, close_to(text, names)))
    return tuple(found.values())


def hold_to_rules(
    changes: Sequence[Change], found: FileRules, snapshot: Snapshot, members: Mapping[str, int]
) -> Checked:
    """Return changes without what is of a managed group, breaks a rule, or waits for such a change.

    `members` tells how many a group has now, by ID, for the groups that must not end empty.
    """
    if not (found.rules or found.managed or found.warnings):
        return Checked(changes=tuple(changes))
    before = Memberships(snapshot, found.rules, found.ends)
    if found.ends:
        changes = [
            evolve(each, until=each.until or found.ends.get((each.group.key, each.user.id)))
            if each.action is Action.ADD_USER and each.user is not None
            else each
            for each in changes
        ]
    managed = {at for at, each in enumerate(changes) if each.group.key in found.managed}
    broken: dict[int, Problem] = {}
    latest, fewest = broken, len(changes) + 1
    while True:
        # They wait for an addition only so that a group does not end empty, which is seen to below.
        needs = _without_waits(changes, managed | broken.keys(), before)
        left_out = left_out_with(needs, managed | broken.keys(), members)
        after, worse = before.after(changes, left_out)
        if worse:
            broken, latest = broken | worse, worse
        elif len(latest) < len(broken) < fewest:
            # What the earlier ones would have met may be held back by now: they are tried again.
            broken, fewest = latest, len(broken)
        else:
            break
    kept = tuple(changes)
    if left_out:
        kept = keep_occupied(leave_out(needs, left_out), members)
        kept = select(kept, in_order(kept))
    held = [
        *_left_to_others(changes, found.managed),
        *broken.values(),
        *waiting(changes, left_out - managed - broken.keys()),
    ]
    warnings = [*found.warnings, *after.standing(), *_unseen_roles(found.rules, snapshot)]
    return Checked(changes=kept, held=tuple(held), warnings=tuple(warnings))


def worsened(
    plan: Plan,
    positions: Iterable[int],
    before: Snapshot,
    snapshot: Snapshot,
    created: Mapping[str, str] | None = None,
) -> dict[int, str]:
    """Return which of the positions break a rule that the plan carries, and how.

    A group that was too large `before` the plan may stay as it was. `created` has, by name, the IDs
    of the groups that the plan has created by now.
    """
    if not plan.rules:
        return {}

    def known(group: GroupRef) -> GroupRef:
        new = (created or {}).get(group.name)
        return group if new is None or group.id is not None else evolve(group, id=new)

    rules = [evolve(each, groups=tuple(map(known, each.groups))) for each in plan.rules]
    changes = [evolve(each, group=known(each.group)) for each in plan.changes]
    now = Memberships(snapshot, rules, {}, sizes=before.sizes)
    _, worse = now.after(changes, set(range(len(changes))).difference(positions))
    return {at: problem.message for at, problem in worse.items()}


def _without_waits(
    changes: Sequence[Change], held: Container[int], before: Memberships
) -> list[Change]:
    """Return changes without the waits of removals that nothing here may hold back.

    Those are for an addition of somebody else to the group, and for one that is held back where
    the removal lessens a breach.
    """

    def is_spared(change: Change, needed: int) -> bool:
        other = changes[needed]
        if change.action is not Action.REMOVE_USER or other.action is not Action.ADD_USER:
            return False
        assert change.user is not None
        assert other.user is not None
        is_of_another = other.user.id != change.user.id
        return is_of_another or (needed in held and before.breaks(change, change.user))

    return [
        evolve(
            change, depends_on=tuple(at for at in change.depends_on if not is_spared(change, at))
        )
        for change in changes
    ]


def _left_to_others(
    changes: Sequence[Change], managed: Mapping[str, DesiredGroup]
) -> Iterator[Problem]:
    """Yield what would be needed in each group that something else manages."""
    needed: dict[str, dict[str, list[str]]] = {}
    for change in changes:
        if (key := change.group.key) in managed:
            people = needed.setdefault(key, {}).setdefault(_NEEDED[change.action], [])
            people += [change.user.text] if change.user is not None else []
    for key, parts in needed.items():
        group = managed[key]
        said = "; ".join(f"{verb} {listed(who)}".strip() for verb, who in parts.items())
        message = (
            f"{quoted(group.name)} is managed by {quoted(group.managed_by or '')}, and never "
            f"written; the file needs {said}"
        )
        hint = "make it so there, or leave `members` or `managed_by` out"
        yield Problem(group.source, group.line, message, hint)


def _unseen_roles(rules: Iterable[Rule], snapshot: Snapshot) -> Iterator[Problem]:
    """Yield a warning for a role that nothing that was read has: it may be mistyped."""
    seen = {
        name: None
        for grants in snapshot.roles.known.values()
        for grant in grants
        for name in (grant.role, grant.role_id)
    }
    keys = set(map(name_key, seen))
    for rule in rules if snapshot.roles.known else ():
        for role in rule.values if rule.kind == "not_with_role" else ():
            if name_key(role) not in keys:
                message = (
                    f"{quoted(role)} in `not_with_role` is no role that was read: nobody has it, "
                    "or it is one for folders that is not shown"
                )
                yield at_rule(rule, message, close_to(role, seen))
