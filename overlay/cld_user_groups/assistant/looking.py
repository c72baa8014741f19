"""The tools that look: groups, people, what groups grant, runs, and what to review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

from attrs import evolve
from msgspec import Meta

from cld_user_groups import membership
from cld_user_groups.membership import review as reviewing
from cld_user_groups.membership.documents import form_of
from cld_user_groups.membership.everyday import Text, UserText
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

GroupText = Annotated[Text, Meta(description="A group's exact name, or its ID.")]

PartText = Annotated[Text, Meta(description="A part of a name, an e-mail, an ID or a place.")]
RunText = Annotated[Text, Meta(description="The ID of a run. Default: the last one.")]
OwnRoles = Annotated[bool, Meta(description="Of everyone: 2 requests for each 100 users.")]
Days = Annotated[int, Meta(ge=1, le=10_000)]

_GROUP: Any = form_of(membership.GroupRef)
_USER: Any = form_of(membership.Member)
_GRANT: Any = form_of(membership.Grant)
_GRANTED: dict[str, Any] = {"granted": many(_GRANT) | None, "not_known_because": str | None}
_COUNTED = form("CountedGroup", group=_GROUP, members=int)
_FOUND = form("FoundPerson", person=form_of(reviewing.Person), groups=many(_GROUP))
_HELD = form(
    "HeldRole",
    user=_USER,
    grant=_GRANT,
    is_full_control=bool,
    own=bool | None,
    through=many(_GROUP),
)
_EXPLANATION = form_of(membership.Explanation, without=("period", "steps", "listing"))
_RUN: Any = form_of(membership.Run, without=("outcomes",))
_LISTED = form("ListedRun", id=str, error=str, run=_RUN | None)
_FINDING = form(
    "FoundFinding", finding=form_of(reviewing.Finding), user=_USER | None, group=_GROUP | None
)


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
        if _is(text, each)
    ]
    return {"people": rows, "is_complete": people.complete}


@tool("granted", form("Granted", group=_GROUP, **_GRANTED))
def show_grants(account: Account, group: GroupText) -> Found:
    """Show the roles that a group grants; null: they are not known, which is not none."""
    found = membership.Finder(membership.read_account(account.client)).group(group)
    return {"group": found, **_granted(account, [found])}


@tool(
    "access",
    form(
        "FoundAccess",
        access=many(_HELD),
        not_known=many(_GROUP),
        not_known_because=str | None,
    ),
)
def who_may(
    account: Account,
    user: PartText | None = None,
    role: PartText | None = None,
    own_roles: OwnRoles = False,
) -> Found:
    """Show who has which roles, and through which groups; of one user, own roles too.

    Groups in `not_known` may grant any role; where `own` is null, a user may also have it directly.
    """
    found = _reviewed(account, own_roles_of=user or ("" if own_roles else None))
    people = {each.id: each for each in found.people if _is(user, each)}
    groups = {each.id: each for each in found.groups}
    rows = [
        {
            "user": people[holder.user_id],
            "grant": each.grant,
            "is_full_control": each.grant.is_full_control,
            "own": holder.own,
            "through": [groups[group_id] for group_id in holder.group_ids],
        }
        for each in found.access
        if _has(role, each.grant.text, each.grant.role_id)
        for holder in each.holders
        if holder.user_id in people
    ]
    unknown = found.unknown_groups
    why = found.roles.reason if unknown else None
    return {"access": rows, "not_known": unknown, "not_known_because": why}


@tool(
    "steps",
    form(
        "Explained",
        explanation=_EXPLANATION,
        steps=many(form_of(Step)),
        file_line=int | None,
        file_wants=bool | None,
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
    return {
        "explanation": explained,
        "steps": explained.steps,
        "file_line": listing and listing.member and listing.member.line,
        "file_wants": listing and listing.is_wanted,
        **_granted(account, [each for each in snapshot.groups if each.id == found.id]),
    }


@tool("runs", form("Runs", runs=many(_LISTED)), is_local=True)
def list_runs(account: Account) -> Found:
    """List the runs that changed the account from this machine, the latest first."""
    return {"runs": membership.list_runs(account.state)}


@tool("outcomes", form_of(membership.Run), is_local=True)
def show_run(account: Account, run: RunText | None = None) -> membership.Run:
    """Show what a run did, change by change; one without an end was broken off."""
    return membership.load_run(account.state, run)


@tool(
    "findings",
    form("Findings", findings=many(_FINDING), looked_for=many(reviewing.Kind), notes=many(str)),
)
def review(account: Account, unseen_days: Days = 90, ending_days: Days = 30) -> Found:
    """Review who has access: people who are disabled, unseen or overdue, groups, full control."""
    found = _reviewed(account, unseen_days=unseen_days, ending_days=ending_days)
    users: Mapping[str | None, Any] = {each.id: each for each in found.people}
    groups: Mapping[str | None, Any] = {each.id: each for each in found.groups}
    rows = [
        {"finding": each, "user": users.get(each.user_id), "group": groups.get(each.group_id)}
        for each in found.findings
    ]
    return {"findings": rows, "looked_for": found.kinds, "notes": found.notes}


def _reviewed(
    account: Account,
    *,
    own_roles_of: str | None = None,
    unseen_days: int = 90,
    ending_days: int = 30,
) -> reviewing.Review:
    """Review the account; also read the roles of people who have a text, or of nobody."""
    desired, client = account.desired(), account.client
    snapshot = membership.read_account(client)
    people = reviewing.read_people(client, snapshot)
    named = [each for each in people.found if own_roles_of is not None and _is(own_roles_of, each)]
    principals = membership.roles.as_principals(
        (each.id for each in snapshot.groups), (each.id for each in named)
    )
    return reviewing.review(
        evolve(snapshot, roles=membership.read_roles(client, principals)),
        people,
        membership.read_history(account.state),
        now=datetime.now(UTC),
        desired=desired,
        unseen_days=unseen_days,
        ending_days=ending_days,
    )


def _granted(account: Account, groups: Sequence[membership.Group]) -> Found:
    """Return what a group grants, or nothing known of one that is gone."""
    principals = membership.roles.as_principals(each.id for each in groups)
    roles = membership.read_roles(account.client, principals)
    granted = roles.of(groups[0].id) if groups else None
    return {"granted": granted, "not_known_because": roles.reason if granted is None else None}


def _is(text: str | None, user: reviewing.Person) -> bool:
    return _has(text, user.email, user.name, user.id)


def _has(text: str | None, *values: str | None) -> bool:
    sought = (text or "").strip().casefold()
    return any(sought in (value or "").casefold() for value in values)
