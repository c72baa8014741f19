"""Why a user is in a group, or is not: what the account, the journals and a file say of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import StrEnum

from attrs import frozen

from cld_user_groups.client import CldProvisioning
from cld_user_groups.identity import email_key

from .directory import Directory, is_wanted
from .grants import GroupRef
from .history import History, Period, Step, read_history
from .lookup import group_now_or_before, lookup_of, user_now_or_before
from .model import Action, Desired, DesiredGroup, DesiredMember, Member, Plan, Snapshot
from .problems import Problem, quoted
from .result import Status
from .snapshot import read_account
from .state import state_directory


class Verdict(StrEnum):
    """What explains a membership, or that there is none.

    `MADE_BY_RUN`: a run made it, or gave it back. `MADE_ELSEWHERE`: no run did; it is older than
    the journals, or was made in the console or on another machine. `ENDED_BY_RUN`: a run ended
    it. `ENDED_ELSEWHERE`: a run made it, and none ended it. `NEVER_MADE`: none is known to have
    been.
    """

    MADE_BY_RUN = "made_by_run"
    MADE_ELSEWHERE = "made_elsewhere"
    ENDED_BY_RUN = "ended_by_run"
    ENDED_ELSEWHERE = "ended_elsewhere"
    NEVER_MADE = "never_made"


@frozen(kw_only=True)
class Listing:
    """What a file says of a membership.

    Attributes:
        group: The group in the file, or None where the file does not name it.
        member: The line that lists the user there, or None.
        is_wanted: Whether the file wants the membership today; None where it leaves it as it is.
    """

    group: DesiredGroup | None = None
    member: DesiredMember | None = None
    is_wanted: bool | None = None


@frozen(kw_only=True)
class Explanation:
    """Why a user is in a group, or is not.

    Attributes:
        step: The step of the run that made it, gave it back or ended it, or None where no run did.
        period: The last time of membership that the journals tell, or None.
        steps: All that runs did to the membership, the earliest first.
        listing: What the file says, or None where there is none.
    """

    group: GroupRef
    user: Member
    is_member: bool
    verdict: Verdict
    step: Step | None = None
    period: Period | None = None
    steps: tuple[Step, ...] = ()
    listing: Listing | None = None


def explain(
    snapshot: Snapshot,
    history: History,
    group: GroupRef,
    user: Member,
    *,
    desired: Desired | None = None,
    today: date | None = None,
) -> Explanation:
    """Explain a membership, or that there is none.

    Args:
        snapshot: The account as it is now.
        history: What the journals tell.
        group: The group, with its ID.
        user: The user.
        desired: A file that may list the membership, or None.
        today: The day for which the file is read, where there is one.
    """
    key = (group.id or "", user.id)
    is_member = user.id in Directory(snapshot).members(group.id)
    steps = history.steps.get(key, ())
    periods = history.periods.get(key, ())
    period = periods[-1] if periods else None
    verdict, step = _verdict(is_member, period, steps)
    return Explanation(
        group=group,
        user=user,
        is_member=is_member,
        verdict=verdict,
        step=step,
        period=period,
        steps=steps,
        listing=None if desired is None else listing_of(desired, group, user, today),
    )


def read_explanation(
    client: CldProvisioning, group: str, user: DesiredMember, desired: Desired | None = None
) -> tuple[Explanation, Snapshot, History]:
    """Read the account and its journals; explain a membership, also of who or what is gone."""
    snapshot = read_account(client, lookup_of([user]))
    history = read_history(state_directory(snapshot.account_id))
    found = group_now_or_before(snapshot, history, group)
    person, today = user_now_or_before(snapshot, history, user), datetime.now(UTC).date()
    explained = explain(snapshot, history, found, person, desired=desired, today=today)
    return explained, snapshot, history


def _verdict(
    is_member: bool, period: Period | None, steps: tuple[Step, ...]
) -> tuple[Verdict, Step | None]:
    if is_member:
        if period is not None and period.is_open:
            return Verdict.MADE_BY_RUN, period.restored or period.since
        return Verdict.MADE_ELSEWHERE, None
    if period is None:
        return Verdict.NEVER_MADE, None
    if period.ended is not None:
        return Verdict.ENDED_BY_RUN, period.ended
    if steps[-1].status is Status.UNKNOWN:  # its response was lost; the account tells its outcome
        if steps[-1] in (period.since, period.restored):
            return Verdict.NEVER_MADE, None
        return Verdict.ENDED_BY_RUN, steps[-1]
    return Verdict.ENDED_ELSEWHERE, None


def listing_of(
    desired: Desired, group: GroupRef, user: Member, today: date | None = None
) -> Listing:
    """Return what a file says of a membership on a day; None reads it as if nothing ended."""
    found = next((each for each in desired.groups if _is_group(each, group)), None)
    if found is None:
        return Listing()
    if found.state == "absent":
        return Listing(group=found, is_wanted=False)
    member = next((each for each in found.members if _is_user(each, user)), None)
    if member is not None:
        wanted = today is None or is_wanted(member, today)
        return Listing(group=found, member=member, is_wanted=wanted)
    return Listing(group=found, is_wanted=None if found.mode == "additive" else False)


def disagreements(plan: Plan, desired: Desired, today: date) -> Iterator[Problem]:
    """Yield which changes of a plan the next run of a file would revert, each with its line."""
    for change in plan.changes:
        group, user = change.group, change.user
        was = group if change.old_name is None else GroupRef(id=group.id, name=change.old_name)
        found = next((each for each in desired.groups if _is_group(each, was)), None)
        if found is None:
            continue
        name, who = quoted(group.name), "" if user is None else quoted(user.text)
        listing = Listing()
        if user is not None:
            listing = listing_of(desired, group, Member(id=user.id, email=user.email), today)
        match change.action:
            case Action.REMOVE_USER if listing.is_wanted:
                message = f"the file lists {who} in {name}, and its next run adds them again"
                hint = "remove the line, too"
            case Action.ADD_USER if listing.is_wanted is False:
                message = f"the file does not want {who} in {name}, and its next run removes them"
                hint = "add them there, too"
            case Action.RENAME_GROUP if found.name != group.name:
                ends = "renames it back" if found.id is not None else "creates that one"
                message = f"the file calls the group {quoted(found.name)}, and its next run {ends}"
                hint = "rename it there, too"
            case Action.DELETE_GROUP if found.state == "present":
                message = f"the file names the group {name}, and its next run creates it again"
                hint = "write `state: absent` there, or remove it"
            case Action.CREATE_GROUP if found.state == "absent":
                message = f"the file says that the group {name} is to be absent"
                message, hint = f"{message}: its next run deletes it", ""
            case _:
                continue
        at = listing.member or found
        yield Problem(at.source, at.line, message, hint)


def _is_group(wanted: DesiredGroup, group: GroupRef) -> bool:
    if wanted.id is not None:
        return wanted.id == group.id
    return group.name == wanted.name or group.name in wanted.previously


def _is_user(wanted: DesiredMember, user: Member) -> bool:
    if wanted.id is not None:
        return wanted.id == user.id
    same = wanted.email is not None and user.email is not None
    return same and email_key(wanted.email or "") == email_key(user.email or "")
