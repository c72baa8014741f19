"""An emulated account to which plans are applied, with threads or on an event loop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
from attrs import define

from cld_user_groups import CldProvisioning, utils
from cld_user_groups.emulator import Emulator
from cld_user_groups.membership.applying import apply, apply_async
from cld_user_groups.membership.model import Change, Plan
from cld_user_groups.membership.result import Result, Status
from cld_user_groups.membership.runs import Run, load_run
from cld_user_groups.membership.snapshot import read_account
from cld_user_groups.membership.state import state_directory
from cld_user_groups.membership.undo import undo_plan

from . import accounts

Way = Callable[..., Result]


def on_asyncio(emulator: Emulator, plan: Plan, **options: Any) -> Result:
    async def run() -> Result:
        async with accounts.async_client_of(emulator) as client:
            return await apply_async(client, plan, **options)

    return anyio.run(run, backend=options.pop("backend", "asyncio"))


def on_trio(emulator: Emulator, plan: Plan, **options: Any) -> Result:
    return on_asyncio(emulator, plan, backend="trio", **options)


def with_threads(emulator: Emulator, plan: Plan, **options: Any) -> Result:
    with accounts.client_of(emulator) as client:
        return apply(client, plan, **options)


WAYS = [with_threads, on_asyncio, on_trio]


@define
class Account:
    """An account, a client of it, and a way to apply plans to it.

    Attributes:
        emulator: The account.
        client: The client that reads and plans, and that applies where no way is given.
        folder: Where the journals are.
        way: How a plan is applied.
    """

    emulator: Emulator
    client: CldProvisioning
    folder: Path
    way: Way | None = None

    @property
    def members(self) -> dict[str, set[str]]:
        return accounts.members(self.emulator)

    def fail(self, operation: str, **fault: Any) -> None:
        self.emulator.fail(operation, **fault)

    def plan(self, *changes: Change) -> Plan:
        return accounts.plan_for(self.client, *changes)

    def run(self, plan: Plan, **options: Any) -> Result:
        options.setdefault("state_dir", self.folder)
        if self.way is None:
            return apply(self.client, plan, **options)
        return self.way(self.emulator, plan, **options)

    def apply(self, *changes: Change, **options: Any) -> Result:
        return self.run(self.plan(*changes), **options)

    def last_run(self, run: str | None = None) -> Run:
        return load_run(state_directory("acc", self.folder), run)

    def undo(self, run: Run | None = None, allow_removals: int | None = None) -> Plan:
        """Return the undo of a run, by default the last one, as the account is now."""
        now, found = datetime.now(UTC), read_account(self.client)
        return undo_plan(run or self.last_run(), found, now=now, allow_removals=allow_removals)


def statuses(result: Result | Run) -> list[Status]:
    return [outcome.status for outcome in result.outcomes]


class Clock:
    """A clock that goes on by what is slept."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        utils.wait(seconds)  # which the fixture `waits` records: the limiter's clock goes on

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)
