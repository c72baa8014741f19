"""Plans that are to be made: an account read for what is asked of it, and what makes the plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from attrs import evolve, frozen

from cld_provisioning_api.models import Principal
from cld_user_groups.client import CldProvisioning

from .effects import with_effects
from .everyday import DesiredState, GroupEdit, edited_groups, plan_of
from .guards import check_guards
from .lookup import Finder, lookup_of, named_user
from .model import Desired, DesiredMember, Plan, Snapshot
from .planning import adds_only, check_clocks, check_is_for, plan
from .roles import Reach, plan_with_roles, with_more_roles
from .rules import check_rules, readers_of, role_principals
from .snapshot import read_account


@frozen
class Draft:
    """A plan to be made of the account as it was read, whose roles are to be read."""

    make: Callable[[Snapshot], Plan]  # checks the guards too
    snapshot: Snapshot
    #: Returns a snapshot with the roles that rules need beyond those, if any.
    read_more: Callable[[Snapshot], Snapshot] | None = None

    def plan(
        self, client: CldProvisioning, roles: Reach | None, keep_quota: int = 0
    ) -> tuple[Plan, Snapshot]:
        """Return the plan and its snapshot, with the roles that it needs."""
        snapshot = self.snapshot if self.read_more is None else self.read_more(self.snapshot)
        return plan_with_roles(client, self.make, snapshot, reach=roles, keep_quota=keep_quota)


def make_draft(
    client: CldProvisioning,
    desired: Desired,
    today: date | None = None,
    *,
    allow_removals: int | None = None,
    only_adds: bool = False,
    keep_quota: int = 0,
) -> Draft:
    """Read the account; return the draft of the plan for a day, by default today in UTC."""
    check_is_for(desired, client.account_id)  # before anything is sent
    now = datetime.now(UTC)
    day = today or now.date()
    snapshot = read_account(client, desired, day, keep_quota=keep_quota)
    if today is None:
        check_clocks(desired, snapshot, day)

    def make(read: Snapshot) -> Plan:
        made = plan(read, desired, day, now=now)
        return hold_to_guards(made, read, allow_removals=allow_removals, only_adds=only_adds)

    return Draft(make, snapshot)


def draft_of_wanted(
    client: CldProvisioning,
    people: Sequence[DesiredMember],
    wanted: Callable[[Finder], DesiredState],
    *,
    source: str,
    reason: str | None = None,
    file: Desired | None = None,
    adds: bool = False,
    like: Sequence[DesiredMember] = (),
    allow_removals: int | None = None,
) -> Draft:
    """Read the account; return the draft of the plan of what is wanted of it.

    The people that are named are looked up as `lookup_of` says, and the rules of a `file` hold.
    """
    check_is_for(file, client.account_id)
    now = datetime.now(UTC)
    lookup = lookup_of(people, adds=adds, like=like, file=file)
    snapshot = read_account(client, lookup, now.date())
    state = wanted(Finder(snapshot))
    desired = Desired(source=source, digest="", guards=state.limits, groups=state.groups)

    def make(read: Snapshot) -> Plan:
        made = plan_of(read, desired, now, reason=reason, file=file, notes=state.notes)
        return hold_to_guards(made, read, allow_removals=allow_removals)

    def read_more(read: Snapshot) -> Snapshot:
        """Read the roles for the rules of a file of whom a group names: `copy` and `merge`."""
        if file is None:
            return read
        made = plan(read, desired, now.date(), now=now)
        made = evolve(made, rules=check_rules(made, read, file).rules)
        needed = Desired(source="", digest="", groups=readers_of(made))
        asked, asks = set(role_principals(read, lookup)), role_principals(read, needed)
        new = [Principal(type=kind, id=each) for kind, each in asks if (kind, each) not in asked]
        return with_more_roles(client, read, new) if new else read

    return Draft(make, snapshot, read_more)


def draft_of_edits(
    client: CldProvisioning,
    edits: Sequence[GroupEdit],
    leavers: Sequence[str],
    *,
    source: str,
    reason: str,
    file: Desired | None,
) -> Draft:
    """Read the account; return the draft of the plan of edits, and of who leaves every group."""
    named = [*leavers, *(text for each in edits for text in (*each.add, *each.remove))]
    wanted = partial(edited_groups, edits=edits, leavers=leavers, file=file)
    people, adds = [*map(named_user, named)], any(each.add for each in edits)
    given: Any = {"source": source, "reason": reason, "file": file, "adds": adds}
    return draft_of_wanted(client, people, wanted, **given)


def hold_to_guards(
    made: Plan, snapshot: Snapshot, *, allow_removals: int | None, only_adds: bool = False
) -> Plan:
    """Return a plan with the guards' verdict on the account as it was read, and its effects."""
    if only_adds:
        made = check_rules(adds_only(made), snapshot)
    else:
        breaches = check_guards(made, snapshot, made.limits, allow_removals)
        made = evolve(made, breaches=breaches)
    return with_effects(made, snapshot)
