"""The tools that look: groups, people, what groups grant, runs, and what to review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

from attrs import evolve
from msgspec import Meta

from cld_user_groups import membership
from cld_user_groups.membership import Grant, GroupRef, Member
from cld_user_groups.membership import review as reviewing
from cld_user_groups.membership.documents import form, form_of
from cld_user_groups.membership.everyday import Text, UserText
from cld_user_groups.membership.explaining import read_explanation
from cld_user_groups.membership.history import Step
from cld_user_groups.membership.lookup import has_text, named_user
from cld_user_groups.membership.roles import roles_of

from .account import Account
from .tools import tool

Found: TypeAlias = Mapping[str, Any]
GroupText = Annotated[Text, Meta(description="A group's exact name, or its ID.")]
PartText = Annotated[Text, Meta(description="A part of a name, an e-mail, an ID or a place.")]
RunText = Annotated[Text, Meta(description="The ID of a run. Default: the last one.")]
OwnRoles = Annotated[bool, Meta(description="Of everyone: 2 requests for each 100 users.")]
Days = Annotated[int, Meta(ge=1, le=10_000)]

_GRANTED: dict[str, Any] = {"granted": list[Grant] | None, "not_known_because": str | None}
_COUNTED = form("CountedGroup", group=GroupRef, members=int)
_PERSON = form("FoundPerson", person=reviewing.Person, groups=[GroupRef])
_ROLE: dict[str, Any] = {"user": Member, "grant": Grant, "is_full_control": bool}
_HELD = form("HeldRole", **_ROLE, own=bool | None, through=[GroupRef])
_UNKNOWN: dict[str, Any] = {"not_known": [GroupRef], "not_known_because": str | None}
_RUN: Any = form_of(membership.Run, without=("outcomes",))
_HEADING = form_of(membership.Explanation, without=("period", "steps", "listing"))
_FINDING = form(
    "FoundFinding", finding=reviewing.Finding, user=Member | None, group=GroupRef | None
)


@tool("groups", account=str, groups=[_COUNTED])
def list_groups(account: Account, text: PartText | None = None) -> Found:
    """List the groups, with how many members each has."""
    snapshot = membership.read_account(account.client)
    groups = [each for each in snapshot.groups if has_text(text, each.name, each.id)]
    rows = [{"group": each, "members": len(each.members)} for each in groups]
    return {"account": snapshot.account_id, "groups": rows}


@tool("members", group=GroupRef, members=[Member])
def list_members(account: Account, group: GroupText) -> Found:
    """List who is in a group."""
    found = membership.Finder(membership.read_account(account.client)).group(group)
    return {"group": found, "members": found.members}


@tool("people", people=[_PERSON], is_complete=bool)
def find_people(account: Account, text: PartText | None = None) -> Found:
    """Find users by e-mail, name or ID, with their groups; if not complete, there may be more."""
    snapshot = membership.read_account(account.client)
    people, directory = (
        reviewing.read_people(account.client, snapshot),
        membership.Directory(snapshot),
    )
    found = [each for each in people.found if _is(text, each)]
    rows = [{"person": each, "groups": directory.joined(each.id)} for each in found]
    return {"people": rows, "is_complete": people.complete}


@tool("granted", group=GroupRef, **_GRANTED)
def show_grants(account: Account, group: GroupText) -> Found:
    """Show the roles that a group grants; null: they are not known, which is not none."""
    found = membership.Finder(membership.read_account(account.client)).group(group)
    return {"group": found, **_granted(account, [found])}


@tool("access", access=[_HELD], **_UNKNOWN)
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
    rows = [
        each
        for each in reviewing.held_roles(found)
        if _is(user, each.user) and has_text(role, each.grant.text, each.grant.role_id)
    ]
    unknown = found.unknown_groups
    why = found.roles.reason if unknown else None
    return {"access": rows, "not_known": unknown, "not_known_because": why}


@tool(
    "steps",
    explanation=_HEADING,
    steps=[Step],
    file_line=int | None,
    file_wants=bool | None,
    **_GRANTED,
)
def explain(account: Account, group: GroupText, user: UserText) -> Found:
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


@tool("runs", local=True, runs=[form("ListedRun", id=str, error=str, run=_RUN | None)])
def list_runs(account: Account) -> Found:
    """List the runs that changed the account from this machine, the latest first."""
    return {"runs": membership.list_runs(account.state)}


@tool("outcomes", form_of(membership.Run), local=True)
def show_run(account: Account, run: RunText | None = None) -> membership.Run:
    """Show what a run did, change by change; one without an end was broken off."""
    return membership.load_run(account.state, run)


@tool("findings", findings=[_FINDING], looked_for=[reviewing.Kind], notes=[str])
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
    own_roles_of: str | None = None,
    unseen_days: int = 90,
    ending_days: int = 30,
) -> reviewing.Review:
    """Review the account; also read the roles of people who have a text, or of nobody."""
    desired, client = account.desired(), account.client
    snapshot = membership.read_account(client)
    people = reviewing.read_people(client, snapshot)
    sought = () if own_roles_of is None else people.found
    named = [each.id for each in sought if _is(own_roles_of, each)]
    return reviewing.review(
        evolve(snapshot, roles=roles_of(client, snapshot.groups, named)),
        people,
        membership.read_history(account.state),
        now=datetime.now(UTC),
        desired=desired,
        unseen_days=unseen_days,
        ending_days=ending_days,
    )


def _granted(account: Account, groups: Sequence[membership.Group]) -> Found:
    """Return what a group grants, or nothing known of one that is gone."""
    roles = roles_of(account.client, groups)
    granted = roles.of(groups[0].id) if groups else None
    return {"granted": granted, "not_known_because": roles.reason if granted is None else None}


def _is(text: str | None, user: reviewing.Person) -> bool:
    return has_text(text, user.email, user.name, user.id)
