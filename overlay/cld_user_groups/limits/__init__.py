"""Limiters: keep calls from spending a quota that is gone, or that is somebody else's.

Every client has a `LocalLimiter` in its gentlest form: after a 420 or 429 it holds the client's
other calls back until the delay is over, then lets them out gradually. To foresee the end
of the quota, or to share it between processes, pass another one:

    client = CldProvisioning(limiter=LocalLimiter(reserve=50))
    client = CldProvisioning(limiter=RedisLimiter("redis://localhost:6379/0"))

A call that is held back waits, as it waits for a delay that the server asks for: within the
`max_elapsed_time` of its retries. Where the wait does not fit, and with retries off, it raises
`RateLimited` at once, with `retry_after`; `was_sent` is false then. `limiter=None` switches
limiting off. A limiter of your own has the methods of `Limiter`, and may have those of
`AsyncLimiter`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cld_user_groups.utils import Unset

from .local import LocalLimiter
from .protocol import AsyncLimiter, Hold, Limiter, Ticket

if TYPE_CHECKING:
    from .shared import RedisLimiter


def limiter_of(limiter: Limiter | Unset | None) -> Limiter | None:
    """Return a client's limiter, a new `LocalLimiter` for UNSET, or raise TypeError."""
    if isinstance(limiter, Unset):
        return LocalLimiter()
    if isinstance(limiter, type):
        raise TypeError(f"limiter must be an instance, not a class: pass {limiter.__name__}(...)")
    if limiter is not None and not (hasattr(limiter, "acquire") and hasattr(limiter, "observe")):
        raise TypeError(f"limiter must have acquire and observe; {type(limiter).__name__} has not")
    return limiter


def __getattr__(name: str) -> object:
    # Importing the client must not import what only some users need.
    if name == "RedisLimiter":
        from .shared import RedisLimiter

        return RedisLimiter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["AsyncLimiter", "Hold", "Limiter", "LocalLimiter", "RedisLimiter", "Ticket"]
