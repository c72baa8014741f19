"""Retry settings, and a switch that disables delays in tests.

A `RetryConfig` applies to a client, or to one call:

    from cld_user_groups import CldProvisioning
    from cld_user_groups.utils import BackoffStrategy, RetryConfig

    patient = RetryConfig(backoff=BackoffStrategy(max_elapsed_time=120_000))
    with CldProvisioning(retry_config=patient) as client:
        client.user_groups.list()
        client.user_groups.list(retries=None)  # one attempt
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from cld_provisioning_api.calling import UNSET, BackoffStrategy, RetryConfig, Unset

DEFAULT_RETRIES: Final = RetryConfig()


def check_retries(name: str, retries: object) -> RetryConfig | None:
    """Return the retries that an argument sets, None for none, or raise TypeError."""
    if retries is UNSET or retries is None:
        return None if retries is None else DEFAULT_RETRIES
    if not isinstance(retries, RetryConfig):
        raise TypeError(f"{name} must be a RetryConfig or None, not {type(retries).__name__}")
    return retries if retries.strategy == "backoff" else None


# Where delays are recorded instead of waited for, or None; and how many seconds were.
_recorder: list[float] | None = None
_skipped = 0.0


@contextmanager
def waiting_disabled() -> Generator[list[float]]:
    """Disable the delays between attempts, in tests: they are recorded instead.

    Applies to the whole process. Yields the list of delays, in seconds, in order; they count
    against max_elapsed_time as if they had passed.

        with waiting_disabled() as delays:
            client.user_groups.list()
        assert len(delays) == 2
    """
    global _recorder
    waits: list[float] = []
    before, _recorder = _recorder, waits
    try:
        yield waits
    finally:
        _recorder = before


def clock() -> float:
    """Return a monotonic time in seconds, in which recorded delays count as waited."""
    return time.monotonic() + _skipped


def wait(seconds: float) -> None:
    """Wait; a signal handler that raises, KeyboardInterrupt for one, ends it at once."""
    if not _is_recorded(seconds):
        time.sleep(seconds)


async def wait_async(seconds: float) -> None:
    """Wait; cancelling the task ends it at once."""
    # httpx brings anyio, for it runs on asyncio and trio both. Not needed before the first wait.
    import anyio

    await anyio.sleep(0 if _is_recorded(seconds) else seconds)


def _is_recorded(seconds: float) -> bool:
    global _skipped
    if _recorder is None:
        return False
    _recorder.append(seconds)
    _skipped += seconds
    return True


__all__ = ["UNSET", "BackoffStrategy", "RetryConfig", "Unset", "waiting_disabled"]
