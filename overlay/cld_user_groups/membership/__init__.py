"""Memberships from a file: read, plan, guard, apply, undo. The client never imports this.

desired = read_file("groups.yaml")
with CldProvisioning() as client:
    snapshot = read_account(client, desired)
now = datetime.now(UTC)
planned = plan(snapshot, desired, now.date(), now=now)
print(render_text(planned))
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cld_user_groups.identity import email_key

    from .applying import apply, apply_async
    from .checks import GuardBreached, PlanRefused, StalePlan, WrongAccount
    from .comparing import GroupDifference as Difference
    from .comparing import compare, groups_of
    from .direct import add_users, add_users_async, set_members, set_members_async
    from .documents import groups_schema, journal_schema, plan_schema, review_schema
    from .explaining import Explanation, Listing, Verdict, explain, listing_of
    from .exporting import export
    from .files import read_file
    from .guards import check_guards
    from .history import AsOf, History, Period, Step, as_of, history_of, read_history
    from .identity import Directory, Unknown, unknown_people
    from .journal import FileJournal, JournalError, NoJournal
    from .lock import AlreadyRunning, Lease, LeaseError, RedisLease, account_lock
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
        Outcome,
        Plan,
        Snapshot,
        Status,
        Stop,
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
    from .rendering import render_html, render_markdown, render_text
    from .runs import Run, RunSummary, list_runs, load_run, read_journal
    from .session import Progress, Result
    from .snapshot import read_account, read_account_async
    from .state import state_directory
    from .undo import undo_plan

__all__ = [
    "AccountError",
    "Action",
    "AlreadyRunning",
    "AsOf",
    "Breach",
    "Change",
    "Desired",
    "DesiredGroup",
    "DesiredMember",
    "Difference",
    "Directory",
    "Explanation",
    "FileError",
    "FileJournal",
    "Group",
    "GroupRef",
    "GuardBreached",
    "GuardLimits",
    "History",
    "JournalError",
    "Lease",
    "LeaseError",
    "Listing",
    "Member",
    "MembershipError",
    "NoJournal",
    "Outcome",
    "Period",
    "Plan",
    "PlanError",
    "PlanFileError",
    "PlanRefused",
    "Problem",
    "Progress",
    "RedisLease",
    "Result",
    "Run",
    "RunSummary",
    "Snapshot",
    "StalePlan",
    "Status",
    "Step",
    "Stop",
    "Unknown",
    "UserRef",
    "Verdict",
    "WrongAccount",
    "account_lock",
    "add_users",
    "add_users_async",
    "adds_only",
    "apply",
    "apply_async",
    "as_of",
    "check_guards",
    "compare",
    "email_key",
    "explain",
    "export",
    "fingerprint",
    "groups_of",
    "groups_schema",
    "history_of",
    "journal_schema",
    "list_runs",
    "listing_of",
    "load_plan",
    "load_run",
    "parse_plan",
    "plan",
    "plan_schema",
    "printable",
    "read_account",
    "read_account_async",
    "read_file",
    "read_history",
    "read_journal",
    "render_html",
    "render_json",
    "render_markdown",
    "render_text",
    "review_schema",
    "save_plan",
    "set_members",
    "set_members_async",
    "state_directory",
    "undo_plan",
    "unknown_people",
]

# The names of each module, which is imported when one of them is first used: importing all takes
# longer than importing httpx.
_HOMES = {
    "cld_user_groups.identity": "email_key",
    ".applying": "apply apply_async",
    ".checks": "GuardBreached PlanRefused StalePlan WrongAccount",
    ".comparing": "Difference compare groups_of",
    ".direct": "add_users add_users_async set_members set_members_async",
    ".documents": "groups_schema journal_schema plan_schema review_schema",
    ".explaining": "Explanation Listing Verdict explain listing_of",
    ".exporting": "export",
    ".files": "read_file",
    ".guards": "check_guards",
    ".history": "AsOf History Period Step as_of history_of read_history",
    ".identity": "Directory Unknown unknown_people",
    ".journal": "FileJournal JournalError NoJournal",
    ".lock": "AlreadyRunning Lease LeaseError RedisLease account_lock",
    ".model": (
        "Action Breach Change Desired DesiredGroup DesiredMember Group GroupRef GuardLimits Member "
        "Outcome Plan Snapshot Status Stop UserRef"
    ),
    ".plan_file": "load_plan parse_plan render_json save_plan",
    ".planning": "adds_only fingerprint plan",
    ".problems": "AccountError FileError MembershipError PlanError PlanFileError Problem printable",
    ".rendering": "render_html render_markdown render_text",
    ".runs": "Run RunSummary list_runs load_run read_journal",
    ".session": "Progress Result",
    ".snapshot": "read_account read_account_async",
    ".state": "state_directory",
    ".undo": "undo_plan",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    module = importlib.import_module(_HOME_OF[name], __name__)
    found = getattr(module, "GroupDifference" if name == "Difference" else name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
