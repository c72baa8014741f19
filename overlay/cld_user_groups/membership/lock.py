"""One run an account at a time on a machine."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from attrs import frozen

from .state import make_private


@frozen(kw_only=True)
class Holder:
    """Who holds a lock.

    Attributes:
        pid: The process.
        since: Since when, in UTC.
    """

    pid: int
    since: datetime


class AlreadyRunning(Exception):  # noqa: N818 - reads as what is the case
    """Another process on this machine applies a plan to the account.

    Attributes:
        holder: Who, or None where that cannot be told.
    """

    def __init__(self, account_id: str, holder: Holder | None) -> None:
        who = (
            "another process"
            if holder is None
            else f"process {holder.pid}, since {holder.since:%Y-%m-%d %H:%M:%S} UTC"
        )
        super().__init__(f"another run on account {account_id!r} is in progress: {who}")
        self.holder = holder


@contextmanager
def account_lock(directory: Path, account_id: str, wait: float = 0.0) -> Generator[None]:
    """Hold the lock of an account; the operating system releases it if the process dies.

    Args:
        directory: The account's directory; see `state_directory`. It is created if missing.
        account_id: The account, for the message.
        wait: The most seconds to wait for another run to end.

    Raises:
        AlreadyRunning: Another process holds it still.
        OSError: The lock cannot be created.
        ImportError: filelock, of the extra `cli`, is not installed.
    """
    # Of the extra `cli`: who applies a plan without a journal needs no lock.
    from filelock import FileLock, Timeout

    make_private(directory)
    about = directory / "lock.json"
    lock = FileLock(directory / "lock", mode=0o600, thread_local=False)
    try:
        lock.acquire(timeout=wait, poll_interval=0.05)
    except Timeout:
        raise AlreadyRunning(account_id, _holder(about)) from None
    try:
        # In a file of its own: where locks are mandatory, nobody else can read the locked one.
        about.write_bytes(msgspec.json.encode(Holder(pid=os.getpid(), since=datetime.now(UTC))))
        about.chmod(0o600)
        yield
    finally:
        about.unlink(missing_ok=True)
        lock.release()


def _holder(about: Path) -> Holder | None:
    try:
        return msgspec.json.decode(about.read_bytes(), type=Holder)
    except (OSError, msgspec.MsgspecError):
        return None
