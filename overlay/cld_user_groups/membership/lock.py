"""One run an account at a time: a lock on this machine, and a lease in Redis on several.

A lease saves work; it does not protect the account. A holder that is stopped for longer than its
lease, or a Redis server that restarts empty, lets in a second run. The plan's fingerprints, and the
way in which each change is made, are safe with two runs at once, too.
"""

from __future__ import annotations

import errno
import os
import secrets
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import msgspec
from attrs import frozen

from cld_user_groups.limits.redis_client import connect

from .journal import author
from .problems import printable
from .state import make_private, replace_file, unwritable

# What is left of a lease in which it no longer counts as held: a request that starts now should
# end in time, and two clocks do not run equally fast.
_MARGIN = 0.1
# How often the lease of another run is asked for, in seconds.
_POLL = 0.2
# The longest that Redis may take to respond, in seconds.
_PATIENCE = 5.0

# Seconds that pass while the machine sleeps, too, where the system counts them.
_elapsed: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    if hasattr(time, "CLOCK_BOOTTIME")
    else time.monotonic
)


@frozen(kw_only=True)
class Holder:
    """Who holds a lock: the process, since when, in UTC, and what else is known."""

    pid: int
    since: datetime
    host: str = ""
    user: str = ""
    run: str = ""

    def __str__(self) -> str:
        user = f" of user {printable(self.user)}" if self.user else ""
        host = f" on host {printable(self.host)}" if self.host else ""
        run = f", run {printable(self.run)}" if self.run else ""
        return f"process {self.pid}{user}{host}{run}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"


@frozen(kw_only=True)
class _Claim:
    """The token of a lease in Redis: who holds it, and what tells it from all others."""

    holder: Holder
    nonce: str


# Made here, for msgspec must not examine a class in two threads at once.
_HOLDER = msgspec.json.Decoder(Holder)
_CLAIM = msgspec.json.Decoder(_Claim)


class AlreadyRunning(Exception):  # noqa: N818 - reads as what is the case
    """Another process, here or with a lease on another machine, applies a plan to the account.

    Attributes:
        holder: The other process, or None if it is unknown.
        lease_left: The seconds until its lease ends if it has died, or None without a lease.
    """

    def __init__(
        self, account_id: str, holder: Holder | None, lease_left: float | None = None
    ) -> None:
        message = f"another run on account {account_id!r} is in progress: "
        message += "another process" if holder is None else str(holder)
        if lease_left is not None:
            message += f"; if that has died, its lease ends within {max(1, round(lease_left))} s"
        super().__init__(message)
        self.holder = holder
        self.lease_left = lease_left


@contextmanager
def account_lock(directory: Path, account_id: str, wait: float = 0.0) -> Generator[bool]:
    """Hold the lock of an account; the operating system releases it if the process dies.

    Args:
        directory: The account's directory; see `state_directory`. It is created if missing.
        account_id: The account, for the message.
        wait: The most seconds to wait for another run to end.

    Yields:
        Whether another run had to be waited for: what was read before is old then.

    Raises:
        AlreadyRunning: Another process holds it still.
        OSError: The lock cannot be created.
        ImportError: filelock, of the extra `cli`, is not installed.
    """
    # Of the extra `cli`: who applies a plan without a journal needs no lock.
    from filelock import FileLock, Timeout

    about, path = directory / "lock.json", directory / "lock"
    lock = FileLock(path, mode=0o600, thread_local=False)
    try:
        make_private(directory)
        if path.is_symlink():  # opening it would truncate what it leads to
            raise OSError(errno.ELOOP, "it is a symbolic link", os.fspath(path))
        with suppress(Timeout):
            lock.acquire(timeout=0)
        if has_waited := not lock.is_locked:
            lock.acquire(timeout=wait, poll_interval=0.05)
    except Timeout:
        raise AlreadyRunning(account_id, _holder_in(about)) from None
    except OSError as error:
        raise unwritable(error) from error
    try:
        # In a file of its own: where locks are mandatory, nobody else can read the locked one.
        holder = Holder(pid=os.getpid(), since=datetime.now(UTC))
        replace_file(about, msgspec.json.encode(holder))
        yield has_waited
    finally:
        with suppress(OSError):  # Windows unlinks no file that a waiting run reads just then
            about.unlink()
        lock.release()


def _holder_in(about: Path) -> Holder | None:
    try:
        return _HOLDER.decode(about.read_bytes())
    except (OSError, ValueError):
        return None


class LeaseError(Exception):
    """A lease cannot be acquired because Redis does not respond, or refuses."""


class Lease(Protocol):
    """A lease on an account, which excludes other runs until it is lost."""

    @property
    def loss(self) -> str:
        """Why it is not held, in a few words; "" while it is."""
        ...


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
        clock: Callable[[], float] = _elapsed,
    ) -> None:
        if not lifetime > 0:
            raise ValueError(f"lifetime must be positive, not {lifetime}")
        # Of the extra `redis`.
        from redis import RedisError
        from redis.lock import Lock

        self._errors = RedisError, OSError
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
            while not self._acquire(ends):
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
            while not await anyio.to_thread.run_sync(self._acquire, ends):  # noqa: ASYNC110
                await anyio.sleep(_POLL)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *unused: object) -> None:
        """Release it, as `with` does."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._release)

    def _acquire(self, ends: float) -> bool:
        """Acquire it, and begin to renew it; raise if another run holds it at the end."""
        by, now = author(), datetime.now(UTC)
        holder = Holder(pid=by.pid, since=now, host=by.host, user=by.user, run=self._run)
        token = msgspec.json.encode(_Claim(holder=holder, nonce=secrets.token_hex(16)))
        asked_at = self._clock()
        try:
            if not self._lock.acquire(blocking=False, token=token.decode()):
                if time.monotonic() < ends:
                    return False
                raise AlreadyRunning(self.account_id, *self._holder())
        except self._errors as error:
            where = f"on account {self.account_id!r} cannot be acquired from Redis at {self.server}"
            raise LeaseError(f"the lease {where}: {error}") from error
        self._note_renewal(asked_at)
        self._loss = ""
        self._is_released.clear()
        self._renewer = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._renewer.start()
        return True

    def _renew(self) -> None:
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
            except self._errors as error:
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
        with suppress(*self._errors):
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
        except ValueError:
            holder = None
        return holder, milliseconds / 1000 if milliseconds > 0 else None

    def _release(self) -> None:
        self._is_released.set()
        if self._renewer is not None:
            self._renewer.join()
            self._renewer = None
            with suppress(*self._errors):
                self._lock.release()
            self._loss = self._loss or "the lease has been released"
        self._client.close()


def _location(url: str) -> str:
    """Return where a server is, without credentials."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
