"""How much CPU time and memory planning takes, beside decoding the account that it is about.

1,000 groups of 100 members, of which 5 % change; and, as a slope, up to a million memberships.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import msgspec
from growth import exponent
from measure import by_turns, compare, peak_bytes, seconds

from cld_provisioning_api.models import UserGroupsResponse
from cld_user_groups.membership import (
    Desired,
    DesiredGroup,
    DesiredMember,
    Group,
    Member,
    Plan,
    Snapshot,
    plan,
)
from command import options, report

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MEMBERS = 100
CHANGED = 5  # of the members of each group: removed, and as many others added
GROUPS = (1_000, 3_000, 10_000)


def account_json(groups: int) -> bytes:
    """Return the response of an account: each user is in five groups."""
    return msgspec.json.encode(
        {
            "user_groups": [
                {
                    "id": f"{group:030x}",
                    "name": f"Group {group}",
                    "created_at": "2026-01-01T00:00:00Z",
                    "updated_at": "2026-01-01T00:00:00Z",
                    "users": [_user(user, groups) for user in _users(group, groups)],
                }
                for group in range(groups)
            ]
        }
    )


def _users(group: int, groups: int) -> range:
    start = (group * MEMBERS) % (groups * MEMBERS // 5)
    return range(start, start + MEMBERS)


def _user(number: int, groups: int) -> dict[str, str]:
    number %= groups * MEMBERS // 5 + MEMBERS
    email = f"user.{number}@example.com"
    return {"id": f"{number:030x}", "name": f"User {number}", "email": email}


def decode(content: bytes) -> UserGroupsResponse:
    return msgspec.json.decode(content, type=UserGroupsResponse)


def snapshot_of(response: UserGroupsResponse) -> Snapshot:
    known: dict[str, Member] = {}
    groups: list[Group] = []
    for group in response.user_groups or ():
        members = []
        for user in group.users or ():
            user_id = user.id or ""
            found = known.get(user_id)
            if found is None:
                found = known[user_id] = Member(id=user_id, email=user.email, name=user.name)
            members.append(found)
        groups.append(Group(id=group.id or "", name=group.name or "", members=tuple(members)))
    return Snapshot(account_id="acc", groups=tuple(groups), taken_at=NOW)


def file_of(snapshot: Snapshot) -> Desired:
    """Return a file in which 5 % of every group differ."""
    groups: list[DesiredGroup] = []
    for number, group in enumerate(snapshot.groups):
        others = snapshot.groups[(number + 1) % len(snapshot.groups)].members[:CHANGED]
        members = (*group.members[CHANGED:], *others)
        groups.append(
            DesiredGroup(
                name=group.name,
                members=tuple(
                    DesiredMember(email=member.email, source="groups.yaml", line=line)
                    for line, member in enumerate(members, start=1)
                ),
                source="groups.yaml",
                line=1,
            )
        )
    return Desired(source="groups.yaml", digest="", groups=tuple(groups))


def make(snapshot: Snapshot, file: Desired) -> Plan:
    return plan(snapshot, file, NOW.date(), now=NOW)


def main() -> None:
    """Measure."""
    chosen = options(__doc__)
    content = account_json(1_000)
    snapshot = snapshot_of(decode(content))
    file = file_of(snapshot)
    pairs = by_turns(
        lambda: seconds(lambda: make(snapshot, file)),
        lambda: seconds(lambda: decode(content)),
        chosen.pairs(10),
    )
    report(compare(pairs).row("plan", chosen.client))
    peaks = by_turns(
        lambda: peak_bytes(lambda: make(snapshot, file)),
        lambda: peak_bytes(lambda: decode(content)),
        2,
    )
    report(compare(peaks).row("plan memory", chosen.client))
    if not chosen.quick:
        report(slope(chosen.client))


def slope(client: str) -> dict[str, object]:
    """Return how the cost of planning grows, up to a million memberships."""
    costs: list[float] = []
    for groups in GROUPS:
        snapshot = snapshot_of(decode(account_json(groups)))
        file = file_of(snapshot)
        costs.append(min(seconds(partial(make, snapshot, file)) for _ in range(2)))
    sizes = [groups * MEMBERS for groups in GROUPS]
    return {
        "figure": "planning, by memberships",
        "client": client,
        "exponent": exponent(sizes, costs),
        "sizes": sizes,
        "costs": costs,
    }


if __name__ == "__main__":
    main()
