"""Apply a plan on an event loop, asyncio's or trio's."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
from anyio.streams.memory import MemoryObjectSendStream

from cld_user_groups import AsyncCldProvisioning
from cld_user_groups.errors import CloudinaryError

from ._run import OnProgress, Run, Task, client_for_changes
from .applying import SLICE, utc_now
from .checks import check_account, check_plan
from .journal import FileJournal, Journal, JournalError, NoJournal
from .lease import Lease
from .lock import AlreadyRunning, account_lock
from .model import Plan, Snapshot
from .outcome import Result
from .perform import Performed, perform, perform_async, renewed_at
from .problems import AccountError
from .scheduler import Scheduler
from .snapshot import read_account_async
from .state import state_directory

Ended = tuple[int, Performed]


async def apply_async(
    client: AsyncCldProvisioning,
    plan: Plan,
    *,
    snapshot: Snapshot | None = None,
    state_dir: Path | None = None,
    journal: Journal | None = None,
    lock_wait: float = 0.0,
    lease: Lease | None = None,
    concurrency: int = 16,
    keep_quota: int = 0,
    max_wait: float = 0.0,
    on_progress: OnProgress | None = None,
    now: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
) -> Result:
    """Apply a plan, as `apply` does, with the same arguments (but `interrupts`) and results.

    Cancellation ends it at once: what is in flight is cancelled, and the journal records that it
    may have been applied.
    """
    check_plan(plan, client.account_id, now())
    directory = state_directory(plan.account_id, state_dir)
    is_needed = journal is None
    async with _lock(directory, plan.account_id, lock_wait, is_needed=is_needed) as has_waited:
        if snapshot is None or has_waited:
            snapshot = await read_account_async(client)
        check_plan(plan, client.account_id, now())
        check_account(plan, snapshot)
        scheduler = Scheduler(
            plan.changes,
            concurrency=concurrency,
            keep_quota=keep_quota,
            max_wait=max_wait,
            remaining=snapshot.requests_left,
            reset_at=renewed_at(snapshot.quota_reset_at),
        )
        if journal is None:
            journal = FileJournal(directory, plan, now()) if plan.changes else NoJournal()
        run = Run(plan, snapshot, journal, scheduler, now, on_progress, lease)
        try:
            await _drive(client, run, concurrency, sleep)
            after = await _read_again(client) if run.needs_account else None
        except BaseException:
            run.abandon()
            raise
        return run.finish(after if isinstance(after, Snapshot) else None)


async def _drive(
    client: AsyncCldProvisioning,
    run: Run,
    concurrency: int,
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    writing = client_for_changes(client, concurrency)
    sending, receiving = anyio.create_memory_object_stream[Ended](float("inf"))
    async with sending, receiving, anyio.create_task_group() as group:
        while not run.is_over:
            for task in await _begin(run):
                group.start_soon(_work, writing, task, sending)
            if run.must_read:
                run.account_read(await _read_again(client))
            elif run.is_anything_running:
                ended = [await receiving.receive()]
                ended += [
                    receiving.receive_nowait()
                    for _ in range(receiving.statistics().current_buffer_used)
                ]
                for position, performed in ended:
                    run.end(position, performed)
            else:
                await _pause(run, sleep)
        await _flush(run, [])  # the last outcomes, before the account is read again


async def _pause(run: Run, sleep: Callable[[float], Awaitable[None]]) -> None:
    seconds = run.seconds_to_wait()
    while seconds > 0 and not run.lease_loss:
        await sleep(min(seconds, SLICE))
        seconds -= SLICE


async def _begin(run: Run) -> list[Task]:
    """Return the tasks that start now, once the journal has them."""
    starting = run.begin()
    return starting if await _flush(run, starting) else []


async def _flush(run: Run, starting: list[Task]) -> bool:
    """Write the journal to disk; return whether it was written, and the tasks may be sent."""
    try:
        await anyio.to_thread.run_sync(run.flush)
    except JournalError as error:
        run.journal_failed(error, starting)
        return False
    return True


async def _work(
    client: AsyncCldProvisioning, task: Task, sending: MemoryObjectSendStream[Ended]
) -> None:
    flow = perform(task.change, task.group_id, was_sent=task.was_sent)
    sending.send_nowait((task.position, await perform_async(client, flow)))


@asynccontextmanager
async def _lock(
    directory: Path, account_id: str, wait: float, *, is_needed: bool
) -> AsyncGenerator[bool]:
    """Hold the lock of an account; wait for it without blocking the event loop.

    Yields:
        Whether another run had to be waited for.
    """
    if not is_needed:
        yield False
        return
    has_waited = False
    ends = anyio.current_time() + wait
    while True:
        lock = account_lock(directory, account_id)
        try:
            lock.__enter__()
        except AlreadyRunning:
            if anyio.current_time() >= ends:
                raise
            has_waited = True
            await anyio.sleep(0.05)
        else:
            break
    try:
        yield has_waited
    finally:
        lock.__exit__(None, None, None)


async def _read_again(client: AsyncCldProvisioning) -> Snapshot | Exception:
    try:
        return await read_account_async(client)
    except (CloudinaryError, httpx.HTTPError, AccountError) as error:
        return error
