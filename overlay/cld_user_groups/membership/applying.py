"""Apply a plan, with threads or on an event loop, asyncio's or trio's.

The two drivers of an `Executor` differ only in where they wait.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TypeVar, cast

import anyio
import anyio.to_thread
from anyio.streams.memory import MemoryObjectSendStream
from attrs import evolve

from cld_user_groups import AsyncCldProvisioning, CldProvisioning
from cld_user_groups.errors import CloudinaryError, http_errors

from .checks import check_account, check_plan
from .executor import ChangeRequest, ChangeResult, Executor, Flow, OnProgress, advance, renewed_at
from .journal import FileJournal, Journal, JournalError, NoJournal
from .lease import Lease
from .lock import AlreadyRunning, account_lock
from .model import Plan, Snapshot
from .outcome import Result
from .problems import AccountError
from .scheduler import Scheduler
from .snapshot import read_account, read_account_async
from .state import state_directory

#: How long an interrupt, or anything else that must be noticed, can go unnoticed, in seconds.
SLICE = 0.5


def _unread() -> tuple[type[Exception], ...]:
    """Return what reading the account may end in where the run goes on."""
    return CloudinaryError, AccountError, *http_errors()


# Returns how many interrupts there were.
Interrupts = Callable[[], int]
Task = tuple[int, Flow]
Ended = tuple[int, ChangeResult]
T = TypeVar("T")
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
            stale. Nothing was written.
        AlreadyRunning: Another process applies a plan to the account.
        JournalError: The journal cannot be written. Nothing was sent.
        CloudinaryError, httpx.TransportError: The account cannot be read. Nothing was written.
    """
    check_plan(plan, client.account_id, now())
    directory = state_directory(plan.account_id, state_dir)
    is_locked = journal is None
    lock = account_lock(directory, plan.account_id, lock_wait) if is_locked else nullcontext(False)
    with lock as has_waited:
        if snapshot is None or has_waited:
            snapshot = read_account(client)
        scheduler = _scheduler(client, plan, snapshot, concurrency, keep_quota, max_wait, now())
        if journal is None:
            journal = FileJournal(directory, plan, now()) if plan.changes else NoJournal()
        run = Executor(plan, snapshot, journal, scheduler, now, on_progress, lease)
        workers = min(concurrency, len(plan.changes))
        with _counted(interrupts) as counted:

            def heed() -> None:
                if (count := counted()) > 1:
                    raise KeyboardInterrupt
                if count:
                    run.request_stop()

            try:
                _drive(client, run, workers, sleep, heed)
                after = _read_again(client, heed) if run.needs_account else None
                heed()
            except BaseException:
                run.abandon()
                raise
            return run.finish(after if isinstance(after, Snapshot) else None)


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
    is_locked = journal is None
    lock = _lock(directory, plan.account_id, lock_wait) if is_locked else nullcontext(False)
    async with lock as has_waited:
        if snapshot is None or has_waited:
            snapshot = await read_account_async(client)
        scheduler = _scheduler(client, plan, snapshot, concurrency, keep_quota, max_wait, now())
        if journal is None:
            journal = FileJournal(directory, plan, now()) if plan.changes else NoJournal()
        run = Executor(plan, snapshot, journal, scheduler, now, on_progress, lease)
        try:
            await _drive_async(client, run, concurrency, sleep)
            after = await _read_again_async(client) if run.needs_account else None
        except BaseException:
            run.abandon()
            raise
        return run.finish(after if isinstance(after, Snapshot) else None)


def _scheduler(
    client: CldProvisioning | AsyncCldProvisioning,
    plan: Plan,
    snapshot: Snapshot,
    concurrency: int,
    keep_quota: int,
    max_wait: float,
    now: datetime,
) -> Scheduler:
    """Check a plan against the account that was just read, and return its scheduler."""
    check_plan(plan, client.account_id, now)
    check_account(plan, snapshot)
    return Scheduler(
        plan.changes,
        concurrency=concurrency,
        keep_quota=keep_quota,
        max_wait=max_wait,
        remaining=snapshot.requests_left,
        reset_at=renewed_at(snapshot.quota_reset_at),
    )


def _client_for_changes(client: C, concurrency: int) -> C:
    """Return the client for a run's changes: it leaves throttled requests to the scheduler.

    The scheduler slows the whole run down; each of many calls would only try again by itself.
    """
    retries = client.retry_config
    if retries is not None:
        retries = evolve(retries, retry_throttled=False)
    return client.with_options(retries=retries, concurrency=concurrency)


def _drive(
    client: CldProvisioning,
    run: Executor,
    workers: int,
    sleep: Callable[[float], None],
    heed: Callable[[], None],
) -> None:
    tasks: SimpleQueue[Task | None] = SimpleQueue()
    results: SimpleQueue[tuple[int, ChangeResult | BaseException]] = SimpleQueue()
    writing = _client_for_changes(client, workers)
    for _ in range(workers):
        # Daemons, so that a second Ctrl-C need not wait for their responses.
        threading.Thread(target=_work, args=(writing, tasks, results), daemon=True).start()
    try:
        heed()
        while not run.is_over:
            starting = run.begin()
            for task in starting if _flush(run, starting) else ():
                tasks.put(task)
            if run.must_read:
                run.account_read(_read_again(client, heed))
            elif run.is_anything_running:
                for position, result in _receive(results):
                    run.end(position, result)
            else:
                _pause(run, sleep, heed)
            heed()
        _flush(run)  # the last outcomes, before the account is read again
    finally:
        with suppress(Empty):  # where the run was abandoned, what no worker has taken is not sent
            while True:
                tasks.get_nowait()
        for _ in range(workers):
            tasks.put(None)


def _flush(run: Executor, starting: Sequence[Task] = ()) -> bool:
    """Write the journal to disk; return whether it was written, and the tasks may be sent."""
    try:
        run.flush()
    except JournalError as error:
        run.journal_failed(error, [position for position, _ in starting])
        return False
    return True


def _work(
    client: CldProvisioning,
    tasks: SimpleQueue[Task | None],
    results: SimpleQueue[tuple[int, ChangeResult | BaseException]],
) -> None:
    while (task := tasks.get()) is not None:
        position, flow = task
        try:
            results.put((position, execute_now(client, flow)))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for it
            results.put((position, error))


def execute_now(client: CldProvisioning, flow: Flow) -> ChangeResult:
    """Send the requests of a change, and return its result."""
    groups = client.user_groups.with_raw_response
    step: ChangeRequest | ChangeResult = next(flow)
    while isinstance(step, ChangeRequest):
        try:
            response = getattr(groups, step.operation)(**step.arguments)
        except Exception as error:  # noqa: BLE001 - the flow decides
            response = error
        step = advance(flow, response)
    return step


def _receive(
    results: SimpleQueue[tuple[int, ChangeResult | BaseException]],
) -> Generator[Ended]:
    """Yield the tasks that have ended, waiting for the first; none if there is none for a while."""
    with suppress(Empty):
        position, result = results.get(timeout=SLICE)
        while True:
            if isinstance(result, BaseException):
                raise result
            yield position, result
            position, result = results.get_nowait()


def _pause(run: Executor, sleep: Callable[[float], None], heed: Callable[[], None]) -> None:
    seconds = run.seconds_to_wait()
    while seconds > 0 and not run.is_over and not run.lease_loss:
        sleep(min(seconds, SLICE))
        seconds -= SLICE
        heed()


@contextmanager
def _counted(interrupts: Interrupts | None) -> Generator[Interrupts]:
    """Yield the caller's count of interrupts, else that of Ctrl-C.

    Only where Ctrl-C would raise `KeyboardInterrupt` here: elsewhere its handler is the caller's.
    """
    if interrupts is not None:
        yield interrupts
        return
    count = 0
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield lambda: count
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


def _in_thread(function: Callable[[], T], heed: Callable[[], None]) -> T:
    """Call a function in another thread, so that an interrupt need not wait for its end."""
    results: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def work() -> None:
        try:
            results.put((function(), None))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for it
            results.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    while True:
        try:
            value, error = results.get(timeout=SLICE)
        except Empty:
            heed()
            continue
        if error is not None:
            raise error
        return cast("T", value)


def _read_again(client: CldProvisioning, heed: Callable[[], None]) -> Snapshot | Exception:
    try:
        return _in_thread(lambda: read_account(client), heed)
    except _unread() as error:
        return error


async def _drive_async(
    client: AsyncCldProvisioning,
    run: Executor,
    concurrency: int,
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    writing = _client_for_changes(client, concurrency)
    sending, receiving = anyio.create_memory_object_stream[Ended](float("inf"))
    async with sending, receiving, anyio.create_task_group() as group:
        while not run.is_over:
            starting = run.begin()
            # In another thread, for the disk may be slow; results may come in meanwhile.
            for task in starting if await anyio.to_thread.run_sync(_flush, run, starting) else ():
                group.start_soon(_work_async, writing, task, sending)
            if run.must_read:
                run.account_read(await _read_again_async(client))
            elif run.is_anything_running:
                run.end(*await receiving.receive())
                for _ in range(receiving.statistics().current_buffer_used):
                    run.end(*receiving.receive_nowait())
            else:
                seconds = run.seconds_to_wait()
                while seconds > 0 and not run.lease_loss:
                    await sleep(min(seconds, SLICE))
                    seconds -= SLICE
        # The last outcomes, before the account is read again.
        await anyio.to_thread.run_sync(_flush, run)


async def _work_async(
    client: AsyncCldProvisioning, task: Task, sending: MemoryObjectSendStream[Ended]
) -> None:
    position, flow = task
    sending.send_nowait((position, await execute_async(client, flow)))


async def execute_async(client: AsyncCldProvisioning, flow: Flow) -> ChangeResult:
    """Send the requests of a change, as `execute_now` does."""
    groups = client.user_groups.with_raw_response
    step: ChangeRequest | ChangeResult = next(flow)
    while isinstance(step, ChangeRequest):
        try:
            response = await getattr(groups, step.operation)(**step.arguments)
        except Exception as error:  # noqa: BLE001 - the flow decides
            response = error
        step = advance(flow, response)
    return step


@asynccontextmanager
async def _lock(directory: Path, account_id: str, wait: float) -> AsyncGenerator[bool]:
    """Hold the lock of an account, as `account_lock` does, without blocking the event loop."""
    ends, has_waited = anyio.current_time() + wait, False
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(account_lock(directory, account_id))
                break
            except AlreadyRunning:
                if anyio.current_time() >= ends:
                    raise
            has_waited = True
            await anyio.sleep(0.05)
        yield has_waited


async def _read_again_async(client: AsyncCldProvisioning) -> Snapshot | Exception:
    try:
        return await read_account_async(client)
    except _unread() as error:
        return error
