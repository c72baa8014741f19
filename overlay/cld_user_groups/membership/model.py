"""Memberships as data: what an account has, what a file wants, and the changes between the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from attrs import Attribute, evolve, field, frozen

from .grants import NOT_READ, Grant, GroupRef, RoleEffects, Roles

_NOTHING: Final[Mapping[str, str]] = {}


@frozen(kw_only=True)
class Member:
    """A person in an account, as a group or a lookup shows them.

    Attributes:
        email: The e-mail as the API returned it, or None where it returned none.
        name: The name, for people to read, or None.
    """

    id: str
    email: str | None = None
    name: str | None = None

    @property
    def ref(self) -> UserRef:
        """The user that changes are about."""
        return UserRef(id=self.id, email=self.email)


@frozen(kw_only=True)
class Group:
    """A group in an account, with its whole membership: a snapshot is complete, or an error."""

    id: str
    name: str
    members: tuple[Member, ...] = ()

    @property
    def ref(self) -> GroupRef:
        """The group that changes are about."""
        return GroupRef(id=self.id, name=self.name)


@frozen(kw_only=True)
class Snapshot:
    """An account as it was read.

    Attributes:
        groups: All groups of the account.
        people: Users found by a lookup, beyond those in a group.
        missing_ids: IDs that a lookup did not find.
        server_time: What time the server says it is, aware, in UTC, or None where it did not say.
        requests_left: How many requests are left of the quota, or None if not reported.
        quota_reset_at: When the quota is renewed, aware, or None if the API did not report it.
        roles: What groups and users are granted, as far as that was read.
        taken_at: When it was read, as an aware datetime in UTC.
    """

    account_id: str
    groups: tuple[Group, ...]
    people: tuple[Member, ...] = ()
    missing_ids: tuple[str, ...] = ()
    requests_left: int | None = None
    quota_reset_at: datetime | None = None
    server_time: datetime | None = None
    roles: Roles = NOT_READ
    taken_at: datetime

    @property
    def sizes(self) -> dict[str, int]:
        """How many members each group has, by ID."""
        return {group.id: len(group.members) for group in self.groups}

    def server_day(self, day: date) -> date:
        """Return the day on the server's clock, or this one where the server did not say."""
        return day if self.server_time is None else self.server_time.date()


def _check_count(limits: object, attribute: Attribute[int | None], value: int | None) -> None:
    if value is not None and value < 0:
        raise ValueError(f"{attribute.name} must be 0 or more, not {value}")


def _check_limit(rule: Rule, attribute: Attribute[int | None], value: int | None) -> None:
    _check_count(rule, attribute, value)
    if (value is not None) != (rule.kind == "max_members"):
        raise ValueError("limit must be there for max_members, and only there")


#: What a rule is about; the name of its key in a file.
RuleKind: TypeAlias = Literal[
    "max_members", "email_domains", "require_until", "not_together", "not_with_role"
]


@frozen(kw_only=True)
class Rule:
    """A rule of a file: what memberships must not be.

    Attributes:
        kind: Which rule.
        groups: The groups that it is about, once it is known which these are.
        limit: The most members that a group may have, for `max_members`.
        values: The domains, the names or IDs of the roles, or of the groups for `not_together`.
        line: Its line in the source, from 1, or None.
    """

    kind: RuleKind
    groups: tuple[GroupRef, ...] = ()
    limit: int | None = field(default=None, validator=_check_limit)
    values: tuple[str, ...] = ()
    source: str = ""
    line: int | None = None


@frozen(kw_only=True)
class DesiredMember:
    """A membership that a file asks for: by ID, by e-mail, or both.

    Attributes:
        email: The e-mail as written, or None.
        until: The last day on which the membership is wanted, or None for no end.
        reason: Why, in the file's words, or None.
        source: The file that it is in, which may be an included one.
        line: Its line in that file, from 1.
    """

    id: str | None = None
    email: str | None = None
    until: date | None = None
    reason: str | None = None
    source: str = ""
    line: int = 0


@frozen(kw_only=True)
class DesiredGroup:
    """A group that a file names.

    Attributes:
        name: The name that it is to have.
        id: The group's ID, which pins it whatever its name, or None.
        previously: Names that it may have now.
        mode: "exact": nobody else is a member; "additive": others stay.
        state: "present", or "absent": the group is to be deleted.
        allow_empty: Whether the file says that the group may lose all its members.
        allow_new: Whether the file says that it is a new group, whatever group it resembles.
        managed_by: What else manages the group, which is then never written, or None.
        owner: Who answers for the group, for its review only, or None.
        members: Who is to be in it.
        rules: What its memberships must not be.
        reason: Why, in the file's words, or None.
        line: Its line in the source, from 1.
    """

    name: str
    id: str | None = None
    previously: tuple[str, ...] = ()
    mode: Literal["exact", "additive"] = "exact"
    state: Literal["present", "absent"] = "present"
    allow_empty: bool = False
    allow_new: bool = False
    managed_by: str | None = None
    owner: str | None = None
    members: tuple[DesiredMember, ...] = ()
    rules: tuple[Rule, ...] = ()
    reason: str | None = None
    source: str = ""
    line: int = 0


def _check_share(limits: object, attribute: Attribute[float], value: float) -> None:
    if not 0 <= value <= 1:  # nor is NaN
        raise ValueError(f"{attribute.name} must be from 0 to 1, not {value}")


@frozen(kw_only=True)
class GuardLimits:
    """How much a run may remove before a human must confirm it.

    Attributes:
        max_removals: The most memberships that may end over all groups; None for the default (10,
            or 10 % of all memberships looked at, whichever is more).
        max_removals_per_group: The largest share of a group's members that may be removed, from 0
            to 1. Up to two are always allowed.

    Raises:
        ValueError: A limit is out of its range.
    """

    max_removals: int | None = field(default=None, validator=_check_count)
    max_removals_per_group: float = field(default=0.25, validator=_check_share)


@frozen(kw_only=True)
class Desired:
    """What a file asks for.

    Attributes:
        source: The file's name, "-" for standard input.
        digest: The SHA-256 of what was read, the files it includes too, in hex.
        account: The only account that it may be applied to, or None for any.
        guards: The limits in the file.
        protect: IDs, e-mails and globs of members who are never removed.
        rules: What no membership of its groups must be.
        groups: The groups that it names; no other group is touched.
        users: Who else is a user of the account, for a copy of it; planning ignores them.
    """

    source: str
    digest: str
    account: str | None = None
    guards: GuardLimits = field(factory=GuardLimits)
    protect: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    groups: tuple[DesiredGroup, ...] = ()
    users: tuple[DesiredMember, ...] = ()


class Action(StrEnum):
    """What a change does; the order is that of a plan: make before break."""

    CREATE_GROUP = "create_group"
    RENAME_GROUP = "rename_group"
    ADD_USER = "add_user"
    ASSIGN_ROLE = "assign_role"
    REMOVE_USER = "remove_user"
    DELETE_GROUP = "delete_group"


@frozen(kw_only=True)
class UserRef:
    """The user that a change is about; the e-mail is None where it is not known."""

    id: str
    email: str | None = None

    @property
    def text(self) -> str:
        """What names the user to people: the e-mail, or else the ID."""
        return self.email or self.id


@frozen(kw_only=True)
class Change:
    """One change, which is one write.

    Attributes:
        user: The user, for `add_user` and `remove_user`.
        old_name: The name before, for `rename_group`.
        members: Who is in the group when it is planned, for `delete_group`, so that it can be
            undone.
        until: The last day for which the file asks for the membership, for `add_user`, or None.
        source: The file that asks for it, or "".
        line: The line in that file, or None.
        depends_on: Positions in the plan of the changes that must have succeeded before. One that
            assigns a role must only have ended: its failure holds back nothing.
        role: The role, for `assign_role`, with which only an undo gives back what a group granted.
    """

    action: Action
    group: GroupRef
    user: UserRef | None = None
    old_name: str | None = None
    members: tuple[UserRef, ...] = ()
    until: date | None = None
    reason: str = ""
    source: str = ""
    line: int | None = None
    depends_on: tuple[int, ...] = ()
    role: Grant | None = field(default=None, metadata={"optional": True})

    @property
    def leavers(self) -> tuple[UserRef, ...]:
        """Whom it takes out of the group."""
        if self.action is Action.REMOVE_USER and self.user is not None:
            return (self.user,)
        return self.members if self.action is Action.DELETE_GROUP else ()


@frozen(kw_only=True)
class Breach:
    """A guard that a plan does not pass.

    Attributes:
        guard: Which: "max_removals", "max_removals_per_group", "empties_group", "deletes_members",
            "protected".
        message: What is wrong and what would be needed, in a sentence.
        group: The group, or None where all groups count together.
        removals: How many memberships the plan ends there.
        limit: How many it may end.
    """

    guard: str
    message: str
    group: GroupRef | None = None
    removals: int = 0
    limit: int = 0


@frozen(kw_only=True)
class Plan:
    """An ordered list of changes, and what must hold for it to be applied.

    Attributes:
        account_id: The account that it is for.
        source: The file that it comes from, or what created it ("add", "undo of RUN").
        digest: The digest of that file, or "".
        created_at: When it was created, aware, in UTC.
        expires_at: When it expires, aware, in UTC; after that it is rejected.
        today: The day for which memberships are wanted, or None where no day decides anything.
        changes: The changes, in an order that satisfies `depends_on`.
        fingerprints: For each existing group that it touches, by ID, a digest of its state.
        breaches: The guards that it does not pass; empty if it may be applied.
        requests_left: How many requests were left of the quota when it was created, or None.
        notes: What a reader should know, a sentence each (members who are protected, ...).
        warnings: What may be an accident of the source, and is still done, a sentence each.
        held_back: What is wanted and left out, and why, a sentence each. A run of the plan is
            incomplete, whatever becomes of its changes.
        limits: The limits in the file, which the guards hold the plan to.
        protect: IDs, e-mails and globs of members whom the guards never let it remove.
        allow_empty: IDs of the groups that may end empty, or deleted with members in them.
        memberships: How many memberships the groups that the file names have now, which is what a
            share of all memberships refers to; None for those of the groups that it touches.
        rules: The rules of the file, which its changes must not break.
        managed: By ID, what else manages a group, which it must not change.
        roles: What it gives and ends; None where no roles were read.
        read_with: The options that said how another program had written its file.
        is_saved: Whether it was loaded from a file, where somebody may have edited it.
    """

    account_id: str
    source: str
    digest: str = ""
    created_at: datetime
    expires_at: datetime
    today: date | None = None
    changes: tuple[Change, ...] = ()
    fingerprints: Mapping[str, str] = field(factory=dict[str, str])
    breaches: tuple[Breach, ...] = ()
    requests_left: int | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    limits: GuardLimits = field(factory=GuardLimits)
    protect: tuple[str, ...] = ()
    allow_empty: tuple[str, ...] = ()
    memberships: int | None = None
    rules: tuple[Rule, ...] = ()
    managed: Mapping[str, str] = _NOTHING
    roles: RoleEffects | None = field(default=None, metadata={"optional": True})
    read_with: tuple[str, ...] = field(default=(), metadata={"optional": True})
    is_saved: bool = field(default=False, eq=False, repr=False)

    def with_changes(self, changes: tuple[Change, ...]) -> Plan:
        """Return the plan with some of its changes, and the fingerprints of their groups."""
        touched = {change.group.id for change in changes}
        kept = {key: value for key, value in self.fingerprints.items() if key in touched}
        return evolve(self, changes=changes, fingerprints=kept)

    def occupied(self, snapshot: Snapshot) -> dict[str, int]:
        """Return how many members each group has that must not end empty, by ID."""
        spared = self.allow_empty
        return {key: size for key, size in snapshot.sizes.items() if key not in spared}

    def counts(self) -> dict[str, int]:
        """Return how many changes of each action there are, every action named.

        Only `assign_role` is left out where there is none.
        """
        counts = Counter(change.action for change in self.changes)
        optional = Action.ASSIGN_ROLE
        return {each.value: counts[each] for each in Action if counts[each] or each is not optional}

    @property
    def removals(self) -> int:
        """How many memberships end, those of deleted groups included."""
        return sum(len(change.leavers) for change in self.changes)
