"""Apply a plan with threads."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TypeVar, cast

import httpx

from cld_user_groups import CldProvisioning
from cld_user_groups.errors import CloudinaryError

from ._run import OnProgress, Run, Task, client_for_changes
from .checks import check_account, check_plan
from .journal import FileJournal, Journal, JournalError, NoJournal
from .lease import Lease
from .lock import account_lock
from .model import Plan, Snapshot
from .outcome import Result
from .perform import Performed, perform, perform_now, renewed_at
from .problems import AccountError
from .scheduler import Scheduler
from .snapshot import read_account
from .state import state_directory

#: How long an interrupt, or anything else that must be noticed, can go unnoticed, in seconds.
SLICE = 0.5

# Returns how many interrupts there were.
Interrupts = Callable[[], int]
T = TypeVar("T")


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
    back. Each change is in the journal, on
    disk, before it is sent and after it has ended. In the main thread, Ctrl-C waits for changes in
    flight and starts no others; a second Ctrl-C raises `KeyboardInterrupt` within half a second.

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
    lock: AbstractContextManager[bool] = nullcontext(enter_result=False)
    if journal is None:
        lock = account_lock(directory, plan.account_id, lock_wait)
    with lock as has_waited:
        if snapshot is None or has_waited:
            snapshot = read_account(client)
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


def _drive(
    client: CldProvisioning,
    run: Run,
    workers: int,
    sleep: Callable[[float], None],
    heed: Callable[[], None],
) -> None:
    tasks: SimpleQueue[Task | None] = SimpleQueue()
    results: SimpleQueue[tuple[int, Performed | BaseException]] = SimpleQueue()
    writing = client_for_changes(client, workers)
    for _ in range(workers):
        # Daemons, so that a second Ctrl-C need not wait for their responses.
        threading.Thread(target=_work, args=(writing, tasks, results), daemon=True).start()
    try:
        heed()
        while not run.is_over:
            for task in _begin(run):
                tasks.put(task)
            if run.must_read:
                run.account_read(_read_again(client, heed))
            elif run.is_anything_running:
                for position, performed in _receive(results):
                    run.end(position, performed)
            else:
                _pause(run, sleep, heed)
            heed()
        _flush(run, [])  # the last outcomes, before the account is read again
    finally:
        _empty(tasks)  # where the run was abandoned, what no worker has taken is not sent
        for _ in range(workers):
            tasks.put(None)


def _empty(tasks: SimpleQueue[Task | None]) -> None:
    try:
        while True:
            tasks.get_nowait()
    except Empty:
        return


def _begin(run: Run) -> list[Task]:
    """Return the tasks that start now, once the journal has them."""
    starting = run.begin()
    return starting if _flush(run, starting) else []


def _flush(run: Run, starting: list[Task]) -> bool:
    """Write the journal to disk; return whether it was written, and the tasks may be sent."""
    try:
        run.flush()
    except JournalError as error:
        run.journal_failed(error, starting)
        return False
    return True


def _work(
    client: CldProvisioning,
    tasks: SimpleQueue[Task | None],
    results: SimpleQueue[tuple[int, Performed | BaseException]],
) -> None:
    while (task := tasks.get()) is not None:
        flow = perform(task.change, task.group_id, was_sent=task.was_sent)
        try:
            results.put((task.position, perform_now(client, flow)))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for it
            results.put((task.position, error))


def _receive(
    results: SimpleQueue[tuple[int, Performed | BaseException]],
) -> Generator[tuple[int, Performed]]:
    """Yield the tasks that have ended, waiting for the first; none if there is none for a while."""
    try:
        position, performed = results.get(timeout=SLICE)
        while True:
            if isinstance(performed, BaseException):
                raise performed
            yield position, performed
            position, performed = results.get_nowait()
    except Empty:
        return


def _pause(run: Run, sleep: Callable[[float], None], heed: Callable[[], None]) -> None:
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
    except (CloudinaryError, httpx.HTTPError, AccountError) as error:
        return error
