"""Guards: how much a plan may remove before a human must confirm it. Pure functions of a plan."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import translate
from functools import partial
from itertools import chain

from cld_user_groups.identity import email_key

from .directory import Directory
from .model import Action, Breach, Desired, GuardLimits, Plan, Snapshot
from .problems import Problem, close_to, quoted

#: How many people may be removed where a file sets no limit, however few memberships there are.
FREE_REMOVALS = 10
#: The share of all memberships that may end where a file sets no limit.
FREE_SHARE = 0.1
#: How many people may be removed from any group, however small it is.
FREE_REMOVALS_PER_GROUP = 2

# What a pattern has that may match an e-mail.
_EMAIL_OR_GLOB = re.compile(r"[@*?\[]")

# Most IDs are 30 or 32 hexadecimal digits, some 30 letters and digits.
_USER_ID = re.compile(r"[0-9a-z]{16,}")


def check_guards(
    plan: Plan,
    snapshot: Snapshot,
    limits: GuardLimits | None = None,
    allow_removals: int | None = None,
) -> tuple[Breach, ...]:
    """Return the guards that a plan does not pass; none if it may be applied.

    Args:
        plan: The plan.
        snapshot: The account that it is for, as it is now.
        limits: How much may be removed. Default: the plan's own.
        allow_removals: How many removals a human has allowed. It is accepted only if the plan has
            exactly that many. Members who are protected stay protected.
    """
    protected = tuple(_check_protected(plan, snapshot))
    removals = plan.removals
    if removals == 0 or allow_removals == removals:
        return protected
    needed = f"if that is right, allow exactly {removals}: --allow-removals {removals}"
    if allow_removals is not None:
        needed = f"{allow_removals} removals were allowed, and the plan has {removals}; {needed}"
    return (*protected, *_check_limits(plan, snapshot, limits or plan.limits, needed))


def _check_protected(plan: Plan, snapshot: Snapshot) -> Iterator[Breach]:
    protected = Protected(plan.protect, snapshot)
    for change in plan.changes:
        kept = [user for user in change.leavers if protected(user.id, user.email)]
        if kept:
            who = ", ".join(quoted(user.text) for user in kept)
            message = f"{quoted(change.group.name)} loses members who are protected: {who}."
            yield Breach(guard="protected", message=message, group=change.group, removals=len(kept))


def _check_limits(
    plan: Plan, snapshot: Snapshot, limits: GuardLimits, needed: str
) -> Iterator[Breach]:
    memberships = plan.memberships
    if memberships is None:
        touched = plan.fingerprints
        memberships = sum(len(group.members) for group in snapshot.groups if group.id in touched)
    limit = limits.max_removals
    if limit is None:
        limit = max(FREE_REMOVALS, int(memberships * FREE_SHARE))
    if plan.removals > limit:
        message = f"{plan.removals} of {memberships} memberships end; {limit} may; {needed}."
        yield Breach(guard="max_removals", message=message, removals=plan.removals, limit=limit)
    deleted = (each for each in plan.changes if each.action is Action.DELETE_GROUP and each.members)
    left = {each.group.id: each for each in plan.changes if each.action is Action.REMOVE_USER}
    counts = Counter((each.group.id, each.action) for each in plan.changes)
    sizes = snapshot.sizes
    for change in (*deleted, *left.values()):
        group_id, is_deleted = change.group.id or "", change.action is Action.DELETE_GROUP
        lost = len(change.members) if is_deleted else counts[group_id, Action.REMOVE_USER]
        before = sizes.get(group_id, lost)
        stay = 0 if is_deleted else before - lost + counts[group_id, Action.ADD_USER]
        of_group = partial(Breach, group=change.group, removals=lost)
        name = quoted(change.group.name)
        if stay == 0 and before > 0:
            if group_id in plan.allow_empty:
                continue
            in_file = "say `allow_empty: true` for it in the file, or, " if plan.digest else ""
            guard, what = "empties_group", "loses all its members"
            if is_deleted:
                guard, what = "deletes_members", f"is deleted with {_members(lost)} in it"
            yield of_group(guard=guard, message=f"{name} {what}; {in_file}{needed}.")
        # Rounded first: 0.29 * 100 is 28.999999999999996.
        share = round(before * limits.max_removals_per_group, 6)
        limit = max(FREE_REMOVALS_PER_GROUP, int(share))
        if lost > limit and not is_deleted:
            may = f"{limit} may be removed ({limits.max_removals_per_group:.0%})"
            message = f"{name} loses {lost} of {_members(before)}; {may}; {needed}."
            yield of_group(guard="max_removals_per_group", message=message, limit=limit)


def _members(count: int) -> str:
    return "1 member" if count == 1 else f"{count} members"


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
        groups = (group.members for group in snapshot.groups)
        for member in chain(*groups, snapshot.people):
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
    """Yield a warning for an entry of `protect` that matches nobody; note one that never can."""
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
            yield Problem(desired.source, None, message, close_to(key, keys, cutoff=0.85))
        else:
            message = f"{quoted(entry)} in `protect` is no e-mail, no glob and no user's ID"
            hint = "write an e-mail, an ID, or a glob such as `*@example.com`"
            problems.append(Problem(desired.source, None, message, hint))
