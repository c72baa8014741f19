"""The script on Redis, and the thread that runs it: all I/O of the shared limiter.

A thread, since no time limit of a socket bounds the whole of it: looking up the name, connecting,
several replies. A caller waits for as long as it may, and no longer. Whatever is asked during a
round trip goes along with the next one, so that a distant Redis serves as many callers as a near
one, on one connection.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import weakref
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple

from .protocol import Ticket
from .redis_client import connect

_SCRIPT: Final = Path(__file__).with_name("quota.lua").read_text("utf-8")
_SCRIPT_DIGEST: Final = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
# How many are asked for in one round trip at most.
_AT_ONCE: Final = 64


class StoreError(Exception):
    """Redis could not be asked."""


class Reply(NamedTuple):
    """What the script returns.

    Attributes:
        status: 0 to send it, else the status code to expect.
        wait_ms: How long to wait before asking again, in milliseconds.
        why: Why, in a word.
        left: How many requests are left of the quota, less those in flight if it is to be sent; or
            -1.
        epoch: Which count this is: it changes when Redis loses it.
        number: The number of the ticket.
        minute: The minute of the ticket.
        must_report: Whether others wait for its outcome.
    """

    status: int
    wait_ms: int
    why: str
    left: int
    epoch: int
    number: int
    minute: int
    must_report: int


class Store:
    """The script, for threads and event loops.

    Args:
        url: The server, as redis-py reads it.
        prefix: The beginning of the keys.
        timeout: The most seconds that asking may take.
        unused: Is called with the account, a reply that came too late, and whether its request may
            have been sent all the same.

    Raises:
        ImportError: redis is not installed.
        TypeError: The URL is not a str.
        ValueError: The URL is not valid.
    """

    def __init__(
        self, url: str, prefix: str, timeout: float, unused: Callable[[str, Reply, bool], None]
    ) -> None:
        if not isinstance(url, str):
            raise TypeError(f"url must be a str, not {type(url).__name__}")
        try:
            connect(url, timeout)
        except ImportError as error:
            raise ImportError("RedisLimiter needs the extra: cld-user-groups[redis]") from error
        self._url = url
        self._prefix = prefix
        self._timeout = timeout
        self._unused = unused
        self._workers: dict[int, _Worker] = {}  # of this process, and of those it was forked from

    def run(self, ticket: Ticket, arguments: list[float | int]) -> Reply:
        """Run the script on the key of the ticket's account.

        Raises:
            StoreError: Redis could not be asked in time.
        """
        reply = self._ask(ticket, arguments)
        with self._until_told(ticket, reply):
            return reply.result(self._limit(ticket))

    async def run_async(self, ticket: Ticket, arguments: list[float | int]) -> Reply:
        """Run the script without blocking the event loop; see `run`."""
        reply = self._ask(ticket, arguments)
        limit = self._limit(ticket)
        with self._until_told(ticket, reply):
            if _is_on_asyncio():
                async with asyncio.timeout(limit):
                    return await asyncio.wrap_future(reply)
            import anyio.to_thread

            with anyio.fail_after(limit):
                wait = partial(reply.result, limit)
                return await anyio.to_thread.run_sync(wait, abandon_on_cancel=True)

    def close(self) -> None:
        """Close the connection."""
        worker = self._workers.pop(os.getpid(), None)
        if worker is not None:
            worker.stop(self._timeout)

    def _ask(self, ticket: Ticket, arguments: list[float | int]) -> Future[Reply]:
        job = _Job(f"{self._prefix}:quota:{ticket.account_id}", arguments, Future())
        pid = os.getpid()
        try:
            while True:
                # Threads that race make several, of which one is kept: nothing is opened by that.
                worker = self._workers.get(pid) or self._workers.setdefault(
                    pid, _Worker(self._url, self._timeout)
                )
                if worker.put(job):
                    return job.reply
                self._workers.pop(pid, None)
        except RuntimeError as error:  # no thread can be started: the interpreter shuts down
            raise _unavailable(error) from error

    def _limit(self, ticket: Ticket) -> float:
        return self._timeout if ticket.timeout is None else min(self._timeout, ticket.timeout)

    @contextmanager
    def _until_told(self, ticket: Ticket, reply: Future[Reply]) -> Generator[None]:
        """Wait for a reply; if nobody does any more, see to it that it is not lost."""
        try:
            yield
        except StoreError:
            raise
        except TimeoutError as error:
            self._abandon(ticket, reply, is_late=True)
            raise StoreError(
                f"Redis cannot be asked (no reply within {self._limit(ticket):g} s)"
            ) from error
        except BaseException:
            self._abandon(ticket, reply, is_late=False)
            raise

    def _abandon(self, ticket: Ticket, reply: Future[Reply], *, is_late: bool) -> None:
        def give_back(told: Future[Reply]) -> None:
            if told.exception() is None and not told.result().status:
                self._unused(ticket.account_id, told.result(), is_late)

        if not reply.cancel():  # it has been asked for already
            reply.add_done_callback(give_back)


class _Job(NamedTuple):
    key: str
    arguments: list[float | int]
    reply: Future[Reply]


class _Worker:
    """A thread with a connection, which ends when this object is no longer used."""

    def __init__(self, url: str, timeout: float) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._is_stopped = False
        self._thread = threading.Thread(
            target=_serve, args=(self._jobs, url, timeout), name="quota", daemon=True
        )
        weakref.finalize(self, self._jobs.put, None).atexit = False

    def put(self, job: _Job) -> bool:
        """Run a job, unless it has been stopped.

        Raises:
            RuntimeError: The thread cannot be started.
        """
        with self._lock:
            if self._is_stopped:
                return False
            if not self._thread.ident:
                self._thread.start()
            self._jobs.put(job)
            return True

    def stop(self, patience: float) -> None:
        """Run what there is, close the connection, and wait for that, but not for long."""
        with self._lock:
            self._is_stopped = True
            self._jobs.put(None)
        if self._thread.ident:
            self._thread.join(patience)


def _serve(jobs: SimpleQueue[_Job | None], url: str, timeout: float) -> None:
    client: Any = connect(url, timeout, decode_responses=True)
    while _serve_batch(client, jobs):
        pass
    client.close()


def _serve_batch(client: Any, jobs: SimpleQueue[_Job | None]) -> bool:
    """Run the next batch, and return whether there was one.

    A function of its own: while it waits for the next batch, nothing refers to the last one, whose
    replies would keep the event loops of those who waited for them.
    """
    batch = _next_batch(jobs)
    if batch:
        _run(client, [job for job in batch if job.reply.set_running_or_notify_cancel()])
    return bool(batch)


def _next_batch(jobs: SimpleQueue[_Job | None]) -> list[_Job]:
    """Wait for a job, and return it with all others that are there; none at the end."""
    batch: list[_Job] = []
    job = jobs.get()
    while job is not None:
        batch.append(job)
        if len(batch) == _AT_ONCE:
            return batch
        try:
            job = jobs.get_nowait()
        except Empty:
            return batch
    if batch:
        jobs.put(None)  # again, for the next time
    return batch


def _run(client: Any, batch: list[_Job]) -> None:
    """Run jobs in one round trip; in two where the server does not know the script yet."""
    from redis.exceptions import NoScriptError

    try:
        replies = _replies(client, batch, knows_script=True)
        missed = [n for n, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        again = _replies(client, [batch[n] for n in missed], knows_script=False)
        for n, reply in zip(missed, again, strict=True):
            replies[n] = reply
        outcomes = [r if isinstance(r, Exception) else Reply(*r) for r in replies]
    except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must be told
        outcomes = [error] * len(batch)
    for job, outcome in zip(batch, outcomes, strict=True):
        if isinstance(outcome, Reply):
            job.reply.set_result(outcome)
        else:
            job.reply.set_exception(_unavailable(outcome))
    if not all(isinstance(outcome, Reply) for outcome in outcomes):
        # It may be a server that no longer is the one to ask: a replica, after a failover.
        client.connection_pool.disconnect()


def _replies(client: Any, batch: list[_Job], *, knows_script: bool) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    for job in batch:
        if knows_script:
            pipeline.evalsha(_SCRIPT_DIGEST, 1, job.key, *job.arguments)
        else:
            pipeline.eval(_SCRIPT, 1, job.key, *job.arguments)
            knows_script = True
    replies: list[Any] = pipeline.execute(raise_on_error=False)
    return replies


def _is_on_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _unavailable(error: BaseException) -> StoreError:
    return StoreError(f"Redis cannot be asked ({type(error).__name__}: {error})")
