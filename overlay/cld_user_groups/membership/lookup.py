"""Which groups and users of an account, as it was read, a person names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Literal

from attrs import evolve

from cld_user_groups.identity import email_key, forbidden_character, name_key, printable, seen_name

from .directory import Directory
from .grants import GroupRef
from .history import History
from .model import Desired, DesiredGroup, DesiredMember, Group, Member, Snapshot
from .problems import MembershipError, Problem, quoted

_MOST_SHOWN = 3


def error_in_call(message: str, hint: str = "") -> MembershipError:
    """Return the error of a call that does not fit the account."""
    return MembershipError([Problem("", None, message, hint)])


def named_user(text: str, source: str = "", line: int = 0) -> DesiredMember:
    """Return the user of an e-mail or an ID."""
    named = DesiredMember(source=source, line=line)
    # No ID has an @.
    return evolve(named, email=text.strip()) if "@" in text else evolve(named, id=text.strip())


def lookup_of(
    people: Sequence[DesiredMember],
    *,
    adds: bool = False,
    like: Sequence[DesiredMember] = (),
    file: Desired | None = None,
) -> Desired:
    """Return what makes `read_account` look up users, and others whom they are to be `like`.

    Where they are to be added to a group (`adds`), those whom a group has are looked up too, for a
    second user of an e-mail may be in none. The roles that the rules of a `file` need are read too.
    """
    state: Literal["present", "absent"] = "present" if adds else "absent"
    group = DesiredGroup(name="", state=state, members=(*people, *like))
    ruled = (
        evolve(each, state="present", members=tuple(people))
        for each in (() if file is None else file.groups)
        if any(rule.kind == "not_with_role" for rule in each.rules)
    )
    return Desired(source="", digest="", groups=(group, *ruled))


def has_text(text: str | None, *values: str | None) -> bool:
    """Return whether a part of a text is looked for that one of these has, in any case."""
    sought = (text or "").strip().casefold()
    return any(sought in (value or "").casefold() for value in values)


class Finder:
    """Finds groups and users in an account, each by exactly what names it alone."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.groups = snapshot.groups
        self._directory = Directory(snapshot)
        self._missing_ids = frozenset(snapshot.missing_ids)

    def joined(self, user_id: str | None) -> Sequence[Group]:
        """Return the groups that a user is in."""
        return self._directory.joined(user_id)

    def group(self, text: str) -> Group:
        """Return the one group of an ID or a name."""
        (found,) = self.all_groups([text])
        return found

    def all_groups(self, texts: Iterable[str]) -> tuple[Group, ...]:
        """Return the groups of IDs or names, each once; raise all problems together."""
        wrong: list[Problem] = []
        found: dict[str, Group] = {}
        for text in texts:
            groups = self._by_id_or_name(text)
            if len(groups) == 1:
                found[groups[0].id] = groups[0]
            else:
                wrong.append(self._several(text, groups) if groups else self._no_group(text))
        if wrong:
            raise MembershipError(wrong)
        return tuple(found.values())

    def group_or_new(self, text: str) -> Group | None:
        """Return the group of an ID or a name, or None where that can be a new group's name."""
        if self._by_id_or_name(text):
            return self.group(text)
        self.check_new_name(text)
        return None

    def check_new_name(self, name: str, *, of: Group | None = None) -> None:
        """Reject a name that no group can have, or that could be mistaken for another or an ID."""
        if not name_key(name):
            raise error_in_call("a group's name must not be blank")
        if any("\ud800" <= character <= "\udfff" for character in name):
            raise error_in_call(f"the name {quoted(name)} is not valid Unicode", "type it in UTF-8")
        hint = "choose another name"
        if said := forbidden_character(name):
            raise error_in_call(f"{said} in the name of a group: {quoted(name)}", hint)
        for group in self.groups:
            shown = quoted(group.name)
            if group.id == name:
                raise error_in_call(f"{quoted(name)} is the ID of the group {shown}", hint)
            if (of is None or group.id != of.id) and name_key(group.name) == name_key(name):
                how = "already" if group.name == name else "that would look the same"
                raise error_in_call(f"there is a group {shown} {how} (ID {quoted(group.id)})", hint)

    def users(self, people: Iterable[DesiredMember]) -> tuple[DesiredMember, ...]:
        """Return users, each once and as named first, by ID and e-mail; raise all problems."""
        wrong: list[Problem] = []
        found: dict[str, DesiredMember] = {}
        for named in people:
            users = self._matching(named)
            if len(users) == 1:
                (user,) = users
                found.setdefault(user.id, evolve(named, id=user.id, email=user.email))
            else:
                wrong.append(self._not_one(named, users))
        if wrong:
            raise MembershipError(wrong)
        return tuple(found.values())

    def _by_id_or_name(self, text: str) -> list[Group]:
        return [group for group in self.groups if text in (group.id, group.name)]

    def _no_group(self, text: str) -> Problem:
        names: dict[str, list[Group]] = {}
        for group in self.groups:
            names.setdefault(name_key(group.name), []).append(group)
        close = difflib.get_close_matches(name_key(text), names, n=_MOST_SHOWN)
        # First what a table shows so, which has its control characters escaped.
        meant = {group.id: group for group in self.groups if printable(group.name) == text}
        meant |= {group.id: group for key in close for group in names[key]}
        hint = _did_you_mean((_unmistakable(group, text) for group in meant.values()), "list")
        return Problem("", None, f"there is no group {quoted(text)}", hint)

    def _several(self, text: str, groups: Sequence[Group]) -> Problem:
        names = [group.name for group in self.groups]
        shown: list[str] = []
        for group in groups:
            # An ID that is another group's name as well names neither.
            is_id = group.id not in names or names.count(group.name) > 1
            first, second = (group.id, group.name) if is_id else (group.name, group.id)
            shown.append(f"{'the ID' if is_id else 'the name'} {quoted(first)} ({quoted(second)})")
        message = f"{len(groups)} groups have the name or ID {quoted(text)}"
        return Problem("", None, message, f"give {' or '.join(shown)}")

    def _matching(self, named: DesiredMember) -> tuple[Member, ...]:
        if named.id is None:
            return self._directory.by_email(named.email or "")
        if named.id in self._missing_ids:
            return ()
        # Where the server does not say, the API rejects the ID of nobody.
        return (self._directory.by_id(named.id) or Member(id=named.id),)

    def _not_one(self, named: DesiredMember, users: Sequence[Member]) -> Problem:
        text = named.email or named.id or ""
        have, hint = "no user has", _did_you_mean(map(quoted, self._emails_like(text)), "users")
        if users:
            have = f"{len(users)} users have"
            hint = f"give the ID: {' or '.join(quoted(user.id) for user in users)}"
        message = f"{have} the {'e-mail' if named.email else 'ID'} {quoted(text)}"
        return Problem(named.source, named.line or None, message, hint)

    def _emails_like(self, text: str) -> list[str]:
        emails = {
            email_key(member.email): member.email
            for group in self.groups
            for member in group.members
            if member.email
        }
        sought = email_key(text)
        # Whole addresses of one domain are always alike: fewer differences count.
        close = difflib.get_close_matches(sought, emails, n=_MOST_SHOWN, cutoff=0.85)
        close += [key for key in emails if sought in key and key not in close]
        return [emails[key] for key in close[:_MOST_SHOWN]]


def group_now_or_before(snapshot: Snapshot, history: History, text: str) -> GroupRef:
    """Return the group of a name or an ID, else a deleted one that the journals know."""
    try:
        return Finder(snapshot).group(text).ref
    except MembershipError:
        ids = {group.id for group in snapshot.groups}
        for each in reversed([*history.groups.values()]):
            if text in (each.id, each.name) and each.id not in ids:
                return each
        raise


def user_now_or_before(snapshot: Snapshot, history: History, named: DesiredMember) -> Member:
    """Return the user of an e-mail or an ID, else one who is gone and whom the journals know."""
    try:
        (found,) = Finder(snapshot).users([named])
        return Member(id=found.id or "", email=found.email)
    except MembershipError:
        key = email_key(named.email or "")
        users = [periods[-1].user for periods in history.periods.values() if periods]
        for user in reversed(users):
            if user.id == named.id or (key and email_key(user.email or "") == key):
                return Member(id=user.id, email=user.email)
        raise


def _unmistakable(group: Group, text: str) -> str:
    """Return the name of a group, with its ID where that name looks just like a text."""
    is_alike = text == printable(group.name) or seen_name(text) == seen_name(group.name)
    return quoted(group.name) + (f" (ID {quoted(group.id)})" if is_alike else "")


def _did_you_mean(texts: Iterable[str], command: str) -> str:
    """Return a hint that names texts; where there are none, a command that lists all."""
    listed = " or ".join(texts)
    return f"did you mean {listed}?" if listed else f"see cld-user-groups {command}"
