"""Build an access review: a pure function of the account, its users, the journals and the day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import TypeAlias

from attrs import evolve

from cld_user_groups.membership.comparing import GroupDifference, groups_of
from cld_user_groups.membership.comparing import compare as compare_groups
from cld_user_groups.membership.directory import Directory
from cld_user_groups.membership.history import History, Key, Period
from cld_user_groups.membership.model import (
    Action,
    Change,
    Desired,
    DesiredMember,
    Group,
    Snapshot,
    UserRef,
)
from cld_user_groups.membership.rendering import counted, joined, shown
from cld_user_groups.membership.rules import hold_to_rules, managed_words, rules_for
from cld_user_groups.membership.runs import Run
from cld_user_groups.membership.snapshot import State

from .access import access_of, by_weight, findings_of
from .model import (
    Comparison,
    Event,
    Finding,
    Kind,
    Membership,
    Origin,
    Person,
    Review,
    ReviewDifference,
    ReviewedGroup,
)
from .people import People, person_of

_EVENTS = {
    Action.CREATE_GROUP: Event.GROUP_ADDED,
    Action.DELETE_GROUP: Event.GROUP_REMOVED,
    Action.RENAME_GROUP: Event.GROUP_RENAMED,
    Action.ADD_USER: Event.MEMBER_ADDED,
    Action.REMOVE_USER: Event.MEMBER_REMOVED,
}
# How many groups a note names.
_NAMED = 10
_MEMBERS = {State.DISABLED: Kind.DISABLED_MEMBER, State.PENDING: Kind.PENDING_MEMBER}


def review(
    snapshot: Snapshot,
    people: People,
    history: History,
    *,
    now: datetime,
    unseen_days: int,
    ending_days: int,
    desired: Desired | None = None,
    changes: Comparison | None = None,
    as_of: str | None = None,
    notes: Iterable[str] = (),
    origin: Origin | None = None,
) -> Review:
    """Return the access review of an account.

    Args:
        snapshot: The groups, who is in them, and what they and people are granted.
        people: The users of the account.
        history: What the journals record.
        now: The time of the review, aware. Last logins are compared with its day in UTC, the last
            days of memberships with the day of the snapshot.
        unseen_days: After how many days without a login a person counts as not seen.
        ending_days: Within how many days a membership counts as ending soon.
        desired: A file that has the reasons and last days of memberships, where no journal has,
            rules, which the account is compared with, and groups that something else manages.
        changes: What has changed since an earlier state.
        as_of: The ID of the run right after which the snapshot shows the groups, or None for now.
        notes: What else a reader should know, a sentence each.
        origin: Where the review comes from.
    """
    known = {person.id: person for person in people.found}
    for group in snapshot.groups:
        for member in group.members:
            known.setdefault(member.id, person_of(member))
    desired = desired or Desired(source="", digest="")
    rules = rules_for(snapshot, desired)
    ordered = tuple(sorted(known.values(), key=_by_name))
    groups = tuple(_groups(snapshot, history, desired, managed_words(rules), ordered))
    found = Review(
        account_id=snapshot.account_id,
        made_at=now,
        as_of=as_of,
        groups=groups,
        people=ordered,
        changes=changes,
        unseen_days=unseen_days,
        ending_days=ending_days,
        roles=snapshot.roles,
        access=access_of(groups, ordered, snapshot.roles),
        origin=origin,
        complete=people.complete,
    )
    today = snapshot.taken_at.astimezone(UTC).date()
    findings = (*_of_groups(found, today), *_of_people(found), *findings_of(found))
    broken = hold_to_rules((), rules, snapshot, {}).warnings
    return evolve(
        found,
        findings=by_weight(found, findings),
        notes=(*notes, *_notes(found, history), *(f"Rule: {each}." for each in broken)),
    )


def _by_name(person: Person) -> tuple[str, str, str]:
    return ((person.name or person.email or "").casefold(), (person.email or ""), person.id)


def _groups(
    snapshot: Snapshot,
    history: History,
    desired: Desired,
    managed: Mapping[str, str],
    people: Sequence[Person],
) -> Iterator[ReviewedGroup]:
    """Yield the groups, by name, with what journals and a file say of them and their members."""
    directory = Directory(snapshot)
    owners: dict[str, str] = {}
    entries: dict[Key, DesiredMember] = {}
    for wanted in desired.groups:
        meant = directory.meant_by(wanted)
        if wanted.owner and len(meant) == 1:  # not by a name that several groups have
            owners[meant[0].id] = wanted.owner
        for group, member in product(meant, wanted.members):
            entries[group.id, directory.id_listed(member) or ""] = member
    rank = {person.id: position for position, person in enumerate(people)}
    for group in sorted(snapshot.groups, key=lambda group: (group.name.casefold(), group.id)):
        keys = [(group.id, people[at].id) for at in sorted(rank[each.id] for each in group.members)]
        yield ReviewedGroup(
            id=group.id,
            name=group.name,
            members=tuple(
                _membership(people[rank[key[1]]], history.current(*key), entries.get(key))
                for key in keys
            ),
            managed_by=managed.get(group.id),
            owner=owners.get(group.id),
        )


def _membership(person: Person, period: Period | None, entry: DesiredMember | None) -> Membership:
    step = None if period is None else period.since
    asked_by = step or entry
    return Membership(
        user_id=person.id,
        email=person.email,
        since=step.at if step else None,
        run=step.run if step else None,
        by=step.by.name if step else None,
        reason=(step.reason if step else "") or (entry.reason if entry else "") or "",
        source=_place(asked_by.source, asked_by.line) if asked_by else "",
        # The file is what counts now; the journal has what it said when the user was added.
        until=entry.until if entry else step.until if step else None,
    )


def _place(source: str, line: int | None) -> str:
    return f"{source}:{line}" if line else source


def _of_groups(review: Review, today: date) -> Iterator[Finding]:
    ending_by = today + timedelta(days=review.ending_days)
    for group in review.groups:
        if not group.members:
            yield Finding(kind=Kind.WITHOUT_MEMBERS, group_id=group.id)
        for each in group.members:
            if each.until is not None and each.until <= ending_by:
                kind = Kind.OVERDUE if each.until < today else Kind.ENDING
                yield Finding(kind=kind, user_id=each.user_id, group_id=group.id, on=each.until)


def _of_people(review: Review) -> Iterator[Finding]:
    members = {found.user_id for group in review.groups for found in group.members}
    unseen_since = review.made_at.astimezone(UTC).date() - timedelta(days=review.unseen_days)
    for person in review.people:
        kind = _MEMBERS.get(person.state) if person.id in members else Kind.WITHOUT_GROUP
        if kind is not None:
            yield Finding(kind=kind, user_id=person.id)
        if person.last_login is None:
            yield Finding(kind=Kind.LAST_LOGIN_UNKNOWN, user_id=person.id)
        elif (seen := person.last_login.astimezone(UTC).date()) <= unseen_since:
            yield Finding(kind=Kind.NOT_SEEN, user_id=person.id, on=seen)


def _notes(review: Review, history: History) -> Iterator[str]:
    if not review.complete:
        yield (
            "The API did not show that its list of users is complete: people who are in no group "
            "may be missing."
        )
    if history.unreadable:
        runs = ", ".join(summary.id for summary in history.unreadable)
        yield f"Journals that cannot be read, and so tell nothing here: {runs}."
    roles, unknown = review.roles, review.unknown_groups
    if not roles.were_read:
        return
    if unknown:
        names = [shown(group.name) for group in unknown[:_NAMED]]
        if len(unknown) > _NAMED:
            names.append(counted(len(unknown) - _NAMED, "other group"))
        whose = f"{joined(names)} {'grant' if len(names) > 1 else 'grants'}"
        all_of_them = len(unknown) == len(review.groups)
        yield f"What {'groups grant' if all_of_them else whose} is not known: {roles.reason}."
    own = [roles.of(person.id, "user") for person in review.people]
    if len(unknown) < max(1, len(review.groups)) and None in own:
        which = "all " if any(each is not None for each in own) else ""
        yield (
            f"Roles that people hold themselves are not {which}known: {roles.reason}. Who may do "
            "what is shown as far as groups grant it."
        )


def compare(
    earlier: Iterable[Group],
    snapshot: Snapshot,
    *,
    to: str,
    at: datetime,
    history: History | None = None,
) -> Comparison:
    """Return what has changed since an earlier state: that of `to`, in words, at a time, aware.

    When and by whom is known as far as a history tells it.
    """
    old, new = ({_state(group): group for group in groups} for groups in (earlier, snapshot.groups))
    # Most groups have not changed: they need no further look, which takes longer.
    before, after = (
        groups_of(evolve(snapshot, groups=tuple(one[each] for each in one.keys() - other.keys())))
        for one, other in ((old, new), (new, old))
    )
    done = _done_since(at, history or History())
    differences = [_difference(each, done) for each in compare_groups(before, after)]
    order = list(Event)
    differences.sort(
        key=lambda each: (each.group.name.casefold(), each.group.id, order.index(each.event))
    )
    return Comparison(to=to, at=at, differences=tuple(differences))


_Done: TypeAlias = Mapping[tuple[str | None, str | None], tuple[Change, Run]]


def _done_since(at: datetime, history: History) -> _Done:
    """Return what runs since a time did last to a group itself (no user) and to memberships."""
    done: dict[tuple[str | None, str | None], tuple[Change, Run]] = {}
    for run in (each for each in history.runs if each.header.started_at >= at):
        for outcome in run.confirmed:
            change = outcome.change
            users = [None] if change.user is None else [change.user.id]
            for user_id in [*users, *(user.id for user in change.members)]:
                done[outcome.group_id, user_id] = change, run
    return done


def _difference(each: GroupDifference, done: _Done) -> ReviewDifference:
    """Return a difference, with the run that made it: what came last must have led there."""
    user = UserRef(id=each.member.id or "", email=each.member.email) if each.member else None
    difference = ReviewDifference(
        event=_EVENTS[each.action], group=each.group, old_name=each.old_name, user=user
    )
    found = done.get((each.group.id, user.id if user else None))
    if found is None:
        return difference
    change, run = found
    is_loss = each.action is Action.REMOVE_USER and change.action is Action.DELETE_GROUP
    is_other_name = each.action is Action.RENAME_GROUP and change.group.name != each.group.name
    if is_other_name or not (is_loss or change.action is each.action):
        return difference
    header = run.header
    return evolve(difference, at=header.started_at, run=run.id, by=header.by.name)


def _state(group: Group) -> tuple[str, str, frozenset[str]]:
    return group.id, group.name, frozenset(member.id for member in group.members)
