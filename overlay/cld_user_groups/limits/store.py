"""The thread that runs the script on Redis: all I/O of the shared limiter.

A thread, since no time limit of a socket bounds the whole of it: looking up the name, connecting,
several replies. A caller waits for as long as it may, and no longer. Whatever is asked during a
round trip goes along with the next one, so that a distant Redis serves as many callers as a near
one, on one connection.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import weakref
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, Literal, NamedTuple

from cld_user_groups._version import install_command

from .redis_client import connect

_SCRIPT: Final = Path(__file__).with_name("quota.lua").read_text("utf-8")
_SCRIPT_DIGEST: Final = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
# How many are asked for in one round trip at most.
_AT_ONCE: Final = 64


class StoreError(Exception):
    """Redis could not be asked."""


class ScriptReply(NamedTuple):
    """What the script returns, as its head describes it."""

    status: Literal[0, 420, 429]
    wait_ms: int
    why: str
    left: int
    admitted_at: int
    must_report: int
    delay_ms: int
    delay_status: Literal[420, 429]


class _Job(NamedTuple):
    key: str
    arguments: list[str | float]
    reply: Future[ScriptReply]


class Store:
    """The script, for threads and event loops.

    Args:
        url: The server, as redis-py reads it.
        timeout: The most seconds that connecting, and each reply, may take.
    """

    def __init__(self, url: str, timeout: float) -> None:
        if not isinstance(url, str):
            raise TypeError(f"url must be a str, not {type(url).__name__}")
        try:
            connect(url, timeout)
        except ImportError as error:
            raise ImportError(f"RedisLimiter needs redis: {install_command('redis')}") from error
        self._settings = url, timeout
        self.forget_parent()

    def forget_parent(self) -> None:
        """Leave the connection to the parent process, after a fork."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()

    def put(self, key: str, arguments: list[str | float], reply: Future[ScriptReply]) -> None:
        """Run the script on a key, as soon as the thread can."""
        with self._lock:
            if self._thread is None:
                work = partial(_serve, self._jobs, *self._settings)
                thread = threading.Thread(target=work, name="quota", daemon=True)
                weakref.finalize(self, self._jobs.put, None).atexit = False
                try:
                    thread.start()
                except RuntimeError as error:  # the interpreter shuts down
                    raise _unavailable(error) from error
                self._thread = thread
            self._jobs.put(_Job(key, arguments, reply))

    def close(self) -> None:
        """Run what there is, close the connection, and wait for that, but not for long."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._jobs.put(None)
            self._jobs = SimpleQueue()
        if thread is not None:
            thread.join(self._settings[1])


async def wait_for(reply: Future[ScriptReply], limit: float) -> ScriptReply:
    """Wait for a reply on any event loop.

    Raises:
        TimeoutError: It took longer than the limit.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # trio
        import anyio.to_thread

        with anyio.fail_after(limit):
            wait = partial(reply.result, limit)
            return await anyio.to_thread.run_sync(wait, abandon_on_cancel=True)
    async with asyncio.timeout(limit):
        return await asyncio.wrap_future(reply)


def _serve(jobs: SimpleQueue[_Job | None], url: str, timeout: float) -> None:
    client: Any = connect(url, timeout, decode_responses=True)
    while _serve_batch(client, jobs):
        pass
    client.close()


def _serve_batch(client: Any, jobs: SimpleQueue[_Job | None]) -> bool:
    """Run the next batch, and return whether there may be another.

    A function of its own: while it waits for the next batch, nothing refers to the last one, whose
    replies would keep the event loops of those who waited for them.
    """
    batch = [jobs.get()]
    with suppress(Empty):
        while batch[-1] is not None and len(batch) < _AT_ONCE:
            batch.append(jobs.get_nowait())
    wanted = [job for job in batch if job is not None and job.reply.set_running_or_notify_cancel()]
    if wanted:
        _run(client, wanted)
    return batch[-1] is not None


def _run(client: Any, batch: list[_Job]) -> None:
    """Run jobs in one round trip; the first brings the script, which Redis may not know."""
    pipeline = client.pipeline(transaction=False)
    pipeline.eval(_SCRIPT, 1, batch[0].key, *batch[0].arguments)
    for job in batch[1:]:
        pipeline.evalsha(_SCRIPT_DIGEST, 1, job.key, *job.arguments)
    outcomes: list[ScriptReply | Exception]
    try:
        replies = pipeline.execute(raise_on_error=False)
        outcomes = [r if isinstance(r, Exception) else ScriptReply(*r) for r in replies]
    except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must be told
        outcomes = [error] * len(batch)
    if any(isinstance(outcome, Exception) for outcome in outcomes):
        # It may be a server that no longer is the one to ask: a replica, after a failover.
        client.connection_pool.disconnect()
    for job, outcome in zip(batch, outcomes, strict=True):
        if isinstance(outcome, Exception):
            job.reply.set_exception(_unavailable(outcome))
        else:
            job.reply.set_result(outcome)


def _unavailable(error: Exception) -> StoreError:
    return StoreError(f"Redis cannot be asked ({type(error).__name__}: {error})")
