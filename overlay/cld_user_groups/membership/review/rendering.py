"""An access review for people: as text, as Markdown, as HTML, and as rows for a spreadsheet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TypeAlias

from cld_user_groups.membership.grants import NO_ROLE, Grant
from cld_user_groups.membership.model import UserRef
from cld_user_groups.membership.rendering import counted, joined, render, shown
from cld_user_groups.membership.snapshot import State

from .access import sole_sources
from .model import (
    Event,
    Finding,
    Kind,
    Membership,
    Person,
    Review,
    ReviewDifference,
    ReviewedGroup,
    RoleHolder,
)
from .picture import MARKS, panels
from .store import digest_of

Value: TypeAlias = str | datetime | None

COLUMNS = (
    "group", "group_id", "email", "name", "user_id", "role", "state", "last_login", "since",
    "by", "run", "reason", "source", "until", "findings",
    "roles", "managed_by",
)  # fmt: skip
_NO_LOGINS = "Last login unknown: the API returned no last login for anyone."


def render_html(review: Review) -> str:
    """Return a review as an HTML document that works without scripts and prints well."""
    view = View(review)
    picture, left_out = panels(view)
    data = {**_data(view), "panels": picture, "left_out": left_out, "marks": MARKS}
    return render("review.html.jinja", data)


def render_markdown(review: Review) -> str:
    """Return a review as Markdown (CommonMark), for a ticket or a wiki."""
    return render("review.md.jinja", _data(View(review)))


def render_text(review: Review) -> str:
    """Return a review as text, for a terminal or a mail."""
    return render("review.txt.jinja", _data(View(review)))


def _data(view: View) -> dict[str, object]:
    functions = {"day": day, "moment": moment, "event": event, "no_logins": _NO_LOGINS}
    return {"view": view, "review": view.review, **functions}


class View:
    """A review with its people and groups by ID, and the sentences that its renderings share.

    Attributes:
        groups_of: The groups of each person, by the person's ID.
        by_kind: The findings of each kind; a kind without any is left out.
        sole: The roles of full control that a person has through one group only, by both IDs.
    """

    def __init__(self, review: Review) -> None:
        self.review = review
        self.people: Mapping[str, Person] = {person.id: person for person in review.people}
        self.groups: Mapping[str, ReviewedGroup] = {group.id: group for group in review.groups}
        self.groups_of: dict[str, list[ReviewedGroup]] = {}
        self._memberships: dict[tuple[str, str], Membership] = {}
        for group in review.groups:
            for membership in group.members:
                self.groups_of.setdefault(membership.user_id, []).append(group)
                self._memberships[group.id, membership.user_id] = membership
        self.by_kind: dict[Kind, list[Finding]] = {}
        self._kinds: dict[tuple[str | None, str | None], list[Kind]] = {}
        for finding in review.findings:
            self.by_kind.setdefault(finding.kind, []).append(finding)
            self._kinds.setdefault((finding.user_id, finding.group_id), []).append(finding.kind)
        self.sole = sole_sources(review.access)
        names = Counter(map(self.name_of, review.people))
        #: How a person is called where the e-mail stands elsewhere: namesakes are told apart.
        self.labels = {
            person.id: name if names[name] == 1 else f"{name} ({self.address_of(person)})"
            for person in review.people
            for name in [self.name_of(person)]
        }
        self.group_labels = {group.id: shown(group.name) for group in review.groups}

    def kinds(self, user_id: str | None, group_id: str | None) -> list[Kind]:
        """Return what was found about a person, a group (no person), or a person in a group."""
        keys = dict.fromkeys([(user_id, None), (user_id, group_id)])
        return [kind for key in keys for kind in self._kinds.get(key, ())]

    def all_kinds(self, user_id: str | None, group_id: str | None) -> str:
        """Return what was found about a membership, the person and the group, in one text."""
        found = (*self.kinds(user_id, group_id), *self.kinds(None, group_id))
        return "; ".join(dict.fromkeys(found))

    def to_look_at(self, group: ReviewedGroup) -> int:
        """Return how many of a group's members, or whether the group itself, have findings."""
        whom: list[str | None] = [None, *(found.user_id for found in group.members)]
        return sum(bool(self.kinds(user_id, group.id)) for user_id in whom)

    def membership(self, group_id: str, user: UserRef | None) -> Membership | None:
        """Return a person's membership in a group, or None."""
        return None if user is None else self._memberships.get((group_id, user.id))

    @staticmethod
    def name_of(person: Person) -> str:
        """Return a person's name, else the e-mail, else the ID."""
        return shown(next(filter(None, (person.name, person.email)), person.id))

    @staticmethod
    def address_of(person: Person) -> str:
        """Return a person's e-mail, else the ID."""
        return shown(person.email or person.id)

    def group_names(self, user_id: str, most: int | None = None) -> str:
        """Return the names of a person's groups, in a list; of more than `most`, how many more."""
        names = [self.group_labels[group.id] for group in self.groups_of.get(user_id, ())]
        more = 0 if most is None else len(names) - most
        return ", ".join([*names[:most], *([f"and {more:,} more"] if more > 0 else [])])

    def heading(self) -> str:
        """Return the title of the review."""
        return f"Access review of account {shown(self.review.account_id)}"

    def introduction(self) -> str:
        """Return when the review was made and what of."""
        made = f"Made on {moment(self.review.made_at)}."
        run = self.review.as_of
        if run is None:
            return made
        return f"{made} The groups are shown as they were right after the run {shown(run)}."

    def head(self) -> dict[str, str]:
        """Return what makes a review evidence: who made it and how, of what, and its digest."""
        review, origin = self.review, self.review.origin
        made: dict[str, str] = {}
        if origin is not None:
            by = [origin.by, f"API key {origin.api_key}", f"cld-user-groups {origin.version}"]
            made = {"Made by": shown(", ".join(by)), "Server": shown(origin.server)}
        unseen, ending = (counted(each, "day") for each in (review.unseen_days, review.ending_days))
        missing = ["roles in folders and collections" if review.roles.were_read else "roles"]
        unknown = sum(review.roles.of(person.id, "user") is None for person in review.people)
        if unknown and review.roles.were_read:
            missing.append(f"the own roles of {counted(unknown, 'person')}")
        return {
            **made,
            "Thresholds": f"not seen for {unseen}; ends within {ending}",
            "Read": self._read(),
            "Not in it": "; ".join([*missing, "who made changes elsewhere, and when"]),
            "SHA-256": digest_of(review),
        }

    def _read(self) -> str:
        """Return what was read whole, and what was not."""
        review = self.review
        groups, people = counted(len(review.groups), "group"), counted(len(review.people), "person")
        lists = f"all {groups} and all {people} that the account lists"
        if review.as_of is not None:  # and who was in them may be on no list any more
            lists = "the groups as the journals record them, and the people that the account lists"
        if not review.complete:
            lists += "; some people who are in no group may be missing"
        known = len(review.groups) - len(review.unknown_groups)
        roles = (
            f"what {known:,} of {groups} grant" if review.roles.were_read else "roles were not read"
        )
        return f"{lists}; {roles}"

    def figures(self) -> dict[str, int]:
        """Return the counts of the review."""
        return {
            "Groups": len(self.review.groups),
            "People": len(self.review.people),
            "Memberships": self.review.memberships,
            "To look at": len(self.review.findings),
        }

    def summary(self) -> str:
        """Return the counts of the review in a sentence."""
        groups, people, memberships, findings = self.figures().values()
        nouns = ("group", "person", "membership")
        parts = map(counted, (groups, people, memberships), nouns)
        return f"{joined(parts)}. {counted(findings, 'finding')} to look at."

    def title(self, kind: Kind) -> str:
        """Return what a kind of finding is, as a heading."""
        return {
            Kind.DISABLED_MEMBER: "Disabled, and still in groups",
            Kind.PENDING_MEMBER: "Invited, not joined yet, and already in groups",
            Kind.OVERDUE: "Memberships past their last day",
            Kind.ENDING: f"Memberships that end within {counted(self.review.ending_days, 'day')}",
            Kind.NOT_SEEN: f"Not seen for {counted(self.review.unseen_days, 'day')}",
            Kind.LAST_LOGIN_UNKNOWN: "Last login unknown",
            Kind.WITHOUT_GROUP: "In no group",
            Kind.WITHOUT_MEMBERS: "Groups without members",
            Kind.FULL_CONTROL_BY_ONE_GROUP: "Full control through one group only, as far as known",
            Kind.SAME_ACCESS: "Groups with the same members and the same known roles",
            Kind.WITHOUT_ROLES: f"Groups with {NO_ROLE}",
        }[kind]

    def caption(self, kind: Kind) -> str:
        """Return a kind of finding with their number, and that of those with full control."""
        found = self.by_kind[kind]
        full = sum(each.full_control is True for each in found)
        some = f", {full:,} with full control" if 0 < full < len(found) else ""
        return f"{self.title(kind)} ({len(found):,}{some})"

    def grants(self, group: ReviewedGroup) -> list[tuple[str, bool | None]]:
        """Return what a group grants, and whether that is full control; None: it is not known."""
        grants = self.review.roles.of(group.id)
        if grants is None:
            return [("not known", None)]  # a note says why
        return [(grant.text, grant.is_full_control) for grant in grants] or [(NO_ROLE, False)]

    def granted(self, group: ReviewedGroup) -> list[str]:
        """Return what a group grants, or that it is not known."""
        return [text for text, _ in self.grants(group)]

    def no_access(self) -> str:
        """Return why there is nobody of whom it is said what they may do."""
        if self.review.unknown_groups:
            return "It is not known what the groups grant."
        return f"As far as groups grant it: {NO_ROLE}."

    def through(self, holder: RoleHolder) -> str:
        """Return the groups through which a person has a role, and whether it is an own one too."""
        names = ", ".join(self.group_labels[each] for each in holder.group_ids)
        own = ["assigned to the person"] if holder.own else []
        return " and ".join([*own, *([f"through {names}"] if names else [])])

    def has_no_logins(self) -> bool:
        """Return whether the API has told nobody's last login."""
        unknown = self.by_kind.get(Kind.LAST_LOGIN_UNKNOWN, ())
        return bool(unknown) and len(unknown) == len(self.review.people)

    def nothing_found(self) -> str:
        """Return a sentence that names the kinds of which nothing was found, or ""."""
        kinds = [self.title(kind) for kind in self.review.kinds if kind not in self.by_kind]
        return f"Nothing to report: {'; '.join(kinds)}." if kinds else ""

    def no_changes(self) -> str:
        """Return a sentence that says why there are no changes to show, or ""."""
        changes = self.review.changes
        if changes is None:
            return "There is no earlier report to compare with."
        return "" if changes.differences else f"Nothing has changed since {shown(changes.to)}."

    def when(self, difference: ReviewDifference) -> list[str]:
        """Return when and by whom something was done; nothing where no journal knows anything."""
        changes = self.review.changes
        if difference.at is not None:
            return [f"on {day(difference.at)} by {shown(difference.by or 'somebody')}"]
        is_known = changes is not None and any(each.at for each in changes.differences)
        return ["when and by whom is not known"] if is_known else []

    def marks(self) -> dict[str, str]:
        """Return what the marks of the picture mean."""
        meanings = {"in": "in the group", "blocked": "in the group, but cannot log in"}
        if self.review.changes is not None:
            meanings["new"] = f"added since {shown(self.review.changes.to)}"
        return meanings

    def subject(self, finding: Finding) -> list[str]:
        """Return whom and which groups a finding is about, and the day."""
        if finding.user_id is None:
            same = self.groups.get(finding.same_as or "")
            of_group = [shown(self.groups[finding.group_id or ""].name)]
            return [*of_group, f"the same as {shown(same.name)}"] if same else of_group
        person = self.address_of(self.people[finding.user_id])
        if finding.full_control and finding.kind is not Kind.FULL_CONTROL_BY_ONE_GROUP:
            person = f"{person} (full control)"
        if finding.group_id is not None:
            until = [f"until {finding.on}"] if finding.on else self.full_control(finding)
            return [person, shown(self.groups[finding.group_id].name), *until]
        seen = [f"last login {finding.on}"] if finding.on else []
        groups = self.group_names(finding.user_id)
        return [person, *seen, *([groups] if groups else [])]

    def full_control(self, finding: Finding) -> list[str]:
        """Return the roles that a person has through one group only."""
        grants: list[Grant] = self.sole.get((finding.user_id or "", finding.group_id or ""), [])
        return [grant.text for grant in grants]

    def members(self, group: ReviewedGroup) -> Iterator[tuple[str, list[str]]]:
        """Yield since when and by whom, and of whom that is so: the name, state and why."""
        added: dict[tuple[str, str], list[str]] = {}
        for found in group.members:
            key = day(found.since), shown(found.by) if found.by else ""
            added.setdefault(key, []).append(self._member(found))
        for since, by in sorted(added, key=lambda key: (not key[0], key)):
            words = f"Since {since}{by and f' by {by}'}" if since else "Since when is not known"
            yield words, added[since, by]

    def _member(self, membership: Membership) -> str:
        person = self.people[membership.user_id]
        is_blocked = person.state in (State.DISABLED, State.PENDING)
        details = [*([person.state.value] if is_blocked else []), *self._why(membership)]
        return ": ".join(filter(None, (self.labels[person.id], ", ".join(details))))

    def details(self, membership: Membership) -> list[str]:
        """Return what is known of a membership: since when, by whom, why, until when."""
        return [
            *([f"since {day(membership.since)}"] if membership.since else []),
            *([f"by {shown(membership.by)}"] if membership.by else []),
            *self._why(membership),
        ]

    @staticmethod
    def _why(membership: Membership) -> list[str]:
        until = [f"until {membership.until}"] if membership.until else []
        return [*(shown(text) for text in (membership.reason, membership.source) if text), *until]


def day(at: datetime | date | None) -> str:
    """Return the day of a time in UTC, or ""."""
    if at is None:
        return ""
    return f"{at.astimezone(UTC).date() if isinstance(at, datetime) else at}"


def moment(at: datetime) -> str:
    """Return a time to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def event(difference: ReviewDifference) -> str:
    """Return what has happened."""
    return {
        Event.GROUP_ADDED: "group created",
        Event.GROUP_REMOVED: "group deleted",
        Event.GROUP_RENAMED: f"group renamed from {shown(difference.old_name or '')}",
        Event.MEMBER_ADDED: "added",
        Event.MEMBER_REMOVED: "removed",
    }[difference.event]


def rows(review: Review) -> Iterator[tuple[Value, ...]]:
    """Return the rows of a review, in the order of its groups; see `COLUMNS`."""
    view = View(review)
    nothing: tuple[Value, ...] = (None,) * 6
    for group in review.groups:
        granted = "; ".join(view.granted(group)) if review.roles.were_read else None
        of_group = group.name, group.id
        for found in group.members:
            yield (
                *of_group,
                *_of_person(view.people[found.user_id]),
                *(found.since, found.by, found.run, found.reason, found.source),
                str(found.until) if found.until else None,
                *(view.all_kinds(found.user_id, group.id), granted, group.managed_by),
            )
        if not group.members:
            kinds = view.all_kinds(None, group.id)
            yield (*of_group, *nothing, *nothing, kinds, granted, group.managed_by)
    for person in review.people:
        if person.id not in view.groups_of:
            kinds = view.all_kinds(person.id, None)
            yield (None, None, *_of_person(person), *nothing, kinds, None, None)


def _of_person(person: Person) -> tuple[Value, ...]:
    state, last_login = person.state.value, person.last_login
    return person.email, person.name, person.id, person.role, state, last_login
