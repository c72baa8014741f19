"""Build an access review: a pure function of the account, its users, the journals and the day."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from attrs import evolve

from cld_user_groups.membership.comparing import compare as compare_groups
from cld_user_groups.membership.comparing import groups_of
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
from cld_user_groups.membership.rules import breaches_in, managed_words, rules_for
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
    ordered = tuple(sorted(known.values(), key=_by_name))
    rank = {person.id: position for position, person in enumerate(ordered)}
    entries = {} if desired is None else _entries(snapshot, desired)
    managed = {} if desired is None else managed_words(rules_for(snapshot, desired))
    owners = {} if desired is None else _owners(snapshot, desired)
    groups = tuple(
        evolve(
            _reviewed(group, history, entries, known, rank),
            managed_by=managed.get(group.id),
            owner=owners.get(group.id),
        )
        for group in sorted(snapshot.groups, key=lambda group: (group.name.casefold(), group.id))
    )
    today = snapshot.taken_at.astimezone(UTC).date()
    members = {found.user_id for group in groups for found in group.members}
    roles = snapshot.roles
    access = access_of(groups, ordered, roles)
    findings = [
        *_of_groups(groups, today, today + timedelta(days=ending_days)),
        *_of_people(ordered, members, now.astimezone(UTC).date() - timedelta(days=unseen_days)),
        *findings_of(groups, access, roles),
    ]
    found = Review(
        account_id=snapshot.account_id,
        made_at=now,
        as_of=as_of,
        groups=groups,
        people=ordered,
        findings=by_weight(findings, access, groups, ordered, roles),
        changes=changes,
        unseen_days=unseen_days,
        ending_days=ending_days,
        roles=roles,
        access=access,
        origin=origin,
        complete=people.complete,
    )
    broken = () if desired is None else breaches_in(snapshot, desired)
    return evolve(
        found,
        notes=(
            *notes,
            *_notes(people, history),
            *_notes_on_roles(found),
            *(f"Rule: {each}." for each in broken),
        ),
    )


def _by_name(person: Person) -> tuple[str, str, str]:
    return ((person.name or person.email or "").casefold(), (person.email or ""), person.id)


def _entries(snapshot: Snapshot, desired: Desired) -> dict[Key, DesiredMember]:
    """Return what a file says of each membership, by the IDs of the group and the user."""
    directory = Directory(snapshot)
    found: dict[Key, DesiredMember] = {}
    for desired_group in desired.groups:
        for group in directory.meant_by(desired_group):
            for member in desired_group.members:
                user_id = directory.id_listed(member)
                if user_id is not None:
                    found[group.id, user_id] = member
    return found


def _owners(snapshot: Snapshot, desired: Desired) -> dict[str, str]:
    """Return who answers for groups, by ID: not by a name that several groups have."""
    directory = Directory(snapshot)
    found = ((each.owner, directory.meant_by(each)) for each in desired.groups)
    return {groups[0].id: owner for owner, groups in found if owner and len(groups) == 1}


def _reviewed(
    group: Group,
    history: History,
    entries: Mapping[Key, DesiredMember],
    people: Mapping[str, Person],
    rank: Mapping[str, int],
) -> ReviewedGroup:
    def membership(user_id: str) -> Membership:
        period, entry = history.current(group.id, user_id), entries.get((group.id, user_id))
        return _membership(people[user_id], period, entry)

    user_ids = sorted((member.id for member in group.members), key=rank.__getitem__)
    return ReviewedGroup(id=group.id, name=group.name, members=tuple(map(membership, user_ids)))


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


def _of_groups(groups: Iterable[ReviewedGroup], today: date, ending_by: date) -> Iterator[Finding]:
    for group in groups:
        if not group.members:
            yield Finding(kind=Kind.WITHOUT_MEMBERS, group_id=group.id)
        for membership in group.members:
            until = membership.until
            if until is not None and until <= ending_by:
                yield Finding(
                    kind=Kind.OVERDUE if until < today else Kind.ENDING,
                    user_id=membership.user_id,
                    group_id=group.id,
                    on=until,
                )


def _of_people(
    people: Iterable[Person], members: Container[str], unseen_since: date
) -> Iterator[Finding]:
    for person in people:
        kind = _MEMBERS.get(person.state) if person.id in members else Kind.WITHOUT_GROUP
        if kind is not None:
            yield Finding(kind=kind, user_id=person.id)
        if person.last_login is None:
            yield Finding(kind=Kind.LAST_LOGIN_UNKNOWN, user_id=person.id)
        elif (seen := person.last_login.astimezone(UTC).date()) <= unseen_since:
            yield Finding(kind=Kind.NOT_SEEN, user_id=person.id, on=seen)


def _notes(people: People, history: History) -> Iterator[str]:
    if not people.complete:
        yield (
            "The API did not show that its list of users is complete: people who are in no group "
            "may be missing."
        )
    if history.unreadable:
        runs = ", ".join(summary.id for summary in history.unreadable)
        yield f"Journals that cannot be read, and so tell nothing here: {runs}."


def _notes_on_roles(review: Review) -> Iterator[str]:
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
    differences = [
        ReviewDifference(
            event=_EVENTS[each.action],
            group=each.group,
            old_name=each.old_name,
            user=UserRef(id=each.member.id or "", email=each.member.email) if each.member else None,
        )
        for each in compare_groups(before, after)
    ]
    done = {} if history is None else _done_since(at, history)
    differences = [_with_run(each, done) for each in differences]
    order = list(Event)
    differences.sort(
        key=lambda each: (each.group.name.casefold(), each.group.id, order.index(each.event))
    )
    return Comparison(to=to, at=at, differences=tuple(differences))


def _done_since(at: datetime, history: History) -> dict[tuple[str, str | None], tuple[Change, Run]]:
    """Return what runs since a time did last to a group itself (no user) and to memberships."""
    done: dict[tuple[str, str | None], tuple[Change, Run]] = {}
    for run in (each for each in history.runs if each.header.started_at >= at):
        for outcome in run.confirmed:
            change = outcome.change
            users = [None] if change.user is None else [change.user.id]
            for user_id in [*users, *(user.id for user in change.members)]:
                done[outcome.group_id or "", user_id] = change, run
    return done


def _with_run(
    difference: ReviewDifference, done: Mapping[tuple[str, str | None], tuple[Change, Run]]
) -> ReviewDifference:
    """Return a difference with the run that made it: what came last must have led there."""
    user, event = difference.user, difference.event
    found = done.get((difference.group.id or "", user.id if user else None))
    if found is None:
        return difference
    change, run = found
    led_to = _EVENTS.get(change.action)
    if led_to is Event.GROUP_REMOVED and user is not None:
        led_to = Event.MEMBER_REMOVED
    if led_to is not event or (
        event is Event.GROUP_RENAMED and change.group.name != difference.group.name
    ):
        return difference
    header = run.header
    return evolve(difference, at=header.started_at, run=run.id, by=header.by.name)


def _state(group: Group) -> tuple[str, str, frozenset[str]]:
    return group.id, group.name, frozenset(member.id for member in group.members)
