"""The tool that proposes: wanted changes, or a file, become a plan that a person may apply."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from attrs import evolve
from msgspec import Meta, Struct

from cld_user_groups import membership
from cld_user_groups.membership import DesiredGroup, DesiredMember, Finder, Group
from cld_user_groups.membership.documents import form_of
from cld_user_groups.membership.explaining import held_to_file
from cld_user_groups.membership.lookup import error_in_call, lookup_of, named_user, with_rules

from .account import Account, folder_of
from .looking import Found, Text, UserText
from .tools import form, many, tool

Users: TypeAlias = Annotated[list[UserText], Meta(max_length=200)]
_MOST_KEPT = 100


class GroupEdit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of a group, which is named by its exact name or its ID."""

    group: Text
    add: Users = []
    remove: Users = []
    rename_to: Text | None = None
    create: bool = False
    delete: bool = False


Edits: TypeAlias = Annotated[list[GroupEdit], Meta(max_length=200)]
Leavers: TypeAlias = Annotated[Users, Meta(description="Who leaves every group.")]
FromFile = Annotated[bool, Meta(description="Propose what the server's file of groups says.")]
Reason = Annotated[str, Meta(max_length=500)]
_PLAN: Any = form_of(
    membership.Plan,
    head={"removals": int},
    without=("changes", "breaches", "fingerprints", "protect", "allow_empty", "is_saved"),
)
_PROPOSAL = form(
    "Proposal",
    outcome=Literal["saved", "refused", "nothing_to_do"],
    saved=form("SavedPlan", id=str, path=str, sha256=str, apply=str) | None,
    plan=_PLAN,
    changes=many(form_of(membership.Change)),
    breaches=many(form_of(membership.Breach, without=("message",))),
)


@tool("changes", _PROPOSAL, proposes=True)
def propose(
    account: Account,
    groups: Edits = [],  # noqa: B006 - it is never changed
    offboard: Leavers = [],  # noqa: B006 - it is never changed
    from_file: FromFile = False,
    reason: Reason = "",
) -> Found:
    """Make a plan and save it: a person reviews it, and applies it. Nothing else is written.

    A plan that a guard refuses is not saved.
    """
    file, now = account.desired(), datetime.now(UTC)
    client, today = account.client, now.date()
    if bool(groups or offboard) is from_file or (from_file and file is None):
        raise error_in_call("give changes, or `from_file` where the server has a file")
    if file is not None and from_file:
        desired, snapshot = file, membership.read_account(client, file, today)
        membership.planning.check_clocks(file, snapshot, today)
    else:
        named = [*offboard, *(text for each in groups for text in (*each.add, *each.remove))]
        people = [*map(named_user, named)]
        lookup = lookup_of(people, adds=any(each.add for each in groups))
        if file is not None:
            lookup = with_rules(lookup, file, people)
        snapshot = membership.read_account(client, lookup, today)
        wanted = tuple(_desired_groups(Finder(snapshot), groups, offboard))
        limits = membership.GuardLimits() if file is None else file.guards
        desired = membership.Desired(source="assistant", digest="", groups=wanted, guards=limits)

    def make(read: membership.Snapshot) -> membership.Plan:
        plan = membership.plan(read, desired, today, now=now)
        if from_file:
            return plan
        # The reasons of `plan` speak of a file and its lines.
        changes = (evolve(each, reason=reason, line=None) for each in plan.changes)
        plan = evolve(plan, changes=tuple(changes))
        if file is not None:
            plan = held_to_file(plan, read, file, today)
        return evolve(plan, breaches=membership.check_guards(plan, read))

    plan, _ = membership.roles.plan_with_roles(client, make, snapshot, reach="people")
    saved = _save(account, plan) if plan.changes and not plan.breaches else None
    return {
        "outcome": "refused" if plan.breaches else "saved" if saved else "nothing_to_do",
        "saved": saved,
        "plan": plan,
        "changes": plan.changes,
        "breaches": plan.breaches,
    }


def _desired_groups(
    finder: Finder, edits: Sequence[GroupEdit], offboard: Sequence[str]
) -> Iterator[DesiredGroup]:
    """Yield each group that changes, as it is to be."""
    gone = {user.id for user in finder.users(map(named_user, offboard))}
    edited: set[str] = set()
    for edit in edits:
        group = None if edit.create else finder.group(edit.group)
        added = finder.users(map(named_user, edit.add))
        leavers = gone | {user.id for user in finder.users(map(named_user, edit.remove))}
        others = [edit.create, edit.delete, edit.rename_to or edit.remove]
        if (
            (group is not None and group.id in edited)
            or sum(map(bool, others)) > 1
            or (edit.delete and added)
            or any(user.id in leavers for user in added)
        ):
            raise error_in_call("changes of one group contradict each other")
        new_name = edit.group if edit.create else edit.rename_to
        if new_name is not None:
            finder.check_new_name(new_name, of=group)
        if group is None:
            yield DesiredGroup(name=edit.group, mode="additive", members=added)
        else:
            edited.add(group.id)
            yield _edited(group, edit, added, leavers)
    for group in finder.groups:
        if group.id not in edited and gone & {member.id for member in group.members}:
            yield _edited(group, GroupEdit(group=group.id), (), gone)


def _edited(
    group: Group, edit: GroupEdit, added: tuple[DesiredMember, ...], gone: Collection[str | None]
) -> DesiredGroup:
    if edit.delete:
        return DesiredGroup(name=group.name, id=group.id, state="absent")
    name = edit.rename_to or group.name
    staying = [DesiredMember(id=each.id) for each in group.members if each.id not in gone]
    if len(staying) == len(group.members):
        return DesiredGroup(name=name, id=group.id, mode="additive", members=added)
    return DesiredGroup(name=name, id=group.id, members=(*staying, *added))


def plans_of(state: Path) -> list[Path]:
    """Return the plans that were proposed, the latest last."""
    return sorted(folder_of(state).glob("*Z-*.json"))


def _save(account: Account, plan: membership.Plan) -> dict[str, str]:
    """Save a plan; return where it is, its digest, and how a person applies it."""
    plan_id = membership.journal.new_run(plan.created_at)
    path = folder_of(account.state) / f"{plan_id}.json"
    membership.save_plan(plan, path)
    for old in plans_of(account.state)[:-_MOST_KEPT]:
        old.unlink(missing_ok=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    apply = account.command_line("apply", str(path))
    return {"id": plan_id, "path": str(path), "sha256": digest, "apply": apply}
