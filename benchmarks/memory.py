"""Peak memory of decoding a list of 1,000 groups with 100 users each, beside that of json.loads.

As tracemalloc counts it, the body itself left out. It is the same each time: two pairs will do.
"""

import gc
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

from clients import CLIENTS
from measure import by_turns, compare
from wire import groups_with_users

from command import options, report


def peak(decode: Callable[[bytes], Any], content: bytes) -> Callable[[], float]:
    """Return a function that measures the peak of one decoding, in bytes."""

    def once() -> float:
        gc.collect()
        tracemalloc.start()
        try:
            decoded = decode(content)
            return tracemalloc.get_traced_memory()[1]
        finally:
            del decoded
            tracemalloc.stop()

    return once


def main() -> None:
    """Measure one client."""
    chosen = options(__doc__)
    content = groups_with_users(1_000, 100)
    decode = CLIENTS[chosen.client].decoder()
    pairs = by_turns(peak(decode, content), peak(json.loads, content), 2)
    report(compare(pairs).row("memory", chosen.client))


if __name__ == "__main__":
    main()
