"""What is granted: the roles of users and groups, or that they are not known, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from attrs import field, frozen

from cld_user_groups.identity import printable

if TYPE_CHECKING:
    from cld_provisioning_api.models import PrincipalRole

#: A principal as the Permissions API names it: "group" or "user", and the ID.
PrincipalKey: TypeAlias = tuple[str, str]
#: What is said of who has no role, as far as the Permissions API has told.
NO_ROLE: Final = "no global role (roles in folders and collections are not known)"
#: The roles of the system that allow everything in their scope, without where they are defined.
FULL_CONTROL: Final = ("master_admin", "admin")
_NOT_KNOWN: Final = "not known"  # of a place that is null


@frozen(kw_only=True)
class GroupRef:
    """The group that a change is about, by the name that it has once the plan is done.

    Its ID is None where the plan creates it.
    """

    id: str | None
    name: str

    @property
    def key(self) -> str:
        """What tells it from others: its ID, or its name where the plan creates it."""
        return f"\0{self.name}" if self.id is None else self.id


@frozen
class Grant:
    """A role that a user or a group has.

    Attributes:
        role: The role's name.
        role_id: Its ID.
        scope: "account" or "prodenv", a product environment.
        where: The product environment's ID, or "all"; None in the account.
        within: What a role for content is restricted to, such as `("folder_id", "fg38")`.
        is_system: Whether the role is one of the system, rather than the account's own.
        updated_at: When the role was last changed, in seconds since 1970.
        is_content: Whether it is a role for content, in a folder or a collection.
    """

    role: str
    role_id: str
    scope: str
    where: str | None = None
    within: tuple[tuple[str, str], ...] = ()
    is_system: bool = False
    updated_at: int = 0
    is_content: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it the same role in the same place, whoever has it."""
        return self.role_id, self.scope, self.where, self.within

    @property
    def is_full_control(self) -> bool:
        """Whether it is a role of the system that allows everything in its scope."""
        return self.is_system and self.role_id.rpartition("::")[2] in FULL_CONTROL

    @property
    def text(self) -> str:
        """The role and where it applies, for people."""
        places = ["the account"]
        if self.scope != "account":
            one = f"product environment {self.where}" if self.where else "a product environment"
            places = ["all product environments" if self.where == "all" else one]
        places += [f"{name.removesuffix('_id')} {value}" for name, value in self.within]
        stress = " (full control)" if self.is_full_control else ""
        return printable(f"{self.role}{stress} in {', '.join(places)}")

    @property
    def assignment(self) -> dict[str, Any]:
        """What assigns it to a principal, and nothing wider."""
        found: dict[str, Any] = {"id": self.role_id}
        if self.where is not None:
            found["scope_id"] = self.where
        if self.within:
            found["policy_parameters"] = dict(self.within)
        return found

    @property
    def document(self) -> dict[str, Any]:
        """The grant in a JSON document."""
        return {
            "role": self.role,
            "role_id": self.role_id,
            "scope": self.scope,
            "where": self.where,
            "within": dict(self.within),
            "full_control": self.is_full_control,
        }


def grant_of(role: PrincipalRole) -> Grant:
    """Return a role that a principal has."""
    within = role.policy_parameters or {}
    return Grant(
        role=role.name,
        role_id=role.id,
        scope=role.scope_type,
        where=role.scope_id,
        within=tuple(
            sorted(
                (name, _NOT_KNOWN if value is None else str(value))
                for name, value in within.items()
            )
        ),
        is_system=role.management_type == "system",
        updated_at=role.updated_at,
        is_content=role.permission_type == "content",
    )


@frozen(kw_only=True)
class RoleRecord:
    """What a group granted right before it was deleted.

    Attributes:
        read_at: When it was read, aware, in UTC.
        granted: What it granted, as far as is known.
        unknown: Why it may have granted more, or "" where that is all.
    """

    read_at: datetime
    granted: tuple[Grant, ...] = ()
    unknown: str = ""

    @property
    def texts(self) -> list[str]:
        """What it granted, for people: never nothing."""
        unknown = [f"not known: {self.unknown}"] if self.unknown else []
        return [grant.text for grant in self.granted] + unknown or ["no role"]

    @property
    def document(self) -> dict[str, Any]:
        """The record in a JSON document: `not_known_because` is null where it is complete."""
        return {
            "read_at": self.read_at,
            "granted": [grant.document for grant in self.granted],
            "not_known_because": self.unknown or None,
        }


@frozen
class Roles:
    """The roles of principals, as far as they are known.

    Attributes:
        known: By the kind and the ID of a principal, what is assigned to it.
        reason: Why the others are not known.
        requests: How many requests it took to read them, at least.
    """

    known: Mapping[PrincipalKey, tuple[Grant, ...]] = field(
        factory=dict[PrincipalKey, tuple[Grant, ...]]
    )
    reason: str = "the roles were not read"
    requests: int = 0

    @property
    def were_read(self) -> bool:
        """Whether anybody has tried to read them."""
        return self != NOT_READ

    def with_more(self, more: Roles) -> Roles:
        """Return these roles and others, which were read later."""
        requests = self.requests + more.requests
        return Roles({**self.known, **more.known}, more.reason, requests)

    def of(self, principal_id: str | None, kind: str = "group") -> tuple[Grant, ...] | None:
        """Return what is assigned to a group or a user, or None where it is not known."""
        return self.known.get((kind, principal_id or ""))

    def texts(self, principal_id: str | None, kind: str = "group") -> list[str]:
        """Return what is assigned to a group or a user, for people: never nothing."""
        grants = self.of(principal_id, kind)
        if grants is None:
            return [f"not known: {self.reason}"]
        return [grant.text for grant in grants] or [NO_ROLE]

    def reach(self, user_id: str, group_ids: Iterable[str]) -> dict[Grant, tuple[str | None, ...]]:
        """Return what a user may do, as far as it is known: the groups that grant it, None for own.

        Args:
            user_id: The user's ID.
            group_ids: The IDs of the user's groups.
        """
        found: dict[Grant, tuple[str | None, ...]] = {}
        granted = [(None, self.of(user_id, "user")), *((each, self.of(each)) for each in group_ids)]
        for group_id, grants in granted:
            for grant in grants or ():
                found[grant] = (*found.get(grant, ()), group_id)
        return found

    def document(self, principal_id: str | None, kind: str = "group") -> dict[str, Any]:
        """Return what is assigned, as JSON: `granted` is null where it is not known."""
        grants = self.of(principal_id, kind)
        return {
            "granted": None if grants is None else [grant.document for grant in grants],
            "not_known_because": self.reason if grants is None else None,
        }


#: What is known where nothing was read.
NOT_READ: Final = Roles()


@frozen(kw_only=True)
class ThroughGroup:
    """How many people have a role through a group, too."""

    group: GroupRef
    people: int


@frozen(kw_only=True)
class RoleEffect:
    """A role that a group gives to the people who join it, or no longer gives to those who leave.

    Attributes:
        group: The group.
        effect: "begins", or "ends".
        role: The role's name; the attributes to `full_control` are those of a `Grant`.
        text: The role and where it applies, for people.
        people: How many join or leave the group, or are in it when it is assigned the role.
        through: Of these, how many keep the role, or have it already, through another group.
        own: How many others hold it themselves, as far as that was read.
        not_known: For how many others it is not known whether they have it elsewhere.
    """

    group: GroupRef
    effect: Literal["begins", "ends"]
    role: str
    role_id: str
    scope: str
    where: str | None
    within: Mapping[str, str]
    full_control: bool
    text: str
    people: int
    through: tuple[ThroughGroup, ...] = ()
    own: int = 0
    not_known: int = 0


@frozen(kw_only=True)
class RoleCount:
    """How many different roles begin or end, for how many people; and those of full control."""

    roles: int
    people: int
    full_control: int


@frozen(kw_only=True)
class RoleEffects:
    """What a plan gives and ends, as far as the roles are known: information, no part of a check.

    What begins and ends is what no other group of these people gives them, as far as is known.
    """

    requests: int  # that have read the roles
    begin: RoleCount
    end: RoleCount
    effects: tuple[RoleEffect, ...]  # by group, the roles that it gives or no longer gives
    #: The groups that show no role in a folder or a collection, where theirs are not known.
    global_only: tuple[GroupRef, ...]
    not_known: tuple[GroupRef, ...]  # the groups whose roles are not known
    not_known_because: str | None
    own_roles: Literal["known", "not_read", "not_known"]  # what people hold themselves
