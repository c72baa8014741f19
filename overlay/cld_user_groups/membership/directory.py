"""Who is who and which is which: the index of a snapshot, and the people whom it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from itertools import chain

from attrs import frozen

from cld_user_groups.identity import email_key, name_key

from .model import Desired, DesiredGroup, DesiredMember, Group, Member, Snapshot, UserRef
from .problems import quoted


class Directory:
    """The index of a snapshot: its groups by ID and by name, its users by ID and by e-mail.

    Each part is built when it is first asked for.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._members: dict[str | None, Mapping[str, Member]] = {}

    @cached_property
    def _groups(self) -> dict[str, Group]:
        return {group.id: group for group in self._snapshot.groups}

    @cached_property
    def _by_name(self) -> dict[str, list[Group]]:
        return self._grouped(lambda name: name)

    @cached_property
    def _by_key(self) -> dict[str, list[Group]]:
        return self._grouped(name_key)

    def _grouped(self, key: Callable[[str], str]) -> dict[str, list[Group]]:
        found: dict[str, list[Group]] = {}
        for group in self._snapshot.groups:
            found.setdefault(key(group.name), []).append(group)
        return found

    @cached_property
    def _users(self) -> tuple[dict[str, Member], dict[str, str | tuple[str, ...]]]:
        """Users by ID, and the IDs of those of each e-mail."""
        by_id: dict[str, Member] = {}
        by_email: dict[str, str | tuple[str, ...]] = {}
        groups = (group.members for group in self._snapshot.groups)
        for member in chain.from_iterable((*groups, self._snapshot.people)):
            known = by_id.get(member.id)
            if known is None or (known.email is None and member.email is not None):
                by_id[member.id] = member
            elif known is member or known.email == member.email:
                continue
            if member.email is None:
                continue
            key = email_key(member.email)
            ids = by_email.setdefault(key, member.id)
            if isinstance(ids, str):
                if ids != member.id:
                    by_email[key] = (ids, member.id)
            elif member.id not in ids:
                by_email[key] = (*ids, member.id)
        return by_id, by_email

    def groups(self) -> Sequence[Group]:
        """Return all groups, in their order."""
        return self._snapshot.groups

    def group(self, group_id: str | None) -> Group | None:
        """Return the group of this ID, or None."""
        return None if group_id is None else self._groups.get(group_id)

    def named(self, name: str) -> Sequence[Group]:
        """Return all groups of exactly this name."""
        return self._by_name.get(name, ())

    def named_alike(self, name: str) -> Sequence[Group]:
        """Return all groups whose names differ from this one at most as `name_key` ignores."""
        return self._by_key.get(name_key(name), ())

    def meant_by(self, desired: DesiredGroup) -> Sequence[Group]:
        """Return what a group of a file may be now: by its ID, else by the first name in use."""
        if desired.id is not None:
            group = self.group(desired.id)
            return () if group is None else (group,)
        found = map(self.named, (desired.name, *desired.previously))
        return next((groups for groups in found if groups), ())

    def members(self, group_id: str | None) -> Mapping[str, Member]:
        """Return the members of a group, by ID; nobody where there is no such group."""
        if group_id not in self._members:
            group = self.group(group_id)
            self._members[group_id] = {} if group is None else {m.id: m for m in group.members}
        return self._members[group_id]

    @cached_property
    def _joined(self) -> dict[str, list[Group]]:
        found: dict[str, list[Group]] = {}
        for group in self._snapshot.groups:
            for user_id in self.members(group.id):
                found.setdefault(user_id, []).append(group)
        return found

    def joined(self, user_id: str | None) -> Sequence[Group]:
        """Return the groups that a user is in, in their order."""
        return self._joined.get(user_id or "", ())

    def users(self) -> Iterable[Member]:
        """Return all users."""
        return self._users[0].values()

    def by_id(self, user_id: str) -> Member | None:
        """Return the user of this ID, or None."""
        return self._users[0].get(user_id)

    def by_email(self, email: str) -> tuple[Member, ...]:
        """Return all users of this e-mail."""
        by_id, by_email = self._users
        ids = by_email.get(email_key(email), ())
        return (by_id[ids],) if isinstance(ids, str) else tuple(by_id[each] for each in ids)

    def id_of(self, email: str) -> str | None:
        """Return the ID of the only user of this e-mail, or None if there is none or several."""
        # An e-mail is mostly written as it is compared: that spares making its key.
        by_email = self._users[1]
        found = by_email.get(email) or by_email.get(email_key(email))
        return found if isinstance(found, str) else None

    def id_listed(self, member: DesiredMember) -> str | None:
        """Return the ID of a member of a file, or None where it is not known."""
        return member.id or self.id_of(member.email or "")

    def current(self, user: UserRef) -> UserRef:
        """Return a user with the e-mail of now; without one that is somebody else's."""
        known = self.by_id(user.id)
        if known is not None and known.email is not None:
            return UserRef(id=user.id, email=known.email)
        return UserRef(id=user.id) if self.contradiction(user) else user

    def contradiction(self, user: UserRef) -> str:
        """Return how the account contradicts that an ID and an e-mail are one user, or ""."""
        owners = self.by_email(user.email or "")
        known = self.by_id(user.id)
        if user.email is None or any(owner.id == user.id for owner in owners):
            return ""
        if known is not None and known.email is not None:
            return f"the user {quoted(user.id)} is {quoted(known.email)}, not {quoted(user.email)}"
        if owners:
            return f"{quoted(user.email)} is the user {quoted(owners[0].id)}, not {quoted(user.id)}"
        return ""


@frozen(kw_only=True)
class Unknown:
    """People whom a file names, to be looked up: e-mails as written, and IDs."""

    emails: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


def is_wanted(member: DesiredMember, today: date) -> bool:
    """Return whether the membership is wanted on a day: `until` is the last day of it."""
    return member.until is None or today <= member.until


def unknown_people(snapshot: Snapshot, desired: Desired, today: date) -> Unknown:
    """Return the people whom the file lists, and of whom the snapshot does not show who they are.

    An e-mail that would be added to a group is one of them, for a second user of it may be in no
    group; and so is one whose ID is somebody else's in the snapshot. Memberships that have ended
    need nobody looked up, unless both an ID and an e-mail say whose they were.
    """
    directory = Directory(snapshot)
    emails: dict[str, str] = {}
    ids: dict[str, None] = {}
    for group in desired.groups:
        current = {
            each for found in directory.meant_by(group) for each in directory.members(found.id)
        }
        for member in group.members:
            wanted = is_wanted(member, today)
            if member.email is None:
                if wanted and member.id is not None and directory.by_id(member.id) is None:
                    ids[member.id] = None
                continue
            is_shown = bool(directory.by_email(member.email))
            if member.id is None:
                user_id = directory.id_of(member.email)
                is_added = group.state == "present" and user_id is not None
                is_sought = wanted and (not is_shown or (is_added and user_id not in current))
            else:
                is_known = directory.by_id(member.id) is not None
                is_sought = (wanted or is_known) and not is_shown
                if is_sought and not is_known:
                    ids[member.id] = None
            if is_sought:
                emails.setdefault(email_key(member.email), member.email)
    return Unknown(emails=tuple(emails.values()), ids=tuple(ids))
