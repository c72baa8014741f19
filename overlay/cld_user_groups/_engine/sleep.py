"""Wait between attempts, sync and async, with a switch for tests."""

from __future__ import annotations

import time

recorder: list[float] | None = None
"""Where delays are recorded instead of waited for, or None; see utils.waiting_disabled."""

_skipped = 0.0


def clock() -> float:
    """Return a monotonic time in seconds, in which recorded delays count as waited."""
    return time.monotonic() + _skipped


def _record(recorder: list[float], seconds: float) -> None:
    global _skipped
    recorder.append(seconds)
    _skipped += seconds


def wait(seconds: float) -> None:
    """Wait; a signal handler that raises, KeyboardInterrupt for one, ends it at once."""
    if recorder is not None:
        _record(recorder, seconds)
    else:
        time.sleep(seconds)


async def wait_async(seconds: float) -> None:
    """Wait; cancelling the task ends it at once."""
    # httpx brings anyio, for it runs on asyncio and trio both. Not needed before the first wait.
    import anyio

    if recorder is not None:
        _record(recorder, seconds)
        seconds = 0
    await anyio.sleep(seconds)
