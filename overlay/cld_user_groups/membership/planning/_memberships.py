"""Who a group of a file wants as members, and how that differs from who is in it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable, Iterator
from datetime import date
from fnmatch import translate

from attrs import define, field

from cld_user_groups.identity import email_key
from cld_user_groups.membership.identity import Directory, is_wanted
from cld_user_groups.membership.model import (
    Desired,
    DesiredGroup,
    DesiredMember,
    Group,
    Member,
    Snapshot,
)
from cld_user_groups.membership.problems import Problem, quoted

# What a pattern has that may match an e-mail.
_EMAIL_OR_GLOB = re.compile(r"[@*?\[]")

# Most IDs are 30 or 32 hexadecimal digits, some 30 letters and digits.
_USER_ID = re.compile(r"[0-9a-z]{16,}")


class Protected:
    """Tells the members who are never removed: by ID, e-mail or glob, without case.

    A listing may lack an e-mail that another one of the account has, so all of them count. Where
    none has it, whoever could be meant by an e-mail or a glob may be protected.
    """

    def __init__(self, patterns: Iterable[str], snapshot: Snapshot) -> None:
        keys = [email_key(pattern) for pattern in patterns]
        self._pattern = re.compile("|".join(map(translate, keys))) if keys else None
        self._may_name_emails = any(_EMAIL_OR_GLOB.search(key) for key in keys)
        self._ids: set[str] = set()
        self._with_email: set[str] = set()
        if not self._may_name_emails:
            return
        for members in (*(group.members for group in snapshot.groups), snapshot.people):
            for member in members:
                if member.email:
                    self._with_email.add(member.id)
                    if self._matches(member.email):
                        self._ids.add(member.id)

    def __call__(self, user_id: str, email: str | None) -> str:
        """Return why a member must stay, as what follows the name in a sentence, or ""."""
        texts = (user_id, email) if email else (user_id,)
        if user_id in self._ids or any(map(self._matches, texts)):
            return "is protected"
        if self._may_name_emails and not email and user_id not in self._with_email:
            return "may be protected, for its e-mail is not known"
        return ""

    def _matches(self, text: str) -> bool:
        return self._pattern is not None and self._pattern.match(email_key(text)) is not None


def check_protect(
    desired: Desired, directory: Directory, problems: list[Problem]
) -> Iterator[Problem]:
    """Yield a warning for each entry of `protect` that matches nobody; one that never can is wrong.

    Args:
        desired: The file.
        directory: The users who are in groups, and those who were looked up.
        problems: Where entries that can match nobody are added.
    """
    keys: set[str] = set()
    for user in directory.users() if desired.protect else ():
        keys |= {email_key(text) for text in (user.id, user.email) if text}
    for entry in desired.protect:
        key = email_key(entry)
        is_glob = any(character in "*?[" for character in key)
        pattern = re.compile(translate(key))
        if any(map(pattern.match, keys)) if is_glob else key in keys:
            continue
        message = f"{quoted(entry)} in `protect` matches nobody in a group"
        if is_glob or "@" in key or _USER_ID.fullmatch(key):
            close = difflib.get_close_matches(key, keys, n=1, cutoff=0.85)
            hint = f"did you mean {quoted(close[0])}?" if close else ""
            yield Problem(desired.source, None, message, hint)
        else:
            message = f"{quoted(entry)} in `protect` is no e-mail, no glob and no user's ID"
            hint = "write an e-mail, an ID, or a glob such as `*@example.com`"
            problems.append(Problem(desired.source, None, message, hint))


@define
class Difference:
    """How a group's membership is to change.

    Attributes:
        added: Who is to be added, by user ID.
        removed: Who is to be removed, with the line that ends the membership, or None where it is
            the group's list that does not have them.
    """

    added: dict[str, DesiredMember] = field(factory=dict[str, DesiredMember])
    removed: list[tuple[Member, DesiredMember | None]] = field(
        factory=list[tuple[Member, DesiredMember | None]]
    )


class Comparison:
    """Compares groups of a file with those of the account, and notes who cannot be found."""

    def __init__(
        self,
        directory: Directory,
        missing_ids: Iterable[str],
        today: date,
        protected: Protected,
        problems: list[Problem],
    ) -> None:
        self.directory = directory
        self.missing_ids = frozenset(missing_ids)
        self.today = today
        self.protected = protected
        self.problems = problems
        self.notes: list[str] = []
        self.warnings: list[Problem] = []
        self.held: list[Problem] = []
        self.held_people: set[str] = set()
        self.unverified: set[str] = set()

    def compare(self, wanted: DesiredGroup, group: Group | None) -> Difference:
        """Return how the group is to change; `group` is None for one that is to be created."""
        ended: list[DesiredMember] = []
        current = {} if group is None else {member.id: member for member in group.members}
        members = self._resolve(wanted, current, ended)
        difference = Difference(
            {user_id: member for user_id, member in members.items() if user_id not in current}
        )
        if not current:
            return difference
        if wanted.mode == "additive":
            self._check_ended(ended, current)
        over = self._ended_ids(ended)
        for user_id, member in current.items():
            if user_id in members or (wanted.mode == "additive" and user_id not in over):
                continue
            if why := self.protected(user_id, member.email):
                who = quoted(member.email or user_id)
                self.notes.append(f"{who} {why}, and stays in {quoted(wanted.name)}.")
                continue
            difference.removed.append((member, over.get(user_id)))
        return difference

    def _resolve(
        self,
        wanted: DesiredGroup,
        current: Container[str],
        ended: list[DesiredMember],
    ) -> dict[str, DesiredMember]:
        """Return the members by user ID, except those whose `until` has passed."""
        found: dict[str, DesiredMember] = {}
        for member in wanted.members:
            if member.until is not None and not is_wanted(member, self.today):
                if self._is_one_person(member, current, is_ended=True):
                    ended.append(member)
                continue
            if not self._is_one_person(member, current):
                user_id = None
            elif member.id is not None:
                user_id = self._check_id(member, member.id)
            elif member.email is not None:
                user_id = self.directory.id_of(member.email)
                if user_id is None:
                    self._unresolved(member, member.email)
            else:
                user_id = None
            if user_id is None:
                continue
            first = found.setdefault(user_id, member)
            if first is not member:
                who = quoted(member.email or user_id)
                where = f"first as {quoted(first.email or user_id)} on line {first.line}"
                self._problem(member, f"{who} occurs twice in {quoted(wanted.name)}, {where}")
        return found

    def _unresolved(self, member: DesiredMember, email: str) -> None:
        users = self.directory.by_email(email)
        who = quoted(email)
        if not users:
            self._problem(member, f"no user has the e-mail {who}", "is it spelt as in the account?")
            return
        ids = ", ".join(quoted(user.id) for user in users)
        self._problem(member, f"{len(users)} users have the e-mail {who}", f"give the `id`: {ids}")

    def _check_id(self, member: DesiredMember, user_id: str) -> str | None:
        if user_id in self.missing_ids:
            self._problem(member, f"no user has the id {quoted(user_id)}")
            return None
        if self.directory.by_id(user_id) is None:
            self.unverified.add(user_id)
        return user_id

    def _is_one_person(
        self, member: DesiredMember, current: Container[str], *, is_ended: bool = False
    ) -> bool:
        """Return whether a member's ID and e-mail are those of one person; note where not.

        Then it is not known who is meant, as in a copied line of which only one was edited: neither
        is added or removed. An e-mail that nobody has may be an old one of a member.
        """
        user_id, email = member.id, member.email
        if user_id is None or email is None:
            return True
        owners = self.directory.by_email(email)
        if any(owner.id == user_id for owner in owners):
            return True
        if is_ended and user_id not in current and not any(o.id in current for o in owners):
            return True
        user = self.directory.by_id(user_id)
        has = "another" if user is None or user.email is None else quoted(user.email)
        message = f"the e-mail of the ID {quoted(user_id)} is {has}, not {quoted(email)}"
        if owners:
            hint = f"whose ID is {quoted(owners[0].id)}; write only the ID or only the e-mail"
        elif user_id in current and not is_ended:
            hint = "correct the e-mail, or leave it out"
            self.warnings.append(Problem(member.source, member.line, message, hint))
            return True
        elif user_id in self.missing_ids:
            return True  # an error: nobody has either
        else:
            hint = "which nobody has; correct it, or write only the ID"
        self.held.append(Problem(member.source, member.line, message, hint))
        self.held_people |= {user_id, *(owner.id for owner in owners)}
        return False

    def unverified_note(self) -> Iterator[str]:
        """Yield a note on the IDs for which nothing shows that they are users of the account."""
        if self.unverified:
            count = len(self.unverified)
            what = "ID was" if count == 1 else "IDs were"
            yield f"{count} {what} not looked up, and may be no user's."

    def _check_ended(self, ended: Iterable[DesiredMember], current: Container[str]) -> None:
        """Note e-mails of several users: where the line alone ends a membership, whose is it?"""
        for member in ended:
            if member.id is None and member.email is not None:
                users = self.directory.by_email(member.email)
                if len(users) > 1 and any(user.id in current for user in users):
                    self._unresolved(member, member.email)

    def _ended_ids(self, ended: list[DesiredMember]) -> dict[str, DesiredMember]:
        found: dict[str, DesiredMember] = {}
        for member in ended:
            if member.id is not None:
                found[member.id] = member
            elif member.email is not None:
                found.update((user.id, member) for user in self.directory.by_email(member.email))
        return found

    def _problem(self, member: DesiredMember, message: str, hint: str = "") -> None:
        self.problems.append(Problem(member.source, member.line, message, hint))
