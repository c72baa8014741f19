"""One run an account at a time, of those that this user starts on this machine."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from attrs import frozen

from .problems import printable
from .state import make_private, replace_file, unwritable


@frozen(kw_only=True)
class Holder:
    """Who holds a lock.

    Attributes:
        pid: The process.
        since: Since when, in UTC.
        host: The machine, or "" for this one.
        user: The operating system's user, or "".
        run: The run, or "".
    """

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


# Made here, for msgspec must not examine a class in two threads at once.
_HOLDER = msgspec.json.Decoder(Holder)


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

    about = directory / "lock.json"
    path = directory / "lock"
    lock = FileLock(path, mode=0o600, thread_local=False)
    try:
        make_private(directory)
        if path.is_symlink():  # opening it would truncate what it leads to
            raise OSError(errno.ELOOP, "it is a symbolic link", os.fspath(path))
        has_waited = False
        try:
            lock.acquire(timeout=0)
        except Timeout:
            has_waited = True
            lock.acquire(timeout=wait, poll_interval=0.05)
    except Timeout:
        raise AlreadyRunning(account_id, _holder(about)) from None
    except OSError as error:
        raise unwritable(error) from error
    try:
        # In a file of its own: where locks are mandatory, nobody else can read the locked one.
        holder = Holder(pid=os.getpid(), since=datetime.now(UTC))
        replace_file(about, msgspec.json.encode(holder))
        yield has_waited
    finally:
        about.unlink(missing_ok=True)
        lock.release()


def _holder(about: Path) -> Holder | None:
    try:
        return _HOLDER.decode(about.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None
