"""Measure runs of additions at a latency of 50 ms, and the share of the journal.

Measured in interleaved pairs over a socket, to the emulator in another process: the time of each
addition by `apply` with 16 at once, its journal and its reads of the account included, beside one
`add_user` after the other; and the CPU time of a run with its journal beside one without. Waiting
for the disk is not CPU time: how long it takes depends on the disk.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from measure import by_turns, compare

from cld_user_groups import CldProvisioning, Security
from cld_user_groups.membership.applying import apply
from cld_user_groups.membership.grants import GroupRef
from cld_user_groups.membership.journal import FileJournal, Journal, NoJournal
from cld_user_groups.membership.model import Action, Change, Plan, UserRef
from cld_user_groups.membership.planning import fingerprint
from cld_user_groups.membership.snapshot import read_account
from command import options, report

ADDITIONS = 500
ONE_BY_ONE = 60
AT_ONCE = 16
LATENCY = 0.05

_SERVER = f"""
import sys
from cld_user_groups.emulator import Emulator, EmulatorUser
users = [EmulatorUser(f"u{{n}}", f"User {{n}}", f"u{{n}}@example.com") for n in range({ADDITIONS})]
emulator = Emulator(users=users, groups=[])
emulator.fail("*", status=None, delay={LATENCY}, times=None)
with emulator.serve() as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def slow_emulator() -> Generator[str]:
    """Serve an account whose responses take a while, in another process; yield its URL."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


class Cost(NamedTuple):
    """What a run costs, in seconds."""

    elapsed: float
    cpu: float


class Measured:
    """Adds users to a new group, in one way or the other.

    Args:
        client: The client.
        directory: Where journals are written.
        additions: How many users a run adds.
    """

    def __init__(self, client: CldProvisioning, directory: Path, additions: int) -> None:
        self._client = client
        self._directory = directory
        self._additions = additions
        self._groups = 0

    def one_by_one(self) -> float:
        """Return how long a call takes, one after the other."""
        group_id = self._new_group()
        began = time.perf_counter()
        for number in range(ONE_BY_ONE):
            self._client.user_groups.add_user(group_id=group_id, user_id=f"u{number}")
        return (time.perf_counter() - began) / ONE_BY_ONE

    def applied(self) -> Cost:
        """Return what a run costs that keeps a journal."""
        plan = self._plan()
        return self._apply(plan, FileJournal(self._directory, plan, datetime.now(UTC)))

    def applied_without_journal(self) -> Cost:
        """Return what a run costs that keeps no journal."""
        return self._apply(self._plan(), NoJournal())

    def _apply(self, plan: Plan, journal: Journal) -> Cost:
        began, began_cpu = time.perf_counter(), time.process_time()
        result = apply(self._client, plan, journal=journal, concurrency=AT_ONCE)
        cost = Cost(time.perf_counter() - began, time.process_time() - began_cpu)
        assert result.is_complete
        return cost

    def _new_group(self) -> str:
        self._groups += 1
        group_id = self._client.user_groups.create(name=f"group {self._groups}").id
        assert group_id is not None
        return group_id

    def _plan(self) -> Plan:
        group_id = self._new_group()
        snapshot = read_account(self._client)
        group = next(group for group in snapshot.groups if group.id == group_id)
        ref = GroupRef(id=group.id, name=group.name)
        now = datetime.now(UTC)
        return Plan(
            account_id="acc",
            source="benchmark",
            created_at=now,
            expires_at=now + timedelta(hours=1),
            changes=tuple(
                Change(action=Action.ADD_USER, group=ref, user=UserRef(id=f"u{number}"))
                for number in range(self._additions)
            ),
            fingerprints={group.id: fingerprint(group)},
        )


def main() -> None:
    """Measure."""
    chosen = options(__doc__)
    additions = 150 if chosen.quick else ADDITIONS
    folder = Path(__file__).parent  # a disk, where the system's temporary folder may be memory
    with (
        slow_emulator() as url,
        tempfile.TemporaryDirectory(dir=folder) as directory,
        CldProvisioning(account_id="acc", security=Security("k", "s"), server_url=url) as client,
    ):
        measured = Measured(client, Path(directory), additions)
        serial = by_turns(
            lambda: measured.applied().elapsed / additions, measured.one_by_one, chosen.pairs(6)
        )
        journal = by_turns(
            lambda: measured.applied().cpu,
            lambda: measured.applied_without_journal().cpu,
            chosen.pairs(12),
        )
    report(compare(serial).row("apply", chosen.client))
    report(compare(journal).row("journal", chosen.client))


if __name__ == "__main__":
    main()
