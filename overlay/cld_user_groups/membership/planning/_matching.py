"""Which group of the account each group of a file is, and whether its name is free."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cld_user_groups.identity import forbidden_character, name_key
from cld_user_groups.membership.model import Desired, DesiredGroup, Group
from cld_user_groups.membership.problems import Problem, quoted


class Match(NamedTuple):
    """A group of a file, and the group of the account that it is, or None."""

    wanted: DesiredGroup
    group: Group | None


class Matching:
    """Finds the groups of a file in an account, and notes what is ambiguous.

    IDs come first, then exact names, then `previously`. A name that differs only in case, space
    or invisible characters from one in the account is held back: it would create a second group
    that looks like the first.
    """

    def __init__(self, groups: Iterable[Group], desired: Desired, problems: list[Problem]) -> None:
        self.problems = problems
        self.notes: list[str] = []
        self.held: list[Problem] = []
        self.by_id: dict[str, Group] = {}
        self.by_name: dict[str, list[Group]] = {}
        self.by_key: dict[str, list[Group]] = {}
        for group in groups:
            self.by_id[group.id] = group
            self.by_name.setdefault(group.name, []).append(group)
            self.by_key.setdefault(name_key(group.name), []).append(group)
        self.claimed: dict[str, DesiredGroup] = {}
        self.matches = self._match(desired.groups)
        self._note_absent()

    def _match(self, wanted: tuple[DesiredGroup, ...]) -> list[Match]:
        found: dict[int, Group | None] = {}
        for position, group in enumerate(wanted):
            if group.id is not None:
                found[position] = self._claim(group, self._by_id(group))
        for position, group in enumerate(wanted):
            if position not in found:
                named = self.by_name.get(group.name, ())
                unclaimed = [other for other in named if other.id not in self.claimed]
                if unclaimed:
                    found[position] = self._claim(group, self._only(group, unclaimed))
        for position, group in enumerate(wanted):
            if position not in found:
                found[position] = self._claim(group, self._by_previous_name(group))
        return [Match(group, found[position]) for position, group in enumerate(wanted)]

    def _note_absent(self) -> None:
        """Note the groups that need not be deleted, once it is known which group is which."""
        for wanted, group in self.matches:
            is_gone = group is None and wanted.state == "absent"
            if is_gone and (wanted.id is not None or self._is_new(wanted)):
                self.notes.append(f"The group {quoted(wanted.name)} is absent already.")

    def _claim(self, wanted: DesiredGroup, group: Group | None) -> Group | None:
        if group is not None:
            self.claimed[group.id] = wanted
        return group

    def _by_id(self, wanted: DesiredGroup) -> Group | None:
        group = self.by_id.get(wanted.id or "")
        if wanted.state == "present":
            if group is None:
                self._problem(
                    wanted, f"the account has no group with the id {quoted(wanted.id or '')}"
                )
        elif group is not None and group.name != wanted.name:
            self._problem(
                wanted,
                f"the group to be deleted is called {quoted(group.name)} in the account",
                "correct the name or the id",
            )
        return group

    def _only(self, wanted: DesiredGroup, groups: list[Group]) -> Group | None:
        if len(groups) > 1:
            ids = ", ".join(quoted(group.id) for group in groups)
            self._problem(
                wanted,
                f"the account has {len(groups)} groups called {quoted(wanted.name)}",
                f"give the `id`, one of {ids}",
            )
            self.claimed.update((group.id, wanted) for group in groups)
            return None
        return groups[0]

    def _by_previous_name(self, wanted: DesiredGroup) -> Group | None:
        """Return the group to be renamed, or None for one to be created or already absent."""
        before = [g for name in wanted.previously for g in self.by_name.get(name, ())]
        for group in before:
            if group.id in self.claimed:
                other = self.claimed[group.id]
                self._problem(
                    wanted,
                    f"{quoted(group.name)} is the previous name of {quoted(wanted.name)}, and the "
                    f"group of line {other.line} as well",
                )
                return None
        if len(before) > 1:
            names = ", ".join(quoted(group.name) for group in before)
            self._problem(
                wanted, f"several groups have a previous name of it: {names}", "give its `id`"
            )
            return None
        if before:
            return before[0]
        return None

    def _is_new(self, wanted: DesiredGroup) -> bool:
        """Return whether no group that the file leaves alone has a name like this one."""
        for group in self.by_key.get(name_key(wanted.name), ()):
            if group.id not in self.claimed:
                message = (
                    f"{quoted(wanted.name)} is not in the account, but {quoted(group.name)} is"
                )
                hint = "use that, or give `previously:` or `id:` to rename it"
                self.held.append(Problem(wanted.source, wanted.line, message, hint))
                return False
        return True

    def holders(self, match: Match) -> list[Group]:
        """Return the other groups that have, now, the name that the group is to have."""
        groups = self.by_name.get(match.wanted.name, ())
        return [group for group in groups if match.group is None or group.id != match.group.id]

    def can_be_named(self, match: Match) -> bool:
        """Return whether a group can have the name that it is to get; note why it cannot."""
        if said := forbidden_character(match.wanted.name):
            self._problem(
                match.wanted, f"{said} in the name of a group: {quoted(match.wanted.name)}"
            )
            return False
        for group in self.holders(match):
            other = self.claimed.get(group.id)
            if other is None or (other.state == "present" and other.name == group.name):
                self._problem(
                    match.wanted,
                    f"another group is called {quoted(match.wanted.name)} already",
                    f"its id is {quoted(group.id)}",
                )
                return False
        return self._is_new(match.wanted)

    def _problem(self, wanted: DesiredGroup, message: str, hint: str = "") -> None:
        self.problems.append(Problem(wanted.source, wanted.line, message, hint))
