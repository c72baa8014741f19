"""Which rules memberships break, as they are and as they would be, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import date
from functools import cached_property
from itertools import chain, combinations
from typing import TypeAlias

from cld_user_groups.identity import email_key, name_key

from .grants import GroupRef, PrincipalKey
from .model import Action, Change, Rule, Snapshot, UserRef
from .problems import Problem, listed, quoted

#: By group and user, the last day for which a file wants the membership.
Ends: TypeAlias = Mapping[tuple[str, str], date]


def at_rule(rule: Rule, message: str, hint: str = "") -> Problem:
    return Problem(rule.source, rule.line, message, hint)


class Memberships:
    """Who is in which group, as it would be, and which rules that breaks.

    Groups may stay as large as the `sizes` say, by ID, which are those of the snapshot by default.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        rules: Sequence[Rule],
        ends: Ends,
        sizes: Mapping[str, int] | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._rules = rules
        self.ends = ends
        self.members = {group.id: {each.id for each in group.members} for group in snapshot.groups}
        self.names = {group.id: group.name for group in snapshot.groups}
        self.sizes = snapshot.sizes if sizes is None else sizes
        self._about_roles = any(rule.kind == "not_with_role" for rule in rules)
        self._rules_of: dict[str, list[Rule]] = {}
        for rule in rules:
            for ref in rule.groups:
                self._rules_of.setdefault(ref.key, []).append(rule)

    @cached_property
    def _granted(self) -> dict[PrincipalKey, dict[str, str]]:
        """The names of roles, by whose they are and by their names and IDs as they are compared."""
        return {
            principal: {
                name_key(text): grant.role
                for grant in grants
                for text in (grant.role, grant.role_id)
            }
            for principal, grants in self._snapshot.roles.known.items()
        }

    @cached_property
    def emails(self) -> dict[str, set[str]]:
        """The e-mails of each user: a listing may lack one that another has."""
        found: dict[str, set[str]] = {}
        groups = (group.members for group in self._snapshot.groups)
        for member in chain(*groups, self._snapshot.people):
            found.setdefault(member.id, set()).update({member.email} if member.email else ())
        return found

    def after(
        self, changes: Sequence[Change], left_out: set[int]
    ) -> tuple[Memberships, dict[int, Problem]]:
        """Return the memberships after changes, and which additions worsen a breach, with why.

        All that leave are counted first. Additions count in their order, so that it is the last
        ones that would go past a limit; those that break a rule do not count.
        """
        state = copy(self)  # which shares what the account tells
        state.members = {key: set(members) for key, members in self.members.items()}
        state.names, state.ends = dict(self.names), dict(self.ends)
        made = [(at, change) for at, change in enumerate(changes) if at not in left_out]
        for _, change in made:
            key = change.group.key
            state.names[key] = change.group.name
            for user in change.leavers:
                state.members.get(key, set[str]()).discard(user.id)
        worse: dict[int, Problem] = {}
        for at, change in made:
            if change.action is not Action.ADD_USER or change.user is None:
                continue
            key, user = change.group.key, change.user
            for rule, why in state.breaches(key, user, change.until, state.sizes.get(key, 0)):
                where = f"`{rule.kind}` on line {rule.line}"
                if rule.source != change.source:
                    where = f"`{rule.kind}` in {quoted(rule.source)}, line {rule.line}"
                message = f"{quoted(user.text)} is not added to {quoted(change.group.name)}: {why}"
                hint = f"if it is meant, edit {where}"
                worse[at] = Problem(change.source, change.line, message, hint)
                break
            else:
                state.members.setdefault(key, set()).add(user.id)
                if user.email is not None:
                    state.emails.setdefault(user.id, {user.email})
                if change.until is not None:
                    state.ends[key, user.id] = change.until
        return state, worse

    def breaks(self, change: Change, user: UserRef) -> bool:
        """Return whether a membership that a change ends breaks a rule."""
        return any(self.breaches(change.group.key, user, None, 0))

    def breaches(
        self, key: str, user: UserRef, until: date | None, size: int
    ) -> Iterator[tuple[Rule, str]]:
        """Yield the rules that a membership breaks, and how; a group of a size may stay so."""
        of_others = [
            rule
            for other in sorted(self._groups_of(user.id) - {key})
            for rule in self._rules_of.get(other, ())
            if rule.kind == "not_with_role"
        ]
        for rule in (*self._rules_of.get(key, ()), *of_others):
            if why := self._why(rule, key, user, until, size):
                yield rule, why

    def _why(self, rule: Rule, key: str, user: UserRef, until: date | None, size: int) -> str:
        """Return how a membership breaks a rule, or ""."""
        match rule.kind:
            case "max_members":
                members = self.members.get(key, set[str]())
                limit, count = rule.limit or 0, len(members) + (user.id not in members)
                said = f"it would have {count} members, and may have {limit}"
                return said if count > max(limit, size) else ""
            case "email_domains":
                return self._wrong_domain(rule, user)
            case "require_until":
                ends = until or self.ends.get((key, user.id))
                return "" if ends else "no `until` is given"
            case "not_together":
                others = (ref for ref in rule.groups if ref.key != key)
                also = [ref for ref in others if user.id in self.members.get(ref.key, ())]
                return f"also in {listed([ref.name for ref in also])}" if also else ""
            case "not_with_role":
                return self._role_held(rule, key, user.id)

    def _wrong_domain(self, rule: Rule, user: UserRef) -> str:
        known = self.emails.get(user.id)  # where it has none, what a file says is no proof
        emails = ({user.email} if user.email else set[str]()) if known is None else known
        if not emails:
            return "the e-mail is not known"
        domains = {email_key(text) for text in rule.values}
        if all(email_key(email).rpartition("@")[2] in domains for email in emails):
            return ""
        return f"the e-mail is not in {listed(rule.values)}"

    def _groups_of(self, user_id: str) -> set[str]:
        """Return the groups of a user; none where no rule is about roles."""
        members = self.members if self._about_roles else {}
        return {key for key, ids in members.items() if user_id in ids}

    def _role_held(self, rule: Rule, key: str, user_id: str) -> str:
        """Return which role of a rule a member would hold, or that it is not known, or ""."""
        roles, about = self._snapshot.roles, {ref.key for ref in rule.groups}
        held: list[tuple[PrincipalKey, str]]
        beginning = unknown = ""
        if key in about:
            others = sorted(self._groups_of(user_id) - about)
            held = [(("group", each), f"through {quoted(self.names[each])}") for each in others]
            held.append((("user", user_id), "by the user"))
        else:
            held = [(("group", key), f"through {quoted(self.names.get(key, ''))}")]
            beginning = f"for a member of {quoted(rule.groups[0].name)}, "
        for principal, how in held:
            granted = {} if principal[1].startswith("\0") else self._granted.get(principal)
            if granted is None:
                what = f"whether {listed(rule.values)} is held {how}"
                unknown = f"{beginning}{what} is not known ({roles.reason})"
            elif role := next(filter(None, map(granted.get, map(name_key, rule.values))), None):
                return f"{beginning}{quoted(role)} is held {how}"
        return unknown

    def standing(self) -> Iterator[Problem]:
        """Yield each breach, with the people."""
        for rule in self._rules:
            if rule.kind == "not_together":
                for one, other in combinations(rule.groups, 2):
                    if both := self._of(one) & self._of(other):
                        names = f"{quoted(one.name)} and {quoted(other.name)}"
                        said = f"nobody may be in both {names}, and is: {self._people(both)}"
                        yield at_rule(rule, said)
                continue
            for ref in rule.groups:
                for said in self._wrong_in(ref, rule):
                    yield at_rule(rule, said)

    def _wrong_in(self, ref: GroupRef, rule: Rule) -> Iterator[str]:
        members = self._of(ref)
        if rule.limit is not None:
            if (count := len(members)) > rule.limit:
                yield f"{quoted(ref.name)} has {count} members, and may have {rule.limit}"
            return
        found: dict[str, list[str]] = {}
        for user_id in members:
            if why := self._why(rule, ref.key, UserRef(id=user_id), None, 0):
                found.setdefault(why, []).append(user_id)
        for why, ids in sorted(found.items()):
            yield f"in {quoted(ref.name)}, {why}: {self._people(ids)}"

    def _of(self, ref: GroupRef) -> set[str]:
        return self.members.get(ref.key, set[str]())

    def _people(self, ids: Iterable[str]) -> str:
        return listed([min(self.emails.get(each, ()), default=each) for each in sorted(ids)])
