"""One run an account at a time on several machines: a lease in Redis.

A lease saves work. It is not what keeps an account right: a holder that is stopped for longer than
its lease, or a Redis server that restarts empty, lets in a second run. The plan's fingerprints, and
the way in which each change is made, hold with two runs at once as well.
"""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import msgspec
from attrs import frozen

from cld_user_groups.limits.redis_client import connect

from .journal import author
from .lock import AlreadyRunning, Holder

if TYPE_CHECKING:
    from collections.abc import Callable

# What is left of a lease in which it no longer counts as held: a request that starts now should
# end in time, and two clocks do not run equally fast.
_MARGIN = 0.1
# How often the lease of another run is asked for, in seconds.
_POLL = 0.2
# The longest that Redis may take to respond, in seconds.
_PATIENCE = 5.0

#: Seconds that pass while the machine sleeps, too, where the system counts them.
elapsed: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    if hasattr(time, "CLOCK_BOOTTIME")
    else time.monotonic
)


class LeaseError(Exception):
    """A lease cannot be acquired because Redis does not respond, or refuses."""


class Lease(Protocol):
    """What keeps other runs off an account, until it is lost."""

    @property
    def loss(self) -> str:
        """Why it is not held, in a few words; "" while it is."""
        ...


@frozen(kw_only=True)
class _Claim:
    """The token of a lease in Redis: who holds it, and what tells it from all others."""

    holder: Holder
    nonce: str


# Made here, for msgspec must not examine a class in two threads at once.
_CLAIM = msgspec.json.Decoder(_Claim)


class RedisLease:
    """A lease on an account in Redis, or Valkey, held by a `with` or `async with` block.

    It is redis-py's lock: it ends by itself after its lifetime, and a thread renews it every third
    of that. Once it cannot be renewed, or another holder has it, `loss` says so, and a run that has
    been passed it starts no more changes.

    Args:
        url: The server: `redis://`, `rediss://` or `unix://`. A password in it is never shown.
        account_id: The account.
        lifetime: The seconds after which it ends if it is not renewed.
        wait: The most seconds to wait for another run to end.
        run: The ID of the run, or any other name for it, for the message that others get.
        clock: Returns a time in seconds, for tests.

    Attributes:
        account_id: The account.
        server: Where Redis is, without credentials.

    Raises:
        ValueError: The URL or the lifetime is not valid.
        ImportError: redis, of the extra `redis`, is not installed.

    Example:
        with RedisLease("redis://10.0.0.5/0", client.account_id) as lease:
            snapshot = read_account(client, desired)
            planned = plan(snapshot, desired, now.date(), now=now)
            apply(client, planned, snapshot=snapshot, lease=lease)
    """

    def __init__(
        self,
        url: str,
        account_id: str,
        *,
        lifetime: float = 30.0,
        wait: float = 0.0,
        run: str = "",
        clock: Callable[[], float] = elapsed,
    ) -> None:
        if not lifetime > 0:
            raise ValueError(f"lifetime must be positive, not {lifetime}")
        # Of the extra `redis`.
        from redis.lock import Lock

        self.account_id = account_id
        self._lifetime = lifetime
        self._wait = wait
        self._run = run
        self._clock = clock
        # A command that is sent again after its response was lost could not tell its own lease from
        # that of another: this client tries once.
        self._client = connect(url, min(_PATIENCE, lifetime / 4), name="the URL of the lease")
        self.server = _location(url)
        name = f"cld-user-groups:lease:{account_id}"
        self._lock = Lock(self._client, name, timeout=lifetime, thread_local=False)
        self._loss = "the lease is not held"
        self._trouble = ""
        self._held_until = 0.0
        self._is_released = threading.Event()
        self._renewer: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"RedisLease({self.server!r}, {self.account_id!r})"

    @property
    def loss(self) -> str:
        """Why it is not held, in a few words; "" while it is."""
        if not self._loss and self._clock() >= self._held_until:
            why = self._trouble or "the program was stopped for too long"
            self._loss = f"the lease could not be renewed in time: {why}"
        return self._loss

    def __enter__(self) -> Self:
        """Acquire it.

        Raises:
            AlreadyRunning: Another run holds it.
            LeaseError: Redis does not respond, or refuses.
        """
        ends = time.monotonic() + self._wait
        try:
            while (other := self._acquire()) is not None:
                if time.monotonic() >= ends:
                    raise other
                time.sleep(_POLL)
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(self, *unused: object) -> None:
        """Release it, if it is still held; where Redis is away it ends by itself."""
        self._release()

    async def __aenter__(self) -> Self:
        """Acquire it without blocking the event loop, as `with` does."""
        ends = time.monotonic() + self._wait
        try:
            while (other := await anyio.to_thread.run_sync(self._acquire)) is not None:
                if time.monotonic() >= ends:
                    raise other
                await anyio.sleep(_POLL)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *unused: object) -> None:
        """Release it, as `with` does."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._release)

    def _acquire(self) -> AlreadyRunning | None:
        """Acquire it, and begin to renew it; or return who holds it."""
        from redis import RedisError

        by, now = author(), datetime.now(UTC)
        holder = Holder(pid=by.pid, since=now, host=by.host, user=by.user, run=self._run)
        token = msgspec.json.encode(_Claim(holder=holder, nonce=secrets.token_hex(16)))
        asked_at = self._clock()
        try:
            if not self._lock.acquire(blocking=False, token=token.decode()):
                return AlreadyRunning(self.account_id, *self._holder())
        except (RedisError, OSError) as error:
            raise LeaseError(
                f"the lease on account {self.account_id!r} cannot be acquired from Redis at "
                f"{self.server}: {error}"
            ) from error
        self._note_renewal(asked_at)
        self._loss = ""
        self._is_released.clear()
        self._renewer = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._renewer.start()
        return None

    def _renew(self) -> None:
        from redis import RedisError
        from redis.exceptions import LockNotOwnedError

        pause = self._lifetime / 3
        # What has been lost is not renewed: the next run is not kept waiting.
        while not self._is_released.wait(pause) and not self.loss:
            asked_at = self._clock()
            try:
                self._lock.reacquire()
            except LockNotOwnedError:
                self._loss = self._loss or self._lost_to_whom()
                return
            except (RedisError, OSError) as error:
                self._trouble = str(error)
                pause = self._lifetime / 10
            else:
                self._note_renewal(asked_at)
                pause = self._lifetime / 3

    def _note_renewal(self, asked_at: float) -> None:
        # From before the request: how long it took to arrive is not known.
        self._held_until = asked_at + self._lifetime * (1 - _MARGIN)
        self._trouble = ""

    def _lost_to_whom(self) -> str:
        from redis import RedisError

        with suppress(RedisError, OSError):
            holder, _ = self._holder()
            if holder is not None:
                return f"the lease had ended, and another run holds it: {holder}"
        return "the lease had ended in Redis"

    def _holder(self) -> tuple[Holder | None, float | None]:
        """Return who holds it, as far as can be told, and for how many seconds unless renewed."""
        token = self._client.get(self._lock.name)
        milliseconds = self._client.pttl(self._lock.name)
        try:
            holder = _CLAIM.decode(token or b"").holder
        except msgspec.MsgspecError:
            holder = None
        return holder, milliseconds / 1000 if milliseconds > 0 else None

    def _release(self) -> None:
        from redis import RedisError

        self._is_released.set()
        if self._renewer is not None:
            self._renewer.join()
            self._renewer = None
            with suppress(RedisError, OSError):
                self._lock.release()
            self._loss = self._loss or "the lease has been released"
        self._client.close()


def _location(url: str) -> str:
    """Return where a server is, without credentials."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
