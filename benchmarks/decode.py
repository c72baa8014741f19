"""CPU time of decoding a list of 1,000 groups with 100 users each, with dates, into models.

Beside json.loads of the same bytes, which checks nothing and leaves the dates as text.
"""

import gc
import json
import time
from collections.abc import Callable
from typing import Any

from clients import CLIENTS
from measure import by_turns, compare
from wire import groups_with_users

from command import options, report


def cost(decode: Callable[[bytes], Any], content: bytes) -> Callable[[], float]:
    """Return a function that measures the CPU time of one decoding, in seconds."""

    def once() -> float:
        gc.collect()
        start = time.process_time()
        decoded = decode(content)
        spent = time.process_time() - start
        del decoded
        return spent

    return once


def main() -> None:
    """Measure one client."""
    chosen = options(__doc__)
    content = groups_with_users(1_000, 100)
    decode = CLIENTS[chosen.client].decoder()
    pairs = by_turns(cost(decode, content), cost(json.loads, content), chosen.pairs(30))
    report(compare(pairs).row("decode", chosen.client))


if __name__ == "__main__":
    main()
