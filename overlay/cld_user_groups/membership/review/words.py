"""The words that all renderings of a review share, and who is in what, by ID."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from cld_user_groups.membership.rendering._view import counted, joined, shown

from .model import Difference, Event, Finding, Kind, Membership, Person, Review, ReviewedGroup


class View:
    """A review, with its people and groups by ID.

    Args:
        review: The review.

    Attributes:
        review: The review.
        people: The people by ID.
        groups: The groups by ID.
        groups_of: The groups of each person, by the person's ID.
        by_kind: The findings of each kind; a kind without any is left out.
    """

    def __init__(self, review: Review) -> None:
        self.review = review
        self.people: Mapping[str, Person] = {person.id: person for person in review.people}
        self.groups: Mapping[str, ReviewedGroup] = {group.id: group for group in review.groups}
        self.groups_of: dict[str, list[ReviewedGroup]] = {}
        for group in review.groups:
            for membership in group.members:
                self.groups_of.setdefault(membership.user_id, []).append(group)
        self.by_kind: dict[Kind, list[Finding]] = {}
        self._kinds: dict[tuple[str | None, str | None], list[Kind]] = {}
        for finding in review.findings:
            self.by_kind.setdefault(finding.kind, []).append(finding)
            self._kinds.setdefault((finding.user_id, finding.group_id), []).append(finding.kind)

    def kinds(self, user_id: str | None, group_id: str | None) -> list[Kind]:
        """Return what was found about a person, a group, or a person in a group.

        Args:
            user_id: The person's ID, or None for the group alone.
            group_id: The group's ID, or None for the person alone.
        """
        keys = dict.fromkeys([(user_id, None), (user_id, group_id)])
        return [kind for key in keys for kind in self._kinds.get(key, ())]

    def group_names(self, user_id: str) -> str:
        """Return the names of a person's groups, in a list."""
        return ", ".join(shown(group.name) for group in self.groups_of.get(user_id, ()))

    def membership(self, group_id: str, user_id: str) -> Membership | None:
        """Return a person's membership in a group, or None."""
        group = self.groups.get(group_id)
        members = () if group is None else group.members
        return next((found for found in members if found.user_id == user_id), None)

    def title(self, kind: Kind) -> str:
        """Return what a kind of finding is, as a heading."""
        match kind:
            case Kind.DISABLED_MEMBER:
                return "Disabled, and still in groups"
            case Kind.PENDING_MEMBER:
                return "Invited, not joined yet, and already in groups"
            case Kind.OVERDUE:
                return "Memberships past their last day"
            case Kind.ENDING:
                return f"Memberships that end within {counted(self.review.ending_days, 'day')}"
            case Kind.NOT_SEEN:
                return f"Not seen for {counted(self.review.unseen_days, 'day')}"
            case Kind.LAST_LOGIN_UNKNOWN:
                return "Last login unknown"
            case Kind.WITHOUT_GROUP:
                return "In no group"
            case Kind.WITHOUT_MEMBERS:
                return "Groups without members"

    def has_no_logins(self) -> bool:
        """Return whether the API has told nobody's last login."""
        unknown = self.by_kind.get(Kind.LAST_LOGIN_UNKNOWN, ())
        return bool(unknown) and len(unknown) == len(self.review.people)

    def nothing_found(self) -> str:
        """Return a sentence that names the kinds of which nothing was found, or ""."""
        kinds = [self.title(kind) for kind in Kind if kind not in self.by_kind]
        return f"Nothing to report: {'; '.join(kinds)}." if kinds else ""


NO_LOGINS = "Last login unknown: the API returned no last login for anyone."


def heading(review: Review) -> str:
    """Return the title of a review."""
    return f"Access review of account {shown(review.account_id)}"


def introduction(review: Review) -> str:
    """Return when a review was made and what of."""
    made = f"Made on {moment(review.made_at)}."
    if review.as_of is None:
        return made
    return f"{made} The groups are shown as they were right after the run {shown(review.as_of)}."


def summary(review: Review) -> str:
    """Return the counts of a review in a sentence."""
    parts = (
        counted(len(review.groups), "group"),
        "1 person" if len(review.people) == 1 else f"{len(review.people):,} people",
        counted(review.memberships, "membership"),
    )
    return f"{joined(parts)}. {counted(len(review.findings), 'finding')} to look at."


def name_of(person: Person) -> str:
    """Return a person's name, else the e-mail, else the ID."""
    return shown(next(filter(None, (person.name, person.email)), person.id))


def address_of(person: Person) -> str:
    """Return a person's e-mail, else the ID."""
    return shown(person.email or person.id)


def role_of(person: Person) -> str:
    """Return a person's role, or ""."""
    return shown(person.role) if person.role else ""


def day(at: datetime | date | None) -> str:
    """Return the day of a time in UTC, or ""."""
    if at is None:
        return ""
    return f"{at.astimezone(UTC).date() if isinstance(at, datetime) else at}"


def moment(at: datetime) -> str:
    """Return a time to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def event(difference: Difference) -> str:
    """Return what has happened."""
    match difference.event:
        case Event.GROUP_ADDED:
            return "group created"
        case Event.GROUP_REMOVED:
            return "group deleted"
        case Event.GROUP_RENAMED:
            return f"group renamed from {shown(difference.old_name or '')}"
        case Event.MEMBER_ADDED:
            return "added"
        case Event.MEMBER_REMOVED:
            return "removed"


def no_changes(review: Review) -> str:
    """Return a sentence that says why there are no changes to show, or ""."""
    if review.changes is None:
        return "There is no earlier report to compare with."
    if not review.changes.differences:
        return f"Nothing has changed since {shown(review.changes.to)}."
    return ""


def details(membership: Membership) -> list[str]:
    """Return what is known of a membership: since when, by whom, why, until when."""
    return [
        *([f"since {day(membership.since)}"] if membership.since else []),
        *([f"by {shown(membership.by)}"] if membership.by else []),
        *([shown(membership.reason)] if membership.reason else []),
        *([shown(membership.source)] if membership.source else []),
        *([f"until {membership.until}"] if membership.until else []),
    ]


def subject(view: View, finding: Finding) -> list[str]:
    """Return whom and which groups a finding is about, and the day."""
    if finding.user_id is None:
        return [shown(view.groups[finding.group_id or ""].name)]
    person = address_of(view.people[finding.user_id])
    if finding.group_id is not None:
        return [person, shown(view.groups[finding.group_id].name), f"until {finding.on}"]
    seen = [f"last login {finding.on}"] if finding.on else []
    groups = view.group_names(finding.user_id)
    return [person, *seen, *([groups] if groups else [])]
