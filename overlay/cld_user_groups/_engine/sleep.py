"""Wait between attempts, sync and async, with a switch for tests."""

from __future__ import annotations

import time

recorder: list[float] | None = None
"""Where delays are recorded instead of waited for, or None; see utils.waiting_disabled."""


def wait(seconds: float) -> None:
    """Wait; a signal handler that raises, KeyboardInterrupt for one, ends it at once."""
    if recorder is not None:
        recorder.append(seconds)
    else:
        time.sleep(seconds)


async def wait_async(seconds: float) -> None:
    """Wait; cancelling the task ends it at once."""
    # httpx brings anyio, for it runs on asyncio and trio both. Not needed before the first wait.
    import anyio

    if recorder is not None:
        recorder.append(seconds)
        seconds = 0
    await anyio.sleep(seconds)
