"""How much CPU time and memory planning takes, beside decoding the account that it is about.

1,000 groups of 100 members, of which 5 % change; and, as a slope, up to a million memberships.
`python benchmarks/planning.py` prints ratios from one run; `--slope` adds the larger accounts.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import msgspec

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

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MEMBERS = 100
CHANGED = 5  # of the members of each group: removed, and as many others added
REPEATS = 7


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


def seconds(run: Callable[[], object], repeats: int = REPEATS) -> float:
    found = []
    for _ in range(repeats):
        gc.collect()
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return statistics.median(found)


def peak_bytes(run: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slope", action="store_true", help="up to a million memberships")
    slope = parser.parse_args().slope
    content = account_json(1_000)
    response = decode(content)
    snapshot = snapshot_of(response)
    file = file_of(snapshot)
    made = make(snapshot, file)
    decoding = seconds(lambda: decode(content))
    planning = seconds(lambda: make(snapshot, file))
    reading = seconds(lambda: snapshot_of(response))
    print(f"1,000 groups x {MEMBERS} members, {len(made.changes):,} changes")
    print(f"decode   {decoding * 1000:7.1f} ms   1.00")
    print(f"snapshot {reading * 1000:7.1f} ms   {reading / decoding:.2f}")
    print(f"plan     {planning * 1000:7.1f} ms   {planning / decoding:.2f}")
    of_decoding = peak_bytes(lambda: decode(content))
    whole = peak_bytes(lambda: make(snapshot_of(decode(content)), file))
    of_planning = peak_bytes(lambda: make(snapshot, file))
    print(f"peak of decoding {of_decoding / 2**20:.1f} MiB, 1.00")
    print(f"peak of planning {of_planning / 2**20:.1f} MiB, {of_planning / of_decoding:.2f}")
    print(
        f"peak of decoding, reading and planning {whole / 2**20:.1f} MiB, {whole / of_decoding:.2f}"
    )
    if slope:
        for groups in (1_000, 2_000, 5_000, 10_000):
            content = account_json(groups)
            snapshot = snapshot_of(decode(content))
            file = file_of(snapshot)
            taken = seconds(partial(make, snapshot, file), 3)
            count = groups * MEMBERS
            print(f"{count:>9,} memberships  {taken:6.2f} s  {taken / count * 1e6:.2f} µs each")


if __name__ == "__main__":
    main()
