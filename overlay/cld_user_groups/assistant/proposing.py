"""The tool that proposes: wanted changes, or a file, become a plan that a person may apply."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from attrs import evolve
from msgspec import Meta

from cld_user_groups import membership
from cld_user_groups.membership.documents import form, form_of
from cld_user_groups.membership.everyday import GroupEdit, Users, edited_groups, plan_of
from cld_user_groups.membership.lookup import error_in_call, lookup_of, named_user
from cld_user_groups.membership.state import assistant_folder

from .account import Account
from .looking import Found
from .tools import tool

_MOST_KEPT = 100

Edits: TypeAlias = Annotated[list[GroupEdit], Meta(max_length=200)]
Leavers: TypeAlias = Annotated[Users, Meta(description="Who leaves every group.")]
FromFile = Annotated[bool, Meta(description="Propose what the server's file of groups says.")]
Reason = Annotated[str, Meta(max_length=500)]
_PLAN: Any = form_of(
    membership.Plan,
    head={"removals": int},
    without=("changes", "breaches", "fingerprints", "protect", "allow_empty", "is_saved"),
)


@tool(
    "changes",
    proposes=True,
    outcome=Literal["saved", "refused", "nothing_to_do"],
    saved=form("SavedPlan", id=str, path=str, sha256=str, apply=str) | None,
    plan=_PLAN,
    changes=[membership.Change],
    breaches=[form_of(membership.Breach, without=("message",))],
)
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
        lookup = lookup_of(people, adds=any(each.add for each in groups), file=file)
        snapshot = membership.read_account(client, lookup, today)
        wanted = tuple(edited_groups(membership.Finder(snapshot), groups, offboard))
        limits = membership.GuardLimits() if file is None else file.guards
        desired = membership.Desired(source="assistant", digest="", groups=wanted, guards=limits)

    def make(read: membership.Snapshot) -> membership.Plan:
        if from_file:
            return membership.plan(read, desired, today, now=now)
        plan = plan_of(read, desired, now, reason=reason, file=file)
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


def plans_of(state: Path) -> list[Path]:
    """Return the plans that were proposed, the latest last."""
    return sorted(assistant_folder(state).glob("*Z-*.json"))


def _save(account: Account, plan: membership.Plan) -> dict[str, str]:
    """Save a plan; return where it is, its digest, and how a person applies it."""
    plan_id = membership.journal.new_run(plan.created_at)
    path = assistant_folder(account.state) / f"{plan_id}.json"
    membership.save_plan(plan, path)
    for old in plans_of(account.state)[:-_MOST_KEPT]:
        old.unlink(missing_ok=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    apply = account.command_line("apply", str(path))
    return {"id": plan_id, "path": str(path), "sha256": digest, "apply": apply}
