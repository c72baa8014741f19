"""How fast callers that were held are let out."""

from __future__ import annotations

import math
from typing import Final

from attrs import frozen

# How many calls are let out in a second after a hold, at first, and in how many seconds that
# doubles. If one of them is refused, both follow what the server took until then.
_FIRST_RATE: Final = 10.0
_LOWEST_RATE: Final = 1.0
_FIRST_DOUBLING: Final = 1.0
_SECOND_DOUBLING: Final = 16.0
_LONGEST_DOUBLING: Final = 64.0


@frozen
class Pace:
    """How fast callers are let out after a hold.

    Attributes:
        rate: How many in a second, at first.
        doubling: The seconds in which that doubles.
    """

    rate: float = _FIRST_RATE
    doubling: float = _FIRST_DOUBLING

    def offset(self, position: int) -> float:
        """Return how many seconds after the hold a position in the line is let out."""
        growth = position * math.log(2) / (self.rate * self.doubling)
        return self.doubling * math.log2(1 + growth)

    def after_refusal(self, number: int, seconds: float) -> Pace:
        """Return the pace for the next time.

        Args:
            number: How many were let out before one was refused.
            seconds: How long that took.
        """
        reached = self.rate * 2 ** (seconds / self.doubling)
        # What the server took; at least half of what it refused, for a hold is idle time as well.
        rate = max(_LOWEST_RATE, number / max(seconds, 1.0), reached / 2)
        doubling = min(max(_SECOND_DOUBLING, 2 * self.doubling), _LONGEST_DOUBLING)
        return Pace(rate, doubling)
