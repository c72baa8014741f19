"""Which group of the account each group of a file is, and which users its members are."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import date

from attrs import define, field

from cld_user_groups.identity import forbidden_character

from .directory import Directory, is_wanted
from .grants import GroupRef
from .guards import Protected
from .model import Desired, DesiredGroup, DesiredMember, Group, Member, Snapshot
from .problems import Problem, quoted


@define
class Findings:
    """What planning finds out beside changes."""

    problems: list[Problem] = field(factory=list[Problem])  # for which there is no plan
    held: list[Problem] = field(factory=list[Problem])  # why something is left out of it
    held_people: set[str] = field(factory=set[str])  # who lose nothing: who is meant is not known
    warnings: list[Problem] = field(factory=list[Problem])
    notes: list[str] = field(factory=list[str])

    def reject(self, at: DesiredGroup | DesiredMember, message: str, hint: str = "") -> None:
        """Add a problem of an entry."""
        self.problems.append(Problem(at.source, at.line, message, hint))


@define(eq=False)
class Match:
    """A group of a file, the group of the account that it is, or None, and how they differ."""

    desired: DesiredGroup
    group: Group | None
    ref: GroupRef  # the group as it is to be
    added: dict[str, DesiredMember] = field(factory=dict[str, DesiredMember])  # by user ID
    #: With the line that ends the membership; None where the group's list does not have them.
    removed: list[tuple[Member, DesiredMember | None]] = field(
        factory=list[tuple[Member, DesiredMember | None]]
    )


class Matching:
    """Finds the groups of a file in an account, and notes what is ambiguous.

    IDs come first, then exact names, then `previously`. A name that differs only in case, space
    or invisible characters from one in the account is held back: it would create a second group
    that looks like the first.
    """

    def __init__(self, directory: Directory, desired: Desired, findings: Findings) -> None:
        self.directory = directory
        self.findings = findings
        self.claimed: dict[str, DesiredGroup] = {}
        self.matches = self._match(desired.groups)
        self._note_absent()

    def _match(self, desired: tuple[DesiredGroup, ...]) -> list[Match]:
        found: dict[int, Group | None] = {}
        for position, group in enumerate(desired):
            if group.id is not None:
                found[position] = self._claim(group, self._by_id(group))
        for position, group in enumerate(desired):
            if position not in found:
                named = self.directory.named(group.name)
                if unclaimed := [other for other in named if other.id not in self.claimed]:
                    found[position] = self._claim(group, self._only(group, unclaimed))
        for position, group in enumerate(desired):
            if position not in found:
                found[position] = self._claim(group, self._by_previous_name(group))
        return [
            Match(each, group, GroupRef(id=group.id if group else None, name=each.name))
            for each, group in ((each, found[at]) for at, each in enumerate(desired))
        ]

    def _note_absent(self) -> None:
        """Note the groups that need not be deleted, once it is known which group is which."""
        for desired in (match.desired for match in self.matches if match.group is None):
            if desired.state == "absent" and (desired.id is not None or self._is_new(desired)):
                self.findings.notes.append(f"The group {quoted(desired.name)} is absent already.")

    def _claim(self, desired: DesiredGroup, group: Group | None) -> Group | None:
        if group is not None:
            self.claimed[group.id] = desired
        return group

    def _by_id(self, desired: DesiredGroup) -> Group | None:
        group = self.directory.group(desired.id)
        if desired.state == "present" and group is None:
            message = f"the account has no group with the id {quoted(desired.id or '')}"
            self.findings.reject(desired, message)
        elif desired.state == "absent" and group is not None and group.name != desired.name:
            message = f"the group to be deleted is called {quoted(group.name)} in the account"
            self.findings.reject(desired, message, "correct the name or the id")
        return group

    def _only(self, desired: DesiredGroup, groups: Sequence[Group]) -> Group | None:
        if len(groups) == 1:
            return groups[0]
        ids = ", ".join(quoted(group.id) for group in groups)
        message = f"the account has {len(groups)} groups called {quoted(desired.name)}"
        self.findings.reject(desired, message, f"give the `id`, one of {ids}")
        self.claimed.update((group.id, desired) for group in groups)
        return None

    def _by_previous_name(self, desired: DesiredGroup) -> Group | None:
        """Return the group to be renamed, or None for one to be created or already absent."""
        before = [g for name in desired.previously for g in self.directory.named(name)]
        for group in before:
            if other := self.claimed.get(group.id):
                names = f"{quoted(group.name)} is the previous name of {quoted(desired.name)}"
                self.findings.reject(
                    desired, f"{names}, and the group of line {other.line} as well"
                )
                return None
        if len(before) > 1:
            names = ", ".join(quoted(group.name) for group in before)
            message = f"several groups have a previous name of it: {names}"
            self.findings.reject(desired, message, "give its `id`")
            return None
        return before[0] if before else None

    def _is_new(self, desired: DesiredGroup) -> bool:
        """Return whether no group that the file leaves alone has a name like this one."""
        for group in self.directory.named_alike(desired.name):
            if group.id not in self.claimed:
                name = quoted(desired.name)
                message = f"{name} is not in the account, but {quoted(group.name)} is"
                hint = "use that, or give `previously:` or `id:` to rename it"
                self.findings.held.append(Problem(desired.source, desired.line, message, hint))
                return False
        return True

    def holders(self, match: Match) -> list[Group]:
        """Return the other groups that have, now, the name that the group is to have."""
        groups = self.directory.named(match.desired.name)
        return [group for group in groups if match.group is None or group.id != match.group.id]

    def can_be_named(self, match: Match) -> bool:
        """Return whether a group can have the name that it is to get; note why it cannot."""
        desired = match.desired
        if said := forbidden_character(desired.name):
            self.findings.reject(desired, f"{said} in the name of a group: {quoted(desired.name)}")
            return False
        for group in self.holders(match):
            other = self.claimed.get(group.id)
            if other is None or (other.state == "present" and other.name == group.name):
                message = f"another group is called {quoted(desired.name)} already"
                self.findings.reject(desired, message, f"its id is {quoted(group.id)}")
                return False
        return self._is_new(desired)


class MemberMatching:
    """Compares groups of a file with those of the account, and notes who cannot be found."""

    def __init__(
        self,
        directory: Directory,
        snapshot: Snapshot,
        today: date,
        protected: Protected,
        findings: Findings,
    ) -> None:
        self.directory = directory
        self.missing_ids = frozenset(snapshot.missing_ids)
        self.today = today
        self.protected = protected
        self.findings = findings
        self.unverified: set[str] = set()

    def compare(self, match: Match) -> None:
        """Find out how the group is to change."""
        desired, group = match.desired, match.group
        ended: list[DesiredMember] = []
        # Not the directory's, which would keep it: a plan asks for each group once.
        current = {} if group is None else {member.id: member for member in group.members}
        members = self._resolve(desired, current, ended)
        match.added = {key: member for key, member in members.items() if key not in current}
        if not current:
            return
        if desired.mode == "additive":
            self._check_ended(ended, current)
        over = self._ended_ids(ended)
        for user_id, member in current.items():
            if user_id in members or (desired.mode == "additive" and user_id not in over):
                continue
            if why := self.protected(user_id, member.email):
                who = quoted(member.email or user_id)
                self.findings.notes.append(f"{who} {why}, and stays in {quoted(desired.name)}.")
            else:
                match.removed.append((member, over.get(user_id)))

    def _resolve(
        self, desired: DesiredGroup, current: Container[str], ended: list[DesiredMember]
    ) -> dict[str, DesiredMember]:
        """Return the members by user ID, except those whose `until` has passed."""
        found: dict[str, DesiredMember] = {}
        for member in desired.members:
            is_ended = member.until is not None and not is_wanted(member, self.today)
            if not self._is_one_person(member, current, is_ended=is_ended):
                continue
            if is_ended:
                ended.append(member)
                continue
            user_id = None
            if member.id is not None:
                user_id = self._check_id(member, member.id)
            elif member.email is not None:
                user_id = self.directory.id_of(member.email)
                if user_id is None:
                    self._unresolved(member, member.email)
            if user_id is None:
                continue
            first = found.setdefault(user_id, member)
            if first is not member:
                who = quoted(member.email or user_id)
                where = f"first as {quoted(first.email or user_id)} on line {first.line}"
                self.findings.reject(
                    member, f"{who} occurs twice in {quoted(desired.name)}, {where}"
                )
        return found

    def _unresolved(self, member: DesiredMember, email: str) -> None:
        users = self.directory.by_email(email)
        ids = ", ".join(quoted(user.id) for user in users)
        hint = f"give the `id`: {ids}" if users else "is it spelt as in the account?"
        have = f"{len(users)} users have" if users else "no user has"
        self.findings.reject(member, f"{have} the e-mail {quoted(email)}", hint)

    def _check_id(self, member: DesiredMember, user_id: str) -> str | None:
        if user_id in self.missing_ids:
            self.findings.reject(member, f"no user has the id {quoted(user_id)}")
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
            self.findings.warnings.append(Problem(member.source, member.line, message, hint))
            return True
        elif user_id in self.missing_ids:
            return True  # an error: nobody has either
        else:
            hint = "which nobody has; correct it, or write only the ID"
        self.findings.held.append(Problem(member.source, member.line, message, hint))
        self.findings.held_people |= {user_id, *(owner.id for owner in owners)}
        return False

    def note_unverified(self) -> None:
        """Note the IDs for which nothing shows that they are users of the account."""
        if count := len(self.unverified):
            what = "ID was" if count == 1 else "IDs were"
            self.findings.notes.append(f"{count} {what} not looked up, and may be no user's.")

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
