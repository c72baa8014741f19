"""The ten tools: nine look at the account, and `propose` makes a plan that a person may apply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta

from cld_user_groups import membership
from cld_user_groups.membership import Finder, Grant, GroupRef, Member, everyday, read_account
from cld_user_groups.membership.documents import form, form_of
from cld_user_groups.membership.explaining import read_explanation
from cld_user_groups.membership.history import Step
from cld_user_groups.membership.journal import End, Header
from cld_user_groups.membership.lookup import error_in_call, has_text, named_user
from cld_user_groups.membership.plan_file import keep_plan
from cld_user_groups.membership.review import Finding, Kind, Person, held_roles, read_reviewed
from cld_user_groups.membership.roles import roles_of

from .tools import Account, Tool

Found: TypeAlias = Mapping[str, Any]
GroupText = Annotated[everyday.Text, Meta(description="A group's exact name, or its ID.")]
Part = Annotated[everyday.Text | None, Meta(description="A part of a name, e-mail, ID or place.")]
RunText = Annotated[everyday.Text, Meta(description="The ID of a run. Default: the last one.")]
OwnRoles = Annotated[bool, Meta(description="Of everyone: 2 requests for each 100 users.")]
Days = Annotated[int, Meta(ge=1, le=10_000)]
Edits: TypeAlias = Annotated[list[everyday.GroupEdit], Meta(max_length=200)]
Leavers: TypeAlias = Annotated[everyday.Users, Meta(description="Who leaves every group.")]
FromFile = Annotated[bool, Meta(description="Propose what the server's file of groups says.")]
Reason = Annotated[str, Meta(max_length=500)]

_GRANTED: Any = {"granted": list[Grant] | None, "not_known_because": str | None}
_LISTED: Any = {"file_line": int | None, "file_wants": bool | None}
_ROLE: Any = {"user": Member, "grant": Grant, "is_full_control": bool}
_HELD = form("HeldRole", **_ROLE, own=bool | None, through=[GroupRef])
_PERSON = form("FoundPerson", person=Person, groups=[GroupRef])
_FINDING = form("FoundFinding", finding=Finding, user=Member | None, group=GroupRef | None)
_EXPLAINED = form_of(membership.Explanation, without=("period", "steps", "listing"))
_RUN: Any = {"header": Header, "end": End | None, "is_torn": bool}
_RUNS = [form("ListedRun", id=str, error=str, run=form("Run", **_RUN) | None)]
_PLAN: Any = form_of(
    membership.Plan,
    head={"removals": int},
    without=("changes", "breaches", "fingerprints", "protect", "allow_empty", "is_saved"),
)


@Tool("groups", account=str, groups=[form("CountedGroup", group=GroupRef, members=int)])
def list_groups(account: Account, text: Part = None) -> Found:
    """List the groups, with how many members each has."""
    snapshot = read_account(account.client)
    groups = [each for each in snapshot.groups if has_text(text, each.name, each.id)]
    rows = [{"group": each, "members": len(each.members)} for each in groups]
    return {"account": snapshot.account_id, "groups": rows}


@Tool("members", group=GroupRef, members=[Member])
def list_members(account: Account, group: GroupText) -> Found:
    """List who is in a group."""
    found = Finder(read_account(account.client)).group(group)
    return {"group": found, "members": found.members}


@Tool("people", people=[_PERSON], is_complete=bool)
def find_people(account: Account, text: Part = None) -> Found:
    """Find users by e-mail, name or ID, with their groups; if not complete, there may be more."""
    snapshot, people = read_reviewed(account.client, None)
    joined = Finder(snapshot).joined
    rows = [{"person": each, "groups": joined(each.id)} for each in people.found if _is(text, each)]
    return {"people": rows, "is_complete": people.complete}


@Tool("granted", group=GroupRef, **_GRANTED)
def show_grants(account: Account, group: GroupText) -> Found:
    """Show the roles that a group grants; null: they are not known, which is not none."""
    found = Finder(read_account(account.client)).group(group)
    return {"group": found, **_granted(account, [found])}


@Tool("access", access=[_HELD], not_known=[GroupRef], not_known_because=str | None)
def who_may(
    account: Account, user: Part = None, role: Part = None, own_roles: OwnRoles = False
) -> Found:
    """Show who has which roles, and through which groups; of one user, own roles too.

    Groups in `not_known` may grant any role; where `own` is null, a user may also have it directly.
    """
    found = _reviewed(account, lambda each: bool(user or own_roles) and _is(user, each))
    rows = [
        each
        for each in held_roles(found)
        if _is(user, each.user) and has_text(role, each.grant.text, each.grant.role_id)
    ]
    unknown = found.unknown_groups
    why = found.roles.reason if unknown else None
    return {"access": rows, "not_known": unknown, "not_known_because": why}


@Tool("steps", explanation=_EXPLAINED, steps=[Step], **_LISTED, **_GRANTED)
def explain(account: Account, group: GroupText, user: everyday.UserText) -> Found:
    """Explain why a user is in a group or not: since which run, by whom, why, until when."""
    desired, named = account.desired(), named_user(user)
    explained, snapshot, _ = read_explanation(account.client, group, named, desired)
    listing, group_id = explained.listing, explained.group.id
    return {
        "explanation": explained,
        "steps": explained.steps,
        "file_line": listing and listing.member and listing.member.line,
        "file_wants": listing and listing.is_wanted,
        **_granted(account, [each for each in snapshot.groups if each.id == group_id]),
    }


@Tool("runs", local=True, runs=_RUNS)
def list_runs(account: Account) -> Found:
    """List the runs that changed the account from this machine, the latest first."""
    return {"runs": membership.list_runs(account.state)}


@Tool("outcomes", local=True, **_RUN, outcomes=[membership.Outcome])
def show_run(account: Account, run: RunText | None = None) -> membership.Run:
    """Show what a run did, change by change; one without an end was broken off."""
    return membership.load_run(account.state, run)


@Tool("findings", findings=[_FINDING], looked_for=[Kind], notes=[str])
def review(account: Account, unseen_days: Days = 90, ending_days: Days = 30) -> Found:
    """Review who has access: people who are disabled, unseen or overdue, groups, full control."""
    found = _reviewed(account, lambda each: False, unseen_days, ending_days)
    users: Mapping[str | None, Any] = {each.id: each for each in found.people}
    groups: Mapping[str | None, Any] = {each.id: each for each in found.groups}
    rows = [
        {"finding": each, "user": users.get(each.user_id), "group": groups.get(each.group_id)}
        for each in found.findings
    ]
    return {"findings": rows, "looked_for": found.kinds, "notes": found.notes}


def _reviewed(
    account: Account, is_asked: Callable[[Person], bool], unseen: int = 90, ending: int = 30
) -> membership.review.Review:
    """Review the account; also read the own roles of people who are asked about."""
    client, desired = account.client, account.desired()
    snapshot, people = read_reviewed(
        client, lambda _, people: [each.id for each in people.found if is_asked(each)]
    )
    history, now = membership.read_history(account.state), datetime.now(UTC)
    given: Any = {"desired": desired, "unseen_days": unseen, "ending_days": ending}
    return membership.review.review(snapshot, people, history, now=now, **given)


def _granted(account: Account, groups: Sequence[membership.Group]) -> Found:
    """Return what a group grants, or nothing known of one that is gone."""
    roles = roles_of(account.client, groups)
    granted = roles.of(groups[0].id) if groups else None
    return {"granted": granted, "not_known_because": roles.reason if granted is None else None}


def _is(text: str | None, user: Person) -> bool:
    return has_text(text, user.email, user.name, user.id)


@Tool(
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
    file, client = account.desired(), account.client
    if bool(groups or offboard) is from_file or (from_file and file is None):
        raise error_in_call("give changes, or `from_file` where the server has a file")
    if file is not None and from_file:
        draft = membership.drafts.make_draft(client, file)
    else:
        given: Any = {"source": "assistant", "reason": reason, "file": file}
        draft = membership.drafts.draft_of_edits(client, groups, offboard, **given)
    plan, _ = draft.plan(client, "people")
    saved = None
    if plan.changes and not plan.breaches:
        saved = keep_plan(plan, account.state)
        saved["apply"] = account.command_line("apply", saved["path"])
    outcome = "refused" if plan.breaches else "saved" if saved else "nothing_to_do"
    rows = {"changes": plan.changes, "breaches": plan.breaches}
    return {"outcome": outcome, "saved": saved, "plan": plan, **rows}
