"""An access review as data: who is in what, since when and why, and what a reviewer looks at."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from attrs import field, frozen

from cld_user_groups.membership.grants import Grant, GroupRef, Roles
from cld_user_groups.membership.model import UserRef
from cld_user_groups.membership.snapshot import State


@frozen(kw_only=True)
class Person:
    """A user of the account; what the API did not return is None.

    Attributes:
        role: The role in the account.
        state: Whether the user can log in.
        last_login: Aware. The API does not distinguish "never" from "not known".
    """

    id: str
    email: str | None = None
    name: str | None = None
    role: str | None = None
    state: State = State.UNKNOWN
    last_login: datetime | None = None


@frozen(kw_only=True)
class Membership:
    """A person's membership in a group; what is not known of it is None or "".

    Attributes:
        user_id: The user's ID.
        email: The user's e-mail.
        since: When the run began that added the user.
        run: The ID of that run.
        by: Who ran it, "user@host".
        reason: Why, in the words of the file or the command.
        source: The file, or the command, that asked for it.
        until: The last day for which it was asked for.
    """

    user_id: str
    email: str | None = None
    since: datetime | None = None
    run: str | None = None
    by: str | None = None
    reason: str = ""
    source: str = ""
    until: date | None = None


@frozen(kw_only=True)
class ReviewedGroup:
    """A group and who is in it, in the order of the review's people.

    Attributes:
        managed_by: What else manages the group, where a file says that something does, or None.
        owner: Who answers for the group, where a file says so, or None.
    """

    id: str
    name: str
    members: tuple[Membership, ...] = ()
    managed_by: str | None = None
    owner: str | None = None


@frozen(kw_only=True)
class RoleHolder:
    """A person who may do what a role allows.

    Attributes:
        user_id: The person.
        own: Whether the role is assigned to the person too; None where that is not known.
        group_ids: The groups through which the person has it.
    """

    user_id: str
    own: bool | None
    group_ids: tuple[str, ...]


@frozen(kw_only=True)
class Access:
    """What a role allows somewhere, and who may do it.

    Attributes:
        grant: The role, and where it applies.
        group_ids: The groups that grant it, with members or without.
        holders: Who has it, in the order of the review's people.
    """

    grant: Grant
    group_ids: tuple[str, ...] = ()
    holders: tuple[RoleHolder, ...] = ()


class Kind(StrEnum):
    """What a reviewer is to look at."""

    DISABLED_MEMBER = "disabled_member"
    PENDING_MEMBER = "pending_member"
    OVERDUE = "overdue"
    ENDING = "ending"
    FULL_CONTROL_BY_ONE_GROUP = "full_control_by_one_group"
    NOT_SEEN = "not_seen"
    LAST_LOGIN_UNKNOWN = "last_login_unknown"
    WITHOUT_GROUP = "without_group"
    WITHOUT_MEMBERS = "without_members"
    SAME_ACCESS = "same_access"
    WITHOUT_ROLES = "without_roles"


#: What is found only where it is known what groups grant.
OF_ROLES = frozenset({Kind.FULL_CONTROL_BY_ONE_GROUP, Kind.SAME_ACCESS, Kind.WITHOUT_ROLES})


@frozen(kw_only=True)
class Finding:
    """One thing that a reviewer is to look at: a person, a group, or a membership.

    Attributes:
        kind: What it is.
        user_id: The person, or None.
        group_id: The group, or None.
        on: The day that it is about: of the last login, or the last one of the membership.
        same_as: Another group with the same members and roles, or None.
        full_control: Whether the person, or whoever is in the group, may do everything somewhere;
            None where that is not known.
    """

    kind: Kind
    user_id: str | None = None
    group_id: str | None = None
    on: date | None = None
    same_as: str | None = None
    full_control: bool | None = None


class Event(StrEnum):
    """How the account differs from an earlier state."""

    GROUP_ADDED = "group_added"
    GROUP_REMOVED = "group_removed"
    GROUP_RENAMED = "group_renamed"
    MEMBER_ADDED = "member_added"
    MEMBER_REMOVED = "member_removed"


@frozen(kw_only=True)
class ReviewDifference:
    """One way in which the account differs from an earlier state.

    Attributes:
        event: What has happened.
        group: The group, by its name now or last.
        old_name: The name that it had, for `GROUP_RENAMED`.
        user: The user, by the e-mail now or last, for `MEMBER_ADDED` and `MEMBER_REMOVED`.
        at: When the run began that did it, or None where no journal knows.
        run: The ID of that run.
        by: Who ran it, "user@host".
    """

    event: Event
    group: GroupRef
    old_name: str | None = None
    user: UserRef | None = None
    at: datetime | None = None
    run: str | None = None
    by: str | None = None


@frozen(kw_only=True)
class Comparison:
    """What has changed since an earlier state.

    Attributes:
        to: What it is compared with, in words: "the report of 2026-08-22".
        at: When that was, aware, in UTC.
        differences: What has changed since.
    """

    to: str
    at: datetime
    differences: tuple[ReviewDifference, ...] = ()


@frozen(kw_only=True)
class Origin:
    """Where a review comes from: the server, who made it, and with what.

    Attributes:
        server: The URL of the server.
        by: The user of the system that made it, "user@host".
        api_key: The end of the API key, after "***".
        version: The version of this distribution.
        roles: Whose roles were to be read: "groups", "people" (of groups too), or "none".
    """

    server: str
    by: str
    api_key: str
    version: str
    roles: str


@frozen(kw_only=True)
class Review:
    """An access review of an account.

    Attributes:
        account_id: The account.
        made_at: When the account was read, aware, in UTC.
        unseen_days: After how many days without a login a person counts as not seen.
        ending_days: Within how many days a membership counts as ending soon.
        as_of: The ID of the run right after which the groups are shown, or None for now.
        groups: All groups, by name.
        people: All users, and everyone in a group, by name.
        findings: What a reviewer is to look at, by kind.
        changes: What has changed since an earlier state, or None where there is none.
        notes: What a reader should know, a sentence each.
        roles: What groups and people are granted, as far as that was read.
        access: Who may do what, and through which groups, as far as that is known.
        origin: Where the review comes from, or None.
        complete: Whether there is no sign that the API has left users out.
    """

    account_id: str
    made_at: datetime
    unseen_days: int
    ending_days: int
    as_of: str | None = None
    groups: tuple[ReviewedGroup, ...] = ()
    people: tuple[Person, ...] = ()
    findings: tuple[Finding, ...] = ()
    changes: Comparison | None = None
    notes: tuple[str, ...] = ()
    roles: Roles = field(factory=Roles)
    access: tuple[Access, ...] = ()
    origin: Origin | None = None
    complete: bool = True

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of findings of which all could be found: not those that need unknown roles."""
        known = self.roles.were_read and not self.unknown_groups
        return tuple(kind for kind in Kind if known or kind not in OF_ROLES)

    @property
    def unknown_groups(self) -> tuple[ReviewedGroup, ...]:
        """The groups of which it is not known what they grant."""
        return tuple(group for group in self.groups if self.roles.of(group.id) is None)

    @property
    def memberships(self) -> int:
        """How many memberships there are."""
        return sum(len(group.members) for group in self.groups)
