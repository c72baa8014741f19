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
from collections.abc import Callable
from concurrent import futures
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from attrs import define, field

from cld_user_groups._version import install_command

from .protocol import Hold
from .redis_client import connect

_SCRIPT: Final = Path(__file__).with_name("quota.lua").read_text("utf-8")
_SCRIPT_DIGEST: Final = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
# How many are asked for in one round trip at most.
_AT_ONCE: Final = 64


@define(eq=False)
class ScriptRun:
    """A run of the script, how many seconds to wait for its reply, and what that means."""

    limit: float
    arguments: list[str | float] = field(factory=list[str | float])
    future: futures.Future[list[Any]] = field(factory=futures.Future[list[Any]])
    hold: Hold | None = None

    def wait(self) -> None:
        """Wait for a reply or a failure, for no longer than the limit."""
        futures.wait([self.future], self.limit)

    async def wait_async(self) -> None:
        """Do what `wait` does, on any event loop."""
        if self.future.done():
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # trio
            import anyio.to_thread

            with anyio.move_on_after(self.limit):
                await anyio.to_thread.run_sync(self.wait, abandon_on_cancel=True)
            return
        with suppress(Exception):
            async with asyncio.timeout(self.limit):
                await asyncio.wrap_future(self.future)

    def failure(self) -> str:
        """Return why there is no reply, or ""; what nobody waits for any more is not run."""
        if self.future.cancel() or not self.future.done():
            return f"no reply within {self.limit:g} s"
        error = self.future.exception()
        return f"{type(error).__name__}: {error}" if error else ""


class Store:
    """The script on the server of a URL, for threads and event loops."""

    def __init__(self, url: str, timeout: float) -> None:
        if not isinstance(url, str):
            raise TypeError(f"url must be a str, not {type(url).__name__}")
        self._connect = partial(connect, url, timeout, decode_responses=True)
        self._timeout = timeout
        try:
            self._connect()
        except ImportError as error:
            raise ImportError(f"RedisLimiter needs redis: {install_command('redis')}") from error
        self.forget_parent()

    def forget_parent(self) -> None:
        """Leave the connection to the parent process, after a fork."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, run: ScriptRun) -> None:
        """Run the script, as soon as the thread can."""
        with self._lock:
            if self._thread is None:
                self._waiting: SimpleQueue[ScriptRun | None] = SimpleQueue()
                arguments = self._waiting, self._connect
                thread = threading.Thread(target=_serve, args=arguments, name="quota", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # the interpreter shuts down
                    run.future.set_exception(error)
                    return
                weakref.finalize(self, self._waiting.put, None).atexit = False
                self._thread = thread
            self._waiting.put(run)

    def close(self) -> None:
        """Run what there is, close the connection, and wait for that, but not for long."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._waiting.put(None)
            thread.join(self._timeout)


def _serve(waiting: SimpleQueue[ScriptRun | None], connect: Callable[[], Any]) -> None:
    client = connect()
    while _serve_batch(client, waiting):
        pass
    client.close()


def _serve_batch(client: Any, waiting: SimpleQueue[ScriptRun | None]) -> bool:
    """Run the next batch in one round trip, and return whether there may be another.

    A function of its own: while it waits for the next batch, nothing refers to the last one, whose
    replies would keep the event loops of those who waited for them.
    """
    batch = [waiting.get()]
    with suppress(Empty):
        while batch[-1] is not None and len(batch) < _AT_ONCE:
            batch.append(waiting.get_nowait())
    wanted = [each for each in batch if each and each.future.set_running_or_notify_cancel()]
    pipeline = client.pipeline(transaction=False)
    for each in wanted[:1]:  # the first brings the script, which Redis may not know
        pipeline.eval(_SCRIPT, *each.arguments)
    for each in wanted[1:]:
        pipeline.evalsha(_SCRIPT_DIGEST, *each.arguments)
    try:
        replies = pipeline.execute(raise_on_error=False)
    except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must be told
        replies = [error] * len(wanted)
    for each, reply in zip(wanted, replies, strict=True):
        if isinstance(reply, Exception):
            # It may be a server that no longer is the one to ask: a replica, after a failover.
            client.connection_pool.disconnect()
            each.future.set_exception(reply)
        else:
            each.future.set_result(reply)
    return batch[-1] is not None
