"""Settings of the retries, and a switch for tests that must not wait."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal

from attrs import field, frozen

from ._engine import sleep

if TYPE_CHECKING:
    from attrs import Attribute


class Unset(Enum):
    """The type of UNSET: not given, where None means something of its own."""

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
    """How long to wait between attempts, and when to stop.

    The n-th wait is random between zero and initial_interval * exponent ** (n - 1), at the most
    max_interval ("full jitter"), unless the server says how long to wait.

    Args:
        initial_interval: The longest first wait, in milliseconds.
        max_interval: The longest wait of any, in milliseconds.
        exponent: By how much the longest wait grows with each.
        max_elapsed_time: How long all attempts and waits of a call may take, in milliseconds. No
            wait begins that would end later.

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
    """What to send again, and when. `None` in its place switches retries off.

    Args:
        strategy: "backoff", or "none", which switches retries off too.
        backoff: The waits.
        retry_connection_errors: Whether to send again where no answer came: it could not connect,
            the connection broke, or the time ran out. Statuses are retried either way.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: The strategy is neither "backoff" nor "none".
    """

    strategy: Literal["backoff", "none"] = "backoff"
    backoff: BackoffStrategy = field(factory=BackoffStrategy)
    retry_connection_errors: bool = True

    def __attrs_post_init__(self) -> None:
        if self.strategy not in ("backoff", "none"):
            raise ValueError(f'strategy must be "backoff" or "none", not {self.strategy!r}')
        if not isinstance(self.backoff, BackoffStrategy):
            raise TypeError(f"backoff must be a BackoffStrategy, not {type(self.backoff).__name__}")
        if not isinstance(self.retry_connection_errors, bool):
            raise TypeError("retry_connection_errors must be a bool")


DEFAULT_RETRIES: Final = RetryConfig()


def check_retries(name: str, retries: object) -> RetryConfig | None:
    """Return the retries that an argument asks for, None for none.

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


@contextmanager
def waiting_disabled() -> Generator[list[float]]:
    """Let no client wait between attempts, in tests: waits are counted, but not waited.

    Holds for the whole process. Gives the list of waits, in seconds, as they are asked for; they
    count against max_elapsed_time as if they had been waited.
    """
    waits: list[float] = []
    before = sleep.recorder
    sleep.recorder = waits
    try:
        yield waits
    finally:
        sleep.recorder = before


__all__ = ["UNSET", "BackoffStrategy", "RetryConfig", "Unset", "waiting_disabled"]
