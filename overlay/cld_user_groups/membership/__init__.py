"""Memberships from a file: read, plan, guard, apply, undo. The client never imports this.

desired = read_file("groups.yaml")
with CldProvisioning() as client:
    snapshot = read_account(client, desired)
now = datetime.now(UTC)
made = plan(snapshot, desired, now.date(), now=now)
print(render_text(made))
"""

from .exporting import export
from .guards import check_guards
from .identity import Directory, Unknown, email_key, unknown_people
from .model import (
    Action,
    Breach,
    Change,
    Desired,
    DesiredGroup,
    DesiredMember,
    Group,
    GroupRef,
    GuardLimits,
    Member,
    Plan,
    Snapshot,
    UserRef,
)
from .plan_file import load_plan, parse_plan, render_json, save_plan
from .planning import adds_only, fingerprint, plan
from .problems import (
    AccountError,
    FileError,
    MembershipError,
    PlanError,
    PlanFileError,
    Problem,
    printable,
)
from .reading import read_file
from .rendering import render_html, render_markdown, render_text
from .schemas import groups_schema, plan_schema
from .snapshot import read_account, read_account_async

__all__ = [
    "AccountError",
    "Action",
    "Breach",
    "Change",
    "Desired",
    "DesiredGroup",
    "DesiredMember",
    "Directory",
    "FileError",
    "Group",
    "GroupRef",
    "GuardLimits",
    "Member",
    "MembershipError",
    "Plan",
    "PlanError",
    "PlanFileError",
    "Problem",
    "Snapshot",
    "Unknown",
    "UserRef",
    "adds_only",
    "check_guards",
    "email_key",
    "export",
    "fingerprint",
    "groups_schema",
    "load_plan",
    "parse_plan",
    "plan",
    "plan_schema",
    "printable",
    "read_account",
    "read_account_async",
    "read_file",
    "render_html",
    "render_json",
    "render_markdown",
    "render_text",
    "save_plan",
    "unknown_people",
]
