"""Who is who: users by ID, or by e-mail."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date

from attrs import frozen

from cld_user_groups.identity import email_key

from .model import Desired, DesiredGroup, DesiredMember, Group, Member, Snapshot, UserRef
from .problems import quoted


class Directory:
    """The users that a snapshot knows, by ID and by e-mail."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._by_id: dict[str, Member] = {}
        self._by_email: dict[str, str | tuple[str, ...]] = {}
        for group in snapshot.groups:
            self._learn(group.members)
        self._learn(snapshot.people)

    def _learn(self, members: Iterable[Member]) -> None:
        by_id, by_email = self._by_id, self._by_email
        for member in members:
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

    def users(self) -> Iterable[Member]:
        """Return all users."""
        return self._by_id.values()

    def by_id(self, user_id: str) -> Member | None:
        """Return the user of this ID, or None."""
        return self._by_id.get(user_id)

    def by_email(self, email: str) -> tuple[Member, ...]:
        """Return all users of this e-mail."""
        ids = self._by_email.get(email_key(email), ())
        if isinstance(ids, str):
            return (self._by_id[ids],)
        return tuple(self._by_id[user_id] for user_id in ids)

    def id_of(self, email: str) -> str | None:
        """Return the ID of the only user of this e-mail, or None if there is none or several."""
        # An e-mail is mostly written as it is compared: that spares making its key.
        found = self._by_email.get(email) or self._by_email.get(email_key(email))
        return found if isinstance(found, str) else None

    def current(self, user: UserRef) -> UserRef:
        """Return a user with the e-mail of now; without one that is somebody else's."""
        known = self.by_id(user.id)
        if known is not None and known.email is not None:
            return UserRef(id=user.id, email=known.email)
        return UserRef(id=user.id) if self.contradiction(user) else user

    def contradiction(self, user: UserRef) -> str:
        """Return how the account contradicts that an ID and an e-mail are one user, or ""."""
        if user.email is None:
            return ""
        owners = self.by_email(user.email)
        known = self.by_id(user.id)
        if any(owner.id == user.id for owner in owners):
            return ""
        if known is not None and known.email is not None:
            return f"the user {quoted(user.id)} is {quoted(known.email)}, not {quoted(user.email)}"
        if owners:
            return f"{quoted(user.email)} is the user {quoted(owners[0].id)}, not {quoted(user.id)}"
        return ""


@frozen(kw_only=True)
class Unknown:
    """People whom a file names, to be looked up.

    Attributes:
        emails: Their e-mails, as written.
        ids: Their IDs.
    """

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
    members_of = _members_by_group(snapshot)
    for group in desired.groups:
        current = members_of(group)
        for member in group.members:
            wanted = is_wanted(member, today)
            if member.email is None:
                is_known = member.id is None or directory.by_id(member.id) is not None
                if wanted and not is_known and member.id is not None:
                    ids[member.id] = None
                continue
            user_id = directory.id_of(member.email)
            if member.id is None:
                is_known = bool(directory.by_email(member.email))
                is_added = group.state == "present" and user_id is not None
                is_sought = wanted and (not is_known or (is_added and user_id not in current))
            else:
                is_known = directory.by_id(member.id) is not None
                is_sought = (wanted or is_known) and not directory.by_email(member.email)
                if is_sought and not is_known:
                    ids[member.id] = None
            if is_sought:
                emails.setdefault(email_key(member.email), member.email)
    return Unknown(emails=tuple(emails.values()), ids=tuple(ids))


def _members_by_group(snapshot: Snapshot) -> Callable[[DesiredGroup], Collection[str]]:
    """Return what finds the members that a group of a file has now, by its ID or its names."""
    by_id = {group.id: group for group in snapshot.groups}
    by_name: dict[str, list[Group]] = {}
    for group in snapshot.groups:
        by_name.setdefault(group.name, []).append(group)

    def members_of(wanted: DesiredGroup) -> Collection[str]:
        if wanted.id is not None:
            found = [by_id[wanted.id]] if wanted.id in by_id else []
        else:
            names = (wanted.name, *wanted.previously)
            found = next((by_name[name] for name in names if name in by_name), [])
        return {member.id for group in found for member in group.members}

    return members_of
