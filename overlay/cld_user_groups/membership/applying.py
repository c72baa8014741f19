"""Apply a plan: take the steps of its session with threads, or on an event loop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TypeVar

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from attrs import evolve

from cld_user_groups import AsyncCldProvisioning, CldProvisioning
from cld_user_groups._find_users import send_each, send_each_async

from .executor import ChangeResult, execute_async, execute_now
from .grants import RoleRecord
from .journal import Journal
from .lock import Lease
from .model import Plan, Snapshot
from .result import Result
from .roles import record_roles, record_roles_async
from .session import (
    SLICE,
    ApplySession,
    Interrupts,
    OnProgress,
    Read,
    ReadRoles,
    Receive,
    Save,
    Start,
    Step,
    Task,
    TaskEnd,
    Wait,
)
from .snapshot import read_account, read_account_async

C = TypeVar("C", CldProvisioning, AsyncCldProvisioning)


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def apply(
    client: CldProvisioning,
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
    interrupts: Interrupts | None = None,
    now: Callable[[], datetime] = utc_now,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Apply a plan: send its changes concurrently, and return the outcome of each.

    The account is read first, and nothing is written if it has changed since the plan was created;
    it is read again afterwards, to compare it with the plan, and after each wait of 5 seconds or
    more and for the quota: changes that it no longer fits, or whose last day has passed, are held
    back. Each change is in the journal, on disk, before it is sent and after it has ended. In the
    main thread, Ctrl-C waits for changes in flight and starts no others; a second Ctrl-C raises
    `KeyboardInterrupt` within half a second.

    Args:
        client: The client. Its retries apply, except at 420 and 429, which slow down the whole
            run.
        plan: The plan.
        snapshot: The account, if the caller has read it just now and planned from that; it
            saves reading it again, unless another run had to be waited for.
        state_dir: Where journals and locks are kept. Default: see `state_directory`.
        journal: A caller-supplied journal, with which no lock is taken, or `NoJournal()` for none.
            It is closed.
        lock_wait: How long to wait for another run on the account to end, in seconds.
        lease: The lease that the caller holds, such as a `RedisLease`. Once it is lost, no more
            changes start.
        concurrency: The maximum number of changes in flight.
        keep_quota: How many requests of the account's quota to leave to others.
        max_wait: How long to wait for the quota to be renewed, in seconds, all waits together.
        on_progress: Called in this thread after each change, and before each wait of a second or
            more.
        interrupts: Returns how often the run was interrupted so far, where the caller handles
            signals. Default: each Ctrl-C counts, unless it has a handler of the caller's.
        now: Returns the time, for tests.
        sleep: Waits, for tests.

    Returns:
        The outcome of each change, also if the run ended early.

    Raises:
        PlanRefused: The plan is for another account, does not pass its guards, has expired, or is
            stale; or it was loaded, and is for another day. Nothing was written.
        AlreadyRunning: Another process applies a plan to the account.
        JournalError: The journal cannot be written. Nothing was sent.
        CloudinaryError, httpx.TransportError: The account cannot be read. Nothing was written.
    """
    session = ApplySession(
        account_id=client.account_id,
        plan=plan,
        snapshot=snapshot,
        state_dir=state_dir,
        journal=journal,
        lock_wait=lock_wait,
        lease=lease,
        concurrency=concurrency,
        keep_quota=keep_quota,
        max_wait=max_wait,
        on_progress=on_progress,
        now=now,
        counted=partial(_counted, interrupts),
    )
    threads = _Threads(client, min(concurrency, len(plan.changes)), sleep)
    # What no worker has taken is dropped before the session records what may have been sent.
    with closing(session.steps()) as steps, closing(threads):
        return send_each(steps, threads.take)


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
    session = ApplySession(
        account_id=client.account_id,
        plan=plan,
        snapshot=snapshot,
        state_dir=state_dir,
        journal=journal,
        lock_wait=lock_wait,
        lease=lease,
        concurrency=concurrency,
        keep_quota=keep_quota,
        max_wait=max_wait,
        on_progress=on_progress,
        now=now,
        counted=lambda: nullcontext(lambda: 0),
    )
    failure: Exception | None = None
    with closing(session.steps()) as steps:  # the account stays locked until all tasks have ended
        async with anyio.create_task_group() as group:
            tasks = _Tasks(client, concurrency, group, sleep)
            try:
                return await send_each_async(steps, tasks.take)
            except Exception as error:  # noqa: BLE001 - raised by itself, not in a group
                failure = error
                group.cancel_scope.cancel()
    assert failure is not None
    raise failure


def _for_changes(client: C, concurrency: int) -> C:
    """Return the client for a run's changes: it leaves throttled requests to the scheduler.

    The scheduler slows the whole run down; each of many calls would only try again by itself.
    """
    retries = client.retry_config
    if retries is not None:
        retries = evolve(retries, retry_throttled=False)
    return client.with_options(retries=retries, concurrency=concurrency)


class _Threads:
    """Takes steps with threads. They are daemons: a second Ctrl-C need not wait for responses."""

    def __init__(
        self, client: CldProvisioning, workers: int, sleep: Callable[[float], None]
    ) -> None:
        self._client = client
        self._workers = workers
        self._sleep = sleep
        self._started: list[threading.Thread] = []
        self._tasks: SimpleQueue[tuple[int, Task] | None] = SimpleQueue()
        self._ends: SimpleQueue[TaskEnd] = SimpleQueue()

    def take(self, step: Step) -> object:
        match step:
            case Read():
                return self._read(step)
            case Save(write):
                write()
            case Wait(seconds):
                self._sleep(seconds)
            case Start(tasks):
                self._start(tasks)
            case Receive():
                return self._receive()
        return None

    def _read(self, step: Read) -> Snapshot:
        return read_account(self._client, step.people, keep_quota=step.keep_quota)

    def _start(self, tasks: Sequence[tuple[int, Task]]) -> None:
        if not self._started:
            work = partial(self._work, _for_changes(self._client, self._workers))
            for _ in range(self._workers):
                self._started.append(threading.Thread(target=work, daemon=True))
                self._started[-1].start()
        for task in tasks:
            self._tasks.put(task)

    def _work(self, writing: CldProvisioning) -> None:
        while (taken := self._tasks.get()) is not None:
            position, task = taken
            end: TaskEnd
            try:
                if isinstance(task, Read):
                    end = position, self._read(task)
                elif isinstance(task, ReadRoles):
                    end = position, record_roles(self._client, task.group_id)
                else:
                    end = position, execute_now(writing, task)
            except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for it
                end = position, error
            self._ends.put(end)

    def _receive(self) -> list[TaskEnd]:
        ends: list[TaskEnd] = []
        with suppress(Empty):
            ends.append(self._ends.get(timeout=SLICE))
            while True:
                ends.append(self._ends.get_nowait())
        return ends

    def close(self) -> None:
        with suppress(Empty):  # where the run was abandoned, what no worker has taken is not sent
            while True:
                self._tasks.get_nowait()
        for _ in self._started:
            self._tasks.put(None)


class _Tasks:
    """Takes steps on an event loop."""

    def __init__(
        self,
        client: AsyncCldProvisioning,
        concurrency: int,
        group: TaskGroup,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._client = client
        self._writing = _for_changes(client, concurrency)
        self._group = group
        self._sleep = sleep
        self._ends: list[TaskEnd] = []
        self._has_ended = anyio.Event()

    async def take(self, step: Step) -> object:
        match step:
            case Read():
                return await self._read(step)
            case Save(write):
                await anyio.to_thread.run_sync(write)  # for the disk may be slow
            case Wait(seconds):
                await self._sleep(seconds)
            case Start(tasks):
                for task in tasks:
                    self._group.start_soon(self._work, *task)
            case Receive():
                await self._has_ended.wait()
                self._has_ended = anyio.Event()
                ends, self._ends = self._ends, []
                return ends
        return None

    async def _read(self, step: Read) -> Snapshot:
        return await read_account_async(self._client, step.people, keep_quota=step.keep_quota)

    async def _work(self, position: int, task: Task) -> None:
        found: Snapshot | RoleRecord | ChangeResult | Exception
        try:
            if isinstance(task, Read):
                found = await self._read(task)
            elif isinstance(task, ReadRoles):
                found = await record_roles_async(self._client, task.group_id)
            else:
                found = await execute_async(self._writing, task)
        except Exception as error:  # noqa: BLE001 - raised by the session
            found = error
        self._ends.append((position, found))  # to the list of now, not of before the wait
        self._has_ended.set()


@contextmanager
def _counted(interrupts: Interrupts | None) -> Generator[Interrupts]:
    """Yield the caller's count of interrupts, else that of Ctrl-C.

    Only where Ctrl-C would raise `KeyboardInterrupt` here: elsewhere its handler is the caller's.
    """
    count = 0
    if interrupts is not None:
        yield interrupts
        return
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield lambda: 0
        return

    def note(number: int, frame: FrameType | None) -> None:
        # Nothing else: a lock may be held by what the signal has interrupted, another signal too.
        nonlocal count
        count += 1

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: count
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
