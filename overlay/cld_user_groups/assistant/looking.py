"""The tools that look: groups, people, what groups grant, runs, and what to review."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

from msgspec import Meta

from cld_provisioning_api.models import Principal
from cld_user_groups import membership
from cld_user_groups.membership import review as reviewing
from cld_user_groups.membership.documents import form_of
from cld_user_groups.membership.history import Step
from cld_user_groups.membership.lookup import (
    group_now_or_before,
    lookup_of,
    named_user,
    user_now_or_before,
)

from .account import Account
from .tools import form, many, tool

Found: TypeAlias = Mapping[str, Any]
Text = Annotated[str, Meta(min_length=1, max_length=500)]
GroupText = Annotated[Text, Meta(description="A group's exact name, or its ID.")]
UserText = Annotated[Text, Meta(description="A user's e-mail or ID.")]
PartText = Annotated[Text, Meta(description="A part of a name, an e-mail, an ID or a place.")]
RunText = Annotated[Text, Meta(description="The ID of a run. Default: the last one.")]
OwnRoles = Annotated[bool, Meta(description="Of everyone: 2 requests for each 100 users.")]
Days = Annotated[int, Meta(ge=1, le=10_000)]

_GROUP: Any = form_of(membership.GroupRef)
_USER: Any = form_of(membership.Member)
_GRANT = form(
    "GrantedRole",
    **dict.fromkeys(("role", "role_id", "scope"), str),
    where=str | None,
    within=dict[str, str],
    full_control=bool,
)
_GRANTS: Any = many(_GRANT) | None
_WHY: dict[str, Any] = {"not_known_because": str | None, "not_covered": str}
_GRANTED = {"granted": _GRANTS, **_WHY}
_COUNTED = form("CountedGroup", group=_GROUP, members=int)
_FOUND = form("FoundPerson", person=form_of(reviewing.Person), groups=many(_GROUP))
_HOLDER = form("Holder", user=_USER, through=_GROUP | None, granted=_GRANTS)
_EXPLANATION = form_of(membership.Explanation, without=("period", "steps", "listing"))
_LISTED = {"file_lists": bool | None, "file_wants": bool | None, "file_line": int | None}
_RUN: Any = form_of(membership.Run, without=("outcomes",))
_FINDING = form(
    "FoundFinding", finding=form_of(reviewing.Finding), user=_USER | None, group=_GROUP | None
)
_NOT_COVERED = "roles in folders and collections"


@tool("groups", form("Groups", account=str, groups=many(_COUNTED)))
def list_groups(account: Account, text: PartText | None = None) -> Found:
    """List the groups, with how many members each has."""
    snapshot = membership.read_account(account.client)
    groups = [each for each in snapshot.groups if _has(text, each.name, each.id)]
    rows = [{"group": each, "members": len(each.members)} for each in groups]
    return {"account": snapshot.account_id, "groups": rows}


@tool("members", form("Members", group=_GROUP, members=many(_USER)))
def list_members(account: Account, group: GroupText) -> Found:
    """List who is in a group."""
    found = membership.Finder(membership.read_account(account.client)).group(group)
    return {"group": found, "members": found.members}


@tool("people", form("FoundPeople", people=many(_FOUND), is_complete=bool))
def find_people(account: Account, text: PartText | None = None) -> Found:
    """Find users by e-mail, name or ID, with their groups; if not complete, there may be more."""
    snapshot = membership.read_account(account.client)
    people = reviewing.read_people(account.client, snapshot)
    groups: dict[str, list[membership.Group]] = {}
    for group in snapshot.groups:
        for member in group.members:
            groups.setdefault(member.id, []).append(group)
    rows = [
        {"person": each, "groups": groups.get(each.id, [])}
        for each in people.found
        if _has(text, each.email, each.name, each.id)
    ]
    return {"people": rows, "is_complete": people.complete}


@tool("granted", form("Granted", group=_GROUP, **_GRANTED))
def show_grants(account: Account, group: GroupText) -> Found:
    """Show the roles that a group grants; null: they are not known, which is not none."""
    found = membership.Finder(membership.read_account(account.client)).group(group)
    return {"group": found, **_granted(_read_roles(account, [found]), found.id)}


@tool("holders", form("Holders", holders=many(_HOLDER), own_roles_read=bool, **_WHY))
def who_may(
    account: Account,
    user: UserText | None = None,
    role: PartText | None = None,
    own_roles: OwnRoles = False,
) -> Found:
    """Show who has which roles, and through which group; of one user, own roles too.

    Where `granted` is null, it is not known, and may be any role.
    """
    named = [] if user is None else [named_user(user)]
    snapshot = membership.read_account(account.client, lookup_of(named))
    people: Sequence[Any] = membership.Finder(snapshot).users(named)
    if own_roles and not named:
        people = reviewing.read_people(account.client, snapshot).found
    ids = {each.id for each in people}
    members = [
        (member, group)
        for group in snapshot.groups
        for member in group.members
        if not named or member.id in ids
    ]
    roles = _read_roles(account, {group.id: group for _, group in members}.values(), people)
    own = [(membership.Member(id=each.id or "", email=each.email), None) for each in people]
    holders = [
        {"user": user, "through": group, "granted": granted and [each.document for each in granted]}
        for user, group in (*own, *members)
        for granted in [roles.of(group.id) if group else roles.of(user.id, "user")]
        if granted is None or any(_has(role, each.text, each.role_id) for each in granted)
    ]
    why = roles.reason if any(each["granted"] is None for each in holders) else None
    return {
        "holders": holders,
        "own_roles_read": bool(people),
        "not_known_because": why,
        "not_covered": _NOT_COVERED,
    }


@tool(
    "steps",
    form(
        "Explained",
        explanation=_EXPLANATION,
        steps=many(form_of(Step)),
        unreadable_journals=int,
        **_LISTED,
        **_GRANTED,
    ),
)
def explain(account: Account, group: GroupText, user: UserText) -> Found:
    """Explain why a user is in a group or not: since which run, by whom, why, until when."""
    desired, named = account.desired(), named_user(user)
    snapshot = membership.read_account(account.client, lookup_of([named]))
    history = membership.read_history(account.state)
    found = group_now_or_before(snapshot, history, group)
    person, today = user_now_or_before(snapshot, history, named), datetime.now(UTC).date()
    explained = membership.explain(snapshot, history, found, person, desired=desired, today=today)
    listing = explained.listing
    roles = _read_roles(account, [each for each in snapshot.groups if each.id == found.id])
    return {
        "explanation": explained,
        "steps": explained.steps,
        "unreadable_journals": len(history.unreadable),
        "file_lists": listing and listing.member is not None,
        "file_wants": listing and listing.is_wanted,
        "file_line": listing and listing.member and listing.member.line,
        **_granted(roles, found.id),
    }


@tool(
    "runs",
    form("Runs", runs=many(form("ListedRun", id=str, error=str, run=_RUN | None))),
    is_local=True,
)
def list_runs(account: Account) -> Found:
    """List the runs that changed the account from this machine, the latest first."""
    return {"runs": membership.list_runs(account.state)}


@tool("outcomes", form_of(membership.Run), is_local=True)
def show_run(account: Account, run: RunText | None = None) -> membership.Run:
    """Show what a run did, change by change; one without an end was broken off."""
    return membership.load_run(account.state, run)


@tool("findings", form("Reviewed", findings=many(_FINDING), notes=many(str)))
def review(account: Account, unseen_days: Days = 90, ending_days: Days = 30) -> Found:
    """Review the memberships: people who are disabled, unseen or overdue, and empty groups."""
    desired = account.desired()
    snapshot = membership.read_account(account.client)
    found = reviewing.review(
        snapshot,
        reviewing.read_people(account.client, snapshot),
        membership.read_history(account.state),
        now=datetime.now(UTC),
        desired=desired,
        unseen_days=unseen_days,
        ending_days=ending_days,
    )
    users: Mapping[str | None, Any] = {each.id: each for each in found.people}
    groups: Mapping[str | None, Any] = {each.id: each for each in found.groups}
    rows = [
        {"finding": each, "user": users.get(each.user_id), "group": groups.get(each.group_id)}
        for each in found.findings
    ]
    return {"findings": rows, "notes": found.notes}


def _has(text: str | None, *values: str | None) -> bool:
    sought = (text or "").strip().casefold()
    return any(sought in (value or "").casefold() for value in values)


def _read_roles(
    account: Account, groups: Iterable[membership.Group], people: Iterable[Any] = ()
) -> membership.Roles:
    principals = membership.roles.groups_as_principals(each.id for each in groups)
    principals += [Principal(type="user", id=each.id or "") for each in people]
    return membership.read_roles(account.client, principals)


def _granted(roles: membership.Roles, group_id: str | None) -> Found:
    return {**roles.document(group_id), "not_covered": _NOT_COVERED}
