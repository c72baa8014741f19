"""Whether a group that is to be created is an accident of its source: pure checks."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from cld_user_groups.identity import name_key

from .directory import Directory
from .model import DesiredGroup, Group
from .problems import Problem, quoted

#: How much of two names is the same where one of them may be the other mistyped.
_NEAR = 0.65
#: Comparing names is slow: beyond this many pairs there are no suggestions.
_MOST_PAIRS = 50_000
_NUMBER = re.compile(r"\d+")


class NewGroups:
    """Compares `count` groups that are to be created with those of the account and of the file."""

    def __init__(
        self,
        directory: Directory,
        claimed: Collection[str],  # the IDs of those that the file names
        desired: Iterable[DesiredGroup],
        count: int,
    ) -> None:
        self._names = {name_key(group.name): group.name for group in directory.groups()}
        self._known = self._names.keys() | {name_key(group.name) for group in desired}
        self._suggests = count * len(self._names) <= _MOST_PAIRS
        self._left = {group.id: group for group in directory.groups() if group.id not in claimed}
        self._left_with: dict[str, list[str]] = {}
        for group in self._left.values():
            for member in group.members:
                self._left_with.setdefault(member.id, []).append(group.id)

    def accident(
        self, desired: DesiredGroup, members: Collection[str], losses: Mapping[str, Collection[str]]
    ) -> Problem | None:
        """Return why a group of such members is not to be created, or None.

        The losses are, by the key of its name, whom each group of the file is to lose.
        """
        hint = "if it is meant: `allow_new: true` on the group, or --allow-new with its name"
        parts = [part.strip() for part in re.split("[,;]", desired.name) if part.strip()]
        known = [part for part in parts if name_key(part) in self._known]
        loses = any(set(members) & set(losses.get(name_key(part), ())) for part in known)
        if len(parts) > 1 and (len(known) == len(parts) or loses):
            exist = f"{' and '.join(map(quoted, known))} {'exists' if len(known) == 1 else 'exist'}"
            message = f"{quoted(desired.name)} looks like several groups in one: {exist}"
            return _problem(desired, message, f"list each by itself; {hint}")
        former = self._former(desired, members)
        if former is None:
            return None
        message = (
            f"{quoted(desired.name)} has the members of {quoted(former.name)}, which the file does "
            f"not name (ID {quoted(former.id)})"
        )
        rename = f"if it was renamed: `previously: [{former.name}]`, or its `id`"
        return _problem(desired, message, f"{rename}; {hint}")

    def _former(self, desired: DesiredGroup, members: Collection[str]) -> Group | None:
        """Return the group that the source has probably renamed: most of it is in the new one."""
        shared = Counter(
            group_id for user_id in members for group_id in self._left_with.get(user_id, ())
        )
        for group_id, count in shared.most_common():
            group = self._left[group_id]
            if count < 0.8 * len(group.members):
                continue
            if _is_alike(desired.name, group.name):
                is_former = 3 * count >= len(members)
            else:
                is_former = count > 1 and 2 * count >= len(members)
            if is_former:
                return group
        return None

    def near(self, desired: DesiredGroup) -> Problem | None:
        """Return a warning where a group of the account has almost this name, or None."""
        key = name_key(desired.name)
        close = difflib.get_close_matches(key, self._names, cutoff=_NEAR) if self._suggests else []
        for other in close:
            if _NUMBER.sub("", other) != _NUMBER.sub("", key):
                message = f"{quoted(desired.name)} is a new group"
                return _problem(desired, message, f"did you mean {quoted(self._names[other])}?")
        return None


def _is_alike(one: str, other: str) -> bool:
    shorter, longer = sorted((name_key(one), name_key(other)), key=len)
    if len(shorter) > 2 and shorter in longer:
        return True
    return difflib.SequenceMatcher(None, shorter, longer).ratio() >= _NEAR


def _problem(desired: DesiredGroup, message: str, hint: str) -> Problem:
    return Problem(desired.source, desired.line, message, hint)
