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

import math
import time
from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal

from attrs import field, frozen

if TYPE_CHECKING:
    from attrs import Attribute


class Unset(Enum):
    """The type of UNSET, the default of arguments for which None has a meaning."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


def _number(minimum: float) -> Any:
    def check(instance: object, attribute: Attribute[Any], value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{attribute.name} must be a number, not {type(value).__name__}")
        if not math.isfinite(value) or value < minimum:
            raise ValueError(f"{attribute.name} must be at least {minimum}, not {value!r}")

    return check


@frozen
class BackoffStrategy:
    """Exponential backoff with full jitter.

    The n-th delay is random between zero and initial_interval * exponent ** (n - 1), at most
    max_interval, unless the server sends a delay.

        BackoffStrategy(initial_interval=200, max_elapsed_time=120_000)

    Args:
        initial_interval: The upper limit of the first delay, in milliseconds.
        max_interval: The upper limit of every delay, in milliseconds.
        exponent: The factor by which the upper limit grows with each attempt.
        max_elapsed_time: The time limit for all attempts and delays of a call, in milliseconds.
            No delay begins that would exceed it.

    Raises:
        TypeError: An argument is not a number.
        ValueError: An argument is negative or not finite, or the exponent is below 1.
    """

    initial_interval: float = field(default=500, validator=_number(0))
    max_interval: float = field(default=8_000, validator=_number(0))
    exponent: float = field(default=2.0, validator=_number(1))
    max_elapsed_time: float = field(default=30_000, validator=_number(0))


@frozen
class RetryConfig:
    """What to retry, and when. Pass None instead to disable retries.

        RetryConfig(retry_connection_errors=False)  # retry status codes only

    Args:
        strategy: "backoff", or "none", which disables retries too.
        backoff: The delays.
        retry_connection_errors: Whether to retry if no response was received: it could not
            connect, the connection broke, or a time limit expired. Status codes are retried either
            way.
        retry_throttled: Whether to retry 420 and 429. False for a caller that paces its calls
            itself, as `cld_user_groups.membership` does.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: The strategy is neither "backoff" nor "none".
    """

    strategy: Literal["backoff", "none"] = "backoff"
    backoff: BackoffStrategy = field(factory=BackoffStrategy)
    retry_connection_errors: bool = True
    retry_throttled: bool = field(default=True, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.strategy not in ("backoff", "none"):
            raise ValueError(f'strategy must be "backoff" or "none", not {self.strategy!r}')
        if not isinstance(self.backoff, BackoffStrategy):
            raise TypeError(f"backoff must be a BackoffStrategy, not {type(self.backoff).__name__}")
        for name in ("retry_connection_errors", "retry_throttled"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be a bool")


DEFAULT_RETRIES: Final = RetryConfig()


def check_retries(name: str, retries: object) -> RetryConfig | None:
    """Validate the retries that an argument sets, and return them, None for none.

    Raises:
        TypeError: The argument is not a RetryConfig, None or UNSET.
    """
    if retries is UNSET:
        return DEFAULT_RETRIES
    if retries is None:
        return None
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
