"""Memberships from a file: read, plan, guard, apply, undo. The client never imports this.

desired = read_file("groups.yaml")
with CldProvisioning() as client:
    snapshot = read_account(client, desired)
now = datetime.now(UTC)
planned = plan(snapshot, desired, now.date(), now=now)
print(render_text(planned))
"""

from typing import TYPE_CHECKING

from cld_user_groups._lazy import names_of

if TYPE_CHECKING:
    from cld_user_groups.identity import email_key

    from . import drafts as drafts
    from . import everyday as everyday
    from . import review as review
    from .applying import apply, apply_async
    from .comparing import GroupDifference as Difference
    from .comparing import compare, groups_of
    from .direct import add_users, add_users_async, set_members, set_members_async
    from .directory import Directory, Unknown, unknown_people
    from .documents import groups_schema, journal_schema, plan_schema, review_schema, roles_schema
    from .effects import with_effects
    from .explaining import Explanation, Listing, Verdict, explain, listing_of
    from .exporting import export, export_csv
    from .file_edits import RemovalEdit, removal_edit
    from .files import read_file
    from .files.row_format import RowFormat
    from .grants import Grant, GroupRef, RoleRecord, Roles
    from .guards import check_guards
    from .history import AsOf, History, Period, Step, as_of, history_of, read_history
    from .journal import FileJournal, JournalError, NoJournal
    from .lock import AlreadyRunning, Lease, LeaseError, RedisLease, account_lock
    from .lookup import Finder
    from .model import (
        Action,
        Breach,
        Change,
        Desired,
        DesiredGroup,
        DesiredMember,
        Group,
        GuardLimits,
        Member,
        Plan,
        Rule,
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
    from .rendering import render_html, render_markdown, render_text
    from .restoring import Restoration
    from .result import Outcome, Progress, Result, Status, Stop
    from .roles import read_restoration, read_restoration_async, read_roles, read_roles_async
    from .rules import breaches_in, check_rules
    from .runs import (
        Pruning,
        Run,
        RunSummary,
        Verification,
        delete_journals,
        list_runs,
        load_run,
        missing_numbers,
        prunable,
        read_journal,
        verify_runs,
    )
    from .snapshot import read_account, read_account_async
    from .staleness import GuardBreached, PlanRefused, StalePlan, WrongAccount
    from .state import state_directory
    from .undo import undo_plan

__all__ = [
    "AccountError", "Action", "AlreadyRunning", "AsOf", "Breach", "Change", "Desired",
    "DesiredGroup", "DesiredMember", "Difference", "Directory", "Explanation", "FileError",
    "FileJournal", "Finder", "Grant", "Group", "GroupRef", "GuardBreached", "GuardLimits",
    "History", "JournalError", "Lease", "LeaseError", "Listing", "Member", "MembershipError",
    "NoJournal", "Outcome", "Period", "Plan", "PlanError", "PlanFileError", "PlanRefused",
    "Problem", "Progress", "Pruning", "RedisLease", "RemovalEdit", "Restoration", "Result",
    "RoleRecord", "Roles", "RowFormat", "Rule", "Run", "RunSummary", "Snapshot", "StalePlan",
    "Status", "Step", "Stop", "Unknown", "UserRef", "Verdict", "Verification", "WrongAccount",
    "account_lock", "add_users", "add_users_async", "adds_only", "apply", "apply_async", "as_of",
    "breaches_in", "check_guards", "check_rules", "compare", "delete_journals", "email_key",
    "explain", "export", "export_csv", "fingerprint", "groups_of", "groups_schema", "history_of",
    "journal_schema", "list_runs", "listing_of", "load_plan", "load_run", "missing_numbers",
    "parse_plan", "plan", "plan_schema", "printable", "prunable", "read_account",
    "read_account_async", "read_file", "read_history", "read_journal", "read_restoration",
    "read_restoration_async", "read_roles", "read_roles_async", "removal_edit", "render_html",
    "render_json", "render_markdown", "render_text", "review_schema", "roles_schema", "save_plan",
    "set_members", "set_members_async", "state_directory", "undo_plan", "unknown_people",
    "verify_runs", "with_effects",
]  # fmt: skip

# Importing all of them takes longer than importing httpx.
_NAMES = {
    "cld_user_groups.identity": "email_key",
    ".applying": "apply, apply_async",
    ".staleness": "GuardBreached, PlanRefused, StalePlan, WrongAccount",
    ".comparing": "GroupDifference as Difference, compare, groups_of",
    ".direct": "add_users, add_users_async, set_members, set_members_async",
    ".documents": "groups_schema, journal_schema, plan_schema, review_schema, roles_schema",
    ".effects": "with_effects",
    ".explaining": "Explanation, Listing, Verdict, explain, listing_of",
    ".exporting": "export, export_csv",
    ".file_edits": "RemovalEdit, removal_edit",
    ".files": "read_file",
    ".files.row_format": "RowFormat",
    ".grants": "Grant, GroupRef, RoleRecord, Roles",
    ".guards": "check_guards",
    ".history": "AsOf, History, Period, Step, as_of, history_of, read_history",
    ".directory": "Directory, Unknown, unknown_people",
    ".journal": "FileJournal, JournalError, NoJournal",
    ".lock": "AlreadyRunning, Lease, LeaseError, RedisLease, account_lock",
    ".lookup": "Finder",
    ".model": (
        "Action, Breach, Change, Desired, DesiredGroup, DesiredMember, Group, "
        "GuardLimits, Member, Plan, Rule, Snapshot, UserRef"
    ),
    ".plan_file": "load_plan, parse_plan, render_json, save_plan",
    ".planning": "adds_only, fingerprint, plan",
    ".problems": (
        "AccountError, FileError, MembershipError, PlanError, PlanFileError, Problem, printable"
    ),
    ".rendering": "render_html, render_markdown, render_text",
    ".roles": "read_restoration, read_restoration_async, read_roles, read_roles_async",
    ".rules": "breaches_in, check_rules",
    ".runs": (
        "Pruning, Run, RunSummary, Verification, delete_journals, list_runs, load_run, "
        "missing_numbers, prunable, read_journal, verify_runs"
    ),
    ".restoring": "Restoration",
    ".result": "Outcome, Progress, Result, Status, Stop",
    ".snapshot": "read_account, read_account_async",
    ".state": "state_directory",
    ".undo": "undo_plan",
}
if not TYPE_CHECKING:
    __getattr__ = names_of(__name__, _NAMES)


def __dir__() -> list[str]:
    return __all__
